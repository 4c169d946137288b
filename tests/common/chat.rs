//! A small Slack: who is who, and what people were told. The double is the real judge; this one is for what needs
//! thousands of runs.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sluicegate::case::CaseId;
use sluicegate::ports::{Chat, ChatError, ChatUser, Message, Posted, Proof, SlackProof, Workspace};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub const TEAM: &str = "T0TEAM";
pub const APP: &str = "A0SLUICE";

#[derive(Debug, Default)]
pub struct People {
    pub users: BTreeMap<String, ChatUser>,
    pub groups: BTreeMap<String, Vec<String>>,
    /// What each was told.
    pub told: Vec<(String, String)>,
    /// Everything fails.
    pub down: bool,
}

#[derive(Debug, Clone, Default)]
pub struct FakeChat(pub Arc<Mutex<People>>);

impl FakeChat {
    /// alice and bob of the security team, carol on call, a guest, a bot, somebody gone, somebody of another workspace.
    pub fn new() -> Self {
        let chat = Self::default();
        {
            let mut people = chat.0.lock().unwrap();
            for id in ["U0ALICE", "U0BOB", "U0CAROL", "U0MALLORY", "U0GUEST", "U0ROBOT", "U0GONE", "U0EXTERN"] {
                let email = format!("{}@example.com", id.trim_start_matches("U0").to_lowercase());
                let user = ChatUser {
                    id: id.into(),
                    team_id: if id == "U0EXTERN" { "T0OTHER".into() } else { TEAM.into() },
                    email,
                    deleted: id == "U0GONE",
                    bot: id == "U0ROBOT",
                    restricted: id == "U0GUEST",
                    external: id == "U0EXTERN",
                };
                people.users.insert(id.into(), user);
            }
            let all = ["U0ALICE", "U0BOB", "U0GUEST", "U0ROBOT", "U0GONE", "U0EXTERN"].map(str::to_owned);
            people.groups.insert("S0SECURITY".into(), all.to_vec());
            people.groups.insert("S0ONCALL".into(), vec!["U0CAROL".into()]);
        }
        chat
    }

    pub fn told(&self, user: &str) -> Vec<String> {
        let people = self.0.lock().unwrap();
        people.told.iter().filter(|(who, _)| who == user).map(|(_, text)| text.clone()).collect()
    }

    fn up(&self) -> Result<(), ChatError> {
        let down = self.0.lock().unwrap().down;
        if down { Err(ChatError::Later { retry_after: None, message: "as told".into() }) } else { Ok(()) }
    }
}

/// A click of this user, as Slack's own connection tells it.
pub fn click(user: &str) -> Proof {
    Proof::Slack(SlackProof {
        team_id: TEAM.into(),
        user_team_id: if user == "U0EXTERN" { "T0OTHER".into() } else { TEAM.into() },
        app_id: APP.into(),
        user_id: user.into(),
        channel: "C0SECURITY".into(),
        container: "1.1".into(),
        at: Timestamp::now(),
        response_url: String::new(),
    })
}

#[async_trait]
impl Chat for FakeChat {
    async fn workspace(&self) -> Result<Workspace, ChatError> {
        self.up()?;
        Ok(Workspace { team_id: TEAM.into(), user_id: "U0BOT".into(), app_id: APP.into() })
    }
    async fn post(&self, channel: &str, _: Option<&str>, _: &Message) -> Result<Posted, ChatError> {
        self.up()?;
        Ok(Posted { channel: channel.into(), ts: "1.1".into(), seq: 0 })
    }
    async fn broadcast(&self, channel: &str, thread: &str, message: &Message) -> Result<Posted, ChatError> {
        self.post(channel, Some(thread), message).await
    }
    async fn update(&self, _: &Posted, _: &Message) -> Result<(), ChatError> {
        self.up()
    }
    async fn find(&self, _: &str, _: Option<&str>, _: &str, _: &CaseId) -> Result<Option<Posted>, ChatError> {
        self.up()?;
        Ok(None)
    }
    async fn whisper(&self, _: &str, user_id: &str, _: &str, text: &str) -> Result<(), ChatError> {
        self.0.lock().unwrap().told.push((user_id.into(), text.into()));
        Ok(())
    }
    async fn open_modal(&self, _: &str, _: &Value) -> Result<(), ChatError> {
        self.up()
    }
    async fn user(&self, id: &str) -> Result<ChatUser, ChatError> {
        self.up()?;
        let found = self.0.lock().unwrap().users.get(id).cloned();
        found.ok_or(ChatError::Refused { code: "user_not_found".into(), message: String::new() })
    }
    async fn members(&self, group_id: &str) -> Result<Vec<String>, ChatError> {
        self.up()?;
        let found = self.0.lock().unwrap().groups.get(group_id).cloned();
        found.ok_or(ChatError::Refused { code: "no_such_subteam".into(), message: String::new() })
    }
}

//! Who people are, as Slack has them now: asked for by id, and remembered for a minute at most.

use crate::ports::{ChatError, ChatUser};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(55);
/// How many are remembered.
const MOST: usize = 2_000;

/// Answers by id, while they are fresh. Failures are not remembered.
#[derive(Debug)]
pub(super) struct Fresh<T>(Mutex<HashMap<String, (Instant, T)>>);

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Fresh<T> {
    pub(super) fn get(&self, id: &str) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, value)| value.clone())
    }

    pub(super) fn put(&self, id: &str, value: T) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.to_owned(), (Instant::now(), value));
    }
}

/// A user from the answer of `users.info`. What Slack does not say of them is taken to be what bars them.
pub(super) fn user(id: &str, own_team: &str, answer: &Value) -> Result<ChatUser, ChatError> {
    let user = &answer["user"];
    if user["id"] != id {
        let message = "Slack answers for another user than the one asked for".to_owned();
        return Err(ChatError::Later { retry_after: None, message });
    }
    let flag = |key: &str| user[key].as_bool().unwrap_or(true);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let team_id = text(&user["team_id"]);
    // In an organisation of several workspaces a colleague's home may be another one than ours.
    let colleague =
        user["enterprise_user"]["teams"].as_array().is_some_and(|teams| teams.iter().any(|t| t == own_team));
    let stranger = user["is_stranger"].as_bool().unwrap_or(false);
    Ok(ChatUser {
        id: id.to_owned(),
        email: text(&user["profile"]["email"]),
        deleted: flag("deleted"),
        bot: flag("is_bot") || user["is_workflow_bot"] == true || id == "USLACKBOT",
        restricted: flag("is_restricted") || flag("is_ultra_restricted"),
        external: stranger || own_team.is_empty() || (team_id != own_team && !colleague),
        team_id,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn member() -> Value {
        json!({"user": {
            "id": "U1", "team_id": "T1", "deleted": false, "is_bot": false, "is_restricted": false,
            "is_ultra_restricted": false, "profile": {"email": "a@example.com"}
        }})
    }

    #[test]
    fn a_full_member_is_nothing_else() {
        let user = user("U1", "T1", &member()).unwrap();
        assert_eq!((user.email.as_str(), user.team_id.as_str()), ("a@example.com", "T1"));
        assert!(!user.deleted && !user.bot && !user.restricted && !user.external);
    }

    #[test]
    fn what_is_not_said_bars() {
        for key in ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "team_id"] {
            let mut answer = member();
            answer["user"].as_object_mut().unwrap().remove(key);
            let user = user("U1", "T1", &answer).unwrap();
            assert!(user.deleted || user.bot || user.restricted || user.external, "{key}");
        }
    }

    #[test]
    fn strangers_and_people_of_other_workspaces_are_external() {
        let mut answer = member();
        answer["user"]["is_stranger"] = true.into();
        assert!(user("U1", "T1", &answer).unwrap().external);
        let mut answer = member();
        answer["user"]["team_id"] = "T2".into();
        assert!(user("U1", "T1", &answer).unwrap().external);
        answer["user"]["enterprise_user"] = json!({"teams": ["T2", "T1"]});
        assert!(!user("U1", "T1", &answer).unwrap().external);
        assert!(user("U2", "T1", &member()).is_err(), "another user than the one asked for");
    }
}

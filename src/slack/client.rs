//! Slack's Web API as the port [`Chat`].

use super::answer::Effect;
use super::api::{Api, Arguments};
use super::pace::Pace;
use super::people::{self, Fresh};
use super::token::{AppId, Token};
use crate::case::CaseId;
use crate::ports::{Chat, ChatError, ChatUser, Message, Posted, Workspace};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

const POST: &str = "chat.postMessage";
const UPDATE: &str = "chat.update";
const WHISPER: &str = "chat.postEphemeral";
/// How many messages a page of a channel's history has.
const PAGE: &str = "200";
/// How many pages are looked through for a message.
const PAGES: usize = 5;

/// The client. It holds the bot's token.
#[derive(Debug)]
pub struct SlackClient {
    api: Api,
    token: Arc<Token>,
    pace: Pace,
    users: Fresh<ChatUser>,
    groups: Fresh<Vec<String>>,
    own: Mutex<Option<Workspace>>,
    app: AppId,
}

impl SlackClient {
    /// A client.
    pub fn new(api: Api, token: Arc<Token>, app: AppId) -> Self {
        Self::with_pace(api, token, app, Pace::default())
    }

    /// The same at another pace.
    pub fn with_pace(api: Api, token: Arc<Token>, app: AppId, pace: Pace) -> Self {
        Self { api, token, pace, users: Fresh::default(), groups: Fresh::default(), own: Mutex::default(), app }
    }

    async fn call(&self, method: &'static str, effect: Effect, arguments: Arguments<'_>) -> Result<Value, ChatError> {
        let answer = self.api.call(&self.token, method, effect, arguments).await;
        if let Err(error @ ChatError::Token { .. }) = &answer {
            tracing::debug!(method, %error, "the token is read again from its place");
            self.token.read_again().await;
            *self.own.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        answer
    }

    /// A call that has its turns: in a channel, or of a method where no channel is given.
    async fn paced(
        &self,
        method: &'static str,
        channel: &str,
        effect: Effect,
        arguments: Arguments<'_>,
    ) -> Result<Value, ChatError> {
        self.pace.turn(method, channel).await?;
        let answer = self.call(method, effect, arguments).await;
        if let Err(ChatError::Later { retry_after: Some(wait), .. }) = &answer {
            self.pace.close(method, channel, *wait);
        }
        answer
    }

    async fn send(
        &self,
        channel: &str,
        thread: Option<&str>,
        broadcast: bool,
        message: &Message,
    ) -> Result<Posted, ChatError> {
        let mut body = content(message);
        body["channel"] = channel.into();
        body["unfurl_links"] = false.into();
        body["unfurl_media"] = false.into();
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
            body["reply_broadcast"] = broadcast.into();
        }
        let answer = self.paced(POST, channel, Effect::Some, Arguments::Json(&body)).await?;
        let seq = message.metadata.as_ref().map_or(0, |metadata| metadata.seq);
        match (answer["channel"].as_str(), answer["ts"].as_str()) {
            (Some(channel), Some(ts)) => Ok(Posted { channel: channel.to_owned(), ts: ts.to_owned(), seq }),
            _ => Err(ChatError::Ambiguous { message: "Slack does not say where the message is".into() }),
        }
    }
}

/// A message's content. Nobody is notified by what stands in it, and no address in it is fetched.
fn content(message: &Message) -> Value {
    let mut body = json!({"text": message.text, "parse": "none", "link_names": false});
    // An empty list takes away what was there before.
    body["blocks"] = if message.blocks.is_null() { json!([]) } else { message.blocks.clone() };
    if let Some(metadata) = &message.metadata {
        body["metadata"] = json!({
            "event_type": metadata.event_type,
            "event_payload": {"case_id": metadata.case_id, "seq": metadata.seq}
        });
    }
    body
}

/// The seq of a message's metadata, where it is ours and about this.
fn about(message: &Value, own: &Workspace, event_type: &str, case_id: &CaseId) -> Option<u64> {
    let metadata = &message["metadata"];
    let ours = !own.user_id.is_empty() && message["user"] == own.user_id.as_str();
    let is = metadata["event_type"] == event_type && metadata["event_payload"]["case_id"] == case_id.as_str();
    (ours && is).then(|| metadata["event_payload"]["seq"].as_u64().unwrap_or(0))
}

#[async_trait]
impl Chat for SlackClient {
    async fn workspace(&self) -> Result<Workspace, ChatError> {
        let known = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(own) = known {
            return Ok(Workspace { app_id: self.app.get(), ..own });
        }
        let answer = self.call("auth.test", Effect::None, Arguments::Form(&[])).await?;
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        let own = Workspace { team_id: text("team_id"), user_id: text("user_id"), app_id: self.app.get() };
        if own.team_id.is_empty() || own.user_id.is_empty() {
            let message = "Slack does not say which workspace the token is for".to_owned();
            return Err(ChatError::Later { retry_after: None, message });
        }
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(own.clone());
        Ok(own)
    }

    async fn post(&self, channel: &str, thread: Option<&str>, message: &Message) -> Result<Posted, ChatError> {
        self.send(channel, thread, false, message).await
    }

    async fn broadcast(&self, channel: &str, thread: &str, message: &Message) -> Result<Posted, ChatError> {
        self.send(channel, Some(thread), true, message).await
    }

    async fn update(&self, at: &Posted, message: &Message) -> Result<(), ChatError> {
        let mut body = content(message);
        body["channel"] = at.channel.as_str().into();
        body["ts"] = at.ts.as_str().into();
        self.paced(UPDATE, &at.channel, Effect::Some, Arguments::Json(&body)).await.map(drop)
    }

    async fn find(
        &self,
        channel: &str,
        thread: Option<&str>,
        event_type: &str,
        case_id: &CaseId,
    ) -> Result<Option<Posted>, ChatError> {
        let own = self.workspace().await?;
        let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let (mut cursor, mut newest): (String, Option<Posted>) = (String::new(), None);
        for _ in 0..PAGES {
            let mut form = vec![("channel", channel), ("limit", PAGE), ("include_all_metadata", "true")];
            form.extend(thread.map(|ts| ("ts", ts)));
            if !cursor.is_empty() {
                form.push(("cursor", &cursor));
            }
            let answer = self.paced(method, "", Effect::None, Arguments::Form(&form)).await?;
            for message in answer["messages"].as_array().into_iter().flatten() {
                let (Some(seq), Some(ts)) = (about(message, &own, event_type, case_id), message["ts"].as_str()) else {
                    continue;
                };
                if newest.as_ref().is_none_or(|known| known.seq < seq) {
                    newest = Some(Posted { channel: channel.to_owned(), ts: ts.to_owned(), seq });
                }
            }
            answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
            // A channel tells its newest messages first, a thread its oldest.
            if cursor.is_empty() || (thread.is_none() && newest.is_some()) {
                break;
            }
        }
        Ok(newest)
    }

    async fn whisper(&self, channel: &str, user_id: &str, response_url: &str, text: &str) -> Result<(), ChatError> {
        if !response_url.is_empty() {
            let body = json!({"response_type": "ephemeral", "replace_original": false, "text": text});
            match self.api.respond(response_url, &body).await {
                Ok(()) => return Ok(()),
                // It may have been heard: once is enough.
                Err(error @ ChatError::Ambiguous { .. }) => return Err(error),
                Err(error) => tracing::debug!(%error, "a click's own address does not answer; the channel is tried"),
            }
        }
        if channel.is_empty() || user_id.is_empty() {
            let message = "there is no channel in which that person could be told".to_owned();
            return Err(ChatError::Refused { code: "no_channel".into(), message });
        }
        let body = json!({"channel": channel, "user": user_id, "text": text, "parse": "none", "link_names": false});
        self.call(WHISPER, Effect::Some, Arguments::Json(&body)).await.map(drop)
    }

    async fn open_modal(&self, trigger_id: &str, view: &Value) -> Result<(), ChatError> {
        let body = json!({"trigger_id": trigger_id, "view": view});
        self.call("views.open", Effect::Some, Arguments::Json(&body)).await.map(drop)
    }

    async fn user(&self, id: &str) -> Result<ChatUser, ChatError> {
        if let Some(user) = self.users.get(id) {
            return Ok(user);
        }
        let own = self.workspace().await?;
        let answer = self.call("users.info", Effect::None, Arguments::Form(&[("user", id)])).await?;
        let user = people::user(id, &own.team_id, &answer)?;
        self.users.put(id, user.clone());
        Ok(user)
    }

    async fn members(&self, group_id: &str) -> Result<Vec<String>, ChatError> {
        if let Some(members) = self.groups.get(group_id) {
            return Ok(members);
        }
        let form = [("usergroup", group_id), ("include_disabled", "false")];
        let answer = self.call("usergroups.users.list", Effect::None, Arguments::Form(&form)).await?;
        let Some(users) = answer["users"].as_array() else {
            let message = "Slack does not say who is in the group".to_owned();
            return Err(ChatError::Later { retry_after: None, message });
        };
        let members: Vec<String> = users.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.groups.put(group_id, members.clone());
        Ok(members)
    }
}

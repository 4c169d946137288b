//! Slack, as far as it is needed.

use crate::case::CaseId;
use async_trait::async_trait;
use serde_json::Value;
use std::time::Duration;

/// Why Slack did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// It was not done; repeat, after a while.
    #[error("not now: {message}")]
    Later {
        /// `Retry-After`, where Slack told it.
        retry_after: Option<Duration>,
        /// What happened.
        message: String,
    },
    /// It may have been done: look before repeating.
    #[error("no answer: {message}")]
    Ambiguous {
        /// What happened.
        message: String,
    },
    /// The channel cannot be used: archived, unknown, or the app is not in it.
    #[error("the channel cannot be used: {code}")]
    Channel {
        /// Slack's word.
        code: String,
    },
    /// The tokens are worth nothing: only a person can put that right.
    #[error("Slack does not take the token: {code}")]
    Token {
        /// Slack's word.
        code: String,
    },
    /// Refused for good: repeating does not help.
    #[error("Slack refuses: {code}: {message}")]
    Refused {
        /// Slack's word.
        code: String,
        /// More, where Slack told it.
        message: String,
    },
}

/// A message, or the content of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// For notifications and readers without blocks.
    pub text: String,
    /// Block Kit; `Null` where there are none.
    pub blocks: Value,
    /// By which it is known again.
    pub metadata: Option<Metadata>,
}

/// A message's metadata: whose it is, and what of the case it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `sluicegate_case` for the card, of which there is one a case; `sluicegate_audit` for a line in its thread.
    pub event_type: &'static str,
    /// The case.
    pub case_id: CaseId,
    /// How many of its events it shows.
    pub seq: u64,
}

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The channel.
    pub channel: String,
    /// The message's timestamp, its id.
    pub ts: String,
    /// What its metadata says that it shows; 0 where that is not known.
    pub seq: u64,
}

/// A user, as Slack has them now; never as a payload says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each keeps somebody out for another reason")]
pub struct ChatUser {
    /// `U…` or `W…`
    pub id: String,
    /// Their workspace.
    pub team_id: String,
    /// Their e-mail, where the app may see it; else `""`.
    pub email: String,
    /// Deactivated.
    pub deleted: bool,
    /// A bot, or an app's user.
    pub bot: bool,
    /// A guest of one or more channels.
    pub restricted: bool,
    /// Of another workspace or organisation.
    pub external: bool,
}

/// What the tokens belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// `T…`
    pub team_id: String,
    /// The app's own user.
    pub user_id: String,
    /// The app, `A…`; `""` while nobody said: interactions for any other are not for us.
    pub app_id: String,
}

/// Slack's Web API. Each call ends within a few seconds.
#[async_trait]
pub trait Chat: Send + Sync {
    /// `auth.test`
    async fn workspace(&self) -> Result<Workspace, ChatError>;

    /// `chat.postMessage`, in a thread where one is given. After `Ambiguous` it may be there: [`Chat::find`] first.
    async fn post(&self, channel: &str, thread: Option<&str>, message: &Message) -> Result<Posted, ChatError>;

    /// [`Chat::post`] in a thread, and the channel shows it as well.
    async fn broadcast(&self, channel: &str, thread: &str, message: &Message) -> Result<Posted, ChatError>;

    /// `chat.update`: the message shows this and nothing else. May be repeated.
    async fn update(&self, at: &Posted, message: &Message) -> Result<(), ChatError>;

    /// Looks through a channel's latest messages, or a thread's, for the newest of ours that is about this case.
    async fn find(
        &self,
        channel: &str,
        thread: Option<&str>,
        event_type: &str,
        case_id: &CaseId,
    ) -> Result<Option<Posted>, ChatError>;

    /// Tells one person something that nobody else sees (`chat.postEphemeral`, or the click's own `response_url`).
    async fn whisper(&self, channel: &str, user_id: &str, response_url: &str, text: &str) -> Result<(), ChatError>;

    /// `views.open`; within three seconds of the click.
    async fn open_modal(&self, trigger_id: &str, view: &Value) -> Result<(), ChatError>;

    /// `users.info`
    async fn user(&self, id: &str) -> Result<ChatUser, ChatError>;

    /// `usergroups.users.list`: the user ids in a group.
    async fn members(&self, group_id: &str) -> Result<Vec<String>, ChatError>;
}

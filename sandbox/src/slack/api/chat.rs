//! Posting, changing and deleting messages.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::request::Request;
use super::{ApiError, Done, fields};
use crate::slack::blocks::{check_blocks, kept};
use crate::slack::message::Message;
use crate::slack::world::{Pace, State, World};

/// The longest text of a message, in characters.
const TEXT: usize = 40_000;
/// The longest text of a change, in bytes.
const CHANGED_TEXT: usize = 4_000;

/// What a message says.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) text: Option<String>,
    pub(crate) blocks: Option<Vec<Value>>,
    pub(crate) metadata: Option<Value>,
}

impl Draft {
    fn of(request: &Request) -> Result<Self, ApiError> {
        let blocks = request.json("blocks", "invalid_blocks_format")?;
        let metadata = request.json("metadata", "invalid_metadata_format")?;
        Self::checked(request.string("text"), blocks.as_ref(), metadata)
    }

    /// A message that keeps the rules.
    pub(crate) fn checked(
        text: Option<String>,
        blocks: Option<&Value>,
        metadata: Option<Value>,
    ) -> Result<Self, ApiError> {
        if let Some(metadata) = &metadata
            && metadata.as_object().is_none_or(|map| {
                let is_whole = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
                !(is_whole || map.is_empty())
            })
        {
            return Err(ApiError::new("invalid_metadata_format"));
        }
        let blocks = blocks.map(|blocks| check_blocks(blocks).map(kept)).transpose()?;
        Ok(Self { text, blocks, metadata })
    }

    fn is_empty(&self) -> bool {
        self.text.as_ref().is_none_or(String::is_empty) && self.blocks.as_ref().is_none_or(Vec::is_empty)
    }

    fn is_longer_than(&self, length: impl Fn(&str) -> usize, max: usize) -> bool {
        self.text.as_ref().is_some_and(|text| length(text) > max)
    }

    /// A new message with this contents.
    pub(crate) fn into_message(self, ts: String, channel: &str, user: &str) -> Message {
        Message {
            ts,
            channel: channel.to_owned(),
            user: user.to_owned(),
            text: self.text.unwrap_or_default(),
            blocks: self.blocks.unwrap_or_default(),
            metadata: self.metadata.filter(|metadata| metadata.get("event_type").is_some()),
            edited: None,
            updates: 0,
            thread_ts: None,
            broadcast: false,
            only_for: None,
            replies: Vec::new(),
        }
    }

    /// Changes a message: blocks go if a text comes without any.
    pub(crate) fn change(self, message: &mut Message, ts: String) {
        if self.blocks.is_none() && self.text.is_some() {
            message.blocks.clear();
        }
        if let Some(blocks) = self.blocks {
            message.blocks = blocks;
        }
        if let Some(text) = self.text {
            message.text = text;
        }
        if let Some(metadata) = self.metadata {
            message.metadata = metadata.get("event_type").is_some().then_some(metadata);
        }
        message.edited = Some(ts);
        message.updates += 1;
    }
}

impl World {
    /// The channel, if the app may write there.
    fn writable(state: &State, request: &Request) -> Result<String, ApiError> {
        let channel = request.needed("channel", "channel_not_found")?;
        let found = state.channels.get(&channel).ok_or_else(|| ApiError::new("channel_not_found"))?;
        if found.is_archived {
            return Err(ApiError::new("is_archived"));
        }
        if !found.is_member {
            return Err(ApiError::new("not_in_channel"));
        }
        Ok(channel)
    }

    /// About one message a second in a channel, with short bursts.
    fn paced(&self, state: &mut State, channel: &str) -> Result<(), ApiError> {
        let interval = self.options.post_interval.as_secs_f64();
        let burst = f64::from(self.options.post_burst);
        if interval <= 0.0 {
            return Ok(());
        }
        let now = Instant::now();
        let pace = state.pace.entry(channel.to_owned()).or_insert(Pace { left: burst, at: now });
        pace.left = (pace.left + now.duration_since(pace.at).as_secs_f64() / interval).min(burst);
        pace.at = now;
        if pace.left < 1.0 {
            let wait = Duration::from_secs_f64((1.0 - pace.left) * interval).as_secs();
            return Err(ApiError::rate_limited(u32::try_from(wait).unwrap_or(u32::MAX).saturating_add(1)));
        }
        pace.left -= 1.0;
        Ok(())
    }

    pub(super) fn post_message(&self, request: &Request) -> Done {
        let mut state = self.state();
        let channel = Self::writable(&state, request)?;
        self.paced(&mut state, &channel)?;
        let draft = Draft::of(request)?;
        if draft.is_empty() {
            return Err(ApiError::new("no_text"));
        }
        if draft.is_longer_than(|text| text.chars().count(), TEXT) {
            return Err(ApiError::new("msg_too_long"));
        }
        let thread = match request.string("thread_ts") {
            None => None,
            Some(ts) => {
                let parent = state.message(&channel, &ts).ok_or_else(|| ApiError::new("thread_not_found"))?;
                Some(parent.thread_ts.clone().unwrap_or(ts))
            }
        };
        let ts = state.next_ts();
        let mut message = draft.into_message(ts.clone(), &channel, &self.options.bot_user_id);
        message.broadcast = thread.is_some() && request.flag("reply_broadcast");
        message.thread_ts = thread;
        let shown = self.shown(&message, true);
        state.messages.push(message);
        state.changed();
        Ok(fields(json!({ "channel": channel, "ts": ts, "message": shown })))
    }

    pub(super) fn post_ephemeral(&self, request: &Request) -> Done {
        let mut state = self.state();
        let channel = Self::writable(&state, request)?;
        let user = request.needed("user", "user_not_in_channel")?;
        if state.users.get(&user).is_none_or(|user| user.deleted) {
            return Err(ApiError::new("user_not_in_channel"));
        }
        let draft = Draft::of(request)?;
        if draft.is_empty() {
            return Err(ApiError::new("no_text"));
        }
        let ts = state.next_ts();
        let mut message = draft.into_message(ts.clone(), &channel, &self.options.bot_user_id);
        message.only_for = Some(user);
        message.thread_ts = request.string("thread_ts");
        state.ephemerals.push(message);
        state.changed();
        Ok(fields(json!({ "message_ts": ts })))
    }

    pub(super) fn update_message(&self, request: &Request) -> Done {
        let mut state = self.state();
        let channel = Self::writable(&state, request)?;
        let ts = request.needed("ts", "message_not_found")?;
        let author = state.message(&channel, &ts).map(|message| message.user.clone());
        if author.ok_or_else(|| ApiError::new("message_not_found"))? != self.options.bot_user_id {
            return Err(ApiError::new("cant_update_message"));
        }
        let draft = Draft::of(request)?;
        if draft.text.is_none() && draft.blocks.is_none() && draft.metadata.is_none() {
            return Err(ApiError::new("no_text"));
        }
        if draft.is_longer_than(str::len, CHANGED_TEXT) {
            return Err(ApiError::new("msg_too_long"));
        }
        let edited = state.next_ts();
        let message = state.message_mut(&channel, &ts).ok_or_else(|| ApiError::new("message_not_found"))?;
        draft.change(message, edited);
        let message = message.clone();
        state.changed();
        Ok(fields(json!({
            "channel": channel, "ts": ts, "text": message.text, "message": self.shown(&message, true),
        })))
    }

    pub(super) fn delete_message(&self, request: &Request) -> Done {
        let mut state = self.state();
        let channel = Self::writable(&state, request)?;
        let ts = request.needed("ts", "message_not_found")?;
        let author = state.message(&channel, &ts).map(|message| message.user.clone());
        if author.ok_or_else(|| ApiError::new("message_not_found"))? != self.options.bot_user_id {
            return Err(ApiError::new("cant_delete_message"));
        }
        state.messages.retain(|message| message.channel != channel || message.ts != ts);
        state.changed();
        Ok(fields(json!({ "channel": channel, "ts": ts })))
    }

    pub(super) fn permalink(&self, request: &Request) -> Done {
        let state = self.state();
        let channel = request.needed("channel", "channel_not_found")?;
        if !state.channels.contains_key(&channel) {
            return Err(ApiError::new("channel_not_found"));
        }
        let ts = request.needed("message_ts", "message_not_found")?;
        let message = state.message(&channel, &ts).ok_or_else(|| ApiError::new("message_not_found"))?;
        let anchor = format!("p{}", ts.replace('.', ""));
        let thread = message.thread_ts.as_ref().map(|ts| format!("?thread_ts={ts}&cid={channel}"));
        let host = self.options.team_name.to_lowercase();
        let link = format!("https://{host}.slack.com/archives/{channel}/{anchor}{}", thread.unwrap_or_default());
        Ok(Map::from_iter([("channel".to_owned(), channel.into()), ("permalink".to_owned(), link.into())]))
    }
}

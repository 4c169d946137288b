//! A message, as the workspace keeps it and as Slack shows it.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A message of the app.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// When it was posted, and its id in its channel.
    pub ts: String,
    /// Its channel.
    pub channel: String,
    /// Who posted it.
    pub user: String,
    /// Its text: what notifications show where there are blocks.
    pub text: String,
    /// Its blocks as they are now, each with an id.
    pub blocks: Vec<Value>,
    /// What no person sees.
    pub metadata: Option<Value>,
    /// When it was changed last.
    pub edited: Option<String>,
    /// How often it was changed.
    pub updates: u32,
    /// The message that this is a reply to.
    pub thread_ts: Option<String>,
    /// A reply that the channel shows as well.
    pub broadcast: bool,
    /// The only person that sees it.
    pub only_for: Option<String>,
    /// Its replies, oldest first; only where messages are listed.
    pub replies: Vec<Message>,
}

impl Message {
    /// The case that the message is the card of.
    pub fn case_id(&self) -> Option<&str> {
        let metadata = self.metadata.as_ref()?;
        (metadata["event_type"] == "sluicegate_case").then(|| metadata["event_payload"]["case_id"].as_str()).flatten()
    }

    /// All its buttons and other elements that can be acted on, each with the id of its block.
    pub fn actions(&self) -> Vec<(String, Value)> {
        actions_of(&self.blocks)
    }

    /// The button with this action.
    pub fn button(&self, action_id: &str) -> Option<Value> {
        self.actions().into_iter().map(|(_, element)| element).find(|element| element["action_id"] == action_id)
    }

    /// Everything that a person can read of it.
    pub fn visible_text(&self) -> String {
        let mut lines = vec![self.text.clone()];
        for block in &self.blocks {
            collect_texts(block, &mut lines);
        }
        lines.join("\n")
    }

    /// As `chat.postMessage` and `conversations.history` show it.
    pub(crate) fn as_slack(&self, app_id: &str, team_id: &str, with_metadata: bool) -> Value {
        let bot_id = bot_id(app_id);
        let mut shown = json!({
            "type": "message",
            "user": self.user,
            "bot_id": bot_id,
            "app_id": app_id,
            "team": team_id,
            "ts": self.ts,
            "text": self.text,
            "bot_profile": {
                "id": bot_id, "app_id": app_id, "user_id": self.user, "name": "sluicegate", "deleted": false,
                "team_id": team_id,
            },
        });
        if let Some(map) = shown.as_object_mut() {
            self.add_the_optional(map, with_metadata);
        }
        shown
    }

    fn add_the_optional(&self, map: &mut Map<String, Value>, with_metadata: bool) {
        if !self.blocks.is_empty() {
            map.insert("blocks".to_owned(), Value::Array(self.blocks.clone()));
        }
        if let Some(ts) = &self.edited {
            map.insert("edited".to_owned(), json!({ "user": self.user, "ts": ts }));
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| with_metadata) {
            map.insert("metadata".to_owned(), metadata.clone());
        }
        if let Some(thread) = &self.thread_ts {
            map.insert("thread_ts".to_owned(), thread.clone().into());
            if self.broadcast {
                map.insert("subtype".to_owned(), "thread_broadcast".into());
            }
        } else if let Some(latest) = self.replies.last() {
            map.insert("thread_ts".to_owned(), self.ts.clone().into());
            map.insert("reply_count".to_owned(), self.replies.len().into());
            map.insert("reply_users_count".to_owned(), 1.into());
            map.insert("reply_users".to_owned(), json!([self.user]));
            map.insert("latest_reply".to_owned(), latest.ts.clone().into());
            map.insert("is_locked".to_owned(), false.into());
            map.insert("subscribed".to_owned(), false.into());
        }
    }
}

/// The id of an app's bot, which is neither the app's nor its user's.
pub(crate) fn bot_id(app_id: &str) -> String {
    format!("B{}", app_id.get(1..).unwrap_or_default())
}

/// The elements of blocks that can be acted on, each with its block's id.
pub(crate) fn actions_of(blocks: &[Value]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for block in blocks {
        let block_id = block["block_id"].as_str().unwrap_or_default();
        let several = if block["type"] == "actions" { block["elements"].as_array() } else { None };
        let one = ["accessory", "element"].into_iter().filter_map(|key| block.get(key));
        let elements = several.into_iter().flatten().chain(one);
        found.extend(
            elements.filter(|e| e.get("action_id").is_some()).map(|element| (block_id.to_owned(), element.clone())),
        );
    }
    found
}

fn collect_texts(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(text) = map.get("text").and_then(Value::as_str) {
                lines.push(text.to_owned());
            }
            map.values().for_each(|inner| collect_texts(inner, lines));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_texts(inner, lines)),
        _ => {}
    }
}

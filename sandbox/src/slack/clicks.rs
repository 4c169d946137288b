//! What people do, and what is forged in their name.

use serde::Deserialize;
use serde_json::{Value, json};

use super::blocks::check_view;
use super::envelope::Acknowledgement;
use super::message::{Message, actions_of};
use super::payload;
use super::values::entered;
use super::world::{OpenView, State, World};

/// Why a person could not do that: Slack's own client would not let them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClickError {
    /// They do not see such a message.
    #[error("{user} sees no message {ts} in {channel}")]
    NoMessage {
        /// Who looked.
        user: String,
        /// Where.
        channel: String,
        /// For which.
        ts: String,
    },
    /// The message, as it is now, has no such button.
    #[error("the message has no button {0}")]
    NoButton(String),
    /// No such view is open on their screen.
    #[error("{user} has no view {view_id} open")]
    NoView {
        /// Whose screen.
        user: String,
        /// Which view.
        view_id: String,
    },
    /// The view has no such field, or the field no such option.
    #[error("the view has no {0}")]
    NoInput(String),
    /// The field must be filled in.
    #[error("{0} is required")]
    Required(String),
    /// The field takes neither so little nor so much.
    #[error("{0} is too long or too short")]
    Length(String),
    /// There was no such envelope.
    #[error("there was no envelope {0}")]
    NoEnvelope(String),
}

/// A click that Slack's client would not send: stale, or forged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawClick {
    /// In whose name.
    pub user: String,
    /// The message's channel.
    pub channel: String,
    /// The message.
    pub ts: String,
    /// The button.
    pub action_id: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
    /// The block that the button is said to be in.
    #[serde(default)]
    pub block_id: Option<String>,
    /// What else the payload says, instead of the truth: JSON pointer and value (`/api_app_id`, `/team/id`).
    #[serde(default)]
    pub with: Vec<(String, Value)>,
}

impl RawClick {
    /// A click on a button that need not exist.
    pub fn new(user: &str, channel: &str, ts: &str, action_id: &str, value: &str) -> Self {
        Self {
            user: user.to_owned(),
            channel: channel.to_owned(),
            ts: ts.to_owned(),
            action_id: action_id.to_owned(),
            value: value.to_owned(),
            block_id: None,
            with: Vec::new(),
        }
    }

    /// As from another app.
    pub fn app_id(self, app_id: &str) -> Self {
        self.with("/api_app_id", app_id.into())
    }

    /// As from another workspace.
    pub fn team_id(self, team_id: &str) -> Self {
        self.with("/team/id", team_id.into()).with("/user/team_id", team_id.into())
    }

    /// With something else in its payload.
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        self.with.push((pointer.to_owned(), value));
        self
    }
}

/// A submission that Slack's client would not send.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSubmission {
    /// In whose name.
    pub user: String,
    /// The view, as far as it is not the one that is open: `private_metadata`, `callback_id`.
    pub view: Value,
    /// `view.state.values`.
    #[serde(default)]
    pub values: Value,
    /// What else the payload says, instead of the truth: JSON pointer and value.
    #[serde(default)]
    pub with: Vec<(String, Value)>,
}

/// Writes over a payload, and adds what it does not have.
fn overwrite(payload: &mut Value, with: &[(String, Value)]) {
    for (pointer, value) in with {
        if let Some(place) = payload.pointer_mut(pointer) {
            *place = value.clone();
        } else if let Some((parent, key)) = pointer.rsplit_once('/')
            && let Some(map) = payload.pointer_mut(parent).and_then(Value::as_object_mut)
        {
            map.insert(key.to_owned(), value.clone());
        }
    }
}

pub(crate) fn new_envelope() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl World {
    pub(crate) async fn click(
        &self,
        user: &str,
        channel: &str,
        ts: &str,
        action_id: &str,
    ) -> Result<Acknowledgement, ClickError> {
        let payload = {
            let mut state = self.state();
            let no_message =
                || ClickError::NoMessage { user: user.to_owned(), channel: channel.to_owned(), ts: ts.to_owned() };
            let message = state.seen_by(user, channel, ts).cloned().ok_or_else(no_message)?;
            let mut actions = message.actions().into_iter();
            let found = actions.find(|(_, element)| element["type"] == "button" && element["action_id"] == action_id);
            let (block_id, button) = found.ok_or_else(|| ClickError::NoButton(action_id.to_owned()))?;
            payload::block_actions(self, &mut state, user, &message, payload::pressed(&block_id, &button))
        };
        Ok(self.deliver(new_envelope(), payload).await)
    }

    pub(crate) async fn click_raw(&self, click: &RawClick) -> Acknowledgement {
        let payload = {
            let mut state = self.state();
            let seen = state.seen_by(&click.user, &click.channel, &click.ts).cloned();
            let message = seen.unwrap_or_else(|| self.unseen(click));
            let button = message.button(&click.action_id).unwrap_or_else(|| {
                json!({ "type": "button", "text": { "type": "plain_text", "text": click.action_id, "emoji": true } })
            });
            let mut actions = message.actions().into_iter();
            let block = actions.find(|(_, element)| element["action_id"] == *click.action_id).map(|(block, _)| block);
            let block = click.block_id.clone().or(block).unwrap_or_else(|| "forged".to_owned());
            let mut action = payload::pressed(&block, &button);
            action["action_id"] = click.action_id.clone().into();
            action["value"] = click.value.clone().into();
            payload::block_actions(self, &mut state, &click.user, &message, action)
        };
        let mut payload = payload;
        overwrite(&mut payload, &click.with);
        self.deliver(new_envelope(), payload).await
    }

    /// A message that is not there.
    fn unseen(&self, click: &RawClick) -> Message {
        super::api::Draft::default().into_message(click.ts.clone(), &click.channel, &self.options.bot_user_id)
    }

    pub(crate) async fn click_in_view(&self, user: &str, action_id: &str) -> Result<Acknowledgement, ClickError> {
        let payload = {
            let mut state = self.state();
            let open = state.top_view(user).cloned();
            let view = open.ok_or_else(|| no_view(user, "any"))?.view;
            let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
            let mut buttons = actions_of(blocks).into_iter().filter(|(_, element)| element["type"] == "button");
            let found = buttons.find(|(_, button)| button["action_id"] == action_id);
            let (block_id, button) = found.ok_or_else(|| ClickError::NoButton(action_id.to_owned()))?;
            payload::view_actions(self, &mut state, user, &view, payload::pressed(&block_id, &button))
        };
        Ok(self.deliver(new_envelope(), payload).await)
    }

    pub(crate) async fn submit(
        &self,
        user: &str,
        view_id: &str,
        values: &[(String, String, Value)],
    ) -> Result<Acknowledgement, ClickError> {
        let payload = {
            let mut state = self.state();
            let view = open_view(&state, user, view_id)?.view.clone();
            let values = entered(&view, values)?;
            if let Some(open) = state.view_mut(view_id) {
                open.view["state"] = json!({ "values": values });
                open.errors.clear();
            }
            payload::view_submission(self, &mut state, user, &view, &values)
        };
        let outcome = self.deliver(new_envelope(), payload).await;
        if outcome.in_time {
            self.after_submission(user, view_id, outcome.response_payload.as_ref());
        }
        Ok(outcome)
    }

    pub(crate) async fn submit_raw(&self, forged: &RawSubmission) -> Acknowledgement {
        let mut payload = {
            let mut state = self.state();
            let open = state.top_view(&forged.user).map(|open| open.view.clone());
            let mut view = open.unwrap_or_else(|| super::api::shown_view(&json!({}), self, "V0FORGED"));
            if let (Some(map), Some(own)) = (view.as_object_mut(), forged.view.as_object()) {
                map.extend(own.clone());
            }
            let values = if forged.values.is_null() { json!({}) } else { forged.values.clone() };
            payload::view_submission(self, &mut state, &forged.user, &view, &values)
        };
        overwrite(&mut payload, &forged.with);
        self.deliver(new_envelope(), payload).await
    }

    /// Does with a view what the acknowledgement of its submission asks for.
    fn after_submission(&self, user: &str, view_id: &str, asked: Option<&Value>) {
        let mut state = self.state();
        let action = asked.and_then(|asked| asked["response_action"].as_str()).unwrap_or_default();
        let view = asked.map(|asked| asked["view"].clone()).unwrap_or_default();
        match action {
            "errors" => {
                let said = asked.and_then(|asked| asked["errors"].as_object()).into_iter().flatten();
                let errors =
                    said.map(|(block, text)| (block.clone(), text.as_str().unwrap_or_default().to_owned())).collect();
                if let Some(open) = state.view_mut(view_id) {
                    open.errors = errors;
                }
            }
            "clear" => state.views.retain(|open| open.user != user),
            "update" | "push" if check_view(&view).is_err() => {
                state.warn(user, "We had some trouble connecting. Try again?");
            }
            "push" => {
                self.put_on_top(&mut state, user, &view);
            }
            "update" => {
                if let Some(open) = state.view_mut(view_id) {
                    self.replace(open, &view);
                }
            }
            _ => state.views.retain(|open| open.view["id"] != view_id),
        }
        state.changed();
    }

    pub(crate) async fn close_view(&self, user: &str, view_id: &str) -> Result<Option<Acknowledgement>, ClickError> {
        let payload = {
            let mut state = self.state();
            let view = open_view(&state, user, view_id)?.view.clone();
            state.views.retain(|open| open.view["id"] != view_id);
            state.changed();
            (view["notify_on_close"] == true).then(|| payload::view_closed(self, &state, user, &view))
        };
        match payload {
            Some(payload) => Ok(Some(self.deliver(new_envelope(), payload).await)),
            None => Ok(None),
        }
    }

    pub(crate) async fn replay(&self, envelope_id: &str, anew: bool) -> Result<Acknowledgement, ClickError> {
        let sent = self.state().sent.get(envelope_id).cloned();
        let payload = sent.ok_or_else(|| ClickError::NoEnvelope(envelope_id.to_owned()))?;
        let id = if anew { new_envelope() } else { envelope_id.to_owned() };
        Ok(self.deliver(id, payload).await)
    }
}

fn open_view<'s>(state: &'s State, user: &str, view_id: &str) -> Result<&'s OpenView, ClickError> {
    let open = state.views.iter().find(|open| open.user == user && open.view["id"] == view_id);
    open.ok_or_else(|| no_view(user, view_id))
}

fn no_view(user: &str, view_id: &str) -> ClickError {
    ClickError::NoView { user: user.to_owned(), view_id: view_id.to_owned() }
}

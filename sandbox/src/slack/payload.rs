//! What the app is told when a person acts, in Slack's shape.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::message::Message;
use super::options::{TEAM, User};
use super::world::{ResponseUrl, State, Trigger, World};

/// A right to open one view, for this person.
fn trigger(state: &mut State, user: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let now = jiff::Timestamp::now().as_microsecond();
    let id = format!("{now}.100000000001.{random}");
    state.triggers.insert(id.clone(), Trigger { user: user.to_owned(), made: Instant::now(), used: false });
    id
}

fn response_url(world: &World, state: &mut State, user: &str, channel: &str, ts: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let url = format!("{}/respond/{id}", world.base_url());
    let (user, channel, ts) = (user.to_owned(), channel.to_owned(), ts.to_owned());
    state.response_urls.insert(id, ResponseUrl { user, channel, ts, made: Instant::now(), uses: 0 });
    url
}

fn person(state: &State, user: &str) -> Value {
    let known = state.users.get(user);
    let name = known.map_or(user, |user: &User| user.name.as_str());
    let team = known.map_or(TEAM, |user| user.team_id.as_str());
    json!({ "id": user, "username": name, "name": name, "team_id": team })
}

/// What every interaction says.
fn common(world: &World, state: &State, kind: &str, user: &str) -> Value {
    json!({
        "type": kind,
        "user": person(state, user),
        "api_app_id": world.options.app_id,
        "token": world.secrets.verification,
        "team": { "id": TEAM, "domain": world.options.team_name.to_lowercase() },
        "enterprise": null,
        "is_enterprise_install": false,
    })
}

/// Somebody pressed a button of a message.
pub(crate) fn block_actions(world: &World, state: &mut State, user: &str, message: &Message, action: Value) -> Value {
    let channel = &message.channel;
    let name = state.channels.get(channel).map(|channel| channel.name.clone()).unwrap_or_default();
    let mut container = json!({
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel,
        "is_ephemeral": message.only_for.is_some(),
    });
    if let Some(thread) = &message.thread_ts {
        container["thread_ts"] = thread.clone().into();
    }
    let mut payload = common(world, state, "block_actions", user);
    payload["container"] = container;
    payload["trigger_id"] = trigger(state, user).into();
    payload["channel"] = json!({ "id": channel, "name": name });
    if message.only_for.is_none() {
        payload["message"] = world.shown(&state.with_replies(message), true);
    }
    payload["state"] = json!({ "values": {} });
    payload["response_url"] = response_url(world, state, user, channel, &message.ts).into();
    payload["actions"] = json!([acted(state, action)]);
    payload
}

/// Somebody pressed a button of a view.
pub(crate) fn view_actions(world: &World, state: &mut State, user: &str, view: &Value, action: Value) -> Value {
    let mut payload = common(world, state, "block_actions", user);
    payload["container"] = json!({ "type": "view", "view_id": view["id"] });
    payload["trigger_id"] = trigger(state, user).into();
    payload["view"] = view.clone();
    payload["actions"] = json!([acted(state, action)]);
    payload
}

fn acted(state: &mut State, mut action: Value) -> Value {
    action["action_ts"] = state.next_ts().into();
    action
}

/// What an interaction says of the button that was pressed.
pub(crate) fn pressed(block_id: &str, button: &Value) -> Value {
    let mut action = Map::new();
    for key in ["action_id", "text", "value", "type", "style"] {
        if let Some(value) = button.get(key) {
            action.insert(key.to_owned(), value.clone());
        }
    }
    action.insert("block_id".to_owned(), block_id.into());
    Value::Object(action)
}

/// Somebody submitted a view.
pub(crate) fn view_submission(world: &World, state: &mut State, user: &str, view: &Value, values: &Value) -> Value {
    let mut payload = common(world, state, "view_submission", user);
    payload["trigger_id"] = trigger(state, user).into();
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    payload["view"] = view;
    payload["response_urls"] = json!([]);
    payload
}

/// Somebody closed a view.
pub(crate) fn view_closed(world: &World, state: &State, user: &str, view: &Value) -> Value {
    let mut payload = common(world, state, "view_closed", user);
    payload["view"] = view.clone();
    payload["is_cleared"] = false.into();
    payload
}

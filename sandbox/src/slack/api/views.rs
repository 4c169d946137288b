//! Opening, pushing and updating modals.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::request::Request;
use super::{ApiError, Done, fields};
use crate::slack::blocks::{check_view, kept};
use crate::slack::message::bot_id;
use crate::slack::options::TEAM;
use crate::slack::world::{OpenView, State, World};

/// How many views lie on each other at most.
const STACK: usize = 3;

impl World {
    /// Redeems a trigger: whose it was.
    fn redeem(&self, state: &mut State, request: &Request) -> Result<String, ApiError> {
        let id = request.needed("trigger_id", "invalid_arguments")?;
        let lifetime = self.options.trigger_lifetime;
        let trigger = state.triggers.get_mut(&id).ok_or_else(|| ApiError::new("invalid_trigger_id"))?;
        if trigger.used {
            return Err(ApiError::new("exchanged_trigger_id"));
        }
        if trigger.made.elapsed() > lifetime {
            return Err(ApiError::new("expired_trigger_id"));
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    pub(super) fn open_view(&self, request: &Request) -> Done {
        let view = wanted(request)?;
        let mut state = self.state();
        let user = self.redeem(&mut state, request)?;
        state.views.retain(|open| open.user != user);
        Ok(fields(json!({ "view": self.put_on_top(&mut state, &user, &view) })))
    }

    pub(super) fn push_view(&self, request: &Request) -> Done {
        let view = wanted(request)?;
        let mut state = self.state();
        let user = self.redeem(&mut state, request)?;
        let open = state.views.iter().filter(|open| open.user == user).count();
        if open == 0 {
            return Err(ApiError::new("not_found"));
        }
        if open >= STACK {
            return Err(ApiError::new("push_limit_reached"));
        }
        Ok(fields(json!({ "view": self.put_on_top(&mut state, &user, &view) })))
    }

    pub(super) fn update_view(&self, request: &Request) -> Done {
        let view = wanted(request)?;
        let mut state = self.state();
        let (id, external) = (request.string("view_id"), request.string("external_id"));
        let known = |open: &&mut OpenView| {
            id.as_ref().is_some_and(|id| open.view["id"] == **id)
                || external.as_ref().is_some_and(|id| open.view["external_id"] == **id)
        };
        let open = state.views.iter_mut().find(known).ok_or_else(|| ApiError::new("not_found"))?;
        if request.string("hash").is_some_and(|hash| open.view["hash"] != hash) {
            return Err(ApiError::new("hash_conflict"));
        }
        let shown = self.replace(open, &view);
        state.changed();
        Ok(fields(json!({ "view": shown })))
    }

    /// Shows a view, checked before, on top of what the person has open.
    pub(crate) fn put_on_top(&self, state: &mut State, user: &str, view: &Value) -> Value {
        let id = format!("V{}", uuid::Uuid::new_v4().simple().to_string().to_uppercase().get(..10).unwrap_or_default());
        let below = state.top_view(user).map(|open| open.view.clone());
        let mut shown = shown_view(view, self, &id);
        if let Some(below) = below {
            shown["previous_view_id"] = below["id"].clone();
            shown["root_view_id"] = below["root_view_id"].clone();
        }
        let open = OpenView { user: user.to_owned(), view: shown.clone(), errors: BTreeMap::new() };
        state.views.push(open);
        state.changed();
        shown
    }

    /// Shows a view, checked before, in the place of another.
    pub(crate) fn replace(&self, open: &mut OpenView, view: &Value) -> Value {
        let old = open.view.clone();
        let mut shown = shown_view(view, self, old["id"].as_str().unwrap_or_default());
        for key in ["root_view_id", "previous_view_id"] {
            shown[key] = old[key].clone();
        }
        open.view = shown.clone();
        open.errors.clear();
        shown
    }
}

fn wanted(request: &Request) -> Result<Value, ApiError> {
    let view = request.json("view", "invalid_arguments")?.ok_or_else(|| ApiError::new("invalid_arguments"))?;
    check_view(&view)?;
    Ok(view)
}

/// A view as Slack shows it to apps.
pub(crate) fn shown_view(view: &Value, world: &World, id: &str) -> Value {
    let blocks = view["blocks"].as_array().map(|blocks| kept(blocks)).unwrap_or_default();
    let text = |key: &str| match view.get(key) {
        Some(text) => json!({ "type": "plain_text", "text": text["text"], "emoji": true }),
        None => Value::Null,
    };
    let or = |key: &str, otherwise: Value| view.get(key).cloned().unwrap_or(otherwise);
    let hash = uuid::Uuid::new_v4().simple().to_string();
    json!({
        "id": id,
        "team_id": TEAM,
        "type": "modal",
        "title": text("title"),
        "close": text("close"),
        "submit": text("submit"),
        "blocks": blocks,
        "private_metadata": or("private_metadata", "".into()),
        "callback_id": or("callback_id", "".into()),
        "external_id": or("external_id", "".into()),
        "state": { "values": {} },
        "hash": format!("{}.{}", jiff::Timestamp::now().as_second(), &hash[..8]),
        "clear_on_close": or("clear_on_close", false.into()),
        "notify_on_close": or("notify_on_close", false.into()),
        "root_view_id": id,
        "previous_view_id": null,
        "app_id": world.options.app_id,
        "app_installed_team_id": TEAM,
        "bot_id": bot_id(&world.options.app_id),
    })
}

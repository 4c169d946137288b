//! Users and user groups.

use serde_json::{Map, Value, json};

use super::request::Request;
use super::{ApiError, Done, fields};
use crate::slack::options::{Group, TEAM, User};
use crate::slack::world::{State, World};

impl World {
    pub(super) fn user_info(&self, request: &Request) -> Done {
        let user = request.needed("user", "user_not_found")?;
        let state = self.state();
        let user = state.users.get(&user).ok_or_else(|| ApiError::new("user_not_found"))?;
        Ok(fields(json!({ "user": shown(user) })))
    }

    pub(super) fn groups(&self, request: &Request) -> Map<String, Value> {
        let state = self.state();
        let with_users = request.flag("include_users");
        let shown = |group: &Group| {
            let users = members(&state, group, false);
            let mut shown = json!({
                "id": group.id,
                "team_id": TEAM,
                "is_usergroup": true,
                "name": group.handle,
                "handle": group.handle,
                "description": "",
                "user_count": users.len(),
                "date_delete": 0,
            });
            if with_users {
                shown["users"] = json!(users);
            }
            shown
        };
        fields(json!({ "usergroups": state.groups.values().map(shown).collect::<Vec<_>>() }))
    }

    pub(super) fn group_members(&self, request: &Request) -> Done {
        let group = request.needed("usergroup", "no_such_subteam")?;
        let state = self.state();
        let group = state.groups.get(&group).ok_or_else(|| ApiError::new("no_such_subteam"))?;
        Ok(fields(json!({ "users": members(&state, group, request.flag("include_disabled")) })))
    }
}

/// Deactivated people stay in a group, and are not listed.
fn members<'g>(state: &State, group: &'g Group, deleted_too: bool) -> Vec<&'g String> {
    let listed = |id: &&String| deleted_too || state.users.get(*id).is_none_or(|user| !user.deleted);
    group.users.iter().filter(listed).collect()
}

fn shown(user: &User) -> Value {
    let mut profile = json!({
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "team": user.team_id,
    });
    if let Some(email) = &user.email {
        profile["email"] = email.clone().into();
    }
    let mut shown = json!({
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": false,
        "updated": 1_700_000_000,
    });
    // Slack says less of people who are gone.
    if !user.deleted {
        for (key, value) in [
            ("is_admin", false),
            ("is_owner", false),
            ("is_primary_owner", false),
            ("is_restricted", user.is_restricted),
            ("is_ultra_restricted", user.is_ultra_restricted),
        ] {
            shown[key] = value.into();
        }
        shown["real_name"] = user.real_name.clone().into();
        shown["tz"] = "Europe/Berlin".into();
    }
    if user.is_stranger {
        shown["is_stranger"] = true.into();
    }
    shown
}

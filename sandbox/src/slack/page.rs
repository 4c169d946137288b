//! What the page shows to one person.

use serde_json::{Value, json};

use super::options::{OTHER_TEAM, User};
use super::serve::Answer;
use super::world::{State, World};

/// The page itself: one document that needs nothing else.
pub(crate) const HTML: &str = concat!(
    include_str!("page/head.html"),
    "<style>\n",
    include_str!("page/style.css"),
    "</style>\n",
    include_str!("page/body.html"),
    "<script>\n",
    include_str!("page/mrkdwn.js"),
    include_str!("page/blocks.js"),
    include_str!("page/dialogs.js"),
    include_str!("page/app.js"),
    "</script>\n</body>\n</html>\n",
);

/// Everything that a person sees, unless it is what the page knows already.
pub(crate) fn state(world: &World, query: &str) -> Answer {
    let of = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted).map(|(_, value)| value.into_owned())
    };
    let user = of("as").unwrap_or_default();
    let state = world.state();
    if of("since").and_then(|since| since.parse().ok()) == Some(state.version) {
        return Answer::text(204, "application/json", "");
    }
    Answer::json(200, &seen(world, &state, &user))
}

fn seen(world: &World, state: &State, user: &str) -> Value {
    let mut channels: Vec<_> = state.channels.values().collect();
    channels.sort_by(|one, other| one.name.cmp(&other.name));
    let channels: Vec<Value> = channels
        .into_iter()
        .map(|channel| {
            let only = state.ephemerals.iter().filter(|one| one.only_for.as_deref() == Some(user));
            let only: Vec<_> = only.filter(|one| one.channel == channel.id).collect();
            json!({
                "id": channel.id,
                "name": channel.name,
                "is_archived": channel.is_archived,
                "is_member": channel.is_member,
                "messages": state.shown_in(&channel.id),
                "ephemerals": only,
            })
        })
        .collect();
    let people: Vec<Value> = state
        .users
        .values()
        .map(|user| json!({ "id": user.id, "name": user.name, "real_name": user.real_name, "note": note(user) }))
        .collect();
    let warnings: Vec<_> = state.warnings.iter().filter(|warning| warning.user == user).collect();
    json!({
        "version": state.version,
        "team": world.options.team_name,
        "bot": world.options.bot_user_id,
        "connections": world.sockets.count(),
        "down": state.down,
        "channels": channels,
        "users": people,
        "groups": state.groups.values().collect::<Vec<_>>(),
        "view": state.top_view(user),
        "warnings": warnings,
    })
}

/// What sets somebody apart.
fn note(user: &User) -> &'static str {
    if user.deleted {
        "deactivated"
    } else if user.is_bot {
        "bot"
    } else if user.is_stranger || user.team_id == OTHER_TEAM {
        "external"
    } else if user.is_restricted || user.is_ultra_restricted {
        "guest"
    } else {
        ""
    }
}

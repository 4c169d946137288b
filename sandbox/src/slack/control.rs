//! The double's own requests, under `/_slack/`: for the page, for a person, and for tests that are not Rust.
//!
//! Bodies and answers are JSON; what cannot be done is answered with 409 and a `message`.
//!
//! | request | body | does or answers |
//! |---|---|---|
//! | `GET ` | | addresses, tokens, ids |
//! | `GET state?as=USER&since=VERSION` | | all that the page shows to a person; 204 while nothing has changed |
//! | `GET messages/CHANNEL`, `GET cards` | | messages with replies; cards by case |
//! | `GET ephemerals/USER`, `GET views/USER` | | what only they see; what they have open |
//! | `GET calls`, `DELETE calls` | | the calls of the Web API |
//! | `GET acknowledgements`, `GET warnings` | | every interaction's fate; the errors that people saw |
//! | `GET payloads/ENVELOPE` | | what went in an envelope |
//! | `POST click` | `user, channel, ts, action_id` | presses a button; the acknowledgement |
//! | `POST click-raw` | `user, channel, ts, action_id, value, block_id?, with?` | a stale or forged click; `with` is a list of JSON pointer and value |
//! | `POST click-in-view` | `user, action_id` | presses a button of an open view |
//! | `POST submit` | `user, view_id, values: [[block, action, value]…]` | submits a view |
//! | `POST submit-raw` | `user, view, values?, with?` | a forged submission |
//! | `POST close` | `user, view_id` | closes a view |
//! | `POST replay` | `envelope_id, new_envelope_id?` | sends an envelope again |
//! | `POST inject` | any payload | sends it |
//! | `POST signed` | `url, payload, tampering?` | posts a signed interaction: `none`, `signature`, `body`, `old`, `unsigned` |
//! | `PUT route` | `url` or null | where interactions go instead of over sockets |
//! | `GET faults`, `POST faults`, `DELETE faults`, `DELETE faults/ID` | `method, effect, times?, after?, containing?` | faults of the Web API |
//! | `GET sockets`, `PUT sockets` | `disconnect_after_ms, disconnect_reason, refuse, hang, duplicate, tamper, lose` | faults of the sockets |
//! | `POST disconnect` | `reason?` | tells all sockets to go; without a reason they are cut |
//! | `PUT down` | `true`, `false` | all of Slack |
//! | `PUT tokens` | `"good"`, `"revoked"`, `"inactive"` | the tokens |
//! | `PUT channels/ID` | `id, name, is_archived?, is_member?` | adds or replaces a channel |
//! | `POST archive/ID`, `POST kick/ID` | | archives a channel; takes the bot out of it |
//! | `PUT users/ID` | `id, name, real_name?, email?, team_id?, deleted?, is_bot?, …` | adds or replaces a person |
//! | `PUT groups/ID` | `[user…]` | a group's members |

use bytes::Bytes;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::clicks::{ClickError, RawClick, RawSubmission, new_envelope};
use super::envelope::{Acknowledgement, Route};
use super::faults::{SlackFault, SocketFaults};
use super::options::{Channel, TEAM, User};
use super::serve::Answer;
use super::signed::{self, Tampering};
use super::world::{Tokens, World};

/// Where they are.
pub(crate) const PREFIX: &str = "/_slack/";

type Controlled = Result<Value, (u16, String)>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Click {
    user: String,
    channel: String,
    ts: String,
    action_id: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct InView {
    user: String,
    action_id: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    user: String,
    view_id: String,
    #[serde(default)]
    values: Vec<(String, String, Value)>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    envelope_id: String,
    #[serde(default)]
    new_envelope_id: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    url: String,
    payload: Value,
    #[serde(default)]
    tampering: Tampering,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    reason: Option<String>,
}

/// Answers one of them.
pub(crate) async fn answer(world: &World, path: &str, parts: &Parts, body: &Bytes) -> Answer {
    let method = parts.method.as_str();
    let segments: Vec<&str> = path.split('/').collect();
    let done = match (method, segments.as_slice()) {
        ("GET", ["state"]) => {
            let query = parts.uri.query().unwrap_or_default();
            return super::page::state(world, query);
        }
        ("GET", _) => seen(world, &segments),
        ("POST", ["signed"]) => post_signed(world, body).await,
        ("POST", [action]) if is_acted(action) => acted(world, action, body).await,
        _ => changed(world, method, &segments, body),
    };
    match done {
        Ok(value) => Answer::json(200, &value),
        Err((status, message)) => Answer::json(status, &json!({ "message": message })),
    }
}

fn seen(world: &World, segments: &[&str]) -> Controlled {
    let faults = &world.faults;
    match *segments {
        [""] => Ok(described(world)),
        ["messages", channel] => shown(world.state().shown_in(channel)),
        ["cards"] => shown(world.cards()),
        ["ephemerals", user] => {
            let state = world.state();
            shown(state.ephemerals.iter().filter(|one| one.only_for.as_deref() == Some(user)).collect::<Vec<_>>())
        }
        ["views", user] => shown(world.state().views.iter().filter(|open| open.user == user).collect::<Vec<_>>()),
        ["calls"] => shown(&world.state().calls),
        ["acknowledgements"] => shown(&world.state().acknowledgements),
        ["warnings"] => shown(&world.state().warnings),
        ["payloads", id] => {
            let payload = world.state().sent.get(id).cloned();
            payload.ok_or_else(|| (404, format!("there was no envelope {id}")))
        }
        ["faults"] => shown(faults.all()),
        ["sockets"] => Ok(json!({ "connections": world.sockets.count(), "faults": faults.sockets() })),
        _ => Err((404, format!("there is no {}", segments.join("/")))),
    }
}

fn described(world: &World) -> Value {
    json!({
        "api_url": format!("{}/api", world.base_url()),
        "page_url": format!("{}/", world.base_url()),
        "bot_token": world.secrets.bot_token,
        "app_token": world.secrets.app_token,
        "signing_secret": world.secrets.signing,
        "team_id": TEAM,
        "app_id": world.options.app_id,
        "bot_user_id": world.options.bot_user_id,
    })
}

fn is_acted(action: &str) -> bool {
    ["click", "click-raw", "click-in-view", "submit", "submit-raw", "close", "replay", "inject"].contains(&action)
}

/// What is acknowledged.
async fn acted(world: &World, action: &str, body: &Bytes) -> Controlled {
    let outcome: Result<Option<Acknowledgement>, ClickError> = match action {
        "click" => {
            let click: Click = parsed(body)?;
            world.click(&click.user, &click.channel, &click.ts, &click.action_id).await.map(Some)
        }
        "click-raw" => Ok(Some(world.click_raw(&parsed::<RawClick>(body)?).await)),
        "click-in-view" => {
            let click: InView = parsed(body)?;
            world.click_in_view(&click.user, &click.action_id).await.map(Some)
        }
        "submit" => {
            let submission: Submission = parsed(body)?;
            world.submit(&submission.user, &submission.view_id, &submission.values).await.map(Some)
        }
        "submit-raw" => Ok(Some(world.submit_raw(&parsed::<RawSubmission>(body)?).await)),
        "close" => {
            let closing: Submission = parsed(body)?;
            world.close_view(&closing.user, &closing.view_id).await
        }
        "replay" => {
            let replay: Replay = parsed(body)?;
            world.replay(&replay.envelope_id, replay.new_envelope_id).await.map(Some)
        }
        _ => Ok(Some(world.deliver(new_envelope(), parsed(body)?).await)),
    };
    outcome.map_err(|error| (409, error.to_string())).and_then(shown)
}

async fn post_signed(world: &World, body: &Bytes) -> Controlled {
    let wanted: Signed = parsed(body)?;
    let (form, headers) = signed::tampered(&world.secrets.signing, &wanted.payload, wanted.tampering);
    let answer = signed::post(&wanted.url, headers, form).await.map_err(|error| (409, error.to_string()))?;
    Ok(json!({ "status": answer.status, "body": String::from_utf8_lossy(&answer.body) }))
}

/// What is set or scripted.
fn changed(world: &World, method: &str, segments: &[&str], body: &Bytes) -> Controlled {
    let faults = &world.faults;
    let missing = |what: &str| (404, format!("there is no {what}"));
    match (method, segments) {
        ("POST", ["faults"]) => return Ok(json!({ "id": faults.add(parsed::<SlackFault>(body)?) })),
        ("DELETE", ["faults"]) => faults.clear(),
        ("DELETE", ["faults", id]) => {
            let removed = id.parse().is_ok_and(|id| faults.remove(id));
            return removed.then(|| json!({})).ok_or_else(|| missing(id));
        }
        ("DELETE", ["calls"]) => world.state().calls.clear(),
        ("PUT", ["sockets"]) => faults.set_sockets(parsed::<SocketFaults>(body)?),
        ("POST", ["disconnect"]) => {
            let wanted: Disconnect = if body.is_empty() { Disconnect::default() } else { parsed(body)? };
            match wanted.reason {
                Some(reason) => world.sockets.disconnect(&reason),
                None => world.sockets.cut(),
            }
        }
        ("PUT", ["route"]) => {
            world.state().route = parsed::<Option<String>>(body)?.map_or(Route::Socket, Route::Http);
        }
        ("PUT", ["down"]) => world.set_down(parsed(body)?),
        ("PUT", ["tokens"]) => world.set_tokens(match parsed::<String>(body)?.as_str() {
            "good" => Tokens::Good,
            "revoked" => Tokens::Revoked,
            "inactive" => Tokens::Inactive,
            other => return Err((400, format!("tokens are good, revoked or inactive, not {other}"))),
        }),
        ("PUT", ["channels", _]) => world.set_channel(parsed::<Channel>(body)?),
        ("POST", ["archive", id]) => {
            let done = world.change_channel(id, |channel| channel.is_archived = true);
            return done.then(|| json!({})).ok_or_else(|| missing(id));
        }
        ("POST", ["kick", id]) => {
            let done = world.change_channel(id, |channel| channel.is_member = false);
            return done.then(|| json!({})).ok_or_else(|| missing(id));
        }
        ("PUT", ["users", _]) => world.add_user(parsed::<User>(body)?),
        ("PUT", ["groups", id]) => world.set_group(id, parsed(body)?),
        _ => return Err(missing(&format!("{method} {}", segments.join("/")))),
    }
    Ok(json!({}))
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

fn shown(value: impl serde::Serialize) -> Controlled {
    serde_json::to_value(value).map_err(|error| (500, error.to_string()))
}

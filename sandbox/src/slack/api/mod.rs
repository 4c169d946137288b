//! The Web API.

mod chat;
mod history;
mod people;
mod request;
mod views;

use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::http::request::Parts;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(crate) use chat::Draft;
use request::Request;
pub(crate) use views::shown_view;

use super::blocks::Refused;
use super::faults::SlackEffect;
use super::message::bot_id;
use super::options::TEAM;
use super::serve::{Answer, Cut};
use super::world::{SlackCall, Tokens, World};

/// `ok: false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) error: String,
    pub(crate) messages: Vec<String>,
    pub(crate) retry_after: Option<u32>,
}

impl ApiError {
    pub(crate) fn new(error: &str) -> Self {
        Self { error: error.to_owned(), messages: Vec::new(), retry_after: None }
    }

    fn rate_limited(seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new("ratelimited") }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self { error: refused.error.to_owned(), messages: refused.messages, retry_after: None }
    }
}

type Done = Result<Map<String, Value>, ApiError>;

/// Answers a call, or does what is scripted instead.
pub(crate) async fn call(world: &World, method: &str, parts: &Parts, body: &Bytes) -> Result<Answer, Cut> {
    let (at, started) = (Timestamp::now(), Instant::now());
    let request = Request::read(method, parts, body);
    let arguments = Value::Object(request.arguments.clone());
    let (answer, outcome) = faulted(world, method, &request, &arguments).await;
    let (ok, error) = match &outcome {
        Ok(_) => (true, None),
        Err(error) => (false, Some(error.error.clone())),
    };
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = answer.as_ref().ok().map(|answer| answer.status);
    let method = method.to_owned();
    world.state().calls.push(SlackCall { method, at, ok, error, status, took_ms, arguments });
    answer
}

async fn faulted(
    world: &World,
    method: &str,
    request: &Request,
    arguments: &Value,
) -> (Result<Answer, Cut>, Result<Map<String, Value>, ApiError>) {
    let mut silence = None;
    match world.faults.pick(method, arguments) {
        None => {}
        Some(SlackEffect::Delay { ms }) => sleep(ms).await,
        Some(SlackEffect::HangBefore { ms }) => {
            sleep(ms).await;
            return (Err(Cut), Err(ApiError::new("hung")));
        }
        Some(SlackEffect::CutBefore) => return (Err(Cut), Err(ApiError::new("cut"))),
        Some(SlackEffect::HangAfter { ms }) => silence = Some(ms),
        Some(SlackEffect::CutAfter) => silence = Some(0),
        Some(SlackEffect::Status { status }) => {
            let page = Answer::text(status, "text/html", "<html><body>Server Error</body></html>");
            return (Ok(page), Err(ApiError::new("server_error")));
        }
        Some(SlackEffect::RateLimited { retry_after }) => {
            let error = ApiError::rate_limited(retry_after);
            return (Ok(shown(&Err(error.clone()), request)), Err(error));
        }
        Some(SlackEffect::Error { error }) => {
            let error = ApiError::new(&error);
            return (Ok(shown(&Err(error.clone()), request)), Err(error));
        }
    }
    let outcome = run(world, method, request);
    if let Some(ms) = silence {
        sleep(ms).await;
        return (Err(Cut), outcome);
    }
    (Ok(shown(&outcome, request)), outcome)
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// As Slack writes it.
fn shown(outcome: &Done, request: &Request) -> Answer {
    let mut body = Map::new();
    body.insert("ok".to_owned(), outcome.is_ok().into());
    let mut metadata = Map::new();
    match outcome {
        Ok(answer) => body.extend(answer.clone()),
        Err(error) => {
            body.insert("error".to_owned(), error.error.clone().into());
            if !error.messages.is_empty() {
                let bare = |message: &String| message.trim_start_matches("[ERROR] ").to_owned();
                body.insert("errors".to_owned(), error.messages.iter().map(bare).collect());
                metadata.insert("messages".to_owned(), error.messages.iter().cloned().collect());
            }
        }
    }
    if request.lacks_charset {
        body.insert("warning".to_owned(), "missing_charset".into());
        metadata.insert("warnings".to_owned(), json!(["missing_charset"]));
    }
    if !metadata.is_empty() {
        let entry = body.entry("response_metadata").or_insert_with(|| Value::Object(Map::new()));
        if let Some(map) = entry.as_object_mut() {
            map.extend(metadata);
        }
    }
    let retry_after = outcome.as_ref().err().and_then(|error| error.retry_after);
    let status = if retry_after.is_some() { 429 } else { 200 };
    Answer { retry_after, ..Answer::json(status, &Value::Object(body)) }
}

fn run(world: &World, method: &str, request: &Request) -> Done {
    if method == "api.test" {
        return match request.string("error") {
            Some(error) => Err(ApiError::new(&error)),
            None => Ok(fields(json!({ "args": request.arguments }))),
        };
    }
    if request.is_malformed {
        return Err(ApiError::new("invalid_json"));
    }
    authorise(world, method, request)?;
    match method {
        "auth.test" => Ok(who(world)),
        "apps.connections.open" => Ok(fields(json!({ "url": world.ticket() }))),
        "chat.postMessage" => world.post_message(request),
        "chat.postEphemeral" => world.post_ephemeral(request),
        "chat.update" => world.update_message(request),
        "chat.delete" => world.delete_message(request),
        "chat.getPermalink" => world.permalink(request),
        "conversations.history" => world.history(request),
        "conversations.replies" => world.thread(request),
        "conversations.info" => world.conversation(request),
        "users.info" => world.user_info(request),
        "usergroups.list" => Ok(world.groups(request)),
        "usergroups.users.list" => world.group_members(request),
        "views.open" => world.open_view(request),
        "views.push" => world.push_view(request),
        "views.update" => world.update_view(request),
        _ => Err(ApiError::new("unknown_method")),
    }
}

fn authorise(world: &World, method: &str, request: &Request) -> Result<(), ApiError> {
    let Some(token) = &request.token else { return Err(ApiError::new("not_authed")) };
    let is_app_token = *token == world.secrets.app_token;
    if !is_app_token && *token != world.secrets.bot_token {
        return Err(ApiError::new("invalid_auth"));
    }
    match world.state().tokens {
        Tokens::Good => {}
        Tokens::Revoked => return Err(ApiError::new("token_revoked")),
        Tokens::Inactive => return Err(ApiError::new("account_inactive")),
    }
    if is_app_token != (method == "apps.connections.open") {
        return Err(ApiError::new("not_allowed_token_type"));
    }
    Ok(())
}

fn who(world: &World) -> Map<String, Value> {
    let options = &world.options;
    fields(json!({
        "url": format!("https://{}.slack.com/", options.team_name.to_lowercase()),
        "team": options.team_name,
        "user": "sluicegate",
        "team_id": TEAM,
        "user_id": options.bot_user_id,
        "bot_id": bot_id(&options.app_id),
        "is_enterprise_install": false,
    }))
}

/// The fields of an object.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

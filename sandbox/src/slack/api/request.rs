//! A call's token and arguments, however they come.

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use super::ApiError;

/// Methods that do not read JSON: what comes so is as if it had not been sent, and `users.info` says `user_not_found`.
const FORM_ONLY: &[&str] = &[
    "chat.getPermalink",
    "conversations.history",
    "conversations.info",
    "conversations.replies",
    "usergroups.list",
    "usergroups.users.list",
    "users.info",
];

/// A call.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) token: Option<String>,
    pub(super) arguments: Map<String, Value>,
    /// JSON that says nothing of its character set is answered with a warning.
    pub(super) lacks_charset: bool,
    pub(super) is_malformed: bool,
}

impl Request {
    pub(super) fn read(method: &str, parts: &Parts, body: &Bytes) -> Self {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let kind = header(CONTENT_TYPE).unwrap_or_default().to_lowercase();
        let is_json = kind.starts_with("application/json");
        let mut arguments = Map::new();
        let mut is_malformed = false;
        let mut add = |encoded: &[u8]| {
            let pairs = form_urlencoded::parse(encoded);
            arguments.extend(pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))));
        };
        add(parts.uri.query().unwrap_or_default().as_bytes());
        if !is_json {
            add(body);
        }
        let mut token = arguments.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        if is_json && !FORM_ONLY.contains(&method) && !body.is_empty() {
            match serde_json::from_slice(body) {
                Ok(Value::Object(map)) => arguments.extend(map),
                _ => is_malformed = true,
            }
        }
        // A token in JSON is not looked at.
        arguments.remove("token");
        if let Some(bearer) = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
            token = Some(bearer.to_owned());
        }
        let lacks_charset = is_json && !kind.contains("charset");
        Self { token: token.filter(|token| !token.is_empty()), arguments, lacks_charset, is_malformed }
    }

    /// An argument as text.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        match self.arguments.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// An argument that must be there; Slack says which one it missed by its own error.
    pub(super) fn needed(&self, key: &str, error: &str) -> Result<String, ApiError> {
        self.string(key).filter(|text| !text.is_empty()).ok_or_else(|| ApiError::new(error))
    }

    /// Whether an argument says yes.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.string(key).is_some_and(|text| matches!(text.as_str(), "true" | "1"))
    }

    /// A structured argument: JSON, or text that holds it.
    pub(super) fn json(&self, key: &str, error: &str) -> Result<Option<Value>, ApiError> {
        match self.arguments.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ApiError::new(error)),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}

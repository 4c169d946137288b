//! Who called: the `userIdentity` of a record.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::spelling::{from_epoch, seconds};
use crate::upstream::Upstream;

/// What the emulator says of each key that was seen.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    known: Mutex<HashMap<String, Value>>,
    /// Keys that a service uses for somebody.
    services: Mutex<HashMap<String, String>>,
}

impl Identities {
    /// Who a key belongs to; nothing for a key that the emulator does not know.
    pub(crate) async fn of(&self, key: &str, upstream: &Upstream) -> Option<Value> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if known.is_some() {
            return known;
        }
        let plain = key.chars().all(|letter| letter.is_ascii_alphanumeric());
        let reply = if plain {
            upstream.get(&format!("/_sandbox/whoami/{key}")).await.ok()?
        } else {
            return None;
        };
        let found = if reply.is_success() {
            reply.value()?
        } else {
            return None;
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), found.clone());
        Some(found)
    }

    pub(crate) fn used_by_service(&self, key: &str, service: &str) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), service.to_owned());
    }

    pub(crate) fn service(&self, key: &str) -> Option<String> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// The `userIdentity` of a call made with this key.
pub(super) fn user_identity(found: &Value, key: &str, invoked_by: Option<&str>) -> Value {
    let mut identity = Map::new();
    for name in ["type", "principalId", "arn", "accountId"] {
        identity.insert(name.to_owned(), found.get(name).cloned().unwrap_or(Value::Null));
    }
    identity.insert("accessKeyId".to_owned(), Value::String(key.to_owned()));
    let kind = found.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "IAMUser" {
        identity.insert("userName".to_owned(), found.get("userName").cloned().unwrap_or(Value::Null));
    }
    if let Some(issued) = found.get("issuedAt").and_then(from_epoch) {
        let mut session = json!({ "attributes": { "creationDate": seconds(issued), "mfaAuthenticated": "false" } });
        if let (Some(issuer), Some(map)) = (found.get("sessionIssuer"), session.as_object_mut()) {
            map.insert("sessionIssuer".to_owned(), issuer.clone());
        }
        identity.insert("sessionContext".to_owned(), session);
    }
    if let Some(service) = invoked_by {
        identity.insert("invokedBy".to_owned(), Value::String(service.to_owned()));
    }
    Value::Object(identity)
}

/// The name that `LookupEvents` calls the user by.
pub(super) fn user_name(identity: &Value) -> String {
    let text = |key: &str| identity.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "AssumedRole" => text("arn").rsplit('/').next().unwrap_or_default().to_owned(),
        "Root" => "root".to_owned(),
        "FederatedUser" => text("principalId").rsplit(':').next().unwrap_or_default().to_owned(),
        _ => text("userName").to_owned(),
    }
}

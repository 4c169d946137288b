//! What a fault does to a call.

use std::time::Duration;

use crate::wire::{Operation, Protocol, Reply};

/// What happens instead of, or after, the call. `CutAfter` and `HangAfter` let it have its effect.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// 429 `TooManyRequestsException`, with `Retry-After`; from other services than Lambda, 400 `Throttling`.
    Throttle {
        /// In how many seconds it should be tried again.
        retry_after: u32,
    },
    /// 409 `ResourceConflictException`: another operation is in progress.
    Conflict,
    /// 400 `ResourceInUseException`: the mapping is between two states.
    InUse,
    /// 500 `ServiceException`.
    ServerError,
    /// 403, as IAM would have it.
    AccessDenied,
    /// 400 `InvalidParameterValueException`: the function's execution role cannot be assumed.
    RoleBroken,
    /// Any answer.
    Respond {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
    },
    /// No effect; the connection stays open that long without an answer, and is then dropped.
    HangBefore {
        /// How long.
        ms: u64,
    },
    /// The effect, and then as `HangBefore`.
    HangAfter {
        /// How long.
        ms: u64,
    },
    /// The connection is dropped, without effect.
    CutBefore,
    /// The connection is dropped, after the effect.
    CutAfter,
    /// The call takes that much longer, and nothing else happens to it; other faults still may.
    Delay {
        /// How much longer.
        ms: u64,
    },
}

/// How an effect shows.
pub(crate) enum Outcome {
    /// An answer in the call's place.
    Answer(Reply),
    /// No answer, after a while, without effect.
    DropBefore(Duration),
    /// No answer, after a while, once the call has had its effect.
    DropAfter(Duration),
}

impl Effect {
    /// What becomes of this call; nothing for one that is only delayed.
    pub(crate) fn outcome(&self, operation: &Operation) -> Option<Outcome> {
        let error = |status, code: &str, message: &str| Reply::error(operation, status, code, message);
        let answer = match self {
            Self::Delay { .. } => return None,
            Self::HangBefore { ms } => return Some(Outcome::DropBefore(Duration::from_millis(*ms))),
            Self::HangAfter { ms } => return Some(Outcome::DropAfter(Duration::from_millis(*ms))),
            Self::CutBefore => return Some(Outcome::DropBefore(Duration::ZERO)),
            Self::CutAfter => return Some(Outcome::DropAfter(Duration::ZERO)),
            Self::Throttle { retry_after } => throttled(operation, *retry_after),
            Self::Conflict => error(
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for resource",
            ),
            Self::InUse => in_use(operation, "Updating"),
            Self::ServerError => {
                error(500, "ServiceException", "An error occurred and the request cannot be processed.")
            }
            Self::AccessDenied => {
                let code = if operation.service == "iam" { "AccessDenied" } else { "AccessDeniedException" };
                let what = format!("{}:{}", operation.service, operation.name);
                error(403, code, &format!("User is not authorized to perform: {what} because of a scripted fault"))
            }
            Self::RoleBroken => error(
                400,
                "InvalidParameterValueException",
                "The function's execution role cannot be assumed by Lambda. Please add Lambda as a Trusted Entity",
            ),
            Self::Respond { status, body } => {
                let mut reply = Reply::json(*status, &serde_json::Value::Null);
                reply.body = body.clone().into();
                reply
            }
        };
        Some(Outcome::Answer(answer))
    }
}

fn throttled(operation: &Operation, retry_after: u32) -> Reply {
    match operation.protocol {
        Protocol::RestJson => {}
        Protocol::AwsJson => return Reply::error(operation, 400, "ThrottlingException", "Rate exceeded"),
        Protocol::Query => return Reply::error(operation, 400, "Throttling", "Rate exceeded"),
    }
    let mut reply = Reply::error(operation, 429, "TooManyRequestsException", "Rate exceeded");
    if let Some(mut body) = reply.value() {
        if let Some(map) = body.as_object_mut() {
            map.insert("Reason".to_owned(), "CallerRateLimitExceeded".into());
            map.insert("retryAfterSeconds".to_owned(), retry_after.to_string().into());
        }
        reply.set_json(&body);
    }
    reply.set("retry-after", &retry_after.to_string());
    reply
}

/// The refusal of a change to a mapping that is between two states.
pub(crate) fn in_use(operation: &Operation, state: &str) -> Reply {
    let message = format!(
        "Cannot update the event source mapping {} because it is in use: {state}",
        operation.resource.as_deref().unwrap_or_default()
    );
    Reply::error(operation, 400, "ResourceInUseException", &message)
}

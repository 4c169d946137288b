//! The log of every call that passed through the sandbox.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::wire::Operation;

/// One call that a client made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// The service of its signature: `lambda`, `iam`.
    pub service: String,
    /// The operation: `UpdateEventSourceMapping`.
    pub operation: String,
    /// The key that signed it.
    pub access_key_id: Option<String>,
    /// The mapping's UUID, the function's, role's or user's name.
    pub resource: Option<String>,
    /// What it was answered; none for one that was left hanging or cut off.
    pub status: Option<u16>,
    /// Whether the emulator was asked, so that it may have had an effect.
    pub forwarded: bool,
    /// Its parameters, a function's code left out.
    pub request: Value,
}

impl Call {
    pub(crate) fn of(operation: &Operation) -> Self {
        let mut request = operation.params.clone();
        for bulky in ["Code", "ZipFile"] {
            request.remove(bulky);
        }
        Self {
            at: Timestamp::now(),
            service: operation.service.clone(),
            operation: operation.name.clone(),
            access_key_id: operation.access_key_id.clone(),
            resource: operation.resource.clone(),
            status: None,
            forwarded: false,
            request: Value::Object(request),
        }
    }
}

/// The log itself, in the order in which the calls ended.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Vec<Call>>);

impl Calls {
    pub(crate) fn add(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

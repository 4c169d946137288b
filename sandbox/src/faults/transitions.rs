//! The states between two states, which the emulator skips.
//!
//! The answer to a change always says `Creating`, `Disabling`, … as AWS's does. With slow transitions the mapping
//! goes on reading so for a while, and can meanwhile not be changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::in_use;
use crate::wire::{Operation, Reply};

/// The mappings that are between two states.
#[derive(Debug, Default)]
pub(crate) struct Transitions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    lasting: Duration,
    mappings: HashMap<String, Transition>,
}

#[derive(Debug)]
struct Transition {
    until: Instant,
    state: &'static str,
    /// What a deleted mapping goes on reading as.
    deleted: Option<Value>,
}

impl Transitions {
    /// How long each transition lasts from now on.
    pub(crate) fn last(&self, time: Duration) {
        self.state().lasting = time;
    }

    /// Refuses a change to a mapping that is between two states.
    pub(crate) fn refuse(&self, operation: &Operation) -> Option<Reply> {
        if !["UpdateEventSourceMapping", "DeleteEventSourceMapping"].iter().any(|name| operation.is_lambda(name)) {
            return None;
        }
        let uuid = operation.resource.as_deref()?;
        self.state().now(uuid).map(|transition| in_use(operation, transition.state))
    }

    /// Makes an answer about mappings say what AWS's would.
    pub(crate) fn shape(&self, operation: &Operation, reply: &mut Reply) {
        if operation.service != "lambda" || !operation.name.contains("EventSourceMapping") {
            return;
        }
        if !reply.is_success() {
            self.still_deleting(operation, reply);
            return;
        }
        let Some(mut body) = reply.value() else { return };
        if let Some(state) = between(operation) {
            genuine(&mut body);
            set(&mut body, "State", state);
            self.begin(state, &body);
            reply.status = 202;
        } else {
            let mut states = self.state();
            let listed = body.get_mut("EventSourceMappings").and_then(Value::as_array_mut);
            match listed {
                Some(mappings) => mappings.iter_mut().for_each(|mapping| states.show(mapping)),
                None => states.show(&mut body),
            }
        }
        reply.set_json(&body);
    }

    fn begin(&self, state: &'static str, body: &Value) {
        let mut states = self.state();
        let Some(uuid) = body.get("UUID").and_then(Value::as_str) else {
            return;
        };
        if states.lasting.is_zero() {
            return;
        }
        let deleted = (state == "Deleting").then(|| body.clone());
        let until = Instant::now() + states.lasting;
        states.mappings.insert(uuid.to_owned(), Transition { until, state, deleted });
    }

    fn still_deleting(&self, operation: &Operation, reply: &mut Reply) {
        if reply.status != 404 || !operation.is_lambda("GetEventSourceMapping") {
            return;
        }
        let mut states = self.state();
        let found = operation.resource.as_deref().and_then(|uuid| states.now(uuid));
        if let Some(body) = found.and_then(|transition| transition.deleted.as_ref()) {
            *reply = Reply::json(200, body);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now(&mut self, uuid: &str) -> Option<&Transition> {
        let now = Instant::now();
        self.mappings.retain(|_, transition| transition.until > now);
        self.mappings.get(uuid)
    }

    fn show(&mut self, mapping: &mut Value) {
        genuine(mapping);
        let uuid = mapping.get("UUID").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(transition) = self.now(&uuid) {
            set(mapping, "State", transition.state);
        }
    }
}

/// What a change puts a mapping into.
fn between(operation: &Operation) -> Option<&'static str> {
    let enabled = operation.params.get("Enabled").and_then(Value::as_bool);
    match (operation.name.as_str(), enabled) {
        ("CreateEventSourceMapping", _) => Some("Creating"),
        ("UpdateEventSourceMapping", Some(false)) => Some("Disabling"),
        ("UpdateEventSourceMapping", Some(true)) => Some("Enabling"),
        ("UpdateEventSourceMapping", None) => Some("Updating"),
        ("DeleteEventSourceMapping", _) => Some("Deleting"),
        _ => None,
    }
}

/// What AWS says otherwise than the emulator, by source.
fn genuine(mapping: &mut Value) {
    let source = mapping.get("EventSourceArn").and_then(Value::as_str).unwrap_or_default();
    let queue = source.contains(":sqs:");
    if source.contains(":kinesis:") || source.contains(":dynamodb:") {
        set(mapping, "StateTransitionReason", "User action");
    }
    if let Some(map) = mapping.as_object_mut() {
        map.remove("Qualifier");
        if queue {
            map.remove("LastProcessingResult");
        }
    }
}

fn set(mapping: &mut Value, key: &str, text: &str) {
    if let Some(map) = mapping.as_object_mut() {
        map.insert(key.to_owned(), Value::String(text.to_owned()));
    }
}

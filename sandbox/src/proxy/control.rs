//! The sandbox's own requests, under `/_sandbox/`: for a person, and for clients that are not Rust.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Proxy;
use crate::faults::Fault;
use crate::trail::DeliveryFaults;
use crate::wire::Reply;

/// Where they are.
pub(super) const PREFIX: &str = "/_sandbox/";

const HELP: &str = "GET|POST|DELETE faults, DELETE faults/ID, GET|DELETE calls, GET records, PUT transitions {ms}, \
                    PUT delivery {copies, delay_ms, reorder, withhold}, PUT lookup {delay_ms}, POST release, POST inject";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Transitions {
    ms: u64,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Lookup {
    delay_ms: u64,
}

impl Proxy {
    /// Answers one of them.
    pub(super) async fn control(&self, parts: &Parts, body: &Bytes) -> Reply {
        let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        match self.controlled(parts.method.as_str(), path, body).await {
            Ok(value) => Reply::json(200, &value),
            Err((status, message)) => Reply::json(status, &json!({ "message": message, "requests": HELP })),
        }
    }

    async fn controlled(&self, method: &str, path: &str, body: &Bytes) -> Result<Value, (u16, String)> {
        let done = Value::Object(serde_json::Map::new());
        let segments: Vec<&str> = path.split('/').collect();
        match (method, segments.as_slice()) {
            ("GET", ["faults"]) => return shown(self.faults.all()),
            ("POST", ["faults"]) => return Ok(json!({ "id": self.faults.add(parsed::<Fault>(body)?) })),
            ("DELETE", ["faults"]) => self.faults.clear(),
            ("DELETE", ["faults", id]) => {
                let removed = id.parse().is_ok_and(|id| self.faults.remove(id));
                if !removed {
                    return Err((404, format!("there is no fault {id}")));
                }
            }
            ("GET", ["calls"]) => return shown(self.calls.all()),
            ("DELETE", ["calls"]) => self.calls.clear(),
            ("GET", ["records"]) => return Ok(Value::Array(self.trail.records())),
            ("PUT", ["transitions"]) => {
                self.transitions.last(Duration::from_millis(parsed::<Transitions>(body)?.ms));
            }
            ("PUT", ["lookup"]) => {
                self.trail.set_lookup_delay(Duration::from_millis(parsed::<Lookup>(body)?.delay_ms));
            }
            ("PUT", ["delivery"]) => self.trail.set_delivery_faults(parsed::<DeliveryFaults>(body)?),
            ("POST", ["release"]) => self.trail.release().await,
            ("POST", ["inject"]) => self.trail.inject(&String::from_utf8_lossy(body)).await,
            _ => return Err((404, format!("there is no {method} {path}"))),
        }
        Ok(done)
    }
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

fn shown(value: impl serde::Serialize) -> Result<Value, (u16, String)> {
    serde_json::to_value(value).map_err(|error| (500, error.to_string()))
}

//! Lambda's answers about a mapping, taken whole: the JSON itself is kept, so that nothing is lost that this version of
//! the SDK does not know.

use crate::mapping::{FunctionRef, Snapshot, SourceAccess, SourceRef, Wiring};
use crate::ports::CallError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the body of the answer as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct KeepBody(Arc<Mutex<Vec<u8>>>);

impl KeepBody {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, CallError> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body)
            .map_err(|error| CallError::Nonsense { message: format!("the answer is no JSON: {error}") })
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}

/// A mapping from `GetEventSourceMapping`, or from one entry of a list. An answer without UUID, function or state is no
/// mapping: nothing may be concluded from it.
pub(super) fn snapshot(whole: &Value, account: &str, region: &str) -> Result<Snapshot, CallError> {
    let text = |key: &str| whole[key].as_str().unwrap_or_default();
    for key in ["UUID", "State", "FunctionArn"] {
        if text(key).is_empty() {
            return Err(CallError::Nonsense { message: format!("the answer about a mapping has no {key}") });
        }
    }
    let servers = whole["SelfManagedEventSource"]["Endpoints"]["KAFKA_BOOTSTRAP_SERVERS"].as_array();
    let source = match (text("EventSourceArn"), servers) {
        ("", Some(servers)) => {
            let servers: Vec<String> = servers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            SourceRef::from_bootstrap(&servers)
        }
        (arn, _) => SourceRef::from_arn(arn),
    };
    let partition = text("FunctionArn").split(':').nth(1).unwrap_or("aws");
    Ok(Snapshot {
        uuid: text("UUID").to_owned(),
        arn: text("EventSourceMappingArn").to_owned(),
        function: FunctionRef::parse(text("FunctionArn"), partition, region, account),
        source,
        state: text("State").to_owned(),
        last_modified: last_modified(&whole["LastModified"]),
        wiring: wiring(whole),
        whole: whole.clone(),
    })
}

fn wiring(whole: &Value) -> Wiring {
    // A filter that is encrypted and cannot be decrypted reads as none: that is no knowledge of it.
    let hidden =
        !whole["KMSKeyArn"].is_null() && whole["FilterCriteria"].is_null() || !whole["FilterCriteriaError"].is_null();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let owned = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut filters: Vec<String> =
        list(&whole["FilterCriteria"]["Filters"]).iter().map(|filter| owned(&filter["Pattern"])).collect();
    filters.sort();
    let mut access: Vec<SourceAccess> = list(&whole["SourceAccessConfigurations"])
        .iter()
        .map(|entry| SourceAccess { kind: owned(&entry["Type"]), uri: owned(&entry["URI"]) })
        .collect();
    access.sort();
    Wiring {
        filters: (!hidden).then_some(filters),
        on_failure: Some(owned(&whole["DestinationConfig"]["OnFailure"]["Destination"])),
        on_success: Some(owned(&whole["DestinationConfig"]["OnSuccess"]["Destination"])),
        source_access: Some(access),
    }
}

/// Seconds since the epoch with a fraction, as `restJson` writes times; text, where an emulator does.
fn last_modified(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_f64() {
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of any sensible date fit")]
        return Timestamp::from_millisecond((seconds * 1000.0) as i64).ok();
    }
    value.as_str()?.parse().ok()
}

//! One call as `CloudTrail` records it, and as `EventBridge` wraps that.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::identity::user_identity;
use super::spelling::{from_epoch, in_words, lower_keys, seconds};
use super::xml;
use crate::wire::{Operation, Protocol, Reply};

/// What else is known of a call.
pub(crate) struct Circumstances<'a> {
    pub(crate) who: &'a Value,
    pub(crate) invoked_by: Option<&'a str>,
    pub(crate) user_agent: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) at: Timestamp,
}

/// The name under which `CloudTrail` records an operation; nothing for those that are not recorded here.
pub(crate) fn event_name(operation: &Operation) -> Option<String> {
    let name = operation.name.as_str();
    match operation.service.as_str() {
        "lambda" => {
            let suffix = match name {
                "CreateEventSourceMapping"
                | "UpdateEventSourceMapping"
                | "DeleteEventSourceMapping"
                | "CreateFunction"
                | "DeleteFunction"
                | "CreateAlias"
                | "UpdateAlias"
                | "DeleteAlias"
                | "PublishVersion" => "20150331",
                "UpdateFunctionCode" | "UpdateFunctionConfiguration" | "AddPermission" | "RemovePermission" => {
                    "20150331v2"
                }
                "PutFunctionConcurrency" | "DeleteFunctionConcurrency" => "20171031",
                "TagResource" | "UntagResource" => "20170331v2",
                "CreateFunctionUrlConfig" | "UpdateFunctionUrlConfig" | "DeleteFunctionUrlConfig" => "",
                _ => return None,
            };
            Some(format!("{name}{suffix}"))
        }
        "iam" => {
            let changing =
                ["Create", "Put", "Attach", "Detach", "Delete", "Update", "Add", "Remove", "Set", "Tag", "Untag"];
            changing.iter().any(|prefix| name.starts_with(prefix)).then(|| name.to_owned())
        }
        "sts" => matches!(name, "AssumeRole" | "AssumeRoleWithWebIdentity" | "GetSessionToken" | "GetFederationToken")
            .then(|| name.to_owned()),
        _ => None,
    }
}

/// The record of a call; nothing for one that failed as no trail records it (throttled, or the service's own fault).
pub(crate) fn record(operation: &Operation, reply: &Reply, seen: &Circumstances<'_>) -> Option<Value> {
    let name = event_name(operation)?;
    let throttled = reply.error_code().is_some_and(|(code, _)| code.starts_with("Throttling"));
    if !reply.is_success() && (reply.status == 429 || reply.status >= 500 || throttled) {
        return None;
    }
    let account = seen.who.get("accountId").cloned().unwrap_or(Value::Null);
    let global = matches!(operation.service.as_str(), "iam");
    let region = if global { "us-east-1" } else { operation.region.as_str() };
    let agent = seen.invoked_by.unwrap_or(seen.user_agent);
    let error = reply.error_code();
    let denied = error.as_ref().is_some_and(|(code, _)| code.starts_with("AccessDenied"));
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": user_identity(seen.who, operation.access_key_id.as_deref().unwrap_or_default(), seen.invoked_by),
        "eventTime": seconds(seen.at),
        "eventSource": format!("{}.amazonaws.com", operation.service),
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": seen.invoked_by.unwrap_or("127.0.0.1"),
        "userAgent": agent,
        "requestParameters": if denied { Value::Null } else { request_parameters(operation) },
        "responseElements": response_elements(operation, reply),
        "requestID": seen.request_id,
        "eventID": uuid::Uuid::new_v4().to_string(),
        "readOnly": operation.service == "sts",
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let (Some((code, message)), Some(map)) = (error, record.as_object_mut()) {
        let code = if denied { "AccessDenied".to_owned() } else { code };
        map.insert("errorCode".to_owned(), Value::String(code));
        map.insert("errorMessage".to_owned(), Value::String(message));
    }
    Some(record)
}

fn request_parameters(operation: &Operation) -> Value {
    let mut params = operation.params.clone();
    for unrecorded in ["Action", "Version", "ZipFile", "Password", "WebIdentityToken"] {
        params.remove(unrecorded);
    }
    // Code and variables are not written to a trail.
    for hidden in ["Code", "Environment"] {
        if let Some(value) = params.get_mut(hidden) {
            *value = Value::Object(Map::new());
        }
    }
    if params.contains_key("KMSKeyArn") && params.contains_key("FilterCriteria") {
        params.insert("FilterCriteria".to_owned(), Value::Object(Map::new()));
    }
    let params = lower_keys(&params);
    if params.is_empty() { Value::Null } else { Value::Object(params) }
}

fn response_elements(operation: &Operation, reply: &Reply) -> Value {
    if !reply.is_success() {
        return Value::Null;
    }
    if operation.protocol == Protocol::Query {
        let text = String::from_utf8_lossy(&reply.body);
        return xml::result(&text, &operation.name).unwrap_or(Value::Null);
    }
    let Some(Value::Object(mut body)) = reply.value() else {
        return Value::Null;
    };
    if let Some(time) = body.get("LastModified").and_then(from_epoch) {
        body.insert("LastModified".to_owned(), Value::String(in_words(time)));
    }
    if body.contains_key("Environment") {
        body.insert("Environment".to_owned(), Value::Object(Map::new()));
    }
    Value::Object(lower_keys(&body))
}

/// The event that `EventBridge` makes of a record.
pub(crate) fn envelope(record: &Value) -> Value {
    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": format!("aws.{}", text("eventSource").trim_end_matches(".amazonaws.com")),
        "account": text("recipientAccountId"),
        "time": text("eventTime"),
        "region": text("awsRegion"),
        "resources": [],
        "detail": record,
    })
}

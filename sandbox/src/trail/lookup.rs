//! `CloudTrail`'s `LookupEvents`, answered from what the trail has recorded.

use std::time::Duration;

use serde_json::{Value, json};

use super::identity::user_name;
use super::spelling::from_epoch;

const PAGE: usize = 50;

/// A page of events for a `LookupEvents` request of this account and region, newest first.
pub(super) fn page(records: &[Value], delay: Duration, account: &str, region: &str, request: &Value) -> Value {
    let known_until = jiff::Timestamp::now() - delay;
    let bound = |key: &str| request.get(key).and_then(from_epoch);
    let (start, end) = (bound("StartTime"), bound("EndTime"));
    let matches = |record: &&Value| {
        let time = text(record, "eventTime").parse::<jiff::Timestamp>().ok();
        text(record, "recipientAccountId") == account
            && text(record, "awsRegion") == region
            && time.is_none_or(|time| {
                time <= known_until && start.is_none_or(|start| time >= start) && end.is_none_or(|end| time <= end)
            })
            && wanted(record, request)
    };
    let found: Vec<&Value> = records.iter().rev().filter(matches).collect();
    let number = |key: &str| request.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let size = number("MaxResults").unwrap_or(PAGE).clamp(1, PAGE);
    let from = request.get("NextToken").and_then(Value::as_str).and_then(|token| token.parse().ok()).unwrap_or(0);
    let events: Vec<Value> = found.iter().skip(from).take(size).map(|record| entry(record)).collect();
    let mut answer = json!({ "Events": events });
    if found.len() > from + size
        && let Some(map) = answer.as_object_mut()
    {
        map.insert("NextToken".to_owned(), Value::String((from + size).to_string()));
    }
    answer
}

/// Whether the record has the attribute that is asked for; AWS takes one.
fn wanted(record: &Value, request: &Value) -> bool {
    let Some(attributes) = request.get("LookupAttributes").and_then(Value::as_array) else {
        return true;
    };
    attributes.iter().all(|attribute| {
        let value = text(attribute, "AttributeValue");
        match text(attribute, "AttributeKey") {
            "EventId" => text(record, "eventID") == value,
            "EventName" => text(record, "eventName") == value,
            "EventSource" => text(record, "eventSource") == value,
            "ReadOnly" => record.get("readOnly").and_then(Value::as_bool) == value.parse().ok(),
            "AccessKeyId" => record.pointer("/userIdentity/accessKeyId").and_then(Value::as_str) == Some(value),
            "Username" => record.get("userIdentity").is_some_and(|identity| user_name(identity) == value),
            "ResourceName" => resources(record).iter().any(|(_, name)| name == value),
            "ResourceType" => resources(record).iter().any(|(kind, _)| *kind == value),
            _ => false,
        }
    })
}

fn entry(record: &Value) -> Value {
    let identity = record.get("userIdentity").cloned().unwrap_or_default();
    let time = text(record, "eventTime").parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let resources: Vec<Value> = resources(record)
        .into_iter()
        .map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name }))
        .collect();
    json!({
        "EventId": text(record, "eventID"),
        "EventName": text(record, "eventName"),
        "ReadOnly": record.get("readOnly").map(Value::to_string).unwrap_or_default(),
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": time,
        "EventSource": text(record, "eventSource"),
        "Username": user_name(&identity),
        "Resources": resources,
        "CloudTrailEvent": record.to_string(),
    })
}

/// The resources that a record names.
fn resources(record: &Value) -> Vec<(&'static str, String)> {
    let names = [
        ("/requestParameters/functionName", "AWS::Lambda::Function"),
        ("/responseElements/functionArn", "AWS::Lambda::Function"),
        ("/requestParameters/uUID", "AWS::Lambda::EventSourceMapping"),
        ("/responseElements/uUID", "AWS::Lambda::EventSourceMapping"),
        ("/requestParameters/eventSourceArn", "AWS::Lambda::EventSource"),
        ("/requestParameters/roleName", "AWS::IAM::Role"),
        ("/requestParameters/roleArn", "AWS::IAM::Role"),
        ("/requestParameters/userName", "AWS::IAM::User"),
        ("/requestParameters/policyArn", "AWS::IAM::Policy"),
    ];
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (pointer, kind) in names {
        if let Some(name) = record.pointer(pointer).and_then(Value::as_str)
            && !found.iter().any(|(_, known)| known == name)
        {
            found.push((kind, name.to_owned()));
        }
    }
    found
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

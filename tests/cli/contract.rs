//! The JSON that `explain` prints: exactly these keys at each level, each of its type, whatever the record.

use crate::harness::Place;
use crate::records::{create, deployer, stranger, update, without};
use serde_json::{Value, json};
use std::path::Path;

const LINE: [&str; 7] = ["event_id", "event_name", "detection", "ignored_because", "actor", "mapping", "verdict"];
const ACTOR: [&str; 9] = [
    "kind",
    "arn",
    "principal_arn",
    "session_name",
    "account",
    "access_key_id",
    "invoked_by",
    "source_ip",
    "user_agent",
];
const MAPPING: [&str; 9] =
    ["uuid", "arn", "function_arn", "function_name", "source_arn", "source_kind", "account", "region", "enabled"];
const VERDICT: [&str; 6] = ["allowed", "response", "restrict", "policies", "reasons", "errors"];
const DETECTIONS: [&str; 4] = ["mapping-created", "mapping-enabled", "mapping-repointed", "mapping-rewired"];
const SOURCES: [&str; 8] = ["sqs", "kinesis", "dynamodb", "msk", "kafka", "mq", "docdb", "unknown"];
const RESPONSES: [&str; 5] = ["leave", "notify", "ask", "disable", "freeze"];

/// Asserts an object's keys, and that their values are texts, or null, other than those named.
fn object(value: &Value, keys: &[&str], others: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut expected = keys.to_vec();
    let mut found: Vec<&str> = object.keys().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{value}");
    for (key, value) in object.iter().filter(|(key, _)| !others.contains(&key.as_str())) {
        let fine = value.is_null() || value.as_str().is_some_and(|text| !text.is_empty());
        assert!(fine, "{key} is {value}, which is neither null nor some text");
    }
}

fn one_of(value: &Value, words: &[&str]) {
    assert!(value.as_str().is_some_and(|word| words.contains(&word)), "{value} is none of {words:?}");
}

fn verdict(value: &Value) {
    object(value, &VERDICT, &["allowed", "restrict", "policies", "reasons", "errors"]);
    one_of(&value["response"], &RESPONSES);
    assert!(value["allowed"].is_boolean() && value["restrict"].is_boolean(), "{value}");
    assert_eq!(value["allowed"] == true, value["response"] == "leave", "{value}");
    for key in ["policies", "reasons", "errors"] {
        let list = value[key].as_array().unwrap_or_else(|| panic!("{key}: {value}"));
        assert!(list.iter().all(Value::is_string), "{key}: {value}");
    }
    assert!(!value["reasons"].as_array().unwrap().is_empty(), "a verdict says why: {value}");
}

/// Asserts one line of output; whether it was about a finding.
fn line(value: &Value) -> bool {
    if value.get("error").is_some() {
        object(value, &["error", "source", "position"], &[]);
        return false;
    }
    object(value, &LINE, &["event_id", "event_name", "actor", "mapping", "verdict"]);
    assert!(value["event_id"].is_string() && value["event_name"].is_string(), "{value}");
    object(&value["actor"], &ACTOR, &[]);
    assert!(value["actor"]["kind"].is_string(), "{value}");
    if value["detection"].is_null() {
        assert!(value["mapping"].is_null() && value["verdict"].is_null(), "{value}");
        assert!(value["ignored_because"].is_string(), "{value}");
        return false;
    }
    one_of(&value["detection"], &DETECTIONS);
    assert!(value["ignored_because"].is_null(), "{value}");
    let mapping = &value["mapping"];
    object(mapping, &MAPPING, &["enabled"]);
    one_of(&mapping["source_kind"], &SOURCES);
    assert!(mapping["enabled"].is_boolean() || mapping["enabled"].is_null(), "{value}");
    assert!(mapping["account"].is_string() && mapping["region"].is_string(), "{value}");
    verdict(&value["verdict"]);
    true
}

#[test]
fn every_fixture_keeps_the_contract() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cloudtrail");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&fixtures).unwrap() {
        let path = entry.unwrap().path();
        files.extend((path.extension().unwrap() != "md").then(|| path.display().to_string()));
    }
    let mut arguments = vec!["explain", "--format", "json"];
    arguments.extend(files.iter().map(String::as_str));
    // One of them is damaged.
    let lines = Place::new().run(&arguments).ends(1).lines();
    let findings = lines.iter().filter(|value| line(value)).count();
    assert!(findings >= 15 && lines.len() > findings + 5, "{findings} of {}", lines.len());
    // None of them is about anybody whom the shipped policies know.
    assert!(lines.iter().all(|line| line["verdict"]["allowed"] != true), "{lines:#?}");
}

#[test]
fn bare_and_full_records_keep_the_contract() {
    let place = Place::new();
    let call = create(&deployer());
    assert!(line(&place.explain_one(&call)));
    assert!(line(&place.explain_one(&update(&stranger(), &json!({"enabled": true})))));
    assert!(!line(&place.explain_one(&json!({"eventName": "X"}))));
    assert!(!line(&place.explain_one(&json!({"eventID": ""}))));
    let least = json!({
        "eventName": "CreateEventSourceMapping",
        "eventSource": "lambda.amazonaws.com",
        "awsRegion": "x",
        "recipientAccountId": "111122223333"
    });
    assert!(line(&place.explain_one(&least)));
    for pointer in ["/userIdentity", "/requestParameters", "/responseElements", "/userAgent", "/sourceIPAddress"] {
        assert!(line(&place.explain_one(&without(&call, pointer))), "{pointer}");
    }
}

#[test]
fn what_is_not_known_is_null_and_never_empty() {
    let place = Place::new();
    let mut call = create(&stranger());
    for key in ["userAgent", "sourceIPAddress"] {
        call[key] = json!("");
    }
    call["responseElements"] = Value::Null;
    let told = place.explain_one(&call);
    assert!(line(&told));
    assert!(told["mapping"]["uuid"].is_null() && told["mapping"]["arn"].is_null(), "{told}");
    assert!(told["actor"]["user_agent"].is_null() && told["actor"]["source_ip"].is_null(), "{told}");
    assert!(told["actor"]["session_name"].is_null() && told["actor"]["invoked_by"].is_null(), "{told}");
    assert_eq!(told["actor"]["kind"], "IAMUser");
    assert_eq!(told["mapping"]["function_arn"], "arn:aws:lambda:eu-west-1:111122223333:function:orders-sink");
}

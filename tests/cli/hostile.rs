//! Records made to be allowed by mistake. Each starts from one that the shipped policies allow; what is changed must
//! take that away, and the reason given must be the right one.

use crate::harness::Place;
use crate::records::{create, deployer, envelope, runner, with, without};
use serde_json::{Value, json};

/// Judges all records at once; each must be a finding that is not allowed, with this in its first reason.
pub fn denied(cases: &[(&str, Value, &str)]) {
    let place = Place::new();
    let records: Vec<&Value> = cases.iter().map(|(_, record, _)| record).collect();
    let lines = place.explain(serde_json::to_string(&records).unwrap()).ends(0).lines();
    assert_eq!(lines.len(), cases.len());
    for ((name, _, reason), line) in cases.iter().zip(&lines) {
        let verdict = &line["verdict"];
        assert_eq!(verdict["allowed"], false, "{name}: {line}");
        assert!(line["detection"].is_string() && line["ignored_because"].is_null(), "{name}: {line}");
        let first = verdict["reasons"][0].as_str().unwrap();
        assert!(first.contains(reason), "{name}: {first}");
        assert_ne!(verdict["response"], "leave", "{name}");
        assert_eq!(verdict["restrict"], false, "{name}");
        assert_eq!(verdict["errors"], json!([]), "{name}: {line}");
    }
}

/// Judges all records at once; none may be a finding, and each is to say why.
fn ignored(cases: &[(&str, Value, &str)]) {
    let place = Place::new();
    for (name, record, because) in cases {
        let line = place.explain_one(record);
        assert_eq!(line["ignored_because"], *because, "{name}");
        assert!(
            line["detection"].is_null() && line["mapping"].is_null() && line["verdict"].is_null(),
            "{name}: {line}"
        );
    }
}

pub fn by(identity: &Value) -> Value {
    create(identity)
}

#[test]
fn what_the_policies_allow_is_allowed() {
    let place = Place::new();
    let pipeline = place.explain_one(&create(&deployer()));
    assert_eq!(pipeline["verdict"]["allowed"], true, "{pipeline}");
    assert_eq!(pipeline["verdict"]["response"], "leave");
    assert_eq!(pipeline["verdict"]["policies"], json!(["orders-pipeline", "allowlisted"]));
    let reason = pipeline["verdict"]["reasons"][0].as_str().unwrap();
    assert_eq!(reason, "allowlist entry orders-pipeline (team-orders): CDK pipeline owns the orders consumers");
    let runner = place.explain_one(&envelope(&create(&runner())));
    assert_eq!(runner["verdict"]["policies"], json!(["terraform-runners", "allowlisted"]));
    assert_eq!(runner["actor"]["principal_arn"], "arn:aws:iam::111122223333:role/terraform/apply");
    assert_eq!(runner["actor"]["session_name"], "runner-7");
}

#[test]
fn calls_that_contradict_themselves_are_told() {
    let place = Place::new();
    let call = create(&crate::records::stranger());
    let arn = |account: &str, region: &str| json!(format!("arn:aws:lambda:{region}:{account}:function:orders-sink"));
    let own = arn("111122223333", "eu-west-1");
    for (pointer, value, told) in [
        ("/requestParameters/functionName", json!("siphon"), "the request names function"),
        (
            "/requestParameters/eventSourceArn",
            json!("arn:aws:sqs:eu-west-1:111122223333:x"),
            "the request names source",
        ),
        (
            "/responseElements/functionArn",
            arn("999988887777", "eu-west-1"),
            "but its function is arn:aws:lambda:eu-west-1:999",
        ),
        (
            "/responseElements/functionArn",
            arn("111122223333", "us-east-1"),
            "but its function is arn:aws:lambda:us-east-1",
        ),
        (
            "/requestParameters/functionName",
            arn("999988887777", "eu-west-1"),
            "but its function is arn:aws:lambda:eu-west-1:999",
        ),
        (
            "/responseElements/eventSourceMappingArn",
            arn("999988887777", "eu-west-1"),
            "but its mapping is arn:aws:lambda",
        ),
        ("/requestParameters/functionName", own, ""),
    ] {
        place.write("record", with(&call, pointer, value.clone()).to_string());
        let text = place.run(&["explain", "record"]).ends(0).stdout;
        assert_eq!(text.contains("  careful   "), !told.is_empty(), "{pointer} = {value}: {text}");
        assert!(text.contains(told), "{pointer} = {value}: {text}");
    }
}

#[test]
fn tier_0_is_asked_about() {
    let place = Place::new();
    let call = create(&crate::records::stranger()).to_string().replace("orders-sink", "payments-settle");
    let line = place.explain_one(&serde_json::from_str(&call).unwrap());
    assert_eq!(line["verdict"]["response"], "ask", "{line}");
    assert_eq!(line["verdict"]["policies"], json!(["ask-everywhere", "tier0-asks-first"]));
}

#[test]
fn what_the_allowlist_does_not_cover() {
    let call = create(&deployer());
    let service = |value: Value| by(&with(&deployer(), "/invokedBy", value));
    let function = |name: &str| {
        let call = with(&call, "/requestParameters/functionName", json!(name));
        let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}");
        with(&call, "/responseElements/functionArn", json!(arn))
    };
    let source = |arn: &str| {
        let call = with(&call, "/requestParameters/eventSourceArn", json!(arn));
        with(&call, "/responseElements/eventSourceArn", json!(arn))
    };
    let session = json!("arn:aws:sts::111122223333:assumed-role/apply/runner-7x/y");
    let misses = "no entry of policies/allowlist.toml covers `create`";
    let outside = with(&create(&runner()), "/sourceIPAddress", json!("203.0.113.9"));
    denied(&[
        ("by hand", by(&without(&deployer(), "/invokedBy")), misses),
        ("through another service", service(json!("lambda.amazonaws.com")), misses),
        ("through a service's longer name", service(json!("cloudformation.amazonaws.com.evil.example")), misses),
        ("through CloudFormation in capitals", service(json!("CLOUDFORMATION.AMAZONAWS.COM")), misses),
        ("another function", function("billing-sink"), misses),
        ("a function before the glob", function("xorders-sink"), misses),
        ("another queue", source("arn:aws:sqs:eu-west-1:111122223333:payments"), misses),
        ("another kind of the same name", source("arn:aws:kinesis:eu-west-1:111122223333:stream/orders-in"), misses),
        ("a queue that is no queue", source("arn:aws:sns:eu-west-1:111122223333:orders-in"), misses),
        ("another region", with(&call, "/awsRegion", json!("us-east-1")), "the record contradicts itself"),
        ("an address outside", outside, misses),
        ("a forged host as address", with(&create(&runner()), "/sourceIPAddress", json!("10.20.3.4 ")), misses),
        ("a session with a slash", by(&with(&runner(), "/arn", session)), "is not the STS ARN of a role's session"),
        (
            "somebody else's queue",
            source("arn:aws:sqs:eu-west-1:999988887777:orders-in"),
            "forbidden by rule never-a-foreign-source",
        ),
    ]);
}

#[test]
fn what_is_no_finding_says_so() {
    let call = create(&deployer());
    let named = |name: &str| with(&call, "/eventName", json!(name));
    let denied = with(&with(&call, "/errorCode", json!("AccessDenied")), "/errorMessage", json!("no"));
    let message = with(&call, "/errorMessage", json!("Function not found: orders-sink"));
    let outer = |key: &str, value: Value| with(&envelope(&call), key, value);
    ignored(&[
        ("failed", denied, "call failed: AccessDenied"),
        ("a message without a code", message, "call failed: Function not found: orders-sink"),
        (
            "another call",
            named("ListEventSourceMappings20150331"),
            "not a mapping call: ListEventSourceMappings20150331",
        ),
        (
            "a deletion",
            named("DeleteEventSourceMapping20150331"),
            "not a mapping call: DeleteEventSourceMapping20150331",
        ),
        ("no name", without(&call, "/eventName"), "not a mapping call: nothing"),
        (
            "another service",
            with(&call, "/eventSource", json!("s3.amazonaws.com")),
            "not from lambda.amazonaws.com: s3.amazonaws.com",
        ),
        ("no service", without(&call, "/eventSource"), "not from lambda.amazonaws.com: nothing"),
        (
            "a forged source",
            outer("/source", json!("custom.lambda")),
            "envelope source is custom.lambda, not aws.lambda",
        ),
        ("a source left out", without(&envelope(&call), "/source"), "envelope source is nothing, not aws.lambda"),
        (
            "another detail-type",
            outer("/detail-type", json!("Scheduled Event")),
            "envelope detail-type is Scheduled Event, not AWS API Call via CloudTrail",
        ),
        (
            "another account outside",
            outer("/account", json!("999988887777")),
            "envelope and record disagree: account is 999988887777 in one, 111122223333 in the other",
        ),
        (
            "another region outside",
            outer("/region", json!("us-east-1")),
            "envelope and record disagree: region is us-east-1 in one, eu-west-1 in the other",
        ),
    ]);
}

#[test]
fn where_request_and_response_differ_either_must_be_allowed() {
    let call = create(&deployer());
    let asked = |key: &str, value: &str| with(&call, &format!("/requestParameters/{key}"), json!(value));
    denied(&[
        ("another function asked for", asked("functionName", "siphon"), "the record contradicts itself"),
        (
            "another queue asked for",
            asked("eventSourceArn", "arn:aws:sqs:eu-west-1:111122223333:payments"),
            "the record contradicts itself",
        ),
    ]);
    let place = Place::new();
    let line = place.explain_one(&asked("functionName", "orders-other"));
    assert_eq!(line["verdict"]["allowed"], true, "{line}");
}

//! Updates of each kind, and calls in the odd spellings that CloudTrail has.

use crate::harness::Place;
use crate::records::{UUID, create, deployer, envelope, numbered, runner, stranger, update, with, without};
use serde_json::{Value, json};

const NO_CHANGE: &str = "update changes neither enabled, function, filter, destination nor source access";

#[test]
fn updates_of_each_kind_are_asked_about_without_a_baseline() {
    let place = Place::new();
    let filter = json!({"filterCriteria": {"filters": [{"pattern": "{\"a\":[1]}"}]}});
    let everything = json!({"functionName": "siphon", "enabled": true, "filterCriteria": {"filters": []}});
    for (request, detection) in [
        (json!({"enabled": true}), "mapping-enabled"),
        (json!({"enabled": "true"}), "mapping-enabled"),
        (json!({"enabled": "TRUE"}), "mapping-enabled"),
        (json!({"enabled": "yes"}), "mapping-enabled"),
        (json!({"functionName": "siphon"}), "mapping-repointed"),
        (json!({"functionName": "orders-sink:canary", "enabled": false}), "mapping-repointed"),
        (json!({"functionName": "orders-sink:7"}), "mapping-repointed"),
        (filter, "mapping-rewired"),
        (json!({"filterCriteria": {"filters": []}}), "mapping-rewired"),
        (json!({"filterCriteria": "HIDDEN_DUE_TO_SECURITY_REASONS"}), "mapping-rewired"),
        (
            json!({"destinationConfig": {"onFailure": {"destination": "arn:aws:sqs:eu-west-1:999988887777:x"}}}),
            "mapping-rewired",
        ),
        (json!({"destinationConfig": {"onFailure": {}}}), "mapping-rewired"),
        (json!({"sourceAccessConfigurations": [{"type": "BASIC_AUTH", "uRI": "arn:x"}]}), "mapping-rewired"),
        (everything, "mapping-repointed"),
    ] {
        let line = place.explain_one(&update(&stranger(), &request));
        assert_eq!(line["detection"], detection, "{request}");
        assert_eq!(line["verdict"]["allowed"], false, "{request}");
        assert_eq!(line["verdict"]["response"], "ask", "{request}: what it was before is not known");
        let reasons = line["verdict"]["reasons"].to_string();
        assert!(reasons.contains("what the mapping was before is not known, so a person decides"), "{reasons}");
        assert!(reasons.contains("no entry of policies/allowlist.toml is for"), "{reasons}");
        assert_eq!(line["mapping"]["uuid"], UUID);
    }
}

#[test]
fn an_update_whose_request_is_withheld_counts_as_naming_everything() {
    let place = Place::new();
    let whole = update(&stranger(), &json!({}));
    for request in [Some(Value::Null), Some(json!("null")), Some(json!([])), Some(json!("")), None] {
        let record = match &request {
            Some(request) => with(&whole, "/requestParameters", request.clone()),
            None => without(&whole, "/requestParameters"),
        };
        let line = place.explain_one(&record);
        assert_eq!(line["detection"], "mapping-repointed", "{request:?}");
        assert_eq!(line["verdict"]["response"], "ask", "{request:?}");
    }
}

#[test]
fn updates_that_name_nothing_are_no_finding() {
    let place = Place::new();
    for request in [
        json!({}),
        json!({"batchSize": 100}),
        json!({"enabled": false}),
        json!({"enabled": "false"}),
        json!({"enabled": null, "functionName": null}),
        json!({"functionName": ""}),
        json!({"filterCriteria": {}, "destinationConfig": {}, "sourceAccessConfigurations": [], "scalingConfig": {}}),
        json!({"maximumBatchingWindowInSeconds": 5, "parallelizationFactor": 2, "kMSKeyArn": ""}),
    ] {
        let line = place.explain_one(&update(&stranger(), &request));
        assert_eq!(line["ignored_because"], NO_CHANGE, "{request}");
        assert!(line["detection"].is_null() && line["verdict"].is_null(), "{request}");
    }
}

#[test]
fn every_change_of_an_update_must_be_allowed() {
    let place = Place::new();
    // The pipeline's entry leaves out `actions`, which means create and enable.
    let enable = place.explain_one(&update(&deployer(), &json!({"enabled": true})));
    assert_eq!(enable["verdict"]["allowed"], true, "{enable}");
    assert_eq!(enable["verdict"]["policies"], json!(["orders-pipeline", "allowlisted"]));
    let both = json!({"enabled": true, "functionName": "orders-other"});
    let line = place.explain_one(&update(&deployer(), &both));
    assert_eq!(line["verdict"]["allowed"], false, "{line}");
    let reason = line["verdict"]["reasons"][0].as_str().unwrap();
    assert!(reason.contains("covers `repoint`"), "{reason}");
    let line = place.explain_one(&update(&runner(), &both));
    assert_eq!(line["verdict"]["policies"], json!(["terraform-runners", "allowlisted"]), "{line}");
}

#[test]
fn creates_in_odd_spellings_are_still_findings() {
    let place = Place::new();
    let call = create(&stranger());
    let request = |key: &str, value: Value| with(&call, &format!("/requestParameters/{key}"), value);
    for (what, record) in [
        ("enabled as text", request("enabled", json!("true"))),
        ("made disabled", request("enabled", json!("False"))),
        ("enabled left out", without(&call, "/requestParameters/enabled")),
        ("the request null", with(&call, "/requestParameters", Value::Null)),
        ("the request the text null", with(&call, "/requestParameters", json!("null"))),
        ("the response null", with(&call, "/responseElements", Value::Null)),
        ("both null", with(&with(&call, "/responseElements", json!("null")), "/requestParameters", json!("null"))),
        ("another API date", with(&call, "/eventName", json!("CreateEventSourceMapping20310101"))),
        ("no API date", with(&call, "/eventName", json!("CreateEventSourceMapping"))),
        ("no event id", without(&call, "/eventID")),
        ("no time", without(&call, "/eventTime")),
        ("no account", without(&call, "/recipientAccountId")),
        ("an empty error code", with(&call, "/errorCode", json!(""))),
        ("an error code that is null", with(&call, "/errorCode", Value::Null)),
        ("no region inside", envelope(&without(&call, "/awsRegion"))),
    ] {
        let line = place.explain_one(&record);
        assert_eq!(line["detection"], "mapping-created", "{what}: {line}");
        assert_eq!(line["verdict"]["allowed"], false, "{what}");
        assert_eq!(line["mapping"]["account"], "111122223333", "{what}");
        assert_eq!(line["mapping"]["region"], "eu-west-1", "{what}");
        assert!(line["event_id"].as_str().is_some_and(|id| !id.is_empty()), "{what}");
    }
    let enabled = |record: &Value| place.explain_one(record)["mapping"]["enabled"].clone();
    assert_eq!(enabled(&request("enabled", json!("False"))), false);
    assert_eq!(enabled(&without(&call, "/requestParameters/enabled")), true, "what Lambda does by default");
}

#[test]
fn functions_sources_and_partitions() {
    let place = Place::new();
    let call = without(&create(&stranger()), "/responseElements");
    let shown = |function: &str, source: &str, region: &str| {
        let record = with(&call, "/requestParameters/functionName", json!(function));
        let record = with(&record, "/requestParameters/eventSourceArn", json!(source));
        place.explain_one(&with(&record, "/awsRegion", json!(region)))["mapping"].clone()
    };
    for (function, source, region, arn, name, kind) in [
        (
            "f:live",
            "arn:aws:sqs:eu-west-1:111122223333:q",
            "eu-west-1",
            "arn:aws:lambda:eu-west-1:111122223333:function:f:live",
            "f",
            "sqs",
        ),
        (
            "f",
            "arn:aws-us-gov:kinesis:us-gov-west-1:111122223333:stream/s",
            "us-gov-west-1",
            "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:f",
            "f",
            "kinesis",
        ),
        (
            "111122223333:f",
            "arn:aws-cn:dynamodb:cn-north-1:111122223333:table/t/stream/x",
            "cn-north-1",
            "arn:aws-cn:lambda:cn-north-1:111122223333:function:f",
            "f",
            "dynamodb",
        ),
        (
            "f:$LATEST",
            "arn:aws:kafka:eu-west-1:111122223333:cluster/c/u-1",
            "eu-west-1",
            "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "f",
            "msk",
        ),
        (
            "f",
            "arn:aws:mq:eu-west-1:111122223333:broker:b:b-1",
            "eu-west-1",
            "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "f",
            "mq",
        ),
        (
            "f",
            "arn:aws:rds:eu-west-1:111122223333:cluster:d",
            "eu-west-1",
            "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "f",
            "docdb",
        ),
        ("f", "what is this", "eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:function:f", "f", "unknown"),
    ] {
        let mapping = shown(function, source, region);
        assert_eq!(mapping["function_arn"], arn, "{function}");
        assert_eq!(mapping["function_name"], name, "{function}");
        assert_eq!(mapping["source_kind"], kind, "{source}");
        assert_eq!(mapping["source_arn"], source);
    }
    let servers = json!({"endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["b:9092"]}});
    let kafka = without(
        &with(&call, "/requestParameters/selfManagedEventSource", servers),
        "/requestParameters/eventSourceArn",
    );
    assert_eq!(place.explain_one(&kafka)["mapping"]["source_kind"], "kafka");
}

#[test]
fn the_same_record_is_always_told_the_same() {
    let place = Place::new();
    let call = create(&deployer());
    let records: Vec<Value> = (0..40).map(|number| numbered(&call, number)).collect();
    let lines = place.explain(serde_json::to_string(&records).unwrap()).ends(0).lines();
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["event_id"], format!("event-{number}"));
        assert_eq!(line["verdict"], lines[0]["verdict"], "counters do not move in explain");
    }
    let nameless = without(&call, "/eventID");
    assert_eq!(place.explain_one(&nameless), place.explain_one(&nameless), "a derived id is derived, not random");
}

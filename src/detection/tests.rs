#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures::{changed, one};
use crate::mapping::{Baseline, FunctionRef, Snapshot, SourceRef, Wiring};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SOURCE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders-queue";

fn function(text: &str) -> FunctionRef {
    FunctionRef::parse(text, "aws", "eu-west-1", "111122223333")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The mapping of the fixtures as it was accepted: enabled, one filter, no destination.
fn accepted() -> Baseline {
    Baseline {
        function: function("orders"),
        source: SourceRef::from_arn(SOURCE),
        enabled: true,
        wiring: Wiring::new(Some(vec!["f".to_owned()]), Some(String::new()), Some(String::new()), Some(Vec::new())),
        since: Timestamp::UNIX_EPOCH,
        accepted_by: "a sweep".to_owned(),
        found_at: None,
    }
}

/// The same as read from Lambda just after the fixtures' events.
fn fresh() -> Snapshot {
    let uuid = "a1b2c3d4-5678-4abc-9def-012345678901";
    Snapshot {
        uuid: uuid.to_owned(),
        arn: format!("arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:{uuid}"),
        function: accepted().function,
        source: accepted().source,
        state: "Enabled".to_owned(),
        last_modified: Some(time("2024-05-09T21:05:41Z")),
        wiring: accepted().wiring,
        whole: Value::Null,
    }
}

fn update(request: Value) -> Finding {
    latent(&changed("update-enable.json", |record| {
        record["requestParameters"] = request;
    }))
    .unwrap()
}

fn changes(finding: Finding, baseline: Option<&Baseline>, fresh: Option<&Snapshot>) -> Vec<Change> {
    against(finding, baseline, fresh).map(|finding| finding.changes).unwrap_or_default()
}

fn ignored(record: &crate::cloudtrail::Record) -> String {
    inspect(record).unwrap_err().0
}

#[test]
fn what_is_found() {
    use Change::{Create, Enable, Repoint, Rewire};
    for (name, detection, changes) in [
        ("create-sqs.json", Detection::MappingCreated, &[Create][..]),
        ("create-kafka.json", Detection::MappingCreated, &[Create]),
        ("create-string-booleans.json", Detection::MappingCreated, &[Create]),
        ("create-request-null-text.json", Detection::MappingCreated, &[Create]),
        ("identity-none.json", Detection::MappingCreated, &[Create]),
        ("deep-nesting.json", Detection::MappingCreated, &[Create]),
        ("envelope-create.json", Detection::MappingCreated, &[Create]),
        ("update-enable.json", Detection::MappingEnabled, &[Enable]),
        ("update-repoint.json", Detection::MappingRepointed, &[Repoint, Rewire, Enable]),
        ("update-rewire.json", Detection::MappingRewired, &[Rewire]),
        ("update-request-null.json", Detection::MappingRepointed, &[Repoint, Rewire, Enable]),
    ] {
        let finding = inspect(&one(name)).unwrap();
        assert_eq!((finding.detection, &finding.changes[..]), (detection, changes), "{name}");
        assert_eq!(finding.trigger, Trigger::Event, "{name}");
    }
    assert_eq!(inspect(&one("envelope-replay.json")).unwrap().trigger, Trigger::Replay);
}

#[test]
fn why_the_rest_is_none() {
    let told: Vec<String> = [
        "other-call.json",
        "create-denied.json",
        "create-error-message-only.json",
        "update-disable.json",
        "update-batch-size.json",
        "envelope-forged-source.json",
        "envelope-other-account.json",
    ]
    .into_iter()
    .map(|name| format!("{name}: {}", ignored(&one(name))))
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    other-call.json: not a mapping call: UpdateFunctionConfiguration20150331v2
    create-denied.json: call failed: AccessDenied
    create-error-message-only.json: call failed: An event source mapping with the same source and function already exists.
    update-disable.json: update changes neither enabled, function, filter, destination nor source access
    update-batch-size.json: update changes neither enabled, function, filter, destination nor source access
    envelope-forged-source.json: envelope source is com.example.billing, not aws.lambda
    envelope-other-account.json: envelope and record disagree: account is 999900001111 in one, 111122223333 in the other
    "#);
}

#[test]
fn only_mapping_calls_of_lambda_count_whatever_their_date() {
    let named = |name: &str| changed("create-sqs.json", |record| record["eventName"] = json!(name));
    for name in ["CreateEventSourceMapping", "CreateEventSourceMapping20990101v2"] {
        assert_eq!(inspect(&named(name)).unwrap().detection, Detection::MappingCreated, "{name}");
    }
    for name in ["DeleteEventSourceMapping20150331", "GetEventSourceMapping20150331", "LambdaESMDisabled", ""] {
        assert!(ignored(&named(name)).starts_with("not a mapping call: "), "{name}");
    }
    let elsewhere = changed("create-sqs.json", |record| {
        record["eventSource"] = json!("sqs.amazonaws.com");
    });
    assert_eq!(ignored(&elsewhere), "not from lambda.amazonaws.com: sqs.amazonaws.com");
}

#[test]
fn envelope_and_record_must_agree() {
    for (key, value) in [
        ("source", json!("aws.s3")),
        ("source", json!(null)),
        ("detail-type", json!("AWS Service Event via CloudTrail")),
        ("region", json!("us-east-1")),
    ] {
        let record = changed("envelope-create.json", |envelope| envelope[key] = value);
        assert!(ignored(&record).starts_with("envelope"), "{key}");
    }
}

#[test]
fn an_error_of_a_wrong_type_does_not_hide_a_call() {
    for (key, value) in [("errorCode", json!(403)), ("errorMessage", json!({})), ("errorCode", json!(""))] {
        let record = changed("create-sqs.json", |record| record[key] = value);
        assert!(inspect(&record).is_ok(), "{key}");
    }
}

#[test]
fn what_a_record_lacks_does_not_hide_it() {
    let without = |key: &str| {
        changed("envelope-create.json", |envelope| {
            envelope["detail"].as_object_mut().unwrap().remove(key);
        })
    };
    let now = time("2024-05-09T21:06:00Z");
    let confirmed = |record: &crate::cloudtrail::Record| provenance(&inspect(record).unwrap(), &fresh(), now);
    assert_eq!(confirmed(&one("envelope-create.json")), Ok(()));
    assert_eq!(confirmed(&without("eventTime")), Err("the record has no eventTime".to_owned()));
    assert_eq!(confirmed(&without("eventID")), Err("the record has no eventID".to_owned()));
    assert_eq!(without("eventID").event_id, without("eventID").event_id);
    assert_eq!(inspect(&without("awsRegion")).unwrap().region, "eu-west-1");
    assert_eq!(inspect(&without("recipientAccountId")).unwrap().account, "111122223333");

    let lost = br#"{"eventName":"CreateEventSourceMapping20150331","eventSource":"lambda.amazonaws.com"}"#;
    let damage = crate::cloudtrail::read(lost).remove(0).unwrap_err();
    assert!(damage.error.contains("does not tell its account and region"), "{}", damage.error);
}

#[test]
fn without_a_baseline_all_that_is_named_stays() {
    let finding = inspect(&one("update-repoint.json")).unwrap();
    assert_eq!(against(finding.clone(), None, Some(&fresh())), Ok(finding));
    let created = inspect(&one("create-sqs.json")).unwrap();
    assert_eq!(against(created.clone(), Some(&accepted()), Some(&fresh())), Ok(created));
}

#[test]
fn restating_is_no_change() {
    let request = json!({
        "functionName": "orders:$LATEST",
        "enabled": true,
        "filterCriteria": {"filters": [{"pattern": "f"}]},
        "destinationConfig": {"onFailure": {}, "onSuccess": {}},
        "sourceAccessConfigurations": [],
    });
    for fresh in [Some(&fresh()), None] {
        let ignored = against(update(request.clone()), Some(&accepted()), fresh).unwrap_err();
        assert_eq!(ignored.0, "restates the mapping's accepted configuration");
    }
}

#[test]
fn what_differs_from_the_baseline_stays_and_names_the_finding() {
    let both = json!({"functionName": "orders", "enabled": true, "filterCriteria": {"filters": []}});
    let finding = against(update(both), Some(&accepted()), Some(&fresh())).unwrap();
    assert_eq!((finding.detection, finding.changes), (Detection::MappingRewired, vec![Change::Rewire]));

    let siphon = || inspect(&one("update-repoint.json")).unwrap();
    assert_eq!(changes(siphon(), Some(&accepted()), None), [Change::Repoint, Change::Rewire]);

    let asleep = Baseline { enabled: false, ..accepted() };
    assert_eq!(changes(update(json!({"enabled": true})), Some(&asleep), None), [Change::Enable]);
}

#[test]
fn the_mapping_as_read_speaks_too_in_what_the_event_names() {
    let mut moved = fresh();
    moved.function = function("siphon");
    moved.wiring.on_failure = Some("arn:elsewhere".to_owned());
    let names_function = || update(json!({"functionName": "orders"}));
    assert_eq!(changes(names_function(), Some(&accepted()), Some(&moved)), [Change::Repoint]);
    let names_destination = || update(json!({"destinationConfig": {"onFailure": {}}}));
    assert_eq!(changes(names_destination(), Some(&accepted()), Some(&moved)), [Change::Rewire]);
    let asleep = Snapshot { state: "Disabled".to_owned(), ..fresh() };
    assert_eq!(changes(update(json!({"enabled": true})), Some(&accepted()), Some(&asleep)), [Change::Enable]);
}

#[test]
fn a_filter_that_was_cleared_is_seen_behind_an_empty_key() {
    let mut cleared = fresh();
    cleared.wiring.filters = Some(Vec::new());
    let request = json!({"enabled": false, "filterCriteria": {}});
    let found = against(update(request.clone()), Some(&accepted()), Some(&cleared)).unwrap();
    assert_eq!((found.detection, found.changes), (Detection::MappingRewired, vec![Change::Rewire]));
    for (baseline, fresh) in [(None, Some(&cleared)), (Some(&accepted()), None), (Some(&accepted()), Some(&fresh()))] {
        assert!(against(update(request.clone()), baseline, fresh).is_err());
    }
    // A key that the event does not carry is not its doing.
    assert!(against(update(json!({"enabled": false})), Some(&accepted()), Some(&cleared)).is_err());
}

#[test]
fn what_cannot_be_read_is_a_change_until_a_reading_shows_otherwise() {
    let hidden = || update(json!({"filterCriteria": "HIDDEN"}));
    assert_eq!(changes(hidden(), Some(&accepted()), None), [Change::Rewire]);
    assert_eq!(changes(hidden(), Some(&accepted()), Some(&fresh())), []);
    let mut unknown = accepted();
    unknown.wiring.filters = None;
    assert_eq!(changes(hidden(), Some(&unknown), Some(&fresh())), [Change::Rewire]);
    let named = update(json!({"filterCriteria": {"filters": [{"pattern": "f"}]}}));
    assert_eq!(changes(named, Some(&unknown), Some(&fresh())), [Change::Rewire]);

    let withheld = || inspect(&one("update-request-null.json")).unwrap();
    assert_eq!(changes(withheld(), Some(&accepted()), Some(&fresh())), []);
    assert_eq!(changes(withheld(), Some(&accepted()), None), [Change::Rewire]);
}

#[test]
fn a_call_that_contradicts_itself_is_no_restatement() {
    let torn = || update(json!({"functionName": "siphon"}));
    assert_eq!(changes(torn(), Some(&accepted()), Some(&fresh())), [Change::Repoint]);
    let now = time("2024-05-09T21:06:00Z");
    assert!(provenance(&torn(), &fresh(), now).unwrap_err().starts_with("the request names function"));
}

#[test]
fn a_mapping_that_is_what_the_event_says_is_confirmed() {
    let now = time("2024-05-09T21:06:00Z");
    for name in ["create-sqs.json", "update-enable.json", "update-rewire.json"] {
        assert_eq!(provenance(&inspect(&one(name)).unwrap(), &fresh(), now), Ok(()), "{name}");
    }
    let event = time("2024-05-09T21:05:41Z");
    let finding = inspect(&one("create-sqs.json")).unwrap();
    let minute = SignedDuration::from_mins(1);
    for (now, confirmed) in [(15 * minute, true), (16 * minute, false), (-5 * minute, true), (-6 * minute, false)] {
        assert_eq!(provenance(&finding, &fresh(), event + now).is_ok(), confirmed, "{now}");
    }
    let mut older = fresh();
    older.last_modified = Some(event - minute);
    assert_eq!(provenance(&finding, &older, event), Ok(()));
    older.arn.clear();
    assert_eq!(provenance(&finding, &older, event), Ok(()), "the function's ARN tells account and region");
}

#[test]
fn whatever_does_not_fit_is_told() {
    let finding = inspect(&one("create-sqs.json")).unwrap();
    let now = time("2024-05-09T21:06:00Z");
    let broken: [fn(&mut Snapshot); 10] = [
        |fresh| fresh.uuid = "other".to_owned(),
        |fresh| fresh.function = function("siphon"),
        |fresh| fresh.function = function("orders:live"),
        |fresh| fresh.function = function("999900001111:orders"),
        |fresh| fresh.source = SourceRef::default(),
        |fresh| fresh.source = SourceRef::from_arn("arn:aws:sqs:eu-west-1:999900001111:orders-queue"),
        |fresh| fresh.arn = fresh.arn.replace("eu-west-1", "us-east-1"),
        |fresh| fresh.last_modified = None,
        |fresh| fresh.last_modified = Some(time("2024-05-09T21:04:40Z")),
        |fresh| {
            fresh.arn.clear();
            fresh.function.arn.clear();
        },
    ];
    let mut told: Vec<String> = Vec::new();
    for change in broken {
        let mut fresh = fresh();
        change(&mut fresh);
        told.push(provenance(&finding, &fresh, now).unwrap_err());
    }
    let bare = changed("update-enable.json", |record| record["responseElements"] = json!(null));
    let other = changed("create-sqs.json", |record| {
        record["awsRegion"] = json!("us-east-1");
        record["responseElements"] = json!({"uUID": record["responseElements"]["uUID"]});
    });
    for record in [&one("envelope-replay.json"), &bare, &other] {
        told.push(provenance(&inspect(record).unwrap(), &fresh(), now).unwrap_err());
    }
    told.push(provenance(&finding, &fresh(), time("2024-05-10T21:06:00Z")).unwrap_err());
    told.push(provenance(&finding, &fresh(), time("2024-05-09T20:06:00Z")).unwrap_err());
    insta::assert_snapshot!(told.join("\n"), @r#"
    the mapping is "a1b2c3d4-5678-4abc-9def-012345678901" in the event, but "other" as read from Lambda
    the function is "orders" in the event, but "siphon" as read from Lambda
    the function's alias or version is "" in the event, but "live" as read from Lambda
    the function's account is "111122223333" in the event, but "999900001111" as read from Lambda
    Lambda does not tell the source
    the source is "arn:aws:sqs:eu-west-1:111122223333:orders-queue" in the event, but "arn:aws:sqs:eu-west-1:999900001111:orders-queue" as read from Lambda
    the mapping's ARN is "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:a1b2c3d4-5678-4abc-9def-012345678901" in the event, but "arn:aws:lambda:us-east-1:111122223333:event-source-mapping:a1b2c3d4-5678-4abc-9def-012345678901" as read from Lambda
    Lambda does not say when the mapping was last changed
    the mapping was last changed at 2024-05-09T21:04:40Z, more than a minute before the event of 2024-05-09T21:05:41Z
    Lambda does not tell the account
    an archive replays the event
    the event does not tell the function
    the region is "us-east-1" in the event, but "eu-west-1" as read from Lambda
    the event of 2024-05-09T21:05:41Z is 24h 19s old, more than 15 minutes
    the event of 2024-05-09T21:05:41Z lies 59m 41s in the future
    "#);
}

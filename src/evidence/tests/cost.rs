#![allow(clippy::unwrap_used, reason = "tests")]
use super::super::fixtures::{QUEUE, STREAM, TABLE, contained, learn, minutes, opened};
use super::*;
use crate::case::{Evidence, Mode, SourceFacts};
use serde_json::json;

#[test]
fn a_queue_loses_after_what_was_read_of_it() {
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    let cost = cost_of(&case);
    assert_eq!((cost.lost_from, cost.half_at), (None, None));
    assert!(cost.words[1].contains("not known") && cost.words[1].contains("MessageRetentionPeriod"), "{cost:?}");
    let facts = SourceFacts {
        retention_s: Some(600),
        retention_from: "SQS: MessageRetentionPeriod".into(),
        ..SourceFacts::default()
    };
    learn(&mut case, Evidence::Source(Box::new(facts)), minutes(2));
    let cost = cost_of(&case);
    assert_eq!((cost.lost_from, cost.half_at), (Some(minutes(11)), Some(minutes(6))));
    assert_eq!(cost.words[1], "Records begin to be lost at 2026-11-24 10:11 UTC (SQS: MessageRetentionPeriod).");
    assert_eq!(cost.words.len(), 2, "a queue has no position: {cost:?}");
}

#[test]
fn a_stream_loses_after_a_day_and_its_position_is_told() {
    let cost = cost_of(&contained(TABLE, &json!({"StartingPosition": "LATEST"}), minutes(1)));
    assert_eq!((cost.lost_from, cost.half_at), (Some(minutes(24 * 60 + 1)), Some(minutes(12 * 60 + 1))));
    assert!(cost.words[1].contains("always 24 hours") && cost.words[2].contains("skipped for good"), "{cost:?}");
    let cost = cost_of(&contained(STREAM, &json!({"StartingPosition": "TRIM_HORIZON"}), minutes(1)));
    assert!(cost.words[1].contains("not read") && cost.words[2].contains("TRIM_HORIZON"), "{cost:?}");
    let at = json!({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_700_000_000.5});
    let cost = cost_of(&contained(STREAM, &at, minutes(1)));
    assert!(cost.words[2].contains("(2023-11-14 22:13 UTC)"), "{cost:?}");
    assert!(cost_of(&contained(STREAM, &json!({}), minutes(1))).words[2].contains("not known"));
}

#[test]
fn while_the_mapping_is_active_nothing_is_lost_yet() {
    let cost = cost_of(&opened(TABLE, &json!({"StartingPosition": "LATEST"}), Mode::Observe));
    assert_eq!((cost.lost_from, cost.half_at), (None, None));
    assert!(cost.words[1].starts_with("While it is disabled, what is older than 24 hours is lost"), "{cost:?}");
}

#[test]
fn brokers_keep_what_only_they_know() {
    let kafka = "arn:aws:kafka:eu-west-1:111122223333:cluster/bus/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2";
    let cost = cost_of(&contained(kafka, &json!({"StartingPosition": "LATEST"}), minutes(1)));
    assert_eq!(cost.lost_from, None);
    assert!(cost.words[0].contains("offsets are kept") && cost.words[1].contains("broker"), "{cost:?}");
    let mq = "arn:aws:mq:eu-west-1:111122223333:broker:letters:b-24cacbb4";
    assert_eq!(cost_of(&contained(mq, &json!({}), minutes(1))).words.len(), 2);
    let docdb = "arn:aws:rds:eu-west-1:111122223333:cluster:papers";
    assert_eq!(cost_of(&contained(docdb, &json!({}), minutes(1))).lost_from, Some(minutes(181)));
}

#[test]
fn spans_read_well_and_endless_ones_do_no_harm() {
    assert_eq!([60, 120, 7_200, 345_600].map(span), ["60 seconds", "2 minutes", "2 hours", "4 days"]);
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    let facts = SourceFacts { retention_s: Some(u64::MAX), retention_from: "?".into(), ..SourceFacts::default() };
    learn(&mut case, Evidence::Source(Box::new(facts)), minutes(2));
    assert_eq!(cost_of(&case).lost_from, None);
}

//! An archive's replay: what is known already changes nothing, what is not becomes a case.
//!
//! The emulator takes no event of source `aws.lambda`, as AWS takes none from anybody but itself. So the archive holds
//! envelopes inside events of our own, and the rule's input path unwraps them on their way to the queue.

use crate::stage::{ACCOUNT, Stage};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, RuleState, Target};
use sandbox::{DeliveryFaults, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const RULE: &str = "sluicegate";

/// A bus with an archive, and a rule that feeds the responder's queue.
async fn archived(stage: &Stage) -> Client {
    let root = stage.sandbox.root();
    let events = Client::new(&root.credentials.sdk_config(stage.sandbox.endpoint_url(), stage.sandbox.region()));
    let bus = format!("arn:aws:events:{}:{ACCOUNT}:event-bus/default", stage.sandbox.region());
    let pattern = json!({ "source": ["sandbox.trail"] }).to_string();
    events
        .create_archive()
        .archive_name("mappings")
        .event_source_arn(&bus)
        .event_pattern(&pattern)
        .send()
        .await
        .unwrap();
    let rule = events.put_rule().name(RULE).event_pattern(&pattern).state(RuleState::Disabled);
    rule.send().await.unwrap();
    let target = Target::builder().id("queue").arn(&stage.sandbox.queue().arn).input_path("$.detail").build().unwrap();
    let put = events.put_targets().rule(RULE).targets(target).send().await.unwrap();
    assert_eq!(put.failed_entry_count(), 0);
    events
}

/// The event of a mapping's creation goes into the archive, and, since the rule is off, to nobody.
async fn missed(stage: &Stage, events: &Client, uuid: &str) {
    let records = stage.sandbox.trail().records();
    let record = records.iter().find(|record| record["responseElements"]["uUID"] == uuid).unwrap();
    let envelope = json!({
        "version": "0", "id": uuid, "source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail",
        "account": ACCOUNT, "region": stage.sandbox.region(), "time": record["eventTime"], "replay-name": "again",
        "detail": record,
    });
    let entry = PutEventsRequestEntry::builder().source("sandbox.trail").detail_type("envelope");
    let entry = entry.detail(envelope.to_string()).build();
    assert_eq!(events.put_events().entries(entry).send().await.unwrap().failed_entry_count(), 0);
}

async fn replay(stage: &Stage, more: &[&str]) -> sandbox::Said {
    let day = |days: i64| jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap();
    let (from, to) = (day(-1).to_string(), day(1).to_string());
    let mut arguments = vec!["replay", "--from", &from, "--to", &to];
    arguments.extend(more);
    stage.product.command_line(stage.sandbox.root(), &arguments).await.unwrap()
}

/// How many events a case has.
async fn events_of(stage: &Stage, case: &Value) -> usize {
    stage.whole(case).await["events"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_replay_opens_what_was_missed_and_changes_nothing_else() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let events = archived(&stage).await;
    let seen = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let case = stage.case_in(&seen, "awaiting_decision").await;
    missed(&stage, &events, &seen).await;
    stage.sandbox.trail().set_delivery_faults(DeliveryFaults { withhold: true, ..DeliveryFaults::default() });
    let other = stage.sandbox.root().create_queue("payments-in", None).await.unwrap();
    let unseen = stage.mallory.create_mapping(&other.arn, "exfil").await.unwrap();
    stage.sandbox.trail().delivered().await;
    missed(&stage, &events, &unseen).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = events_of(&stage, &case).await;
    assert_eq!(stage.cases().await.len(), 1);
    assert_eq!(stage.state(&unseen).await, "Enabled");

    events.enable_rule().name(RULE).send().await.unwrap();
    let said = replay(&stage, &[]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains(":archive/mappings") && said.out.ends_with("completed\n"), "{said:?}");
    let opened = eventually(async || stage.cases().await.into_iter().find(|case| case["mapping_uuid"] == *unseen));
    let opened = opened.await.expect("what was missed is a case");
    let whole = stage.whole(&opened).await;
    assert_eq!(whole["events"][0]["finding"]["trigger"], "replay", "{whole}");
    // Found in CloudTrail itself, and still what the event says.
    stage.becomes(&unseen, "Disabled").await;
    assert_eq!(stage.cases().await.len(), 2);
    assert_eq!(events_of(&stage, &case).await, before, "a known event changes nothing");
    assert_eq!(stage.updates_of(&seen), 1);
    assert_eq!(running.terminate().await.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_said_before_anything_starts() {
    let stage = Stage::new().await;
    let said = replay(&stage, &[]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("no rule sends to arn:aws:sqs:"), "{said:?}");
    let _events = archived(&stage).await;
    let said = replay(&stage, &["--archive", "other"]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("there is no archive other; there are: mappings"), "{said:?}");
    let (from, to) = ("2026-11-24", "2026-11-23");
    let arguments = ["replay", "--from", from, "--to", to];
    let said = stage.product.command_line(stage.sandbox.root(), &arguments).await.unwrap();
    assert_eq!(said.code, 2, "{said:?}");
}

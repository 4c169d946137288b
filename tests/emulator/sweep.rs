//! Events that never come: the real binary sweeps the real list, and CloudTrail tells who did it.

use crate::stage::Stage;
use sandbox::{DeliveryFaults, Effect, Fault, eventually};
use serde_json::{Value, json};
use std::time::Duration;

/// Sweeps come often; a change is left to its event for three seconds, and its record is waited for twenty.
const OFTEN: &str = "[sweep]\nevery = \"1s\"";

async fn withholding(stage: &Stage) {
    stage.sandbox.trail().delivered().await;
    stage.sandbox.trail().set_delivery_faults(DeliveryFaults { withhold: true, ..DeliveryFaults::default() });
}

/// A case of a mapping that fits, once there is one.
async fn case_where(stage: &Stage, uuid: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let found = eventually(async || {
        let of_it = |case: &Value| case["mapping_uuid"] == uuid && fits(case);
        stage.cases().await.into_iter().find(of_it)
    });
    found.await.unwrap_or_else(|| panic!("no such case of {uuid}"))
}

fn events<'e>(whole: &'e Value, kind: &str) -> Vec<&'e Value> {
    whole["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).collect()
}

#[tokio::test]
async fn a_mapping_whose_event_is_withheld_is_disabled_all_the_same_and_once() {
    let stage = Stage::with(OFTEN).await;
    withholding(&stage).await;
    let running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&uuid, "Disabled").await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    assert_eq!(case["detection"], "mapping-created");
    assert_eq!(case["principal_arn"], "arn:aws:iam::111122223333:role/people/intern");
    assert_eq!(case["steps"][0]["status"], "succeeded");
    let whole = stage.whole(&case).await;
    assert_eq!(whole["events"][0]["finding"]["trigger"], "sweep");
    assert_eq!(whole["events"][0]["provenance"], json!({"is": "confirmed"}));
    // The event comes after all: it is known.
    stage.sandbox.trail().release().await;
    let root = stage.sandbox.root();
    let taken = eventually(async || {
        Some(root.queue_depth(stage.sandbox.queue_url()).await.unwrap()).filter(|depth| *depth == (0, 0))
    });
    assert_eq!(taken.await, Some((0, 0)));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((stage.cases().await.len(), stage.updates_of(&uuid)), (1, 1));
    assert_eq!(running.terminate().await.unwrap(), 0);
}

#[tokio::test]
async fn a_contained_mapping_that_is_enabled_behind_the_queue_is_disabled_again() {
    let stage = Stage::with(OFTEN).await;
    let _running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&uuid, "Disabled").await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    withholding(&stage).await;
    stage.mallory.set_mapping_enabled(&uuid, true).await.unwrap();
    // Ours, Mallory's, ours.
    let again = eventually(async || (stage.updates_of(&uuid) == 3).then_some(())).await;
    assert_eq!(again, Some(()), "{} updates", stage.updates_of(&uuid));
    stage.becomes(&uuid, "Disabled").await;
    let joined = eventually(async || {
        let whole = stage.whole(&case).await;
        (!events(&whole, "joined").is_empty()).then_some(whole)
    });
    let whole = joined.await.expect("who did it joins the case");
    assert_eq!(events(&whole, "tampered").len(), 1);
    assert!(events(&whole, "note")[0]["text"].as_str().unwrap().contains("enabled again"), "{whole}");
    // People keep it so, and the case is closed. It is enabled once more.
    stage.case_in(&uuid, "awaiting_decision").await;
    let id = case["case_id"].as_str().unwrap();
    let keep = ["decide", id, "keep", "--reason", "it stays off", "--yes"];
    let said = stage.product.command_line(&stage.security, &keep).await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    stage.case_in(&uuid, "closed").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    stage.mallory.set_mapping_enabled(&uuid, true).await.unwrap();
    let next = case_where(&stage, &uuid, |case| {
        case["detection"] == "mapping-enabled" && case["state"] == "awaiting_decision"
    });
    assert_eq!(next.await["steps"][0]["status"], "succeeded");
    assert_eq!(stage.state(&uuid).await, "Disabled");
    assert_eq!((stage.cases().await.len(), stage.updates_of(&uuid)), (2, 5));
}

#[tokio::test]
async fn what_was_there_before_is_kept_and_what_nobody_can_be_asked_for_goes_to_people() {
    let stage = Stage::with(OFTEN).await;
    withholding(&stage).await;
    let before = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let running = stage.run().await;
    let kept = eventually(async || {
        running
            .log()
            .into_iter()
            .find(|line| line["message"].as_str().is_some_and(|it| it.contains("were there before")))
    });
    assert_eq!(kept.await.expect("the log tells of it")["count"], 1);
    stage.sandbox.trail().set_lookup_delay(Duration::from_hours(1));
    let other = stage.sandbox.root().create_queue("other", None).await.unwrap();
    let uuid = stage.mallory.create_mapping(&other.arn, "exfil").await.unwrap();
    let mut asked = None;
    for _ in 0..80 {
        asked = stage.cases().await.into_iter().find(|case| case["mapping_uuid"] == uuid);
        if asked.as_ref().is_some_and(|case| case["state"] == "awaiting_decision") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let case = asked.expect("people are asked");
    assert_eq!((&case["principal_arn"], &case["steps"]), (&Value::Null, &json!([])));
    assert_eq!((stage.state(&uuid).await.as_str(), stage.updates_of(&uuid)), ("Enabled", 0));
    assert_eq!((stage.cases().await.len(), stage.state(&before).await.as_str()), (1, "Enabled"));
    let said = stage.product.command_line(&stage.security, &["case", case["case_id"].as_str().unwrap()]).await.unwrap();
    assert!(said.out.contains("does not tell who did it"), "{said:?}");
}

#[tokio::test]
async fn an_odd_entry_in_the_list_hides_no_mapping() {
    let stage = Stage::with(OFTEN).await;
    withholding(&stage).await;
    let _running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let real = json!({
        "UUID": uuid, "State": "Enabled", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:exfil",
        "EventSourceArn": stage.orders.arn
    });
    let body = json!({"EventSourceMappings": [{"UUID": "odd", "State": "Enabled"}, 7, real]}).to_string();
    let key = &stage.sandbox.responder().credentials.access_key_id;
    let odd = Fault::on("ListEventSourceMappings", Effect::Respond { status: 200, body }).by(key);
    stage.sandbox.faults().add(odd);
    stage.becomes(&uuid, "Disabled").await;
    assert_eq!(stage.case_in(&uuid, "awaiting_decision").await["detection"], "mapping-created");
}

#[tokio::test]
async fn a_list_that_never_ends_does_not_keep_it_from_stopping() {
    let stage = Stage::with(OFTEN).await;
    let key = &stage.sandbox.responder().credentials.access_key_id;
    let hang = Fault::on("ListEventSourceMappings", Effect::HangBefore { ms: 600_000 }).by(key);
    let hang = stage.sandbox.faults().add(hang);
    let running = stage.run().await;
    let hangs = eventually(async || (stage.sandbox.faults().hits(hang) > 0).then_some(())).await;
    assert_eq!(hangs, Some(()));
    // Containment does not wait for it either.
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&uuid, "Disabled").await;
    let stopped = tokio::time::timeout(Duration::from_secs(12), running.terminate()).await;
    assert_eq!(stopped.expect("it stops within ten seconds").unwrap(), 0);
}

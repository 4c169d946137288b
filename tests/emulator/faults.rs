//! Every way in which Lambda can fail, scripted in the proxy: each ends disabled and read back, with one case, and the
//! journal tells the tries.

use crate::stage::Stage;
use sandbox::{Effect, Fault};
use serde_json::Value;
use std::time::Duration;

/// What the journal tells of the first step of a contained mapping.
async fn tries(stage: &Stage, uuid: &str) -> Vec<String> {
    stage.becomes(uuid, "Disabled").await;
    let case = stage.case_in(uuid, "awaiting_decision").await;
    assert_eq!(case["steps"].as_array().unwrap().len(), 1, "{case}");
    assert_eq!(case["steps"][0]["status"], "succeeded");
    assert_eq!(stage.cases().await.len(), 1);
    let whole = stage.whole(&case).await;
    let events = whole["events"].as_array().unwrap();
    let tried: Vec<&Value> = events.iter().filter(|event| event["type"] == "step_tried").collect();
    tried.into_iter().map(|event| event["error"].as_str().unwrap().to_owned()).collect()
}

async fn under(fault: Fault) -> (Vec<String>, usize) {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let responder = stage.sandbox.responder().credentials.access_key_id.clone();
    stage.sandbox.faults().add(fault.by(&responder));
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let tries = tries(&stage, &uuid).await;
    // A call that hangs is in the proxy's log once it has ended.
    sandbox::eventually(async || (stage.updates_of(&uuid) > 0).then_some(())).await;
    (tries, stage.updates_of(&uuid))
}

fn update(effect: Effect) -> Fault {
    Fault::on("UpdateEventSourceMapping", effect).times(1)
}

#[tokio::test]
async fn throttled_with_retry_after() {
    let began = std::time::Instant::now();
    let (tries, updates) = under(update(Effect::Throttle { retry_after: 2 })).await;
    assert_eq!((tries.len(), updates), (1, 1));
    assert!(tries[0].contains("throttled"), "{tries:?}");
    assert!(began.elapsed() >= Duration::from_secs(2), "what was told is honoured");
}

#[tokio::test]
async fn in_conflict_and_broken_twice() {
    let (tries, updates) = under(update(Effect::Conflict)).await;
    assert_eq!((tries.len(), updates), (1, 1));
    assert!(tries[0].contains("ResourceConflictException"), "{tries:?}");
    let (tries, updates) = under(update(Effect::ServerError).times(2)).await;
    assert_eq!((tries.len(), updates), (2, 1));
    assert!(tries[0].contains("ServiceException"), "{tries:?}");
}

#[tokio::test]
async fn hanging_before_the_effect_and_cut_off() {
    let (tries, updates) = under(update(Effect::HangBefore { ms: 8_000 })).await;
    assert_eq!((tries.len(), updates), (1, 1));
    assert!(tries[0].contains("no answer"), "{tries:?}");
    let (tries, updates) = under(update(Effect::CutBefore)).await;
    assert_eq!((tries.len(), updates), (1, 1), "{tries:?}");
}

#[tokio::test]
async fn hanging_after_the_effect_is_seen_and_not_repeated() {
    for effect in [Effect::HangAfter { ms: 8_000 }, Effect::CutAfter] {
        let (tries, updates) = under(update(effect)).await;
        assert_eq!((tries.len(), updates), (1, 1), "{tries:?}");
        assert!(tries[0].contains("no answer"), "{tries:?}");
    }
}

#[tokio::test]
async fn a_fresh_mapping_that_is_still_being_made() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    stage.sandbox.slow_transitions(Duration::from_secs(5));
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let tries = tries(&stage, &uuid).await;
    assert!(!tries.is_empty() && tries.iter().all(|error| error.contains("ResourceInUseException")), "{tries:?}");
    assert_eq!(stage.updates_of(&uuid), 1);
}

#[tokio::test]
async fn reads_that_fail_for_a_while() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let responder = stage.sandbox.responder().credentials.access_key_id.clone();
    let fault = Fault::on("GetEventSourceMapping", Effect::ServerError).by(&responder).times(6);
    stage.sandbox.faults().add(fault);
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    tries(&stage, &uuid).await;
    assert_eq!(stage.updates_of(&uuid), 1);
}

#[tokio::test]
async fn an_update_refused_for_good_asks_a_person_and_offers_the_freeze() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let responder = stage.sandbox.responder().credentials.access_key_id.clone();
    stage.sandbox.faults().add(Fault::on("UpdateEventSourceMapping", Effect::RoleBroken).by(&responder));
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    assert_eq!(case["steps"][0]["status"], "failed");
    let whole = stage.whole(&case).await;
    let asked =
        whole["events"].as_array().unwrap().iter().rfind(|event| event["type"] == "approval_requested").cloned();
    let asked = asked.unwrap();
    assert!(asked["why"].as_str().unwrap().contains("refused for good"), "{asked}");
    // A person freezes the function; the mapping cannot be updated still, and that is said.
    let id = case["case_id"].as_str().unwrap();
    let freeze = ["decide", id, "freeze", "--reason", "stop it", "--yes"];
    let said = stage.product.command_line(&stage.security, &freeze).await.unwrap();
    assert_ne!(said.code, 0, "{said:?}");
    let frozen = stage.sandbox.root().lambda.get_function_concurrency().function_name("exfil").send().await.unwrap();
    assert_eq!(frozen.reserved_concurrent_executions(), Some(0));
    // The role is mended: now it can be disabled, and restore takes both back.
    stage.sandbox.faults().clear();
    let disable = ["decide", id, "disable", "--reason", "now it can be", "--yes"];
    let said = stage.product.command_line(&stage.security, &disable).await.unwrap();
    assert_eq!((said.code, stage.state(&uuid).await.as_str()), (0, "Disabled"), "{said:?}");
    let said = stage.product.command_line(&stage.security, &["restore", id]).await.unwrap();
    assert_eq!((said.code, stage.state(&uuid).await.as_str()), (0, "Enabled"), "{said:?}");
    let thawed = stage.sandbox.root().lambda.get_function_concurrency().function_name("exfil").send().await.unwrap();
    assert_eq!(thawed.reserved_concurrent_executions(), None);
}

#[tokio::test]
async fn an_acknowledgement_without_effect_is_never_called_contained() {
    let stage = Stage::with("[containment]\nverify_timeout = \"1s\"").await;
    let _running = stage.run().await;
    let responder = stage.sandbox.responder().credentials.access_key_id.clone();
    let empty = Effect::Respond { status: 200, body: "{}".into() };
    stage.sandbox.faults().add(Fault::on("UpdateEventSourceMapping", empty).by(&responder));
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(stage.state(&uuid).await, "Enabled");
    let case = stage.cases().await.into_iter().find(|case| case["mapping_uuid"] == uuid).unwrap();
    assert_eq!((case["state"].as_str(), case["steps"][0]["status"].as_str()), (Some("containing"), Some("started")));
    stage.sandbox.faults().clear();
    stage.becomes(&uuid, "Disabled").await;
    stage.case_in(&uuid, "awaiting_decision").await;
}

#[tokio::test]
async fn a_record_without_an_answer_is_found_by_listing() {
    let stage = Stage::new().await;
    stage.sandbox.trail().stop_delivering();
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.sandbox.trail().delivered().await;
    stage.sandbox.trail().deliver_to(stage.sandbox.queue_url());
    let records = stage.sandbox.trail().records();
    let mut record =
        records.into_iter().rfind(|record| record["eventName"] == "CreateEventSourceMapping20150331").unwrap();
    record["responseElements"] = Value::Null;
    let _running = stage.run().await;
    stage.sandbox.trail().inject(&serde_json::json!({ "Records": [record] }).to_string()).await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    assert_eq!(case["mapping_uuid"], uuid);
}

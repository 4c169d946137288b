//! Decisions: what people saw is what is done, and what is accepted; no more, and not twice.

use super::stage::{
    ASK, FREEZE, ballot, ballot_of, case, cast, create, decide, denied, function, repoint, repointed, start,
    start_behind, until, update,
};
use crate::common::{created, delivered, key, uuid};
use crate::fake::{Fake, Fault};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluicegate::case::{CaseEvent, Decision, Outcome, State, plan_for};
use sluicegate::containment::StepKind;
use sluicegate::ports::{CallError, Journal};
use tempfile::TempDir;

#[tokio::test]
async fn to_leave_it_accepts_what_was_shown_and_not_what_it_became() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, ASK);
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    let shown = ballot(&case(&worker, 0).await, "v1", Decision::Leave);
    // Its event is still on its way.
    fake.change(1, |mapping| mapping.function = function("evil"));
    cast(&worker, &shown).await;
    worker.settle().await;
    let accepted = worker.journal.baseline(&key(1)).await.unwrap();
    assert_ne!(accepted.map(|accepted| accepted.function.name), Some("evil".to_owned()));
    assert_eq!(case(&worker, 0).await.state, State::AwaitingDecision);
    // What people see now is what it is, and that they may leave.
    assert_eq!(decide(&worker, 0, "v2", Decision::Leave).await, None);
    assert_eq!(worker.journal.baseline(&key(1)).await.unwrap().unwrap().function.name, "evil");
}

#[tokio::test]
async fn a_vote_for_what_a_joined_finding_changed_is_refused() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, ASK);
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    let shown = ballot(&case(&worker, 0).await, "v1", Decision::Leave);
    worker.receive(&repoint(&fake, "e2", 1, "evil")).await;
    worker.settle().await;
    assert!(cast(&worker, &shown).await.unwrap().contains("look again"));
}

#[tokio::test]
async fn what_is_kept_disabled_cannot_be_enabled_unseen_though_the_last_read_failed() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    // An accepted configuration, enabled.
    decide(&worker, 0, "v1", Decision::Restore).await;
    worker.receive(&repoint(&fake, "e2", 1, "evil")).await;
    worker.settle().await;
    fake.0.lock().unwrap().unreadable = Some(denied());
    assert_eq!(decide(&worker, 1, "v2", Decision::Keep).await, None);
    assert_eq!(case(&worker, 1).await.outcome, Some(Outcome::Contained));
    fake.0.lock().unwrap().unreadable = None;
    fake.change(1, |mapping| mapping.state = "Enabled".into());
    let mut enabled = update("e3", 1, &json!({"enabled": true}), Timestamp::now());
    enabled["detail"]["responseElements"]["functionArn"] = json!(function("evil").arn);
    worker.receive(&enabled).await;
    worker.settle().await;
    assert_eq!(worker.journal.cases().await.unwrap().len(), 3);
    assert_eq!(fake.state(1), "Disabled");
}

#[tokio::test]
async fn what_is_not_disabled_is_not_closed_as_contained() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    // Its event is still on its way.
    fake.change(1, |mapping| mapping.state = "Enabled".into());
    assert_eq!(decide(&worker, 0, "v1", Decision::Keep).await, None);
    assert_eq!((fake.state(1).as_str(), case(&worker, 0).await.state), ("Disabled", State::AwaitingDecision));
    fake.0.lock().unwrap().mappings.remove(&uuid(1));
    assert_eq!(decide(&worker, 0, "v2", Decision::Keep).await, None);
    assert_eq!(case(&worker, 0).await.outcome, Some(Outcome::Removed));
}

#[tokio::test]
async fn a_stop_does_not_void_what_people_approved() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    let throttled = CallError::Unavailable { message: "as told".into(), request_id: None };
    fake.0.lock().unwrap().unreadable = Some(throttled);
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Restore);
    assert_eq!(cast(&worker, &vote).await, None);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    worker.stop();
    worker.settle().await;
    drop(worker);
    fake.0.lock().unwrap().unreadable = None;
    let worker = start(&fake, &dir, "");
    worker.responder.resume().await.unwrap();
    worker.settle().await;
    assert_eq!((fake.state(1).as_str(), case(&worker, 0).await.outcome), ("Enabled", Some(Outcome::Restored)));
}

#[tokio::test]
async fn a_restore_that_is_tried_again_does_not_wake_what_it_was_not_approved_for() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    fake.0.lock().unwrap().faults.extend([Fault::Busy, Fault::Busy]);
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Restore);
    assert_eq!(cast(&worker, &vote).await, None);
    until("tried", async || fake.updates() >= 2).await;
    fake.change(1, |mapping| mapping.function = function("evil"));
    until("people are asked", async || case(&worker, 0).await.asked.is_some_and(|asked| asked.0.contains("another")))
        .await;
    assert_eq!(fake.state(1), "Disabled");
    // The plan that they see now brings the function back as well.
    let plan = plan_for(&case(&worker, 0).await, Decision::Restore).unwrap();
    assert!(plan.steps[0].call.describe().contains(":function:exfil"), "{plan:?}");
}

#[tokio::test]
async fn who_repoints_a_mapping_while_it_is_restored_is_contained_and_not_accepted() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    fake.0.lock().unwrap().lingers = 8;
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Restore);
    assert_eq!(cast(&worker, &vote).await, None);
    until("enabled", async || fake.updates() == 2).await;
    worker.receive(&repoint(&fake, "e2", 1, "evil")).await;
    worker.settle().await;
    assert_eq!((fake.state(1).as_str(), case(&worker, 0).await.state), ("Disabled", State::AwaitingDecision));
    assert!(worker.journal.baseline(&key(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_made_dormant_is_restored_to_sleep() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Creating");
    let worker = start(&fake, &dir, "");
    let mut event = create("e1", 1);
    event["detail"]["requestParameters"]["enabled"] = json!(false);
    worker.receive(&event).await;
    worker.settle().await;
    assert_eq!(fake.state(1), "Disabled");
    assert_eq!(decide(&worker, 0, "v1", Decision::Restore).await, None);
    assert_eq!((fake.state(1).as_str(), case(&worker, 0).await.outcome), ("Disabled", Some(Outcome::Restored)));
}

#[tokio::test]
async fn a_function_is_thawed_before_its_mapping_is_enabled() {
    let dir = TempDir::new().unwrap();
    let worker = start(&Fake::with_mapping(1, "Enabled"), &dir, FREEZE);
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    let plan = plan_for(&case(&worker, 0).await, Decision::Restore).unwrap();
    let order: Vec<StepKind> = plan.steps.iter().map(|step| step.step).collect();
    // The other way round valid messages of a queue would be counted against a function that cannot run.
    assert_eq!(order, [StepKind::FreezeFunction, StepKind::DisableMapping]);
}

#[tokio::test]
async fn a_vote_that_counted_is_not_refused_or_counted_again_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, ASK);
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Disable);
    assert_eq!(cast(&worker, &vote).await, None);
    worker.settle().await;
    // The crash came before the vote was taken off: it is found again.
    assert_eq!(cast(&worker, &vote).await, None);
    fake.change(1, |mapping| mapping.state = "Enabled".into());
    worker.receive(&update("e2", 1, &json!({"enabled": true}), Timestamp::now())).await;
    worker.settle().await;
    assert_eq!(case(&worker, 0).await.state, State::AwaitingDecision);
    assert_eq!(cast(&worker, &vote).await, None);
    worker.settle().await;
    assert_eq!((fake.state(1).as_str(), fake.updates()), ("Enabled", 1));
}

#[tokio::test]
async fn an_allowed_update_does_not_accept_what_somebody_changed_before_it() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    let before = Timestamp::now() - SignedDuration::from_secs(5);
    fake.change(1, |mapping| mapping.function = function("evil"));
    // The deployer's update came second and is delivered first.
    let mut allowed = update("allowed", 1, &json!({"enabled": true}), Timestamp::now());
    let deployer = "arn:aws:iam::111122223333:role/terraform/runner";
    allowed["detail"]["responseElements"]["functionArn"] = json!(function("evil").arn);
    allowed["detail"]["sourceIPAddress"] = json!("10.20.1.1");
    allowed["detail"]["userIdentity"]["arn"] = json!("arn:aws:sts::111122223333:assumed-role/runner/runner-1");
    allowed["detail"]["userIdentity"]["principalId"] = json!("AROAEXAMPLEEXAMPLE000:runner-1");
    allowed["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(deployer);
    allowed["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] = json!("runner");
    worker.receive(&allowed).await;
    assert_eq!(worker.journal.cases().await.unwrap().len(), 0);
    assert!(worker.journal.baseline(&key(1)).await.unwrap().is_some());
    worker.receive(&repointed("e1", 1, "evil", before)).await;
    assert_eq!(worker.journal.cases().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_retry_does_not_begin_once_people_decided_otherwise() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[Fault::Denied; 3]);
    let (worker, front) = start_behind(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    until("stuck", async || case(&worker, 0).await.state == State::Stuck).await;
    until("asked", async || case(&worker, 0).await.asked.is_some()).await;
    // The pause before the next try ends just when they vote.
    front.meddle(|case, events| {
        let plan = plan_for(case, Decision::Leave)?;
        matches!(events, [CaseEvent::StepStarted { .. }])
            .then(|| vec![CaseEvent::Approved { plan, people: vec!["bob".into()] }])
    });
    worker.responder.nudge(&case(&worker, 0).await.id);
    until("closed", async || case(&worker, 0).await.outcome == Some(Outcome::Left)).await;
    assert_eq!((fake.updates(), fake.state(1).as_str()), (3, "Enabled"));
}

#[tokio::test]
async fn who_decides_on_the_command_line_does_not_wait_for_cloudtrail() {
    let dir = TempDir::new().unwrap();
    let worker = start(&Fake::with_mapping(1, "Enabled"), &dir, "");
    let stale = created("stale", 1, Timestamp::now() - SignedDuration::from_mins(60));
    worker.receive(&delivered(&stale)).await;
    until("asked", async || case(&worker, 0).await.state == State::AwaitingDecision).await;
    // Refused: it is looked for in CloudTrail on and on.
    let dave = "arn:aws:sts::111122223333:assumed-role/developer/dave";
    let vote = ballot_of(dave, &case(&worker, 0).await, "v1", Decision::Leave);
    assert!(cast(&worker, &vote).await.is_some());
    let rest = worker.responder.drive_to_rest(&vote.case_id);
    assert!(tokio::time::timeout(std::time::Duration::from_secs(2), rest).await.is_ok());
}

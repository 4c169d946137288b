//! What was made again, taken back again, or decided again: each is about what is there now.

use super::stage::{FREEZE, ballot, case, cast, create, decide, repoint, start, until, update};
use crate::common::key;
use crate::fake::{Fake, Fault};
use jiff::Timestamp;
use serde_json::json;
use sluicegate::case::{CaseEvent, Decision, Outcome, State, StepStatus};
use sluicegate::ports::Journal;
use tempfile::TempDir;

#[tokio::test]
async fn who_enables_a_mapping_that_was_made_again_is_undone_too() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    // Deleted and made again while people are asked.
    fake.made_again(1, 2);
    worker.receive(&create("e2", 2)).await;
    worker.settle().await;
    assert_eq!((fake.state(2).as_str(), worker.journal.cases().await.unwrap().len()), ("Disabled", 1));
    fake.change(2, |mapping| mapping.state = "Enabled".into());
    worker.receive(&update("e3", 2, &json!({"enabled": true}), Timestamp::now())).await;
    worker.settle().await;
    assert_eq!((fake.state(2).as_str(), case(&worker, 0).await.state), ("Disabled", State::AwaitingDecision));
    // The same just before it is kept.
    fake.change(2, |mapping| mapping.state = "Enabled".into());
    assert_eq!(decide(&worker, 0, "v1", Decision::Keep).await, None);
    assert_eq!((fake.state(2).as_str(), case(&worker, 0).await.state), ("Disabled", State::AwaitingDecision));
}

#[tokio::test]
async fn a_restore_that_is_taken_up_later_does_not_wake_what_was_pointed_elsewhere_meanwhile() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    fake.0.lock().unwrap().faults.extend([Fault::Denied; 3]);
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Restore);
    assert_eq!(cast(&worker, &vote).await, None);
    until("stuck", async || {
        let case = case(&worker, 0).await;
        case.state == State::Stuck && case.asked.is_some()
    })
    .await;
    // It joins the case, whose driver is woken and tries again.
    worker.receive(&repoint(&fake, "e2", 1, "evil")).await;
    until("void", async || case(&worker, 0).await.steps.last().is_some_and(|step| step.refused)).await;
    worker.settle().await;
    assert_eq!(fake.state(1), "Disabled");
}

#[tokio::test]
async fn a_function_is_thawed_though_its_mapping_is_gone() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, FREEZE);
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    assert_eq!(decide(&worker, 0, "v1", Decision::Delete).await, None);
    assert_eq!(case(&worker, 0).await.outcome, Some(Outcome::Removed));
    assert_eq!(decide(&worker, 0, "v2", Decision::Restore).await, None);
    assert_eq!(case(&worker, 0).await.outcome, Some(Outcome::Restored));
}

#[tokio::test]
async fn what_was_kept_before_is_not_decided_for_what_was_made_again() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    assert_eq!(decide(&worker, 0, "v1", Decision::Delete).await, None);
    fake.made_again(1, 2);
    fake.0.lock().unwrap().faults.extend([Fault::Denied; 3]);
    worker.receive(&create("e2", 2)).await;
    until("stuck", async || {
        let case = case(&worker, 0).await;
        case.state == State::Stuck && case.asked.is_some()
    })
    .await;
    worker.responder.nudge(&case(&worker, 0).await.id);
    until("disabled", async || fake.state(2) == "Disabled").await;
    worker.settle().await;
    // It is there, so it is not removed; people decide.
    let case = case(&worker, 0).await;
    assert_eq!((case.state, case.outcome), (State::AwaitingDecision, None));
    assert!(worker.journal.baseline(&key(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_decided_otherwise_since_is_not_tried_again() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    fake.0.lock().unwrap().faults.extend([Fault::Denied; 3]);
    let vote = ballot(&case(&worker, 0).await, "v1", Decision::Restore);
    assert_eq!(cast(&worker, &vote).await, None);
    until("stuck", async || {
        let case = case(&worker, 0).await;
        case.state == State::Stuck && case.asked.is_some()
    })
    .await;
    let mut stuck = case(&worker, 0).await;
    let restore = stuck.steps.last().unwrap().id;
    assert_eq!(sluicegate::case::next(&stuck), sluicegate::case::Next::RetryLater(restore));
    // People decide to delete it instead, and that is refused for good.
    let plan = sluicegate::case::plan_for(&stuck, Decision::Delete).unwrap();
    let (at, id, call) = (Timestamp::now(), stuck.next_step(), plan.steps[0].call.clone());
    let step = sluicegate::containment::StepKind::DeleteMapping;
    for event in [
        CaseEvent::Approved { plan, people: vec!["bob".into()] },
        CaseEvent::StepPrepared { id, step, undoes: None, call, prior: None },
        CaseEvent::StepFailed { id, error: "no".into(), refused: true },
        CaseEvent::ApprovalRequested { why: "no".into(), plans: vec![] },
    ] {
        stuck.apply(&event, at).unwrap();
    }
    assert_eq!(stuck.steps.last().unwrap().status, StepStatus::Failed);
    assert_eq!(sluicegate::case::next(&stuck), sluicegate::case::Next::Rest);
}

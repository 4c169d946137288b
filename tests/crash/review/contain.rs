//! Containing: whatever else happens meanwhile, it is contained, once, and nobody is told otherwise.

use super::stage::{
    FREEZE, busy, case, create, decide, denied, events, function, policies, repoint, start, start_behind, until,
};
use crate::common::{created, delivered, snapshot, uuid};
use crate::fake::{Fake, Fault, Worker};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluicegate::case::{CaseEvent, Decision, Mode, State, StepStatus};
use sluicegate::containment::{Observation, StepKind};
use sluicegate::ports::CallError;
use sluicegate::responder::Disposition;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;

#[tokio::test]
async fn who_undoes_it_just_before_people_are_asked_is_undone_too() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let (worker, front) = start_behind(&fake, &dir, "");
    let attacker = fake.clone();
    front.meddle(move |_, events| {
        if !matches!(events, [CaseEvent::ApprovalRequested { .. }]) {
            return None;
        }
        attacker.change(1, |mapping| mapping.state = "Enabled".into());
        let seen = Observation::Mapping { snapshot: Box::new(snapshot(1, "Enabled")) };
        Some(vec![CaseEvent::Tampered { id: 1, seen }])
    });
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    assert_eq!((fake.state(1).as_str(), fake.updates()), ("Disabled", 2));
    assert_eq!(case(&worker, 0).await.state, State::AwaitingDecision);
}

#[tokio::test]
async fn while_the_journal_is_down_a_message_is_held_and_not_given_back() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let (worker, front) = start_behind(&fake, &dir, "");
    front.down.store(true, Ordering::SeqCst);
    let event = create("e1", 1);
    let work = worker.receive(&event);
    tokio::pin!(work);
    let early = tokio::time::timeout(Duration::from_secs(1), &mut work).await;
    assert!(early.is_err(), "each return uses up a delivery, and ends in the dead-letter queue: {early:?}");
    assert_eq!(fake.updates(), 0);
    front.down.store(false, Ordering::SeqCst);
    assert_eq!(work.await, Disposition::Done);
    worker.settle().await;
    assert_eq!(fake.state(1), "Disabled");
}

#[tokio::test]
async fn a_message_held_for_the_journal_is_given_back_at_the_end() {
    let dir = TempDir::new().unwrap();
    let (worker, front) = start_behind(&Fake::with_mapping(1, "Enabled"), &dir, "");
    front.down.store(true, Ordering::SeqCst);
    let event = create("e1", 1);
    let (disposition, ()) = tokio::join!(worker.receive(&event), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        worker.stop();
    });
    assert!(matches!(disposition, Disposition::Again(_)), "{disposition:?}");
}

#[tokio::test]
async fn a_case_whose_journal_could_not_be_read_for_a_moment_goes_on() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.stop();
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    assert_eq!(fake.state(1), "Enabled");
    drop(worker);
    let (worker, front) = start_behind(&fake, &dir, "");
    front.failing_reads.store(3, Ordering::SeqCst);
    worker.responder.resume().await.unwrap();
    until("disabled", async || fake.state(1) == "Disabled").await;
}

#[tokio::test]
async fn a_mapping_that_cannot_be_read_is_asked_about_and_contained_once_it_can() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    fake.0.lock().unwrap().unreadable = Some(denied());
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    until("a person is asked", async || case(&worker, 0).await.state == State::AwaitingDecision).await;
    let asked = case(&worker, 0).await.asked.unwrap().0;
    assert!(asked.contains("cannot be read") && asked.contains("AccessDenied"), "{asked}");
    fake.0.lock().unwrap().unreadable = None;
    let id = case(&worker, 0).await.id;
    until("disabled", async || {
        worker.responder.nudge(&id);
        fake.state(1) == "Disabled"
    })
    .await;
}

#[tokio::test]
async fn a_second_case_on_a_frozen_function_keeps_what_was_before_the_first() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let arn = function("exfil").arn;
    {
        let mut account = fake.0.lock().unwrap();
        account.mappings.insert(uuid(2), snapshot(2, "Enabled"));
        account.concurrency.insert(arn.clone(), 7);
    }
    let worker = start(&fake, &dir, FREEZE);
    for (event, n) in [("e1", 1), ("e2", 2)] {
        worker.receive(&create(event, n)).await;
        worker.settle().await;
    }
    assert_eq!(fake.0.lock().unwrap().concurrency.get(&arn), Some(&0));
    for (n, vote) in [(0, "v1"), (1, "v2")] {
        assert_eq!(decide(&worker, n, vote, Decision::Restore).await, None);
    }
    assert_eq!(fake.0.lock().unwrap().concurrency.get(&arn), Some(&7));
}

#[tokio::test]
async fn a_freeze_that_does_not_come_about_does_not_keep_the_mapping_alive() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    fake.0.lock().unwrap().concurrency_faults.extend(vec![busy(); 10_000]);
    let worker = start(&fake, &dir, FREEZE);
    let began = std::time::Instant::now();
    worker.receive(&create("e1", 1)).await;
    while fake.state(1) != "Disabled" {
        assert!(began.elapsed() < Duration::from_secs(15), "the mapping is still {}", fake.state(1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("stuck, and asked", async || case(&worker, 0).await.state == State::Stuck).await;
    let case = case(&worker, 0).await;
    assert!(case.in_force(StepKind::DisableMapping) && !case.in_force(StepKind::FreezeFunction));
}

#[tokio::test]
async fn a_doubtful_event_does_not_shield_the_mapping_from_a_certain_one() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    // A baseline, so that an update may be answered by itself.
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    decide(&worker, 0, "v1", Decision::Restore).await;
    let stale = created("stale", 1, Timestamp::now() - SignedDuration::from_mins(60));
    worker.receive(&delivered(&stale)).await;
    until("asked", async || case(&worker, 1).await.state == State::AwaitingDecision).await;
    assert_eq!(fake.state(1), "Enabled");
    worker.receive(&repoint(&fake, "e2", 1, "evil")).await;
    until("disabled", async || fake.state(1) == "Disabled").await;
}

#[tokio::test]
async fn what_aws_took_is_not_sent_again_while_it_comes_about() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    fake.0.lock().unwrap().lingers = 12;
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    assert_eq!((fake.state(1).as_str(), fake.updates()), ("Disabled", 1));
    assert_eq!(case(&worker, 0).await.steps[0].status, StepStatus::Succeeded);
}

#[tokio::test]
async fn what_aws_tells_about_waiting_is_not_cut_short_by_another_delivery() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[Fault::Busy; 4]);
    let worker = start(&fake, &dir, "");
    let event = create("e1", 1);
    let began = std::time::Instant::now();
    worker.receive(&event).await;
    while fake.state(1) != "Disabled" {
        assert!(began.elapsed() < Duration::from_secs(20));
        worker.receive(&event).await;
    }
    // Waits of 200, 400, 800 and 1,600 ms, each at least half of it.
    assert!(began.elapsed() >= Duration::from_millis(1_500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn several_that_it_may_be_are_not_called_gone() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    fake.0.lock().unwrap().mappings.insert(uuid(2), snapshot(2, "Enabled"));
    let worker = start(&fake, &dir, "");
    let mut event = create("e1", 1);
    event["detail"]["responseElements"] = json!(null);
    worker.receive(&event).await;
    until("asked", async || case(&worker, 0).await.state == State::AwaitingDecision).await;
    let case = case(&worker, 0).await;
    let asked = case.asked.clone().unwrap().0;
    assert!(!case.gone && asked.contains("there are 2 of"), "{asked}");
}

#[tokio::test]
async fn a_denial_is_tried_again_from_time_to_time() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[Fault::Denied; 3]);
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    until("stuck", async || case(&worker, 0).await.state == State::Stuck).await;
    until("asked", async || case(&worker, 0).await.asked.is_some()).await;
    assert!(!case(&worker, 0).await.steps[0].refused);
    assert_eq!(fake.updates(), 3);
}

#[tokio::test]
async fn what_fails_again_in_the_same_way_asks_no_new_question() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[Fault::Denied; 500]);
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    until("asked", async || case(&worker, 0).await.asked.is_some()).await;
    let id = case(&worker, 0).await.id;
    until("tried again", async || {
        worker.responder.nudge(&id);
        fake.updates() > 6
    })
    .await;
    let asked = events(&worker, 0).await.into_iter();
    // A new one would take the votes off that the first has so far.
    assert_eq!(asked.filter(|event| matches!(event, CaseEvent::ApprovalRequested { .. })).count(), 1);
}

#[tokio::test]
async fn a_mapping_that_was_not_there_yet_is_looked_for_again() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::default();
    let worker = start(&fake, &dir, "");
    worker.receive(&create("e1", 1)).await;
    until("asked", async || case(&worker, 0).await.state == State::AwaitingDecision).await;
    assert!(case(&worker, 0).await.gone);
    fake.0.lock().unwrap().mappings.insert(uuid(1), snapshot(1, "Enabled"));
    let id = case(&worker, 0).await.id;
    until("disabled", async || {
        worker.responder.nudge(&id);
        fake.state(1) == "Disabled"
    })
    .await;
}

#[tokio::test]
async fn our_own_call_is_known_though_a_crash_lost_its_answer() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, "");
    worker.stop();
    worker.receive(&create("e1", 1)).await;
    worker.settle().await;
    drop(worker);
    // The call had reached AWS; the process died before it could write that down.
    fake.change(1, |mapping| mapping.state = "Disabled".into());
    let worker = Worker::start(&fake, &dir.path().join("j.db"), policies(""), Mode::Enforce);
    worker.responder.resume().await.unwrap();
    worker.settle().await;
    let case = case(&worker, 0).await;
    assert_eq!(case.steps[0].status, StepStatus::Succeeded);
    assert!(case.steps[0].ambiguous, "its request may have an id that nobody knows");
}

#[tokio::test]
async fn a_uuid_in_capitals_is_the_same_mapping() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::default();
    let id = "abcdef00-0000-4000-8000-00000000abcd";
    let mut mapping = snapshot(1, "Enabled");
    mapping.uuid = id.into();
    mapping.arn = String::new();
    fake.0.lock().unwrap().mappings.insert(id.into(), mapping);
    let worker = start(&fake, &dir, "");
    let mut event = create("e1", 1);
    event["detail"]["responseElements"]["uUID"] = json!(id.to_uppercase());
    event["detail"]["responseElements"]["eventSourceMappingArn"] = json!(null);
    worker.receive(&event).await;
    until("disabled", async || fake.0.lock().unwrap().mappings[id].state == "Disabled").await;
}

#[tokio::test]
async fn a_read_is_not_repeated_before_aws_said_so() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let (retry_after, message) = (Some(Duration::from_secs(5)), "slow down".into());
    fake.0.lock().unwrap().read_faults.push_back(CallError::Throttled { retry_after, message, request_id: None });
    let worker = start(&fake, &dir, "");
    let began = std::time::Instant::now();
    worker.receive(&create("e1", 1)).await;
    until("disabled", async || fake.state(1) == "Disabled").await;
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_only_waits_stops_at_once() {
    let dir = TempDir::new().unwrap();
    let worker = start(&Fake::with_mapping(1, "Enabled"), &dir, "");
    worker.receive(&delivered(&created("stale", 1, Timestamp::now() - SignedDuration::from_mins(60)))).await;
    until("asked", async || case(&worker, 0).await.state == State::AwaitingDecision).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    worker.stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(worker.responder.at_work(), 0);
}

//! Every way in which an update can fail, alone and in pairs: the mapping ends disabled, read back, with one case, and
//! the journal tells the tries.

use crate::common::{created, delivered};
use crate::fake::{Fake, Fault, Worker, shipped_policies};
use jiff::Timestamp;
use sluicegate::case::{CaseEvent, Mode, State, StepStatus};
use sluicegate::ports::{CallError, Journal};
use sluicegate::responder::Disposition;
use tempfile::TempDir;

const PASSING: [Fault; 6] = [
    Fault::Throttled,
    Fault::Busy,
    Fault::ServerError,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::AcknowledgedWithoutEffect,
];

async fn contain(fake: &Fake, dir: &TempDir) -> (Worker, Vec<CaseEvent>) {
    let worker = Worker::start(fake, &dir.path().join("j.db"), shipped_policies(), Mode::Enforce);
    let event = delivered(&created("e1", 1, Timestamp::now()));
    assert_eq!(worker.receive(&event).await, Disposition::Done);
    worker.settle().await;
    let ids = worker.journal.cases().await.unwrap();
    assert_eq!(ids.len(), 1);
    let history = worker.journal.history(&ids[0].case_id.parse().unwrap()).await.unwrap();
    (worker, history.into_iter().map(|recorded| recorded.event).collect())
}

#[tokio::test]
async fn each_fault_alone_and_each_pair_ends_disabled_and_read_back() {
    let pairs = PASSING.into_iter().flat_map(|first| PASSING.into_iter().map(move |second| (first, second)));
    let tasks: Vec<_> = pairs.map(|(first, second)| tokio::spawn(pair(first, second))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn pair(first: Fault, second: Fault) {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[first, second]);
    let (worker, events) = contain(&fake, &dir).await;
    let case = &worker.journal.cases().await.unwrap()[0];
    assert_eq!(fake.state(1), "Disabled", "{first:?}, {second:?}");
    assert_eq!(case.state, State::AwaitingDecision, "{first:?}, {second:?}");
    assert_eq!(case.steps[0].status, StepStatus::Succeeded);
    let tries = events.iter().filter(|event| matches!(event, CaseEvent::StepTried { .. })).count();
    // After an effect that was lost sight of the second fault is never met: nothing is sent twice.
    assert_eq!(tries, if first == Fault::LostAfter { 1 } else { 2 }, "{first:?}, {second:?}");
    let calls = match (first, second) {
        (Fault::LostAfter, _) => 1,
        (_, Fault::LostAfter) => 2,
        _ => 3,
    };
    assert_eq!(fake.updates(), calls, "{first:?}, {second:?}");
}

#[tokio::test]
async fn a_refusal_for_good_asks_a_person_and_says_why() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[Fault::Refused; 3]);
    let (worker, events) = contain(&fake, &dir).await;
    let case = &worker.journal.cases().await.unwrap()[0];
    assert_eq!(case.state, State::AwaitingDecision);
    assert_eq!(case.steps[0].status, StepStatus::Failed);
    assert_eq!(fake.state(1), "Enabled");
    let asked = events.iter().find_map(|event| match event {
        CaseEvent::ApprovalRequested { why, plans } => Some((why.clone(), plans.clone())),
        _ => None,
    });
    let (why, plans) = asked.unwrap();
    assert!(why.contains("refused for good") && why.contains("InvalidParameterValueException"), "{why}");
    assert!(plans.iter().any(|plan| plan.decision.name() == "freeze"), "{plans:?}");
}

#[tokio::test]
async fn a_mapping_that_vanishes_is_a_case_and_never_contained() {
    for fake in [Fake::default(), Fake::with_mapping(1, "Enabled").fails(&[Fault::Vanishes])] {
        let dir = TempDir::new().unwrap();
        let (worker, events) = contain(&fake, &dir).await;
        let case = &worker.journal.cases().await.unwrap()[0];
        assert_eq!((case.state, case.outcome), (State::AwaitingDecision, None));
        assert!(!case.steps.iter().any(|step| step.status == StepStatus::Succeeded));
        assert!(
            events
                .iter()
                .any(|event| matches!(event, CaseEvent::ApprovalRequested { why, .. } if why.contains("gone")))
        );
    }
}

#[tokio::test]
async fn a_read_that_fails_for_a_while_only_delays() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let error = CallError::Unavailable { message: "as told".into(), request_id: None };
    fake.0.lock().unwrap().read_faults.extend(vec![error; 7]);
    let (worker, _) = contain(&fake, &dir).await;
    assert_eq!(fake.state(1), "Disabled");
    assert_eq!(worker.journal.cases().await.unwrap()[0].state, State::AwaitingDecision);
}

#[tokio::test]
async fn a_mapping_that_was_made_dormant_is_a_case_and_needs_no_call() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Disabled");
    let (worker, _) = contain(&fake, &dir).await;
    let case = &worker.journal.cases().await.unwrap()[0];
    assert_eq!(case.steps[0].status, StepStatus::Succeeded);
    assert_eq!(fake.updates(), 0);
}

//! Deletion and its undo: exactly what was shown, once, with all that is needed to make it anew.

use crate::common::{created, delivered, uuid};
use crate::fake::{Fake, Worker, shipped_policies, signed};
use jiff::Timestamp;
use sluicegate::case::{Case, CaseEvent, Decision, Mode, Outcome, State, StepStatus, plan_for};
use sluicegate::mapping::FunctionRef;
use sluicegate::ports::{CallError, Journal};
use std::path::Path;
use tempfile::TempDir;

const SECURITY: &str = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";

fn lost() -> CallError {
    CallError::Ambiguous { message: "as told".into() }
}

fn start(fake: &Fake, journal: &Path) -> Worker {
    Worker::start(fake, journal, shipped_policies(), Mode::Enforce)
}

async fn contained(fake: &Fake, dir: &TempDir) -> Worker {
    let worker = start(fake, &dir.path().join("j.db"));
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.settle().await;
    worker
}

async fn case(worker: &Worker) -> Case {
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    worker.journal.case(&id).await.unwrap().unwrap()
}

async fn decide(worker: &Worker, id: &str, decision: Decision) -> Option<String> {
    let case = case(worker).await;
    let plan = plan_for(&case, decision).map_or("none".into(), |plan| plan.digest);
    let ballot = signed(SECURITY, id, &case.id, decision, &plan);
    worker.journal.cast(&ballot).await.unwrap();
    worker.responder.take_ballots().await.unwrap();
    worker.settle().await;
    worker.journal.refusal(&ballot.id).await.unwrap()
}

#[tokio::test]
async fn what_is_deleted_is_made_anew_as_it_was_before_anything_was_done() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    fake.0.lock().unwrap().tags = vec![("team".into(), "orders".into())];
    let worker = contained(&fake, &dir).await;
    assert_eq!(fake.state(1), "Disabled");
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    let removed = case(&worker).await;
    assert_eq!((removed.state, removed.outcome), (State::Closed, Some(Outcome::Removed)));
    assert_eq!((fake.state(1).as_str(), removed.gone), ("gone", true));
    assert_eq!(removed.decisions(), [Decision::Restore]);
    assert_eq!(decide(&worker, "v2", Decision::Restore).await, None);
    let restored = case(&worker).await;
    assert_eq!((restored.state, restored.outcome), (State::Closed, Some(Outcome::Restored)));
    assert!(!restored.contained() && !restored.gone);
    // Enabled as it was first, not disabled as it was deleted; under a new UUID.
    assert_eq!(fake.state(901), "Enabled");
    assert_eq!(restored.mapping.as_ref().unwrap().uuid, uuid(901));
    let account = fake.0.lock().unwrap();
    assert_eq!(account.made_with, [[("team".to_owned(), "orders".to_owned())]]);
    assert_eq!((account.deletes.len(), account.creates), (1, 1));
}

#[tokio::test]
async fn a_lost_answer_is_observed_before_it_is_repeated() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir).await;
    fake.0.lock().unwrap().delete_faults.push_back(lost());
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    assert_eq!(case(&worker).await.outcome, Some(Outcome::Removed));
    fake.0.lock().unwrap().create_faults.push_back(lost());
    assert_eq!(decide(&worker, "v2", Decision::Restore).await, None);
    assert_eq!(case(&worker).await.outcome, Some(Outcome::Restored));
    let account = fake.0.lock().unwrap();
    assert_eq!((account.deletes.len(), account.creates, account.mappings.len()), (1, 1, 1));
}

#[tokio::test]
async fn busy_and_throttled_deletions_are_tried_again_and_a_refused_one_calls_people() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir).await;
    let busy = CallError::Busy { message: "updating".into(), request_id: None };
    fake.0.lock().unwrap().delete_faults.extend([busy.clone(), busy]);
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    assert_eq!((case(&worker).await.outcome, fake.state(1).as_str()), (Some(Outcome::Removed), "gone"));

    let fake = Fake::with_mapping(1, "Enabled");
    let other = TempDir::new().unwrap();
    let worker = contained(&fake, &other).await;
    let refused =
        CallError::Refused { code: "InvalidParameterValueException".into(), message: "no".into(), request_id: None };
    fake.0.lock().unwrap().delete_faults.extend([refused.clone(), refused.clone(), refused]);
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    let stuck = case(&worker).await;
    assert_eq!((stuck.state, fake.state(1).as_str()), (State::Stuck, "Disabled"));
    assert!(stuck.decisions().contains(&Decision::Delete) && stuck.decisions().contains(&Decision::Keep));
    // It can be decided again.
    assert_eq!(decide(&worker, "v2", Decision::Delete).await, None);
    assert_eq!(case(&worker).await.outcome, Some(Outcome::Removed));
}

#[tokio::test]
async fn a_mapping_that_was_changed_since_is_not_deleted() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir).await;
    fake.change(1, |mapping| {
        let other = "arn:aws:lambda:eu-west-1:111122223333:function:other";
        mapping.function = FunctionRef::parse(other, "aws", "eu-west-1", "111122223333");
    });
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    let asked = case(&worker).await;
    assert_eq!((asked.state, fake.0.lock().unwrap().deletes.len()), (State::AwaitingDecision, 0));
    assert!(asked.asked.unwrap().0.contains("another than the one that was shown"));
}

/// The journal of containment, deletion and restore, whole.
async fn whole(dir: &TempDir) -> (u64, u64) {
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, dir).await;
    let contained = worker.journal.length().await.unwrap();
    decide(&worker, "v1", Decision::Delete).await;
    decide(&worker, "v2", Decision::Restore).await;
    worker.journal.checkpoint().await.unwrap();
    (contained, worker.journal.length().await.unwrap())
}

/// What the world had seen of the calls when the journal ended.
fn world(keep: &[CaseEvent], effect: bool) -> Fake {
    let started = |undo: bool| {
        keep.iter().any(|event| match event {
            CaseEvent::StepPrepared { step, undoes, .. } => step.name() == "delete_mapping" && undoes.is_some() == undo,
            _ => false,
        })
    };
    let done = |undo: bool| {
        let at = |event: &CaseEvent| {
            matches!(
                (event, undo),
                (CaseEvent::StepSucceeded { id: 2, .. }, false) | (CaseEvent::StepUndone { .. }, true)
            )
        };
        keep.iter().any(at)
    };
    let fake = Fake::with_mapping(1, "Disabled");
    let mut account = fake.0.lock().unwrap();
    if done(false) || started(false) && effect {
        account.mappings.remove(&uuid(1));
    }
    if done(true) || started(true) && effect {
        let made = crate::common::snapshot(901, "Enabled");
        account.mappings.insert(uuid(901), made);
    }
    drop(account);
    fake
}

#[tokio::test]
async fn cut_anywhere_deletion_and_restore_come_to_the_same_end_each_effect_once() {
    let dir = TempDir::new().unwrap();
    let (from, rows) = whole(&dir).await;
    for keep in from..=rows {
        for effect in [false, true] {
            let path = dir.path().join(format!("cut-{keep}-{effect}.db"));
            crate::prefixes::cut(&dir.path().join("j.db"), &path, keep);
            let read = start(&Fake::default(), &path);
            read.journal.rebuild().await.unwrap();
            let id = read.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
            let kept: Vec<CaseEvent> =
                read.journal.history(&id).await.unwrap().into_iter().map(|recorded| recorded.event).collect();
            if matches!(kept.last(), Some(CaseEvent::Voted(_))) {
                // A vote that passes and its approval are one write.
                continue;
            }
            let fake = world(&kept, effect);
            let worker = start(&fake, &path);
            worker.responder.resume().await.unwrap();
            worker.settle().await;
            let at = format!("after {keep} of {rows} rows, effect {effect}");
            // What had not been voted for yet is voted for now.
            for (vote, decision) in [("v1", Decision::Delete), ("v2", Decision::Restore)] {
                let now = case(&worker).await;
                if !now.counted.contains(&vote.to_owned()) {
                    assert_eq!(decide(&worker, vote, decision).await, None, "{at}: {vote}");
                }
            }
            let end = case(&worker).await;
            assert_eq!((end.state, end.outcome), (State::Closed, Some(Outcome::Restored)), "{at}");
            let statuses: Vec<StepStatus> = end.steps.iter().map(|step| step.status).collect();
            assert_eq!(statuses, [StepStatus::Undone, StepStatus::Undone, StepStatus::Succeeded], "{at}");
            let account = fake.0.lock().unwrap();
            assert_eq!(account.mappings.len(), 1, "{at}");
            assert!(account.mappings.contains_key(&uuid(901)), "{at}");
            assert!(account.deletes.len() <= 1 && account.creates <= 1, "{at}");
        }
    }
}

/// The same pair, made again as mapping `n`.
async fn made_again(worker: &Worker, fake: &Fake, n: u32) {
    let mapping = crate::common::snapshot(n, "Enabled");
    fake.0.lock().unwrap().mappings.insert(uuid(n), mapping);
    worker.receive(&delivered(&created(&format!("again-{n}"), n, Timestamp::now()))).await;
    worker.settle().await;
}

#[tokio::test]
async fn what_is_made_again_stays_disabled_joins_its_case_and_pages() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir).await;
    assert_eq!(decide(&worker, "v1", Decision::Delete).await, None);
    for n in [2, 3] {
        made_again(&worker, &fake, n).await;
        assert_eq!(fake.state(n), "Disabled");
        let case = case(&worker).await;
        assert_eq!((case.state, case.outcome), (State::Closed, Some(Outcome::Contained)));
        assert_eq!(case.mapping.as_ref().unwrap().uuid, uuid(n));
        assert_eq!(worker.journal.cases().await.unwrap().len(), 1);
        let history = worker.journal.history(&case.id).await.unwrap();
        let again: Vec<&CaseEvent> =
            history.iter().map(|it| &it.event).skip_while(|event| event.kind() != "recreated").collect();
        assert!(again.iter().any(|event| event.kind() == "reminded"));
        assert!(again.iter().all(|event| event.kind() != "approval_requested"));
        fake.0.lock().unwrap().mappings.remove(&uuid(n));
    }
    // Restoring it is about the one that is there now.
    made_again(&worker, &fake, 4).await;
    assert_eq!(decide(&worker, "v2", Decision::Restore).await, None);
    assert_eq!(fake.state(4), "Enabled");
    assert_eq!(fake.0.lock().unwrap().creates, 0);
}

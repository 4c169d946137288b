//! The clock: reminders that back off, the page at half of the time, and what happens once nobody has decided.

use crate::common::{self, created, delivered, opened, snapshot};
use crate::fake::{Fake, Worker, policies_in};
use jiff::{SignedDuration, Timestamp};
use sluicegate::case::{Case, CaseEvent, Due, Mode, Outcome, Reminder, Schedule, State, due};
use sluicegate::clock::SystemClock;
use sluicegate::containment::{Observation, Prior, StepKind};
use sluicegate::journal::SqliteJournal;
use sluicegate::ports::Journal;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_mins(minutes)
}

/// A contained case that people were asked about at minute 0, and what came after.
fn asked(more: &[(CaseEvent, i64)]) -> Case {
    let read = Box::new(snapshot(1, "Enabled"));
    let call = StepKind::DisableMapping.call(&common::key(1), &read).unwrap();
    let lease_until = at(2);
    let disabled = Box::new(snapshot(1, "Disabled"));
    let mut events = vec![
        (CaseEvent::Opened(Box::new(opened("e", 1))), at(0)),
        (
            CaseEvent::StepPrepared {
                id: 1,
                step: StepKind::DisableMapping,
                undoes: None,
                call,
                prior: Some(Prior::Mapping { snapshot: read, tags: vec![] }),
            },
            at(0),
        ),
        (CaseEvent::StepStarted { id: 1, worker: "w".into(), identity: "i".into(), lease_until }, at(0)),
        (
            CaseEvent::StepSucceeded {
                id: 1,
                read_back: Observation::Mapping { snapshot: disabled },
                request_ids: vec![],
                attempts: 1,
                took_ms: 1,
            },
            at(0),
        ),
        (CaseEvent::ApprovalRequested { why: "w".into(), plans: vec![] }, at(0)),
    ];
    events.extend(more.iter().map(|(event, minute)| (event.clone(), at(*minute))));
    Case::fold(events.iter().map(|(event, at)| (event, *at))).unwrap().unwrap()
}

fn reminded(reminder: Reminder) -> CaseEvent {
    CaseEvent::Reminded { reminder }
}

fn waiting(nth: u32) -> CaseEvent {
    reminded(Reminder::Waiting { nth })
}

#[test]
fn reminders_back_off_and_then_the_question_lapses() {
    let schedule = Schedule::default();
    let next = |more: &[(CaseEvent, i64)]| due(&asked(more), &schedule, None);
    let remind = |nth| Due::Remind(Reminder::Waiting { nth });
    assert_eq!(next(&[]), Some((at(30), remind(1))));
    assert_eq!(next(&[(waiting(1), 30)]), Some((at(120), remind(2))));
    assert_eq!(next(&[(waiting(1), 30), (waiting(2), 120)]), Some((at(240), remind(3))));
    let three = [(waiting(1), 30), (waiting(2), 120), (waiting(3), 240)];
    // The fourth would come with the end.
    assert!(matches!(next(&three), Some((when, _)) if when == at(480)));
    // Asked anew, it begins anew.
    let anew = [(waiting(1), 30), (CaseEvent::ApprovalRequested { why: "w".into(), plans: vec![] }, 40)];
    assert_eq!(next(&anew), Some((at(70), remind(1))));
    // Once it has lapsed nothing is waited for.
    assert_eq!(next(&[(CaseEvent::Expired { verdict: None }, 480)]), None);
}

#[test]
fn people_are_paged_once_before_records_are_lost_and_as_often_as_it_is_made_again() {
    let schedule = Schedule { remind_after: vec![], expires_after: None };
    let loss = Some((at(100), at(200)));
    let page = Due::Remind(Reminder::LossAhead { lost_from: at(200) });
    assert_eq!(due(&asked(&[]), &schedule, loss), Some((at(100), page)));
    assert_eq!(due(&asked(&[(reminded(Reminder::LossAhead { lost_from: at(200) }), 100)]), &schedule, loss), None);
    let joined = CaseEvent::Joined {
        finding: Box::new(common::finding("e2", 1)),
        verdict: Box::new(common::verdict(sluicegate::policy::Response::Ask)),
        provenance: sluicegate::case::Provenance::Verified,
    };
    let again = |findings| Due::Remind(Reminder::Again { findings });
    assert_eq!(due(&asked(&[(joined.clone(), 5)]), &schedule, None), Some((at(0), again(1))));
    let paged = reminded(Reminder::Again { findings: 1 });
    assert_eq!(due(&asked(&[(joined.clone(), 5), (paged.clone(), 6)]), &schedule, None), None);
    let more = [(joined.clone(), 5), (paged, 6), (joined, 7)];
    assert_eq!(due(&asked(&more), &schedule, None), Some((at(11), again(2))));
}

/// A worker whose rules ask before they act, but let it disable, or not, once nobody has decided.
async fn nobody_decides(disables: bool) -> (Fake, Case, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["allowlist.toml", "inventory.toml"] {
        std::fs::copy(shipped.join(name), dir.path().join(name)).unwrap();
    }
    let unless = if disables { "unless { context.trigger == Trigger::\"expiry\" }" } else { "" };
    let rules = std::fs::read_to_string(shipped.join("rules.cedar")).unwrap();
    let ask = format!(
        "\n@id(\"ask-first\") @reason(\"r\")\nforbid (principal, action in [Action::\"disable\", Action::\"freeze\"], resource) {unless};"
    );
    std::fs::write(dir.path().join("rules.cedar"), rules + &ask).unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let path = dir.path().join("j.db");
    let schedule = Schedule { remind_after: vec![], expires_after: Some(Duration::from_millis(200)) };
    // Asked in one life, lapsed in the next: the time is in the journal.
    for life in 0..2 {
        let journal = SqliteJournal::open(&path, Arc::new(SystemClock), true).unwrap();
        let front = Arc::new(journal.clone());
        let set = policies_in(dir.path());
        let worker = Worker::start_with(&fake, journal, front, set, Mode::Enforce, None, schedule.clone());
        if life == 0 {
            worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
            worker.settle().await;
            assert_eq!(fake.state(1), "Enabled");
            continue;
        }
        let keeper = worker.responder.clone();
        let keeping = tokio::spawn(async move { keeper.keep_time().await });
        let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
        for _ in 0..200 {
            let history = worker.journal.history(&id).await.unwrap();
            let mut after = history.iter().skip_while(|recorded| recorded.event.kind() != "expired");
            if after.any(|recorded| matches!(recorded.event.kind(), "approval_requested" | "reminded")) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        keeping.abort();
        worker.settle().await;
        let case = worker.journal.case(&id).await.unwrap().unwrap();
        let kinds = worker.journal.history(&id).await.unwrap();
        return (fake, case, kinds.iter().map(|recorded| recorded.event.kind().to_owned()).collect());
    }
    unreachable!()
}

#[tokio::test]
async fn nobody_decided_and_policy_disables_it_then() {
    let (fake, case, kinds) = nobody_decides(true).await;
    assert_eq!(fake.state(1), "Disabled");
    assert_eq!((case.state, case.outcome), (State::AwaitingDecision, None));
    // A new question: keep it so, or restore it.
    assert_eq!(kinds.last().map(String::as_str), Some("approval_requested"));
    assert!(case.expired_at.is_none());
}

#[tokio::test]
async fn nobody_decided_and_policy_leaves_it_so_somebody_else_is_called() {
    let (fake, case, kinds) = nobody_decides(false).await;
    assert_eq!(fake.state(1), "Enabled");
    assert_eq!((case.state, case.outcome), (State::AwaitingDecision, None::<Outcome>));
    assert!(case.expired_at.is_some());
    assert_eq!(kinds.last().map(String::as_str), Some("reminded"));
}

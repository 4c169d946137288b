//! What comes in: known, allowed, joined, forged, ours.

use crate::common::{created, delivered, uuid};
use crate::fake::{Fake, Worker, shipped_policies};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluicegate::case::{Mode, Outcome, State};
use sluicegate::ports::Journal;
use sluicegate::responder::Disposition;
use tempfile::TempDir;

fn start(fake: &Fake, dir: &TempDir, mode: Mode) -> Worker {
    Worker::start(fake, &dir.path().join("j.db"), shipped_policies(), mode)
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn one_event_five_times_is_one_case_and_one_call() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, Mode::Enforce);
    let event = delivered(&created("e1", 1, Timestamp::now()));
    let all = tokio::join!(
        worker.receive(&event),
        worker.receive(&event),
        worker.receive(&event),
        worker.receive(&event),
        worker.receive(&event)
    );
    assert_eq!(all, (Disposition::Done, Disposition::Done, Disposition::Done, Disposition::Done, Disposition::Done));
    worker.settle().await;
    assert_eq!(worker.journal.cases().await.unwrap().len(), 1);
    assert_eq!(fake.updates(), 1);
}

#[tokio::test]
async fn observe_judges_the_same_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, Mode::Observe);
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.settle().await;
    let case =
        worker.journal.case(&worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((case.state, case.outcome), (State::Closed, Some(Outcome::Observed)));
    assert_eq!(case.opened.would_do.len(), 1);
    assert_eq!((fake.updates(), fake.state(1).as_str()), (0, "Enabled"));
}

#[tokio::test]
async fn an_open_case_is_left_alone_once_the_mode_is_observe() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled").fails(&[crate::fake::Fault::Busy; 50]);
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.stop();
    worker.settle().await;
    let before = fake.updates();
    let observing = start(&fake, &dir, Mode::Observe);
    assert_eq!(observing.responder.resume().await.unwrap(), 1);
    observing.settle().await;
    assert_eq!(fake.updates(), before);
}

#[tokio::test]
async fn a_forged_event_about_a_healthy_mapping_changes_nothing_and_asks() {
    let old = |fake: &Fake| fake.change(1, |_| ());
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    old(&fake);
    fake.0.lock().unwrap().mappings.get_mut(&uuid(1)).unwrap().last_modified = Some(ago(600));
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&created("forged", 1, Timestamp::now()))).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let case = &worker.journal.cases().await.unwrap()[0];
    assert_eq!((case.state, case.steps.len()), (State::AwaitingDecision, 0));
    assert_eq!((fake.updates(), fake.state(1).as_str()), (0, "Enabled"));
}

#[tokio::test]
async fn what_cloudtrail_itself_confirms_is_contained_though_it_came_late() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let record = created("late", 1, ago(60));
    fake.0.lock().unwrap().records.insert("late".into(), record.to_string());
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&record)).await;
    worker.settle().await;
    assert_eq!(fake.state(1), "Disabled");
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    let case = worker.journal.case(&id).await.unwrap().unwrap();
    assert!(case.believed());
}

#[tokio::test]
async fn a_record_that_cloudtrail_has_otherwise_confirms_nothing() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let record = created("late", 1, ago(60));
    let mut genuine = record.clone();
    genuine["requestParameters"]["functionName"] = json!("another");
    genuine["responseElements"]["functionArn"] = json!("arn:aws:lambda:eu-west-1:111122223333:function:another");
    fake.0.lock().unwrap().records.insert("late".into(), genuine.to_string());
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&record)).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!((fake.updates(), fake.state(1).as_str()), (0, "Enabled"));
}

#[tokio::test]
async fn without_a_uuid_the_mapping_is_found_by_listing() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(7, "Enabled");
    let mut record = created("e1", 7, Timestamp::now());
    record["responseElements"] = json!(null);
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&record)).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let case = &worker.journal.cases().await.unwrap()[0];
    assert_eq!(case.mapping_uuid, Some(uuid(7)));
}

#[tokio::test]
async fn a_poison_message_is_recorded_once_and_its_neighbours_are_handled() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, Mode::Enforce);
    for _ in 0..3 {
        let poison = worker.responder.receive("m1", br#"{"detail": {"eventName": "CreateEventSourceMapping"#).await;
        assert_eq!(poison, Disposition::Unreadable);
    }
    assert_eq!(worker.journal.length().await.unwrap(), 1);
    assert_eq!(worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await, Disposition::Done);
    worker.settle().await;
    assert_eq!(fake.state(1), "Disabled");
}

#[tokio::test]
async fn who_enables_a_contained_mapping_again_joins_the_case_and_is_undone() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = start(&fake, &dir, Mode::Enforce);
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.settle().await;
    for round in 0..3 {
        fake.change(1, |mapping| mapping.state = "Enabled".into());
        let mut update = created(&format!("again-{round}"), 1, Timestamp::now());
        update["eventName"] = json!("UpdateEventSourceMapping20150331");
        update["requestParameters"] = json!({"uUID": uuid(1), "enabled": true});
        assert_eq!(worker.receive(&delivered(&update)).await, Disposition::Done);
        assert_eq!(worker.receive(&delivered(&update)).await, Disposition::Done);
        worker.settle().await;
        assert_eq!(fake.state(1), "Disabled");
    }
    let cases = worker.journal.cases().await.unwrap();
    assert_eq!((cases.len(), fake.updates()), (1, 4));
    assert_eq!(cases[0].state, State::AwaitingDecision);
}

#[tokio::test]
async fn another_accounts_mapping_is_asked_about_and_never_called_gone() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::default();
    let worker = start(&fake, &dir, Mode::Enforce);
    let text = created("e1", 1, Timestamp::now()).to_string().replace("111122223333", "444455556666");
    let mut event = delivered(&serde_json::from_str(&text).unwrap());
    event["account"] = json!("444455556666");
    worker.receive(&event).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    let case = worker.journal.case(&id).await.unwrap().unwrap();
    assert_eq!(case.state, State::AwaitingDecision);
    assert!(!case.gone);
    assert_eq!(fake.updates(), 0);
}

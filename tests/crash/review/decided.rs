//! Decisions: what people saw is what is done, and what is accepted; no more, and not twice.

use super::stage::{ballot, case, cast, create, start};
use crate::fake::Fake;
use sluicegate::case::{Decision, Outcome};
use sluicegate::ports::{CallError, Journal};
use tempfile::TempDir;

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

//! Containing: whatever else happens meanwhile, it is contained, once, and nobody is told otherwise.

use super::stage::{case, create, events, start_behind};
use crate::common::snapshot;
use crate::fake::Fake;
use sluicegate::case::{CaseEvent, State};
use sluicegate::containment::Observation;
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

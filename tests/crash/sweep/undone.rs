//! Contained mappings that somebody enables behind sluicegate's back.

use super::stage::{Scene, by_terraform};
use crate::common::key;
use sluicegate::case::{CaseEvent, Decision, Mode, Outcome, State};
use sluicegate::detection::Detection;
use sluicegate::ports::Journal;
use std::time::Duration;

async fn contained() -> Scene {
    let scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("made", 1);
    scene.told(&record);
    scene.receive(&record).await;
    assert_eq!(scene.fake.state(1), "Disabled");
    scene
}

#[tokio::test]
async fn a_contained_mapping_that_is_enabled_again_is_disabled_again_and_who_did_it_joins() {
    let mut scene = contained().await;
    for round in 0..3 {
        let record = scene.enables(&format!("again-{round}"), 1);
        // Its own record is late: it is disabled all the same.
        assert_eq!(scene.sweep().await.undone, 1);
        assert_eq!((scene.fake.state(1).as_str(), scene.fake.updates()), ("Disabled", 2 + round));
        scene.told(&record);
        assert_eq!(scene.sweep().await.judged, 1);
        scene.receive(&record).await;
        let case = scene.only_case().await;
        assert_eq!((case.joined.len(), case.state), (round + 1, State::AwaitingDecision));
    }
    let case = scene.only_case().await;
    let history = scene.worker.journal.history(&case.id).await.unwrap();
    let notes =
        history.iter().filter(|it| matches!(&it.event, CaseEvent::Note { text } if text.contains("enabled again")));
    assert_eq!(notes.count(), 3);
    assert_eq!((scene.sweep().await.undone, scene.fake.updates()), (0, 4));
}

#[tokio::test]
async fn event_and_sweep_at_once_undo_it_once() {
    for round in 0..20 {
        let scene = contained().await;
        let record = scene.enables("again", 1);
        scene.told(&record);
        let sweep = scene.sweeper();
        let mut memory = sluicegate::responder::SweepMemory::default();
        let event = async {
            tokio::time::sleep(Duration::from_micros(round * 200)).await;
            scene.receive(&record).await
        };
        let _ = tokio::join!(sweep.once(&mut memory), event);
        scene.worker.settle().await;
        let case = scene.only_case().await;
        assert_eq!((scene.fake.state(1).as_str(), scene.fake.updates(), case.joined.len()), ("Disabled", 2, 1));
        let tampered = scene.worker.journal.history(&case.id).await.unwrap();
        assert_eq!(tampered.iter().filter(|it| it.event.kind() == "tampered").count(), 1);
    }
}

#[tokio::test]
async fn one_that_was_kept_disabled_is_a_case_again_and_disabled() {
    let mut scene = contained().await;
    scene.decide(&scene.only_case().await, Decision::Keep).await;
    assert_eq!(scene.sweep().await.waiting, 0);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.told(&scene.enables("again", 1));
    assert_eq!(scene.sweep().await.judged, 1);
    let cases = scene.cases().await;
    assert_eq!((cases.len(), scene.fake.state(1).as_str()), (2, "Disabled"));
    assert_eq!(cases[1].opened.finding.detection, Detection::MappingEnabled);
    assert_eq!((cases[1].state, cases[1].steps.len()), (State::AwaitingDecision, 1));
    assert_eq!((scene.sweep().await.judged, scene.cases().await.len()), (0, 2));
}

#[tokio::test]
async fn one_that_was_kept_disabled_is_asked_about_where_cloudtrail_does_not_tell_who_woke_it() {
    let mut scene = contained().await;
    scene.decide(&scene.only_case().await, Decision::Keep).await;
    scene.enables("again", 1);
    assert_eq!(scene.sweep().await.waiting, 1);
    scene.give_up = Duration::ZERO;
    assert_eq!(scene.sweep().await.unattributed, 1);
    let cases = scene.cases().await;
    assert_eq!((cases.len(), cases[1].state, scene.fake.updates()), (2, State::AwaitingDecision, 1));
    assert_eq!(scene.sweep().await.unattributed, 0);
}

/// An accepted mapping, repointed, disabled, and nobody decided in time: what was accepted before says "enabled".
async fn lapsed() -> Scene {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = by_terraform(scene.makes("made", 1));
    scene.receive(&record).await;
    let update = scene.repoints("changed", 1, "siphon");
    scene.receive(&update).await;
    let case = scene.only_case().await;
    assert_eq!(scene.fake.state(1), "Disabled");
    let closed = CaseEvent::Closed { outcome: Outcome::Contained, baseline: None };
    let events = [CaseEvent::Expired { verdict: None }, closed];
    scene.worker.journal.append(&case.id, case.seq, &events).await.unwrap();
    assert!(scene.worker.journal.baseline(&key(1)).await.unwrap().unwrap().enabled);
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 1));
    scene.give_up = super::stage::FOREVER;
    scene
}

#[tokio::test]
async fn one_that_lapsed_is_caught_by_event_and_by_sweep() {
    let mut scene = Box::pin(lapsed()).await;
    scene.told(&scene.enables("again", 1));
    assert_eq!(scene.sweep().await.judged, 1);
    assert_eq!((scene.cases().await.len(), scene.fake.state(1).as_str()), (2, "Disabled"));
    let scene = Box::pin(lapsed()).await;
    let record = scene.enables("again", 1);
    scene.receive(&record).await;
    assert_eq!((scene.cases().await.len(), scene.fake.state(1).as_str()), (2, "Disabled"));
}

#[tokio::test]
async fn a_restore_is_ours_and_stays() {
    let mut scene = contained().await;
    let case = scene.only_case().await;
    scene.decide(&case, Decision::Restore).await;
    assert_eq!(scene.fake.state(1), "Enabled");
    scene.give_up = Duration::ZERO;
    for _ in 0..2 {
        let swept = scene.sweep().await;
        assert_eq!((swept.undone, swept.judged, swept.unattributed), (0, 0, 0));
    }
    assert_eq!((scene.only_case().await.outcome, scene.fake.state(1).as_str()), (Some(Outcome::Restored), "Enabled"));
}

#[tokio::test]
async fn observe_leaves_what_somebody_enabled() {
    let mut scene = contained().await;
    scene.restart(Mode::Observe).await;
    scene.enables("again", 1);
    scene.sweep().await;
    scene.sweep().await;
    assert_eq!((scene.fake.updates(), scene.fake.state(1).as_str()), (1, "Enabled"));
}

#[tokio::test]
async fn what_people_are_asked_about_is_shown_as_it_is() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.makes("never", 1);
    scene.give_up = Duration::ZERO;
    scene.sweep().await;
    assert_eq!(scene.only_case().await.state, State::AwaitingDecision);
    // Changed meanwhile, and nobody knows by whom.
    scene.repoints("lost", 1, "siphon");
    scene.sweep().await;
    let case = scene.only_case().await;
    assert_eq!(case.latest().unwrap().function.name, "siphon");
    let rows = scene.rows().await;
    scene.sweep().await;
    assert_eq!(scene.rows().await, rows);
    // With a record of it, it joins.
    scene.told(&scene.repoints("told", 1, "drain"));
    assert_eq!(scene.sweep().await.judged, 1);
    assert_eq!(scene.only_case().await.joined.len(), 1);
    assert_eq!(scene.fake.updates(), 0);
}

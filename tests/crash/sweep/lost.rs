//! A mapping whose creation nobody saw an event of.

use super::stage::{FOREVER, Scene, by_terraform};
use crate::common::{REGION, key, uuid};
use crate::fake::Fake;
use crate::fake_iam::Entity;
use crate::review::stage::policies;
use serde_json::json;
use sluicegate::case::{Mode, Outcome, Provenance, State, SystemEvent};
use sluicegate::detection::{Detection, Trigger};
use sluicegate::ports::Journal;
use sluicegate::responder::{Disposition, SweepMemory};
use std::time::Duration;

#[tokio::test]
async fn a_rogue_mapping_whose_event_got_lost_is_disabled_and_its_late_event_changes_nothing() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("lost", 1);
    scene.told(&record);
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!((case.state, scene.fake.state(1).as_str()), (State::AwaitingDecision, "Disabled"));
    assert_eq!((case.opened.finding.trigger, &case.provenance), (Trigger::Sweep, &Provenance::Confirmed));
    assert_eq!(case.opened.finding.event.id, "lost");
    let rows = scene.rows().await;
    assert_eq!(scene.sweep().await.judged, 0);
    assert_eq!(scene.receive(&record).await, Disposition::Done);
    assert_eq!((scene.rows().await, scene.fake.updates(), scene.cases().await.len()), (rows, 1, 1));
}

#[tokio::test]
async fn what_came_by_the_queue_is_swept_without_a_look_in_cloudtrail() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("seen", 1);
    scene.receive(&record).await;
    let rows = scene.rows().await;
    for _ in 0..3 {
        let swept = scene.sweep().await;
        assert_eq!((swept.listed, swept.judged, swept.waiting, swept.undone), (1, 0, 0, 0));
    }
    // One row more: from when on the region is swept.
    assert_eq!((scene.rows().await, scene.fake.updates()), (rows + 1, 1));
    assert_eq!(scene.fake.0.lock().unwrap().searches, 0);
}

#[tokio::test]
async fn event_and_sweep_at_once_are_one_case_and_one_call() {
    for round in 0..20 {
        let scene = Scene::new(Mode::Enforce).await;
        let record = scene.makes("both", 1);
        scene.told(&record);
        let (sweep, other) = (scene.sweeper(), scene.sweeper());
        let (mut memory, mut more) = (SweepMemory::default(), SweepMemory::default());
        let event = async {
            tokio::time::sleep(Duration::from_micros(round * 200)).await;
            scene.receive(&record).await
        };
        let (_, _, received) = tokio::join!(sweep.once(&mut memory), other.once(&mut more), event);
        scene.worker.settle().await;
        assert_eq!(received, Disposition::Done);
        let case = scene.only_case().await;
        assert_eq!((case.steps.len(), scene.fake.updates(), scene.fake.state(1).as_str()), (1, 1, "Disabled"));
    }
}

#[tokio::test]
async fn a_fresh_mapping_is_left_to_its_event() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.grace = FOREVER;
    let record = scene.makes("on-its-way", 1);
    scene.told(&record);
    assert_eq!((scene.sweep().await.waiting, scene.cases().await.len()), (1, 0));
    assert_eq!(scene.fake.0.lock().unwrap().searches, 0);
}

#[tokio::test]
async fn a_record_that_cloudtrail_has_late_is_judged_once_it_is_there() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("late", 1);
    for _ in 0..3 {
        assert_eq!((scene.sweep().await.waiting, scene.cases().await.len()), (1, 0));
    }
    scene.told(&record);
    assert_eq!(scene.sweep().await.judged, 1);
    assert_eq!((scene.only_case().await.state, scene.fake.state(1).as_str()), (State::AwaitingDecision, "Disabled"));
}

#[tokio::test]
async fn where_cloudtrail_never_tells_people_are_asked_once_and_nothing_is_changed() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.makes("never", 1);
    scene.give_up = Duration::ZERO;
    assert_eq!(scene.sweep().await.unattributed, 1);
    let case = scene.only_case().await;
    assert_eq!((case.state, scene.fake.updates()), (State::AwaitingDecision, 0));
    assert!(matches!(&case.provenance, Provenance::Refuted { why } if why.contains("does not tell")));
    assert_eq!(case.opened.finding.actor.principal_arn, "");
    assert!(case.opened.verdict.reasons[0].contains("not known for certain"), "{:?}", case.opened.verdict.reasons);
    assert!(!case.opened.verdict.allowed && !case.opened.verdict.restrict);
    // Not again: not by the next sweep, not after a restart.
    assert_eq!(scene.sweep().await.unattributed, 0);
    scene.restart(Mode::Enforce).await;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 1));
    assert_eq!(scene.fake.state(1), "Enabled");
}

#[tokio::test]
async fn an_allowed_creation_is_accepted_and_not_asked_about_again() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = by_terraform(scene.makes("allowed", 1));
    scene.told(&record);
    assert_eq!(scene.sweep().await.judged, 1);
    assert!(scene.cases().await.is_empty());
    let baseline = scene.worker.journal.baseline(&key(1)).await.unwrap().unwrap();
    assert!(baseline.accepted_by.contains("event allowed by"), "{}", baseline.accepted_by);
    assert_eq!(scene.system("allowed").len(), 1);
    scene.give_up = Duration::ZERO;
    let rows = scene.rows().await;
    assert_eq!((scene.sweep().await.waiting, scene.sweep().await.unattributed), (0, 0));
    scene.receive(&record).await;
    assert_eq!((scene.rows().await, scene.fake.updates()), (rows, 0));
}

#[tokio::test]
async fn an_allowed_creation_does_not_cover_what_was_changed_since() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.told(&by_terraform(scene.makes("allowed", 1)));
    scene.told(&scene.repoints("changed", 1, "siphon"));
    assert_eq!(scene.sweep().await.judged, 2);
    let case = scene.only_case().await;
    assert_eq!(case.opened.finding.detection, Detection::MappingRepointed);
    assert_eq!((case.state, scene.fake.state(1).as_str()), (State::AwaitingDecision, "Disabled"));
    assert_eq!(case.baseline.unwrap().function.name, "exfil");
}

#[tokio::test]
async fn a_rogue_creation_that_is_another_mapping_by_now_is_asked_about() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("made", 1);
    scene.told(&record);
    let update = scene.repoints("changed", 1, "siphon");
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!((case.state, scene.fake.updates()), (State::AwaitingDecision, 0));
    assert!(matches!(&case.provenance, Provenance::Refuted { why } if why.contains("another by now")));
    // Its update turns up: it joins the case.
    scene.receive(&update).await;
    assert_eq!(scene.only_case().await.joined.len(), 1);
}

#[tokio::test]
async fn a_mapping_that_is_gone_by_then_is_nobodys_concern() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("short", 1);
    scene.told(&record);
    scene.fake.0.lock().unwrap().mappings.remove(&uuid(1));
    let swept = scene.sweep().await;
    assert_eq!((swept.listed, swept.judged, scene.cases().await.len()), (0, 0, 0));
    scene.makes("deleting", 2);
    scene.fake.change(2, |mapping| mapping.state = "Deleting".into());
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 0));
}

#[tokio::test]
async fn observe_finds_the_same_and_changes_nothing() {
    let mut scene = Scene::new(Mode::Observe).await;
    scene.told(&scene.makes("lost", 1));
    scene.makes("never", 2);
    scene.give_up = Duration::ZERO;
    let swept = scene.sweep().await;
    assert_eq!((swept.judged, swept.unattributed), (1, 1));
    for case in scene.cases().await {
        assert_eq!((case.state, case.outcome), (State::Closed, Some(Outcome::Observed)));
    }
    let swept = scene.sweep().await;
    assert_eq!((swept.judged, swept.unattributed, scene.cases().await.len()), (0, 0, 2));
    // What is changed later is another finding.
    scene.told(&scene.repoints("changed", 1, "siphon"));
    assert_eq!((scene.sweep().await.judged, scene.cases().await.len()), (1, 3));
    assert_eq!((scene.fake.updates(), scene.fake.state(1).as_str()), (0, "Enabled"));
}

#[tokio::test]
async fn one_that_could_not_be_read_when_it_was_observed_is_known_by_its_creation() {
    let mut scene = Scene::new(Mode::Observe).await;
    let record = scene.makes("unread", 1);
    scene.told(&record);
    let denied = sluicegate::ports::CallError::Refused {
        code: "AccessDeniedException".into(),
        message: "as told".into(),
        request_id: None,
    };
    scene.fake.0.lock().unwrap().unreadable = Some(denied);
    scene.receive(&record).await;
    scene.fake.0.lock().unwrap().unreadable = None;
    scene.give_up = Duration::ZERO;
    for _ in 0..2 {
        assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 1));
    }
    assert_eq!(scene.system("found").len(), 1);
}

#[tokio::test]
async fn the_pair_of_a_removed_mapping_made_again_behind_the_queue_stays_disabled() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let first = scene.makes("first", 1);
    scene.receive(&first).await;
    let case = scene.only_case().await;
    scene.decide(&case, sluicegate::case::Decision::Delete).await;
    scene.told(&scene.makes("again", 2));
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!((case.mapping.unwrap().uuid, scene.fake.state(2)), (uuid(2), "Disabled".to_owned()));
}

#[tokio::test]
async fn an_undated_record_in_capitals_is_found_too() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let mut record = scene.makes("odd", 1);
    record["eventName"] = json!("CreateEventSourceMapping");
    record["responseElements"]["uUID"] = json!(uuid(1).to_uppercase());
    scene.told(&record);
    assert_eq!((scene.sweep().await.judged, scene.fake.state(1).as_str()), (1, "Disabled"));
}

#[tokio::test]
async fn a_mapping_made_in_the_second_of_the_start_is_no_old_one() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("at-once", 1);
    let began = scene.worker.journal.began().await.unwrap().unwrap();
    let second = jiff::Timestamp::from_second(began.as_second()).unwrap();
    scene.fake.0.lock().unwrap().mappings.get_mut(&uuid(1)).unwrap().last_modified = Some(second);
    scene.told(&record);
    let swept = scene.sweep().await;
    assert_eq!((swept.day_one, swept.judged, scene.fake.state(1).as_str()), (0, 1, "Disabled"));
}

#[tokio::test]
async fn from_when_on_a_region_is_swept_is_kept() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.sweep().await;
    scene.restart(Mode::Enforce).await;
    scene.sweep().await;
    let began = scene.worker.journal.began().await.unwrap().unwrap();
    let events = scene.system("watched");
    let [SystemEvent::Watched { region, since, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((region.as_str(), *since), (REGION, began));
}

#[tokio::test]
async fn who_is_restricted_by_itself_was_told_by_cloudtrail_and_nothing_strayed_is_touched_over_it() {
    let permit =
        r#"@id("restricts-itself") @reason("test") permit (principal, action == Action::"restrict", resource);"#;
    for strayed in [false, true] {
        let fake = Fake::default();
        let intern = Entity {
            id: "AROAEXAMPLEEXAMPLE000".into(),
            trust: r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}"#.into(),
            ..Entity::default()
        };
        fake.0.lock().unwrap().entities.insert("intern".into(), intern);
        let mut scene = Scene::under(fake, Mode::Enforce, policies(permit)).await;
        scene.told(&scene.makes("lost", 1));
        if strayed {
            scene.repoints("untold", 1, "siphon");
        }
        scene.sweep().await;
        let id = scene.only_case().await.id;
        for _ in 0..4 {
            scene.worker.responder.gather_offers(&id).await.unwrap();
            scene.worker.responder.restrict_by_itself(&id).await.unwrap();
            scene.worker.settle().await;
        }
        let case = scene.only_case().await;
        let (restricted, state) = (case.restrictions().count(), scene.fake.state(1));
        assert_eq!((restricted, state.as_str()), if strayed { (0, "Enabled") } else { (1, "Disabled") });
        assert_eq!(case.state, State::AwaitingDecision);
    }
}

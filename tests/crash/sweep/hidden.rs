//! Somebody who knows how the sweep looks, and tries to stay out of its sight.

use super::stage::{FOREVER, Scene, by_terraform, updated};
use crate::common::{key, uuid};
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicegate::case::{Decision, Mode, State};
use sluicegate::detection::Detection;
use sluicegate::ports::Journal;
use std::time::Duration;

const DROP: &str = "arn:aws:sqs:eu-west-1:999999999999:drop";

/// As CloudTrail writes the time: in whole seconds, and when the call was over.
fn over(mut record: Value, seconds: i64) -> Value {
    let time: Timestamp = record["eventTime"].as_str().unwrap().parse().unwrap();
    record["eventTime"] = json!(Timestamp::from_second(time.as_second() + seconds).unwrap().to_string());
    record
}

fn quiet(scene: &Scene, n: u32) {
    scene.fake.change(n, |mapping| mapping.whole["BatchSize"] = json!(7));
}

#[tokio::test]
async fn one_that_is_changed_again_and_again_does_not_stay_young() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.told(&scene.makes("lost", 1));
    scene.grace = Duration::from_millis(400);
    for _ in 0..12 {
        quiet(&scene, 1);
        scene.sweep().await;
        if scene.fake.state(1) == "Disabled" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it stays young for as long as somebody touches it");
}

#[tokio::test]
async fn one_that_is_changed_again_and_again_and_is_in_no_record_is_asked_about() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.makes("never", 1);
    scene.grace = Duration::from_millis(100);
    scene.give_up = Duration::from_millis(500);
    for _ in 0..15 {
        quiet(&scene, 1);
        if scene.sweep().await.unattributed == 1 {
            assert_eq!(scene.only_case().await.state, State::AwaitingDecision);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody is ever asked about it");
}

#[tokio::test]
async fn a_change_that_is_settled_gives_the_next_one_its_time() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = by_terraform(scene.makes("made", 1));
    scene.receive(&record).await;
    scene.grace = Duration::from_millis(300);
    scene.give_up = Duration::from_millis(600);
    for round in 0..4 {
        // Each deployment's event is on its way when it is swept, and there before the next.
        let update = by_terraform(scene.repoints(&format!("deploy-{round}"), 1, &format!("orders-v{round}")));
        assert_eq!(scene.sweep().await.waiting, 1);
        scene.receive(&update).await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        let swept = scene.sweep().await;
        assert_eq!((swept.waiting, swept.unattributed, scene.cases().await.len()), (0, 0, 0));
    }
}

#[tokio::test]
async fn a_flood_of_mappings_that_nobody_is_known_for_hides_no_other() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let contained = scene.makes("made", 950);
    scene.receive(&contained).await;
    for n in 1..300 {
        scene.makes("never", n);
    }
    scene.enables("again", 950);
    scene.told(&scene.makes("lost", 900));
    // They wait for their records, and for as long as they do others must not.
    let first = scene.sweep().await;
    assert_eq!((first.undone, scene.fake.state(950).as_str()), (1, "Disabled"));
    scene.sweep().await;
    assert_eq!(scene.fake.state(900), "Disabled");
    // And in the end each of them is a case.
    scene.give_up = Duration::ZERO;
    scene.sweep().await;
    scene.sweep().await;
    assert_eq!(scene.cases().await.len(), 301);
}

/// An old mapping, whose creation is in no record; two updates came while nobody looked.
async fn two_updates_of_an_old_mapping(seconds: i64) -> (Scene, Value, Value) {
    let scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    let deploy = over(by_terraform(updated("deploy", 1, &json!({"enabled": true}))), 0);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    scene.fake.change(1, |mapping| mapping.wiring.on_failure = Some(DROP.into()));
    let wired = json!({"destinationConfig": {"onFailure": {"destination": DROP}}});
    (scene, deploy, over(updated("rewire", 1, &wired), seconds))
}

#[tokio::test]
async fn what_an_allowed_update_finds_on_an_unknown_mapping_is_not_accepted_from_a_later_one() {
    for seconds in [0, 1] {
        let (mut scene, deploy, rewire) = two_updates_of_an_old_mapping(seconds).await;
        scene.told(&deploy);
        scene.told(&rewire);
        scene.sweep().await;
        let case = scene.only_case().await;
        assert_eq!((case.opened.finding.event.id.as_str(), case.state), ("rewire", State::AwaitingDecision));
        assert_eq!(case.opened.finding.detection, Detection::MappingRewired);
        let (scene, deploy, rewire) = two_updates_of_an_old_mapping(seconds).await;
        scene.receive(&deploy).await;
        scene.receive(&rewire).await;
        assert_eq!(scene.only_case().await.opened.finding.event.id, "rewire");
    }
}

#[tokio::test]
async fn what_an_allowed_update_names_explains_nothing_that_it_does_not_name() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let made = by_terraform(scene.makes("made", 1));
    scene.receive(&made).await;
    let filter = json!({"filterCriteria": {"filters": [{"pattern": "{\"body\":{\"a\":[1]}}"}]}, "enabled": true});
    scene.fake.change(1, |mapping| mapping.wiring.filters = Some(vec!["{\"body\":{\"a\":[1]}}".into()]));
    let update = by_terraform(updated("deploy", 1, &filter));
    scene.told(&update);
    scene.receive(&update).await;
    let known = scene.cases().await.len();
    scene.fake.change(1, |mapping| mapping.wiring.on_failure = Some(DROP.into()));
    scene.give_up = Duration::ZERO;
    assert_eq!(scene.sweep().await.unattributed, 1);
    assert_eq!(scene.cases().await.len(), known + 1);
}

/// People are asked about a mapping that lies disabled, made by nobody who is known.
async fn asked_about_a_sleeper() -> Scene {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.makes("never", 1);
    scene.fake.change(1, |mapping| mapping.state = "Disabled".into());
    scene.give_up = Duration::ZERO;
    assert_eq!(scene.sweep().await.unattributed, 1);
    assert_eq!(scene.only_case().await.state, State::AwaitingDecision);
    scene.give_up = FOREVER;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene
}

#[tokio::test]
async fn a_sleeper_that_wakes_while_people_are_asked_is_shown_awake_and_who_woke_it_joins() {
    let mut scene = Box::pin(asked_about_a_sleeper()).await;
    scene.told(&scene.enables("woken", 1));
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!((case.joined.len(), case.latest().unwrap().is_active()), (1, true));
}

#[tokio::test]
async fn a_sleeper_that_wakes_and_nobody_tells_who_woke_it_is_shown_awake() {
    let mut scene = Box::pin(asked_about_a_sleeper()).await;
    scene.enables("woken", 1);
    scene.give_up = Duration::ZERO;
    scene.sweep().await;
    assert!(scene.only_case().await.latest().unwrap().is_active());
    let rows = scene.rows().await;
    scene.sweep().await;
    assert_eq!(scene.rows().await, rows);
}

#[tokio::test]
async fn what_is_made_anew_by_a_restore_is_ours_to_the_sweep_too() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("made", 1);
    scene.receive(&record).await;
    scene.decide(&scene.only_case().await, Decision::Delete).await;
    assert_eq!(scene.fake.state(1), "gone");
    scene.decide(&scene.only_case().await, Decision::Restore).await;
    assert_eq!(scene.fake.state(901), "Enabled");
    scene.give_up = Duration::ZERO;
    for _ in 0..2 {
        let swept = scene.sweep().await;
        assert_eq!((swept.listed, swept.judged, swept.unattributed, swept.undone), (1, 0, 0, 0));
    }
    assert_eq!((scene.cases().await.len(), scene.fake.state(901).as_str()), (1, "Enabled"));
    assert!(scene.worker.journal.baseline(&key(901)).await.unwrap().is_some());
    // What somebody then does to it is a finding.
    scene.give_up = FOREVER;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.told(&scene.repoints("changed", 901, "siphon"));
    assert_eq!((scene.sweep().await.judged, scene.fake.state(901).as_str()), (1, "Disabled"));
}

#[tokio::test]
async fn a_journal_of_before_the_sweep_answers_for_what_was_made_since_it_began() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let seen = scene.makes("seen", 1);
    scene.receive(&seen).await;
    // An older version ran here: it knew nothing of sweeping, and stopped; this was made meanwhile.
    scene.worker.stop();
    scene.worker.settle().await;
    scene.told(&scene.makes("meanwhile", 2));
    scene.is_old(3);
    assert!(scene.system("watched").is_empty());
    scene.restart(Mode::Enforce).await;
    let swept = scene.sweep().await;
    assert_eq!((swept.day_one, swept.judged, scene.fake.state(2).as_str()), (1, 1, "Disabled"));
    assert_eq!((scene.cases().await.len(), scene.fake.state(3).as_str()), (2, "Enabled"));
    assert!(scene.worker.journal.baseline(&key(3)).await.unwrap().is_some_and(|known| known.found_at.is_some()));
}

#[tokio::test]
async fn deleted_and_made_again_twice_between_sweeps_is_caught_each_time() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let first = scene.makes("first", 1);
    scene.receive(&first).await;
    for n in 2..5 {
        scene.fake.made_again(n - 1, n);
        scene.told(&crate::common::created(&format!("made-{n}"), n, Timestamp::now()));
        scene.sweep().await;
        assert_eq!(scene.fake.state(n), "Disabled", "{n}");
    }
    assert_eq!(scene.only_case().await.mapping.unwrap().uuid, uuid(4));
}

//! What fails is told, alarms once, and is done again.

use super::stage::Scene;
use sluicegate::case::{Mode, SystemEvent};
use sluicegate::ports::CallError;
use sluicegate::responder::{Sweep, SweepSettings};
use std::sync::Arc;
use std::time::Duration;

fn throttled() -> CallError {
    CallError::Throttled { retry_after: Some(Duration::from_millis(1)), message: "as told".into(), request_id: None }
}

fn denied() -> CallError {
    CallError::Refused { code: "AccessDeniedException".into(), message: "as told".into(), request_id: None }
}

#[tokio::test]
async fn a_throttled_list_and_search_are_tried_again() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.told(&scene.makes("lost", 1));
    {
        let mut account = scene.fake.0.lock().unwrap();
        account.list_faults.extend([throttled(), throttled()]);
        account.search_faults.extend([throttled(), throttled()]);
    }
    let swept = scene.sweep().await;
    assert_eq!((swept.judged, swept.failed, scene.fake.state(1).as_str()), (1, 0, "Disabled"));
}

#[tokio::test]
async fn three_failures_in_a_row_alarm_once_and_again_after_it_worked() {
    let mut scene = Scene::new(Mode::Enforce).await;
    for (round, alarms) in [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1)] {
        scene.fake.0.lock().unwrap().list_faults.push_back(denied());
        assert_eq!(scene.sweep().await.failed, 1, "{round}");
        assert_eq!(scene.system("alarm").len(), alarms, "{round}");
    }
    let SystemEvent::Alarm { what } = scene.system("alarm").remove(0) else { panic!("no alarm") };
    assert!(what.contains("AccessDenied") && what.contains("lambda:ListEventSourceMappings"), "{what}");
    assert_eq!(scene.sweep().await.failed, 0);
    for _ in 0..3 {
        scene.fake.0.lock().unwrap().list_faults.push_back(denied());
        scene.sweep().await;
    }
    assert_eq!(scene.system("alarm").len(), 2);
}

#[tokio::test]
async fn where_cloudtrail_cannot_be_asked_nothing_is_concluded_but_what_is_contained_stays_so() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let contained = scene.makes("made", 1);
    scene.receive(&contained).await;
    let again = scene.enables("again", 1);
    scene.makes("lost", 2);
    scene.give_up = Duration::ZERO;
    scene.fake.0.lock().unwrap().search_faults.push_back(denied());
    let swept = scene.sweep().await;
    assert_eq!((swept.failed, swept.undone, swept.unattributed), (1, 1, 0));
    assert_eq!((scene.fake.state(1).as_str(), scene.cases().await.len()), ("Disabled", 1));
    // Who enabled it is not forgotten over that.
    scene.told(&again);
    let swept = scene.sweep().await;
    assert_eq!((swept.unattributed, swept.judged, scene.cases().await[0].joined.len()), (1, 1, 1));
}

#[tokio::test]
async fn a_mapping_that_cannot_be_read_holds_up_no_other() {
    let mut scene = Scene::new(Mode::Enforce).await;
    for n in [1, 2] {
        let made = scene.makes(&format!("made-{n}"), n);
        scene.receive(&made).await;
        scene.enables(&format!("again-{n}"), n);
    }
    scene.fake.0.lock().unwrap().read_faults.push_back(denied());
    let swept = scene.sweep().await;
    assert_eq!((swept.failed, swept.undone), (1, 1));
    assert_eq!((scene.sweep().await.failed, scene.fake.state(1), scene.fake.state(2)), (0, disabled(), disabled()));
    scene.makes("never-1", 11);
    scene.makes("never-2", 12);
    scene.give_up = Duration::ZERO;
    scene.fake.0.lock().unwrap().read_faults.push_back(denied());
    let swept = scene.sweep().await;
    assert_eq!((swept.failed, swept.unattributed), (1, 1));
    assert_eq!(scene.sweep().await.unattributed, 1);
}

fn disabled() -> String {
    "Disabled".into()
}

#[tokio::test]
async fn a_forged_event_does_not_take_the_place_of_what_the_sweep_finds() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let mut forged = super::stage::by_terraform(scene.makes("never", 1));
    // Whoever can write to the queue cannot guess what stands for the event that is not there.
    for id in ["sweep-", "sweep-0123456789abcdef0123456789abcdef"] {
        forged["eventID"] = id.into();
        forged["eventTime"] = super::stage::ago(60).to_string().into();
        scene.receive(&forged).await;
    }
    assert!(scene.cases().await.is_empty());
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (1, 1));
}

#[tokio::test]
async fn more_records_than_can_be_read_end_in_a_question_and_never_in_silence() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.makes("drowned", 1);
    scene.fake.0.lock().unwrap().more_records = true;
    assert_eq!(scene.sweep().await.waiting, 1);
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (1, 1));
}

#[tokio::test]
async fn it_sweeps_again_and_again_until_the_worker_stops_and_never_where_it_is_off() {
    let scene = Scene::new(Mode::Enforce).await;
    let sweep = |every| {
        let settings = SweepSettings::new(every, &[], crate::common::REGION);
        Sweep::new(scene.worker.responder.clone(), Arc::new(scene.fake.clone()), settings)
    };
    sweep(Duration::ZERO).run().await;
    assert!(scene.system("watched").is_empty());
    let running = tokio::spawn(sweep(Duration::from_millis(20)).run());
    for n in [1, 2] {
        scene.told(&scene.makes(&format!("lost-{n}"), n));
        while scene.fake.state(n) != "Disabled" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    scene.worker.stop();
    running.await.unwrap();
    assert_eq!((scene.cases().await.len(), scene.fake.updates()), (2, 2));
}

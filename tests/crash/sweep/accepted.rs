//! Mappings that are known and accepted, or were there before: what of them changes behind the queue.

use super::stage::{Scene, by_terraform, updated};
use crate::common::{key, uuid};
use serde_json::json;
use sluicegate::case::{Mode, State, SystemEvent};
use sluicegate::detection::Detection;
use sluicegate::mapping::Wiring;
use sluicegate::ports::Journal;
use std::time::Duration;

#[tokio::test]
async fn what_was_there_before_is_kept_once_and_is_no_case() {
    let mut scene = Scene::new(Mode::Enforce).await;
    for n in 0..120 {
        scene.is_old(n);
    }
    scene.give_up = Duration::ZERO;
    assert_eq!(scene.sweep().await.day_one, 120);
    assert_eq!(scene.sweep().await.day_one, 0);
    assert!(scene.cases().await.is_empty());
    let found = scene.system("found");
    let kept = |event: &SystemEvent| match event {
        SystemEvent::Found { mappings, .. } => mappings.len(),
        _ => 0,
    };
    assert_eq!(found.iter().map(kept).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(scene.fake.0.lock().unwrap().searches, 0);
    let baseline = scene.worker.journal.baseline(&key(7)).await.unwrap().unwrap();
    assert!(baseline.accepted_by.contains("found by the sweep at"), "{}", baseline.accepted_by);
    // And it is so still when all that is derived is derived again.
    scene.worker.journal.rebuild().await.unwrap();
    assert_eq!(scene.worker.journal.baseline(&key(7)).await.unwrap(), Some(baseline));
}

#[tokio::test]
async fn a_missed_update_of_an_old_mapping_is_judged_against_what_it_was() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    scene.sweep().await;
    scene.told(&scene.repoints("changed", 1, "siphon"));
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!(case.opened.finding.detection, Detection::MappingRepointed);
    assert_eq!((case.state, scene.fake.state(1).as_str()), (State::AwaitingDecision, "Disabled"));
}

#[tokio::test]
async fn a_missed_update_by_the_pipeline_is_accepted() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    scene.sweep().await;
    scene.told(&by_terraform(scene.repoints("deploy", 1, "orders-v2")));
    assert_eq!(scene.sweep().await.judged, 1);
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 0));
    let baseline = scene.worker.journal.baseline(&key(1)).await.unwrap().unwrap();
    assert_eq!(baseline.function.name, "orders-v2");
}

#[tokio::test]
async fn a_change_that_cloudtrail_does_not_tell_of_is_asked_about_once() {
    for aspect in ["function", "filter", "destination"] {
        let mut scene = Scene::new(Mode::Enforce).await;
        scene.is_old(1);
        scene.sweep().await;
        scene.fake.change(1, |mapping| match aspect {
            "function" => mapping.function = crate::review::stage::function("siphon"),
            "filter" => mapping.wiring.filters = Some(vec!["{}".into()]),
            _ => mapping.wiring.on_failure = Some("arn:aws:sqs:eu-west-1:999999999999:drop".into()),
        });
        assert_eq!((scene.sweep().await.waiting, scene.cases().await.len()), (1, 0), "{aspect}");
        scene.give_up = Duration::ZERO;
        assert_eq!(scene.sweep().await.unattributed, 1, "{aspect}");
        assert_eq!((scene.sweep().await.unattributed, scene.fake.updates()), (0, 0), "{aspect}");
        let case = scene.only_case().await;
        let detection = if aspect == "function" { Detection::MappingRepointed } else { Detection::MappingRewired };
        assert_eq!((case.opened.finding.detection, case.state), (detection, State::AwaitingDecision), "{aspect}");
    }
}

#[tokio::test]
async fn an_old_mapping_that_somebody_stops_is_no_change_and_one_that_wakes_is() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    scene.is_old(2);
    scene.fake.0.lock().unwrap().mappings.get_mut(&uuid(2)).unwrap().state = "Disabled".into();
    scene.sweep().await;
    scene.fake.change(1, |mapping| mapping.state = "Disabled".into());
    scene.told(&scene.enables("woken", 2));
    assert_eq!(scene.sweep().await.judged, 1);
    let case = scene.only_case().await;
    assert_eq!(case.opened.finding.detection, Detection::MappingEnabled);
    assert_eq!(scene.fake.state(2), "Disabled");
}

#[tokio::test]
async fn what_judged_updates_left_in_disorder_is_no_case() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    scene.sweep().await;
    // Two deployments: the second comes first, so that the first one's function is never taken over.
    let mut first = by_terraform(scene.repoints("first", 1, "orders-v2"));
    first["eventTime"] = json!((jiff::Timestamp::now() - jiff::SignedDuration::from_secs(90)).to_string());
    let mut second = by_terraform(updated("second", 1, &json!({"enabled": true, "filterCriteria": {"filters": []}})));
    second["responseElements"]["functionArn"] = json!(crate::review::stage::function("orders-v2").arn);
    for record in [&second, &first] {
        scene.told(record);
        scene.receive(record).await;
    }
    scene.give_up = Duration::ZERO;
    for _ in 0..2 {
        assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 0));
    }
    let baseline = scene.worker.journal.baseline(&key(1)).await.unwrap().unwrap();
    assert_eq!(baseline.function.name, "orders-v2");
}

#[tokio::test]
async fn a_hidden_filter_is_read_by_itself_and_once() {
    let mut scene = Scene::new(Mode::Enforce).await;
    scene.is_old(1);
    scene.sweep().await;
    // A list leaves the filter out; this account's single reads do so too: nothing is known, and nothing concluded.
    scene.fake.change(1, |mapping| mapping.wiring = Wiring { filters: None, ..mapping.wiring.clone() });
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.sweep().await.waiting), (0, 0));
    assert!(scene.cases().await.is_empty());
}

#[tokio::test]
async fn an_allowed_event_that_came_too_late_to_be_believed_is_completed_by_cloudtrail() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let mut record = by_terraform(scene.makes("slow", 1));
    // The mapping was changed a while before the event says: it is not confirmed by the look at it.
    scene.changed_ago(1, 10);
    scene.receive(&record).await;
    assert_eq!(scene.worker.journal.baseline(&key(1)).await.unwrap(), None);
    scene.fake.change(1, |_| ());
    record["eventTime"] = json!(jiff::Timestamp::now().to_string());
    scene.told(&record);
    scene.give_up = Duration::ZERO;
    assert_eq!((scene.sweep().await.unattributed, scene.cases().await.len()), (0, 0));
    assert!(scene.worker.journal.baseline(&key(1)).await.unwrap().is_some());
    assert_eq!(scene.sweep().await.unattributed, 0);
}

#[tokio::test]
async fn without_a_time_of_change_a_mapping_is_young_from_when_it_was_first_seen() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("timeless", 1);
    scene.fake.0.lock().unwrap().mappings.get_mut(&uuid(1)).unwrap().last_modified = None;
    scene.grace = Duration::from_mins(1);
    assert_eq!(scene.sweep().await.waiting, 1);
    scene.grace = Duration::ZERO;
    scene.told(&record);
    assert_eq!((scene.sweep().await.judged, scene.cases().await.len()), (1, 1));
}

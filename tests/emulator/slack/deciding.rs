//! Deciding in Slack, by the real binary.

use super::scene::Scene;
use sandbox::{Acknowledgement, RawClick};
use serde_json::json;

#[tokio::test]
async fn one_click_deletes_and_another_brings_it_back() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    scene.click("U0BOB", &case, "delete").await;
    let removed = scene.ends(&case, "removed").await;
    assert_eq!(scene.stage.state(&uuid).await, "gone");
    assert_eq!(scene.changes("DeleteEventSourceMapping"), 1);
    assert_eq!(removed["approvals"].as_array().unwrap().len(), 2);
    scene.card_says(&case, "U0BOB").await;
    scene.click("U0BOB", &case, "restore").await;
    let restored = scene.ends(&case, "restored").await;
    let anew = restored["mapping_uuid"].as_str().unwrap();
    assert_ne!(anew, uuid);
    scene.stage.becomes(anew, "Enabled").await;
    // Its own creation comes back by the trail, and is no new case.
    scene.stage.sandbox.trail().delivered().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!((scene.stage.cases().await.len(), scene.stage.state(anew).await.as_str()), (1, "Enabled"));
    assert!(scene.slack.acknowledgements().iter().all(|ack| ack.in_time), "{:?}", scene.slack.acknowledgements());
}

#[tokio::test]
async fn keep_is_one_click_and_a_second_one_is_told_who_was_first() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    let card = scene.card_with(&case, "keep").await;
    let button = card.button("keep").unwrap();
    scene.click("U0CAROL", &case, "keep").await;
    scene.ends(&case, "contained").await;
    let value = button["value"].as_str().unwrap();
    let late = RawClick::new("U0ALICE", super::scene::CHANNEL, &card.ts, "keep", value);
    assert!(scene.slack.click_raw(late).await.unwrap().is_acknowledged());
    scene.is_told("U0ALICE", "already decided by U0CAROL").await;
    assert_eq!(scene.stage.state(&uuid).await, "Disabled");
}

#[tokio::test]
async fn two_people_delete_and_restrict_and_two_lift() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    assert!(scene.stage.mallory.sts.get_caller_identity().send().await.is_ok());
    let modal = scene.modal("U0ALICE", &case, "delete_restrict").await;
    let shown = modal.to_string();
    assert!(shown.contains("AttachRolePolicy") && shown.contains("DeleteEventSourceMapping"), "{shown}");
    let id = modal["id"].as_str().unwrap();
    let submitted = scene.slack.submit("U0ALICE", id, &[("reason", "reason", json!("stolen keys"))]).await.unwrap();
    assert!(submitted.is_acknowledged(), "{submitted:?}");
    scene.is_told("U0ALICE", "one more person is needed").await;
    // Nothing before both.
    assert_eq!((scene.stage.state(&uuid).await.as_str(), scene.changes("AttachRolePolicy")), ("Disabled", 0));
    // The same person twice is no quorum.
    scene.by_modal("U0ALICE", &case, "delete_restrict", "again").await;
    scene.is_told("U0ALICE", "another person is needed").await;
    scene.by_modal("U0BOB", &case, "delete_restrict", "agreed").await;
    scene.ends(&case, "removed").await;
    assert_eq!(scene.stage.state(&uuid).await, "gone");
    let denied = scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.unwrap_err();
    assert!(denied.to_string().contains("AccessDenied"), "{denied}");
    scene.by_modal("U0ALICE", &case, "lift", "the intern is back").await;
    scene.by_modal("U0BOB", &case, "lift", "agreed").await;
    let free =
        sandbox::eventually(async || scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.ok());
    assert!(free.await.is_some());
    assert_eq!((scene.changes("AttachRolePolicy"), scene.changes("DetachRolePolicy")), (1, 1));
}

async fn delete_as(
    scene: &Scene,
    case: &str,
    forged: impl FnOnce(RawClick) -> RawClick,
    user: &str,
) -> Acknowledgement {
    let card = scene.card_with(case, "delete").await;
    let button = card.button("delete").unwrap();
    let value = button["value"].as_str().unwrap();
    let click = RawClick::new(user, super::scene::CHANNEL, &card.ts, "delete", value);
    scene.slack.click_raw(forged(click)).await.unwrap()
}

#[tokio::test]
async fn whoever_does_not_belong_changes_nothing_and_is_told_why() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    // mallory has got into the team, and into Slack, under the name that the session bears.
    scene.slack.set_group("S0SECURITY", &["U0ALICE", "U0BOB", "U0GUEST", "U0GONE", "U0ROBOT", "U0EXTERN", "U0MALLORY"]);
    let mut mallory = sandbox::User::member("U0MALLORY", "mallory", "Mallory");
    mallory.email = Some("mallory".into());
    scene.slack.add_user(mallory);
    let refused = [
        ("U0CAROL", "policy does not let"),
        ("U0MALLORY", "nobody decides on what they caused"),
        ("U0GUEST", "guests"),
        ("U0ROBOT", "bots"),
        ("U0GONE", "deactivated"),
        ("U0EXTERN", "other workspaces"),
    ];
    for (user, _) in refused {
        delete_as(&scene, &case, |click| click, user).await;
    }
    for (user, because) in refused {
        let known = async || scene.refusals().iter().any(|why| why.contains(because)).then_some(());
        assert!(sandbox::eventually(known).await.is_some(), "{user}: {:?}", scene.refusals());
        scene.is_told(user, because).await;
    }
    delete_as(&scene, &case, |click| click.app_id("A0OTHER"), "U0BOB").await;
    delete_as(&scene, &case, |click| click.team_id("T0OTHER"), "U0BOB").await;
    let mut stale =
        scene.card_with(&case, "delete").await.button("delete").unwrap()["value"].as_str().unwrap().to_owned();
    stale.replace_range(stale.len() - 8.., "00000000");
    delete_as(&scene, &case, |click| RawClick { value: stale, ..click }, "U0BOB").await;
    let forged = format!("sg-aaaaaaaaaaaaaaaa:{}", "0".repeat(64));
    delete_as(&scene, &case, |click| RawClick { value: forged, ..click }, "U0BOB").await;
    for because in ["another app", "another workspace", "another than the one that was shown", "there is no such case"]
    {
        let known = async || scene.refusals().iter().any(|why| why.contains(because)).then_some(());
        assert!(sandbox::eventually(known).await.is_some(), "{because}: {:?}", scene.refusals());
        scene.is_told("U0BOB", because).await;
    }
    assert_eq!((scene.stage.state(&uuid).await.as_str(), scene.changes("DeleteEventSourceMapping")), ("Disabled", 0));
}

#[tokio::test]
async fn a_replayed_envelope_changes_nothing() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    let clicked = scene.click("U0BOB", &case, "restore").await;
    scene.ends(&case, "restored").await;
    // The attacker, who could overhear the click, disables nothing and enables nothing with it.
    for anew in [false, true] {
        assert!(scene.slack.replay(&clicked.envelope_id, anew).await.unwrap().is_acknowledged());
    }
    scene.is_told("U0BOB", "taken already").await;
    assert_eq!(scene.stage.state(&uuid).await, "Enabled");
    assert_eq!(scene.case(&case).await["approvals"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_people_at_once_are_one_decision() {
    let scene = Scene::set("").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    let (alice, bob) = tokio::join!(
        delete_as(&scene, &case, |click| click, "U0ALICE"),
        delete_as(&scene, &case, |click| click, "U0BOB")
    );
    assert!(alice.is_acknowledged() && bob.is_acknowledged());
    scene.ends(&case, "removed").await;
    let told = async || {
        ["U0ALICE", "U0BOB"]
            .iter()
            .any(|user| scene.told(user).iter().any(|it| it.contains("already decided by")))
            .then_some(())
    };
    assert!(sandbox::eventually(told).await.is_some());
    assert_eq!((scene.stage.state(&uuid).await.as_str(), scene.changes("DeleteEventSourceMapping")), ("gone", 1));
}

#[tokio::test]
async fn a_click_after_expiry_changes_nothing() {
    let scene = Scene::set("[approval]\nremind_after = [\"1s\"]\nexpires_after = \"4s\"").await;
    let _running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    let card = scene.card_with(&case, "delete").await;
    let value = card.button("delete").unwrap()["value"].as_str().unwrap().to_owned();
    scene.ends(&case, "contained").await;
    let late = RawClick::new("U0BOB", super::scene::CHANNEL, &card.ts, "delete", &value);
    scene.slack.click_raw(late).await.unwrap();
    scene.is_told("U0BOB", "lapsed").await;
    assert_eq!((scene.stage.state(&uuid).await.as_str(), scene.changes("DeleteEventSourceMapping")), ("Disabled", 0));
    // Somebody else was called.
    let called = async || (!scene.slack.messages(super::scene::FALLBACK).is_empty()).then_some(());
    assert!(sandbox::eventually(called).await.is_some());
    let bare = async || scene.card(&case).filter(|card| card.actions().is_empty());
    assert!(sandbox::eventually(bare).await.is_some(), "{:?}", scene.card(&case).unwrap().actions());
}

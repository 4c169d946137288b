//! `kill -9` at random moments between a click and its end: what people approved is done, each effect once.

use super::scene::{CHANNEL, Scene};
use serde_json::{Value, json};
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn random(below: u64) -> u64 {
    std::hash::RandomState::new().build_hasher().finish() % below
}

fn voted(case: &Value, person: &str, decision: &str) -> bool {
    let events = case["events"].as_array().cloned().unwrap_or_default();
    events.iter().any(|event| event["type"] == "voted" && event["person"] == person && event["decision"] == decision)
}

/// One try of a person whose click may meet no worker, or a dying one.
async fn try_once(scene: &Scene, user: &str, case: &str, action: &str, modal: bool) -> Option<()> {
    let card = scene.card(case)?;
    card.button(action)?;
    scene.slack.click(user, CHANNEL, &card.ts, action).await.ok()?;
    if !modal {
        return Some(());
    }
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(view) = scene.slack.open_view_of(user) {
            let id = view["id"].as_str()?;
            let reason = [("reason", "reason", json!("r"))];
            return scene.slack.submit(user, id, &reason).await.ok().map(|_| ());
        }
    }
    None
}

/// Clicks until the vote is in the journal.
async fn insists(scene: &Scene, user: &str, person: &str, case: &str, action: &str, modal: bool) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(90) {
        let _ = try_once(scene, user, case, action, modal).await;
        for _ in 0..10 {
            if voted(&scene.case(case).await, person, action) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("{user}'s {action} never counted: {}", scene.case(case).await);
}

async fn ended(scene: &Scene, case: &str, outcome: &str) -> Value {
    let began = Instant::now();
    loop {
        let now = scene.case(case).await;
        if now["state"] == "closed" && now["outcome"] == outcome {
            return now;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{now}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn killed_between_approval_and_restore_it_comes_to_the_same_end_each_effect_once() {
    let scene = Scene::set("[containment]\nmax_calls_per_second = 200").await;
    let running = scene.stage.run().await;
    let (uuid, case) = scene.attack().await;
    scene.card_with(&case, "delete_restrict").await;
    running.kill().await.unwrap();
    let over = AtomicBool::new(false);
    let killing = async {
        let mut kills = 0;
        while !over.load(Ordering::SeqCst) {
            let running = scene.stage.product.launch(scene.stage.sandbox.responder()).unwrap();
            tokio::time::sleep(Duration::from_millis(400 + random(2_500))).await;
            running.kill().await.unwrap();
            kills += 1;
        }
        kills
    };
    let deciding = async {
        for (user, person) in [("U0ALICE", "alice"), ("U0BOB", "U0BOB")] {
            insists(&scene, user, person, &case, "delete_restrict", true).await;
        }
        ended(&scene, &case, "removed").await;
        insists(&scene, "U0BOB", "U0BOB", &case, "restore", false).await;
        ended(&scene, &case, "restored").await;
        for (user, person) in [("U0ALICE", "alice"), ("U0BOB", "U0BOB")] {
            insists(&scene, user, person, &case, "lift", true).await;
        }
        let lifted = ended(&scene, &case, "restored").await;
        over.store(true, Ordering::SeqCst);
        lifted
    };
    let (_, kills) = tokio::join!(deciding, killing);
    assert!(kills > 3, "{kills} kills");
    let _running = scene.stage.run().await;
    let free = async || {
        let case = scene.case(&case).await;
        let lifted = case["steps"].as_array().unwrap().iter().all(|step| step["status"] != "started");
        (lifted && case["state"] == "closed").then_some(case)
    };
    let end = sandbox::eventually(free).await.expect("it never came to rest");
    assert_eq!(scene.stage.state(&uuid).await, "gone");
    scene.stage.becomes(end["mapping_uuid"].as_str().unwrap(), "Enabled").await;
    for operation in ["DeleteEventSourceMapping", "AttachRolePolicy", "DetachRolePolicy"] {
        assert_eq!(scene.changes(operation), 1, "{operation}");
    }
    // mallory's, and the one that was made anew.
    assert_eq!(scene.changes("CreateEventSourceMapping"), 2);
    assert!(scene.card(&case).is_some());
    let audit = scene.stage.product.command_line(&scene.stage.security, &["audit", "verify"]).await.unwrap();
    assert_eq!(audit.code, 0, "{audit:?}");
}

//! Slack in trouble: containment does not feel it, and the cards come right afterwards, none doubled.

use super::scene::{CHANNEL, FALLBACK, Scene};
use sandbox::{SlackEffect, SlackFault, SocketFaults, eventually};
use std::time::{Duration, Instant};

/// How long an attack lasts, from the call to the mapping that reads `Disabled`.
async fn attack(scene: &Scene) -> (String, String, Duration) {
    let began = Instant::now();
    let uuid = scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.unwrap();
    scene.stage.becomes(&uuid, "Disabled").await;
    let took = began.elapsed();
    let case = scene.stage.case_in(&uuid, "awaiting_decision").await;
    (uuid, case["case_id"].as_str().unwrap().to_owned(), took)
}

/// It is far from any of Slack's time-outs; how fast it is, the benches tell.
fn unhindered(took: Duration) {
    assert!(took < Duration::from_secs(4), "containment took {took:?}");
}

#[tokio::test]
async fn down_from_the_start_and_up_again() {
    let scene = Scene::set("").await;
    scene.slack.set_down(true);
    let _running = scene.stage.run().await;
    let (_, case, took) = attack(&scene).await;
    unhindered(took);
    assert!(scene.card(&case).is_none());
    scene.slack.set_down(false);
    scene.click("U0BOB", &case, "delete").await;
    scene.ends(&case, "removed").await;
}

#[tokio::test]
async fn hanging_after_the_effect_doubles_no_card() {
    let scene = Scene::set("").await;
    scene.slack.fault(SlackFault::on("chat.postMessage", SlackEffect::HangAfter { ms: 20_000 }).times(1));
    let _running = scene.stage.run().await;
    let (_, case, took) = attack(&scene).await;
    unhindered(took);
    scene.click("U0CAROL", &case, "keep").await;
    scene.ends(&case, "contained").await;
    assert!(scene.card(&case).is_some());
}

#[tokio::test]
async fn rate_limited_and_failing_it_comes_right() {
    let scene = Scene::set("").await;
    scene.slack.fault(SlackFault::on("*", SlackEffect::RateLimited { retry_after: 1 }).times(3));
    scene.slack.fault(SlackFault::on("chat.postMessage", SlackEffect::Status { status: 503 }).times(2));
    scene.slack.fault(SlackFault::on("chat.update", SlackEffect::HangBefore { ms: 20_000 }).times(1));
    let _running = scene.stage.run().await;
    let (_, case, took) = attack(&scene).await;
    unhindered(took);
    scene.click("U0CAROL", &case, "keep").await;
    scene.ends(&case, "contained").await;
    scene.card_says(&case, "U0CAROL").await;
}

#[tokio::test]
async fn disconnected_every_second_clicks_still_get_through() {
    let scene = Scene::set("").await;
    scene.slack.set_socket_faults(SocketFaults { disconnect_after_ms: Some(1_000), ..SocketFaults::default() });
    let _running = scene.stage.run().await;
    let (_, case, took) = attack(&scene).await;
    unhindered(took);
    let card = scene.card_with(&case, "keep").await;
    // A click that meets no connection shows the person an error, and they click again.
    let clicked = eventually(async || {
        let clicked = scene.slack.click("U0CAROL", CHANNEL, &card.ts, "keep").await.ok()?;
        clicked.is_acknowledged().then_some(())
    });
    assert!(clicked.await.is_some());
    scene.ends(&case, "contained").await;
}

#[tokio::test]
async fn with_its_tokens_revoked_it_alarms_and_goes_on_containing() {
    let scene = Scene::set("").await;
    let running = scene.stage.run().await;
    let (_, first, _) = attack(&scene).await;
    scene.card_with(&first, "keep").await;
    scene.slack.revoke_tokens();
    scene.slack.cut_sockets();
    let root = scene.stage.sandbox.root();
    let other = root.create_queue("other", None).await.unwrap();
    let began = Instant::now();
    let uuid = scene.stage.mallory.create_mapping(&other.arn, "exfil").await.unwrap();
    scene.stage.becomes(&uuid, "Disabled").await;
    unhindered(began.elapsed());
    let alarmed = async || {
        let db = rusqlite::Connection::open(scene.stage.product.journal()).unwrap();
        db.query_row("SELECT body FROM events WHERE type = 'alarm'", [], |row| row.get::<_, String>(0)).ok()
    };
    let alarm = eventually(alarmed).await.expect("no alarm");
    assert!(alarm.contains("token_revoked"), "{alarm}");
    let log: String = running.log().iter().map(ToString::to_string).collect();
    assert!(!log.contains(scene.slack.bot_token()) && !log.contains(scene.slack.app_token()));
}

#[tokio::test]
async fn an_archived_channel_sends_the_card_to_the_other_one() {
    let scene = Scene::set("").await;
    scene.slack.archive(CHANNEL);
    let _running = scene.stage.run().await;
    let (_, case, _) = attack(&scene).await;
    let there = eventually(async || {
        let messages = scene.slack.messages(FALLBACK);
        messages
            .into_iter()
            .find(|message| message.case_id() == Some(case.as_str()) && message.button("keep").is_some())
    });
    let card = there.await.expect("no card in the fallback channel");
    assert!(scene.slack.click("U0CAROL", FALLBACK, &card.ts, "keep").await.unwrap().is_acknowledged());
    scene.ends(&case, "contained").await;
}

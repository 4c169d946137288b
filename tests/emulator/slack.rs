//! The real binary beside a Slack double: a rogue mapping's card comes, clicks are heard, and containment needs none of it.

use crate::stage::Stage;
use sandbox::{Message, SlackDouble, SlackOptions, eventually};
use std::time::Duration;

const CHANNEL: &str = "C0SECURITY";

/// A double, and a responder that is configured for it.
async fn with_slack() -> (SlackDouble, Stage) {
    let double = SlackDouble::start(SlackOptions::default()).unwrap();
    let stage = Stage::with(&format!(
        "[slack]\nchannel = \"{CHANNEL}\"\nfallback_channel = \"C0FALLBACK\"\napi_url = \"{}\"\n\
         bot_token = \"file:bot-token\"\napp_token = \"file:app-token\"\n",
        double.api_url()
    ))
    .await;
    for (file, token) in [("bot-token", double.bot_token()), ("app-token", double.app_token())] {
        std::fs::write(stage.product.home().join(file), format!("{token}\n")).unwrap();
    }
    (double, stage)
}

async fn rogue(stage: &Stage) -> String {
    let made = stage.mallory.lambda.create_event_source_mapping().function_name("exfil");
    let made = made.event_source_arn(&stage.orders.arn).send().await.unwrap();
    made.uuid.unwrap()
}

/// The one card, once it has this button.
async fn card_with(double: &SlackDouble, button: &str) -> Message {
    let found = eventually(async || {
        let cards = double.cards();
        assert!(cards.values().all(|of| of.len() == 1), "one message a case");
        cards.into_values().flatten().find(|card| card.button(button).is_some())
    });
    found.await.unwrap_or_else(|| panic!("no card has a button {button}"))
}

#[tokio::test]
async fn a_rogue_mapping_is_shown_and_a_click_is_heard() {
    let (double, stage) = with_slack().await;
    let running = stage.run().await;
    let uuid = rogue(&stage).await;
    stage.becomes(&uuid, "Disabled").await;
    let card = card_with(&double, "keep").await;
    assert!(card.visible_text().contains("exfil"));
    assert!(eventually(async || (double.connections() == 2).then_some(())).await.is_some());
    let ack = double.click("U0BOB", CHANNEL, &card.ts, "keep").await.unwrap();
    assert!(ack.is_acknowledged(), "{ack:?}");
    let threaded = eventually(async || double.message(CHANNEL, &card.ts).filter(|card| !card.replies.is_empty())).await;
    assert!(threaded.is_some(), "the thread tells what happened");
    assert_eq!(running.terminate().await.unwrap(), 0);
}

#[tokio::test]
async fn with_slack_gone_containment_goes_on_and_the_card_comes_later() {
    let (double, stage) = with_slack().await;
    double.set_down(true);
    let running = stage.run().await;
    let uuid = rogue(&stage).await;
    stage.becomes(&uuid, "Disabled").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(double.cards().is_empty());
    double.set_down(false);
    card_with(&double, "keep").await;
    assert_eq!(running.terminate().await.unwrap(), 0);
}

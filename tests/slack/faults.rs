//! Slack is down, hangs, limits, refuses: cards come late, once, and right.

use crate::common::note;
use crate::stage::{FALLBACK, SECURITY, Stage, eventually, fast, told};
use sandbox::{SlackEffect, SlackFault};
use std::time::Duration;

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_not_made_again() {
    for effect in [SlackEffect::HangAfter { ms: 3_000 }, SlackEffect::CutAfter] {
        let stage = Stage::new();
        stage.double.fault(SlackFault::on("chat.postMessage", effect).times(1));
        let cards = stage.keep_cards(fast());
        let id = stage.begin(1).await;
        stage.append(&id, note("only once")).await;
        stage.settled().await;
        assert_eq!(told(&stage.card_of(&id).await, "only once"), 1);
        cards.stop().await;
    }
}

#[tokio::test]
async fn a_reply_whose_answer_is_lost_is_not_made_again() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.settled().await;
    stage.double.fault(SlackFault::on("chat.postMessage", SlackEffect::CutAfter).containing("only once").times(1));
    stage.append(&id, note("only once")).await;
    stage.settled().await;
    assert_eq!(told(&stage.card_of(&id).await, "only once"), 1);
    cards.stop().await;
}

#[tokio::test]
async fn a_case_that_cannot_be_rendered_does_not_end_the_cards_of_the_others() {
    let stage = Stage::new();
    let broken = stage.begin(1).await;
    let about = std::sync::Arc::new({
        let broken = broken.clone();
        move |case: &sluicegate::case::Case| {
            assert_ne!(case.id, broken, "a defect, in a test");
            sluicegate::slack::card::About::default()
        }
    });
    let clock = std::sync::Arc::new(sluicegate::clock::SystemClock);
    let cards = stage.keep_cards_about(fast(), stage.chat(), clock, about);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let id = stage.begin(2).await;
    let began = std::time::Instant::now();
    while stage.case(&id).await.card.is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "the other case has no card");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(stage.case(&broken).await.card.is_none());
    cards.stop().await;
}

#[tokio::test]
async fn what_had_no_effect_is_done_again() {
    for effect in [
        SlackEffect::HangBefore { ms: 3_000 },
        SlackEffect::CutBefore,
        SlackEffect::Status { status: 500 },
        SlackEffect::RateLimited { retry_after: 1 },
        SlackEffect::Error { error: "internal_error".into() },
    ] {
        let stage = Stage::new();
        stage.double.fault(SlackFault::on("*", effect).times(4));
        let cards = stage.keep_cards(fast());
        let id = stage.begin(1).await;
        stage.append(&id, note("only once")).await;
        stage.settled().await;
        assert_eq!(told(&stage.card_of(&id).await, "only once"), 1);
        assert!(!stage.health.word().contains("cards"));
        cards.stop().await;
    }
}

#[tokio::test]
async fn slack_is_down_and_comes_back() {
    let stage = Stage::new();
    stage.double.set_down(true);
    let cards = stage.keep_cards(fast());
    let ids = [stage.begin(1).await, stage.begin(2).await];
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(stage.health.word().contains("cards"), "{}", stage.health.word());
    stage.append(&ids[0], note("meanwhile")).await;
    stage.double.set_down(false);
    stage.settled().await;
    for id in &ids {
        stage.card_of(id).await;
    }
    cards.stop().await;
}

#[tokio::test]
async fn a_channel_that_cannot_be_used_is_replaced_and_told_once() {
    let stage = Stage::new();
    stage.double.archive(SECURITY);
    let cards = stage.keep_cards(fast());
    let ids = [stage.begin(1).await, stage.begin(2).await];
    stage.settled().await;
    for id in &ids {
        assert_eq!(stage.card_of(id).await.channel, FALLBACK);
    }
    let alarms = stage.alarms();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains(SECURITY) && alarms[0].contains("is_archived"), "{alarms:?}");
    cards.stop().await;
}

#[tokio::test]
async fn a_card_moves_when_its_channel_is_closed_and_its_thread_with_it() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.append(&id, note("before")).await;
    stage.settled().await;
    stage.double.kick_bot(SECURITY);
    stage.append(&id, note("after")).await;
    stage.settled().await;
    cards.stop().await;
    let case = stage.case(&id).await;
    let (channel, ts) = case.card.unwrap();
    assert_eq!(channel, FALLBACK);
    let card = stage.double.message(&channel, &ts).unwrap();
    assert_eq!((told(&card, "before"), told(&card, "after")), (1, 1));
    assert_eq!(stage.double.cards()[id.as_str()].len(), 2, "the old one, which nobody can take away, and the new one");
}

#[tokio::test]
async fn no_channel_at_all_is_told_and_mended() {
    let stage = Stage::new();
    stage.double.archive(SECURITY);
    stage.double.archive(FALLBACK);
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    eventually("it is tried", || stage.double.calls_of("chat.postMessage").len() >= 2).await;
    stage.double.set_channel(sandbox::Channel::new(SECURITY, "security"));
    stage.settled().await;
    assert_eq!(stage.card_of(&id).await.channel, SECURITY);
    cards.stop().await;
}

#[tokio::test]
async fn a_token_that_is_worth_nothing_is_told_once_and_taken_up_when_it_is_good() {
    let stage = Stage::new();
    stage.double.revoke_tokens();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    eventually("it is tried twice", || stage.double.calls().len() >= 3).await;
    let alarms = stage.alarms();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("token_revoked") && alarms[0].contains("bot_token"), "{alarms:?}");
    assert!(stage.health.word().contains("token_revoked"));
    stage.double.restore_tokens();
    stage.settled().await;
    stage.card_of(&id).await;
    assert!(!stage.health.word().contains("token"));
    cards.stop().await;
}

#[tokio::test]
async fn a_layout_that_slack_refuses_does_not_keep_people_from_knowing() {
    let stage = Stage::new();
    let refused = SlackEffect::Error { error: "invalid_blocks".into() };
    stage.double.fault(SlackFault::on("chat.postMessage", refused).times(1));
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.settled().await;
    let cards_of = stage.double.cards();
    let card = &cards_of[id.as_str()];
    assert_eq!(card.len(), 1);
    assert!(card[0].text.contains("exfil") && card[0].blocks.is_empty(), "{}", card[0].text);
    cards.stop().await;
}

#[tokio::test]
async fn one_case_that_slack_never_takes_holds_up_no_other() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let bad = stage.begin(1).await;
    let refused = SlackEffect::Error { error: "no_text".into() };
    stage.double.fault(SlackFault::on("chat.postMessage", refused).containing(bad.as_str()));
    let good = stage.begin(2).await;
    eventually("the good one is shown", || stage.double.cards().contains_key(good.as_str())).await;
    while stage.case(&good).await.card.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eventually("the bad one is told", || {
        stage.health.word().contains("no_text") || stage.double.cards().contains_key(bad.as_str())
    })
    .await;
    stage.card_of(&good).await;
    cards.stop().await;
}

//! One message a case, equal to it; its thread; what people are told again.

use crate::common::{note, opened};
use crate::stage::{FALLBACK, SECURITY, Stage, fast, told};
use jiff::Timestamp;
use sandbox::SlackOptions;
use sluicegate::case::{CaseEvent, Outcome, Reminder, plans_once_asked};
use sluicegate::ports::Journal;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn a_case_is_one_message_and_its_thread_tells_what_happened() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.settled().await;
    let first = stage.card_of(&id).await;
    for n in 0..30 {
        stage.append(&id, note(&format!("happening {n:02}"))).await;
    }
    let case = stage.case(&id).await;
    let asked = CaseEvent::ApprovalRequested { why: "why not".into(), plans: plans_once_asked(&case) };
    stage.append(&id, asked).await;
    stage.settled().await;
    let card = stage.card_of(&id).await;
    assert_eq!(card.ts, first.ts);
    assert!(card.updates >= 1);
    for n in 0..30 {
        assert_eq!(told(&card, &format!("happening {n:02}")), 1);
    }
    let before = stage.double.calls().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.double.calls().len(), before, "nothing is done where nothing happened");
    cards.stop().await;
}

#[tokio::test]
async fn a_burst_of_events_is_one_change() {
    let stage = Stage::new();
    let settings = sluicegate::slack::CardSettings {
        quiet: Duration::from_millis(150),
        thread_quiet: Duration::from_millis(400),
        ..fast()
    };
    let cards = stage.keep_cards(settings);
    let id = stage.begin(1).await;
    stage.settled().await;
    let (updates, replies) = (stage.card_of(&id).await.updates, stage.card_of(&id).await.replies.len());
    for n in 0..40 {
        stage.append(&id, note(&format!("{n}"))).await;
    }
    let case = stage.case(&id).await;
    stage.append(&id, CaseEvent::ApprovalRequested { why: "w".into(), plans: plans_once_asked(&case) }).await;
    stage.settled().await;
    let card = stage.card_of(&id).await;
    assert!(card.updates - updates <= 2, "{}", card.updates);
    assert!(card.replies.len() - replies <= 2, "{}", card.replies.len());
    cards.stop().await;
}

#[tokio::test]
async fn what_changes_nothing_on_the_card_changes_no_message() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.settled().await;
    let before = stage.card_of(&id).await.updates;
    for n in 0..5 {
        stage.append(&id, note(&format!("{n}"))).await;
        stage.settled().await;
    }
    assert_eq!(stage.card_of(&id).await.updates, before);
    cards.stop().await;
}

#[tokio::test]
async fn wherever_it_is_killed_no_message_and_no_line_comes_twice() {
    let stage = Stage::new();
    let ids = [stage.begin(1).await, stage.begin(2).await, stage.begin(3).await];
    for round in 0..40_u64 {
        let cards = stage.keep_cards(fast());
        stage.append(&ids[usize::try_from(round % 3).unwrap()], note(&format!("happening {round:02}."))).await;
        tokio::time::sleep(Duration::from_micros(round * 2_503)).await;
        cards.kill().await;
    }
    let cards = stage.keep_cards(fast());
    stage.settled().await;
    cards.stop().await;
    let mut all = BTreeMap::new();
    for id in &ids {
        let card = stage.card_of(id).await;
        for round in 0..40 {
            *all.entry(round).or_insert(0) += told(&card, &format!("happening {round:02}."));
        }
    }
    assert!(all.values().all(|times| *times == 1), "{all:?}");
}

#[tokio::test]
async fn what_was_forgotten_is_looked_up() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.append(&id, note("only once")).await;
    stage.settled().await;
    cards.stop().await;
    // As when all that is derived from the log is derived again.
    stage.journal.card_shown(&id, 0, 0).await.unwrap();
    let cards = stage.keep_cards(fast());
    stage.settled().await;
    assert_eq!(told(&stage.card_of(&id).await, "only once"), 1);
    cards.stop().await;
}

#[tokio::test]
async fn a_card_that_somebody_deleted_comes_again() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.append(&id, note("before")).await;
    stage.settled().await;
    let first = stage.card_of(&id).await;
    let url = format!("{}/chat.delete", stage.double.api_url());
    let delete = serde_json::json!({"channel": SECURITY, "ts": first.ts}).to_string();
    let answer = reqwest::Client::new().post(url).bearer_auth(stage.double.bot_token());
    let answer = answer.header("content-type", "application/json; charset=utf-8").body(delete).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("\"ok\":true"));
    stage.append(&id, note("after")).await;
    stage.settled().await;
    let card = stage.card_of(&id).await;
    assert_ne!(card.ts, first.ts);
    assert_eq!((told(&card, "before"), told(&card, "after")), (1, 1));
    cards.stop().await;
}

#[tokio::test]
async fn people_are_told_again_once_and_others_where_it_presses() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.settled().await;
    let lost_from: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let reminders = [
        Reminder::Waiting { nth: 1 },
        Reminder::Waiting { nth: 2 },
        Reminder::LossAhead { lost_from },
        Reminder::Again { findings: 1 },
        Reminder::Lapsed,
    ];
    for reminder in reminders {
        stage.append(&id, note("between")).await;
        stage.append(&id, CaseEvent::Reminded { reminder }).await;
    }
    stage.settled().await;
    cards.stop().await;
    // After a restart, and with all forgotten, none comes again.
    let cards = stage.keep_cards(fast());
    stage.append(&id, note("later")).await;
    let seq = stage.case(&id).await.seq;
    stage.journal.card_shown(&id, seq - 1, 0).await.unwrap();
    stage.settled().await;
    cards.stop().await;
    let card = stage.card_of(&id).await;
    assert_eq!(card.replies.iter().filter(|reply| reply.broadcast).count(), reminders.len());
    assert_eq!(told(&card, "between"), reminders.len());
    assert_eq!(told(&card, "later"), 1);
    assert_eq!(stage.double.messages(FALLBACK).len(), 4, "all but the first reminder");
}

#[tokio::test]
async fn a_flood_comes_at_slacks_pace_and_the_newest_first() {
    let stage = Stage::with(SlackOptions { post_interval: Duration::from_millis(100), ..SlackOptions::default() });
    for n in 0..25 {
        stage.begin(n).await;
    }
    let token = sluicegate::config::Secret::new(stage.double.bot_token());
    let token = sluicegate::slack::Token::new(sluicegate::slack::TokenKind::Bot, &token).unwrap();
    let pace = sluicegate::slack::Pace::new(Duration::from_millis(105));
    let chat = sluicegate::slack::SlackClient::with_pace(stage.api(), token.into(), stage.app.clone(), pace);
    let cards =
        stage.keep_cards_with(fast(), std::sync::Arc::new(chat), std::sync::Arc::new(sluicegate::clock::SystemClock));
    stage.settled().await;
    cards.stop().await;
    let limited = stage.double.calls_of("chat.postMessage").iter().filter(|call| !call.ok).count();
    assert_eq!(limited, 0, "Slack never had to say that it is too fast");
    let order: Vec<String> =
        stage.double.messages(SECURITY).iter().filter_map(|one| one.case_id().map(str::to_owned)).collect();
    let mut newest_first: Vec<String> = (0..25).map(|n| opened(&format!("e{n}"), n).case_id.to_string()).collect();
    newest_first.reverse();
    assert_eq!(order, newest_first);
}

#[tokio::test]
async fn a_case_that_ended_is_shown_as_ended() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = stage.begin(1).await;
    stage.append(&id, CaseEvent::Closed { outcome: Outcome::Notified, baseline: None }).await;
    stage.settled().await;
    stage.card_of(&id).await;
    cards.stop().await;
}

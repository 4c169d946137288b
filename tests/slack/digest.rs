//! In `observe`: one message a day instead of one a case, where that is wanted.

use crate::common::{note, opened};
use crate::stage::{SECURITY, Stage, eventually, fast, hasty};
use jiff::{SignedDuration, Timestamp};
use sluicegate::case::{CaseEvent, CaseId, Mode, Opened, Outcome};
use sluicegate::ports::{Clock, Journal, Opening};
use sluicegate::slack::CardSettings;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that is so much ahead.
#[derive(Clone, Default)]
struct Ahead(Arc<Mutex<SignedDuration>>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + *self.0.lock().unwrap()
    }
}

async fn observed(stage: &Stage, n: u32) -> CaseId {
    let opened = Opened { mode: Mode::Observe, ..opened(&format!("e{n}"), n) };
    let closed = CaseEvent::Closed { outcome: Outcome::Observed, baseline: None };
    match stage.journal.open(&opened, &[closed]).await.unwrap() {
        Opening::Opened(case) => case.id,
        other => panic!("{other:?}"),
    }
}

/// A digest that is due in some minutes.
fn soon() -> CardSettings {
    let at = (Timestamp::now() + SignedDuration::from_mins(3)).to_string();
    let at = format!("{}:00", &at[11..16]).parse().unwrap();
    CardSettings { digest_at: Some(at), ..fast() }
}

fn digests(stage: &Stage) -> usize {
    let messages = stage.double.messages(SECURITY);
    messages
        .iter()
        .filter(|one| one.metadata.as_ref().is_some_and(|of| of["event_type"] == "sluicegate_digest"))
        .count()
}

#[tokio::test]
async fn a_day_is_one_message_whatever_is_restarted() {
    let clock = Ahead::default();
    let stage = Stage::at(hasty(), Arc::new(clock.clone()));
    let settings = soon();
    for n in 0..5 {
        observed(&stage, n).await;
    }
    let start = || stage.keep_cards_with(settings.clone(), stage.chat(), Arc::new(clock.clone()));
    let cards = start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.double.messages(SECURITY).len(), 0, "it is not due yet");
    *clock.0.lock().unwrap() = SignedDuration::from_mins(5);
    eventually("the digest", || digests(&stage) == 1).await;
    stage.settled().await;
    cards.kill().await;
    for round in 0..5_u64 {
        let cards = start();
        tokio::time::sleep(Duration::from_millis(round * 40)).await;
        cards.kill().await;
    }
    assert_eq!((digests(&stage), stage.double.messages(SECURITY).len()), (1, 1));
    let cards = start();
    let late = observed(&stage, 9).await;
    stage.append(&late, note("more")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(digests(&stage), 1, "what comes later waits for the next day");
    *clock.0.lock().unwrap() = SignedDuration::from_hours(24) + SignedDuration::from_mins(5);
    eventually("the next digest", || digests(&stage) == 2).await;
    stage.settled().await;
    cards.stop().await;
}

#[tokio::test]
async fn killed_around_the_digest_it_comes_once() {
    for after_ms in [0_u64, 5, 10, 15, 20, 30, 40] {
        let clock = Ahead::default();
        let stage = Stage::at(hasty(), Arc::new(clock.clone()));
        let settings = soon();
        observed(&stage, 1).await;
        *clock.0.lock().unwrap() = SignedDuration::from_mins(5);
        let cards = stage.keep_cards_with(settings.clone(), stage.chat(), Arc::new(clock.clone()));
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        cards.kill().await;
        let cards = stage.keep_cards_with(settings, stage.chat(), Arc::new(clock.clone()));
        stage.settled().await;
        assert_eq!(digests(&stage), 1, "{after_ms}");
        cards.stop().await;
    }
}

#[tokio::test]
async fn without_it_each_case_is_a_card() {
    let stage = Stage::new();
    let cards = stage.keep_cards(fast());
    let id = observed(&stage, 1).await;
    stage.settled().await;
    let card = stage.card_of(&id).await;
    assert!(card.button("right").is_some() && card.button("wrong").is_some());
    cards.stop().await;
}

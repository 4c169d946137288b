//! Keeps Slack equal to the journal: one message a case, its thread, and what people are told again.
//!
//! The journal says which cases are behind; each is brought up to its newest state, the newest case first. Nothing is
//! kept but what [`memo`] remembers to save calls: whatever is lost with the process is looked up in Slack by metadata.
//! Three lanes go side by side: what is posted anew, what is changed, and threads; so that none waits behind the others.

mod card;
mod digest;
mod memo;
mod thread;

use super::backoff::{LONGEST, backoff};
use super::card::About;
use super::health::{Alarms, SlackHealth};
use crate::case::{Case, CaseEvent, CaseId, State};
use crate::ports::{CardState, Chat, ChatError, Clock, Journal, JournalError, Posted};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use memo::{Lane, Memos};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const PART: &str = "cards";
/// So many failures in a row, about a minute of them, are told.
const ALARM_AFTER: u32 = 8;
/// The cases that are behind are listed this often, where nothing else says that they have changed.
const LIST_AGAIN: Duration = Duration::from_secs(1);
/// A list is as good as this many times the time that it took.
const SHARE: u32 = 20;
/// A case that Slack refuses is tried again after this.
const PUT_OFF: Duration = Duration::from_mins(10);
/// A closed case that nothing was told of, and that nothing happened to for so long before the start, is history.
const HISTORY: SignedDuration = SignedDuration::from_hours(24);

/// Where cards go, and how fast.
#[derive(Debug, Clone)]
pub struct CardSettings {
    /// The channel that cases are posted to.
    pub channel: String,
    /// Where they go when that one fails, and where people are called who did not answer.
    pub fallback: Option<String>,
    /// In `observe`: one message a day at this time (UTC), instead of one a case.
    pub digest_at: Option<jiff::civil::Time>,
    /// How often the journal is looked at.
    pub look: Duration,
    /// A case rests for so long before its card is brought up to date: a burst of events is one change.
    pub quiet: Duration,
    /// The same for its thread.
    pub thread_quiet: Duration,
    /// After a post of which nobody knows whether it was made: the time that Slack may take to show it.
    pub second_look: Duration,
    /// After so long it is tried again whether Slack takes the token, or the channel, now.
    pub look_again: Duration,
}

impl CardSettings {
    /// Cards in this channel.
    pub fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            fallback: None,
            digest_at: None,
            look: Duration::from_millis(150),
            quiet: Duration::from_millis(150),
            thread_quiet: Duration::from_millis(1_500),
            second_look: Duration::from_secs(3),
            look_again: Duration::from_mins(2),
        }
    }
}

/// What cards are made of, and where they go.
#[derive(Clone)]
pub struct CardParts {
    /// The cases.
    pub journal: Arc<dyn Journal>,
    /// Slack.
    pub chat: Arc<dyn Chat>,
    /// What is not in the case.
    pub about: Arc<dyn Fn(&Case) -> About + Send + Sync>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How Slack is.
    pub health: SlackHealth,
    /// What a person must be told.
    pub alarms: Alarms,
}

/// The reconciler.
pub struct Cards {
    parts: CardParts,
    settings: CardSettings,
    started: Timestamp,
    memos: Memos,
    /// Channels that could not be used, and when.
    broken: Mutex<HashMap<String, Instant>>,
    stopping: watch::Receiver<bool>,
}

/// A case's card: where it is, and how far it and its thread show the case.
struct Now {
    home: Posted,
    shown: u64,
    threaded: u64,
}

/// Why a case is behind still.
#[derive(Debug)]
enum Trouble {
    Chat(ChatError),
    Journal(JournalError),
    /// The card, or its thread, is not there any more: it is posted anew.
    Lost,
    /// It panicked; standard error tells where.
    Defect,
    /// sluicegate stops.
    Stopped,
}

/// The cases that are behind. They are listed again only where the journal has grown, or a second has passed: there may
/// be many, and the journal has other work.
#[derive(Default)]
struct Behind {
    cases: Vec<CardState>,
    length: u64,
    read_at: Option<Instant>,
    /// How long that took.
    took: Duration,
}

impl Behind {
    async fn refresh(&mut self, journal: &dyn Journal) -> Result<(), JournalError> {
        // Of the journal's time a small share: containing goes by it as well.
        if self.read_at.is_some_and(|at| at.elapsed() < self.took * SHARE) {
            return Ok(());
        }
        let length = journal.length().await?;
        if length == self.length && self.read_at.is_some_and(|at| at.elapsed() < LIST_AGAIN) {
            return Ok(());
        }
        let began = Instant::now();
        self.cases = journal.cards_behind().await?;
        self.took = began.elapsed();
        self.length = length;
        self.read_at = Some(Instant::now());
        Ok(())
    }
}

impl From<ChatError> for Trouble {
    fn from(error: ChatError) -> Self {
        Self::Chat(error)
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Cards {
    /// A reconciler. `stopping` turns true when it has to come to an end.
    pub fn new(parts: CardParts, settings: CardSettings, stopping: watch::Receiver<bool>) -> Self {
        let started = parts.clock.now();
        Self { parts, settings, started, memos: Memos::default(), broken: Mutex::default(), stopping }
    }

    /// Keeps the cards until it has to stop.
    pub async fn run(self) {
        let cards = Arc::new(self);
        let digests = async {
            if let Some(at) = cards.settings.digest_at {
                cards.digests(at).await;
            }
        };
        tokio::join!(cards.keep(Lane::Post), cards.keep(Lane::Update), cards.keep(Lane::Thread), digests);
    }

    async fn keep(&self, lane: Lane) {
        let mut failures = 0_u32;
        let mut behind = Behind::default();
        while !self.is_stopping() {
            if let Err(error) = behind.refresh(&*self.parts.journal).await {
                tracing::warn!(%error, "cards wait: the journal cannot be read");
                self.pause(Duration::from_secs(1)).await;
                continue;
            }
            let Some(state) = self.memos.take(lane, &behind.cases, &self.settings) else {
                self.pause(self.settings.look).await;
                continue;
            };
            // One case that cannot even be rendered must not end the cards of all others.
            let brought = AssertUnwindSafe(self.bring(&state, lane)).catch_unwind().await;
            let brought = brought.unwrap_or(Err(Trouble::Defect));
            self.memos.released(&state.case_id);
            match brought {
                Ok(()) => {
                    failures = 0;
                    self.memos.with(&state.case_id, |memo| memo.failures = 0);
                    self.parts.health.well(PART);
                    self.parts.alarms.over(PART);
                }
                Err(trouble) => {
                    failures += 1;
                    let wait = self.after(&state.case_id, failures, trouble).await;
                    self.pause(wait).await;
                }
            }
        }
    }

    /// What follows from a failure: how long this lane waits.
    async fn after(&self, case: &CaseId, failures: u32, trouble: Trouble) -> Duration {
        let usual = backoff(failures).min(LONGEST);
        self.memos.with(case, |memo| memo.failures = memo.failures.saturating_add(1));
        let error = match trouble {
            Trouble::Stopped => return Duration::ZERO,
            Trouble::Lost => return usual,
            Trouble::Journal(error) => {
                tracing::warn!(%case, %error, "a card waits: the journal failed");
                return usual;
            }
            Trouble::Defect => {
                let what =
                    format!("the case {case} cannot be shown in Slack, by a defect: `sluicegate case {case}` shows it");
                self.parts.alarms.raise(case.as_str(), &what).await;
                self.memos.put_off(case, PUT_OFF);
                return Duration::ZERO;
            }
            Trouble::Chat(error) => error,
        };
        tracing::warn!(%case, %error, "a case cannot be shown in Slack for now");
        self.parts.health.trouble(PART, error.to_string());
        match error {
            ChatError::Token { code } => {
                let what = format!(
                    "cases cannot be shown in Slack, which does not take the token: {code}. Containment goes on; decide \
                     with `sluicegate decide`, and put a good bot token where [slack] bot_token says"
                );
                self.parts.alarms.raise(PART, &what).await;
                self.settings.look_again
            }
            ChatError::Refused { code, message } => {
                let what = format!("the case {case} cannot be shown in Slack: {code}: {message}");
                self.parts.alarms.raise(case.as_str(), &what).await;
                self.memos.put_off(case, PUT_OFF);
                Duration::ZERO
            }
            ChatError::Channel { .. } => {
                self.memos.put_off(case, self.settings.look_again);
                usual
            }
            ChatError::Later { retry_after, .. } if failures < ALARM_AFTER => {
                retry_after.unwrap_or_default().max(usual)
            }
            ChatError::Ambiguous { .. } if failures < ALARM_AFTER => usual,
            ChatError::Later { .. } | ChatError::Ambiguous { .. } => {
                let what = "cases cannot be shown in Slack for a while; the log tells why. It is tried again and again; \
                            containment goes on, and `sluicegate decide` works";
                self.parts.alarms.raise(PART, what).await;
                usual
            }
        }
    }

    /// Brings one case's card up to its newest state, or its thread one message further.
    async fn bring(&self, state: &CardState, lane: Lane) -> Result<(), Trouble> {
        let id = &state.case_id;
        let read = self.parts.journal.case(id).await?;
        let case = read.ok_or_else(|| JournalError::Damaged(format!("{id} is not in the journal")))?;
        if self.is_history(&case, state) {
            return self.shown(id, case.seq, case.seq).await;
        }
        let Some((channel, ts)) = case.card.clone() else {
            if self.waits_for_digest(&case) {
                if state.shown > 0 {
                    return self.shown(id, case.seq, case.seq).await;
                }
                self.memos.put_off(id, PUT_OFF);
                return Ok(());
            }
            return self.first(&case).await;
        };
        let home = Posted { channel, ts, seq: state.shown };
        let now = match lane {
            Lane::Post | Lane::Update => self.current(&case, home, state).await?,
            Lane::Thread => {
                let now = Now { home, shown: state.shown, threaded: state.threaded };
                Now { threaded: self.thread(&case, &now).await?, ..now }
            }
        };
        self.shown(id, now.shown, now.threaded).await
    }

    async fn shown(&self, id: &CaseId, shown: u64, threaded: u64) -> Result<(), Trouble> {
        self.parts.journal.card_shown(id, shown, threaded).await?;
        self.memos.with(id, |memo| memo.known = Some((shown, threaded)));
        Ok(())
    }

    fn is_history(&self, case: &Case, state: &CardState) -> bool {
        state.shown == 0 && case.state == State::Closed && self.started.duration_since(case.updated_at) > HISTORY
    }

    fn waits_for_digest(&self, case: &Case) -> bool {
        !case.acts() && self.settings.digest_at.is_some()
    }

    /// Appends to a case that had `seq` events, whatever else was appended meanwhile; gives how many it has then. What
    /// happened in Slack must not be forgotten: while the journal cannot be written it waits.
    async fn append(&self, id: &CaseId, mut seq: u64, event: &CaseEvent) -> Result<u64, Trouble> {
        let mut waited = 0;
        loop {
            match self.parts.journal.append(id, seq, std::slice::from_ref(event)).await {
                Ok(now) => return Ok(now.seq),
                Err(JournalError::Conflict { actual, .. }) => seq = actual,
                Err(error @ JournalError::Unavailable(_)) => {
                    if self.is_stopping() {
                        return Err(Trouble::Stopped);
                    }
                    tracing::error!(case = %id, %error, "a card is posted, and the journal does not know yet");
                    waited += 1;
                    self.pause(backoff(waited)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    async fn pause(&self, wait: Duration) {
        crate::stopping::pause(&self.stopping, wait).await;
    }

    fn broken(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

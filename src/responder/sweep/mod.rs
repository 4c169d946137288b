//! The sweep: EventBridge is best effort, so from time to time all mappings are listed and compared with the journal.
//! What nobody saw an event of is looked up in CloudTrail and judged as any finding, late rather than never.

mod compare;
mod conclude;
mod search;

use super::Responder;
use super::retry::wait_after;
use crate::case::SystemEvent;
use crate::mapping::{MappingKey, Snapshot};
use crate::ports::{CallError, JournalError, Lambda};
use compare::Suspect;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An event is on its way for so long before the sweep takes it for lost.
const GRACE: Duration = Duration::from_mins(3);
/// So long after a change CloudTrail is still asked for its record, which may be a quarter of an hour late.
const GIVE_UP: Duration = Duration::from_mins(20);
/// Where sweeps come more often than this, which is for trying them out, they wait in proportion.
const USUAL: Duration = Duration::from_mins(1);
/// The first sweep comes so long after the start, or earlier where they come more often.
const FIRST: Duration = Duration::from_secs(30);
/// So many sweeps in a row that fail alarm somebody.
const ALARM_AFTER: u32 = 3;
/// How often a call is tried in one sweep.
const TRIES: u32 = 4;

/// When and where it looks.
#[derive(Debug, Clone)]
pub struct SweepSettings {
    /// How often; zero: never.
    pub every: Duration,
    /// A change that is younger is left to its event.
    pub grace: Duration,
    /// A change that is older, and of which CloudTrail has no record, is nobody's.
    pub give_up: Duration,
    /// Where.
    pub regions: Vec<String>,
    /// The region of which events came from the beginning.
    pub home: String,
}

impl SweepSettings {
    /// So often, in these regions; in `home` alone where there are none.
    pub fn new(every: Duration, regions: &[String], home: &str) -> Self {
        let share = (every.as_secs_f64() / USUAL.as_secs_f64()).min(1.0);
        let mut regions = if regions.is_empty() { vec![home.to_owned()] } else { regions.to_vec() };
        regions.sort_unstable();
        regions.dedup();
        let (grace, give_up) = (GRACE.mul_f64(share), GIVE_UP.mul_f64(share));
        Self { every, grace, give_up, regions, home: home.to_owned() }
    }
}

/// The sweep. Clones share it.
#[derive(Clone)]
pub struct Sweep {
    responder: Responder,
    /// Under a limit of its own: what it asks takes no place of a containment's.
    lambda: Arc<dyn Lambda>,
    settings: Arc<SweepSettings>,
}

/// What one sweep remembers until the next. Forgotten, it is found out again.
#[derive(Debug, Default)]
pub struct Memory {
    /// How often each region's sweep failed in a row.
    failed: HashMap<String, u32>,
    /// From when on each region is answered for: long in the journal.
    watched: HashMap<String, Timestamp>,
    /// Since when a mapping is not as it is known, at every sweep: who changes it again and again makes it no younger.
    strange: HashMap<MappingKey, Timestamp>,
    /// Where the next sweep of a region begins: at what the last one had no room for.
    next: HashMap<String, MappingKey>,
    /// What was settled, and the time of the change for which it was.
    settled: HashMap<MappingKey, Timestamp>,
    /// Containments that were undone: who did it is still looked for.
    undone: Vec<Suspect>,
}

/// What a sweep came upon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Mappings that exist.
    pub listed: usize,
    /// Those that were there before sluicegate.
    pub day_one: usize,
    /// Changes that may still be on their way by the queue, or to CloudTrail.
    pub waiting: usize,
    /// Findings that were judged because of it.
    pub judged: usize,
    /// Containments that somebody undid.
    pub undone: usize,
    /// Changes of which nobody knows who made them.
    pub unattributed: usize,
    /// Regions that could not be swept.
    pub failed: usize,
}

/// Why a region could not be swept.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Sweep {
    /// A sweep for what this responder has to answer for, whose own calls to Lambda go by `lambda`.
    pub fn new(responder: Responder, lambda: Arc<dyn Lambda>, settings: SweepSettings) -> Self {
        Self { responder, lambda, settings: Arc::new(settings) }
    }

    /// Sweeps until the responder stops, one after the other.
    pub async fn run(self) {
        if self.settings.every.is_zero() {
            return;
        }
        for region in &self.settings.regions {
            if let Err(error) = self.watched(region).await {
                tracing::error!(region, %error, "the sweep cannot tell from when on it answers for a region");
            }
        }
        let mut memory = Memory::default();
        self.responder.pause(jittered(FIRST.min(self.settings.every))).await;
        while !self.responder.is_stopping() {
            self.once(&mut memory).await;
            self.responder.pause(jittered(self.settings.every)).await;
        }
    }

    /// Sweeps all regions once. What fails is told, and done again the next time.
    pub async fn once(&self, memory: &mut Memory) -> Swept {
        let mut all = Swept::default();
        for region in &self.settings.regions {
            if self.responder.is_stopping() {
                break;
            }
            match self.sweep(region, memory, &mut all).await {
                Ok(()) => {
                    memory.failed.remove(region);
                }
                Err(error) => {
                    all.failed += 1;
                    self.failed(region, &error, memory).await;
                }
            }
        }
        tracing::info!(
            listed = all.listed,
            judged = all.judged,
            undone = all.undone,
            unattributed = all.unattributed,
            waiting = all.waiting,
            failed = all.failed,
            "swept"
        );
        all
    }

    async fn sweep(&self, region: &str, memory: &mut Memory, all: &mut Swept) -> Result<(), SweepError> {
        let watched = match memory.watched.get(region) {
            Some(since) => *since,
            None => *memory.watched.entry(region.to_owned()).or_insert(self.watched(region).await?),
        };
        let listed = self.list(region).await?;
        all.listed += listed.len();
        let mut found = self.compare(region, watched, listed, memory).await?;
        all.day_one += found.day_one.len();
        all.waiting += found.young;
        // What is active against a decision comes first, and waits for nothing. One that fails holds up no other.
        let mut failed = None;
        for suspect in std::mem::take(&mut found.undone) {
            match self.contain_again(&suspect).await {
                Ok(true) => {
                    all.undone += 1;
                    memory.undone.retain(|one| one.key != suspect.key);
                    memory.undone.push(suspect);
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(mapping = %suspect.key, %error, "enabled again, and it cannot be seen to yet");
                    failed = Some(error);
                }
            }
        }
        self.keep_day_one(std::mem::take(&mut found.day_one)).await?;
        Box::pin(self.attribute(region, watched, found, memory, all)).await?;
        failed.map_or(Ok(()), Err)
    }

    /// From when on it answers for a region. In the region that was watched from the beginning that is when sluicegate
    /// first started; elsewhere, when the region was first configured.
    async fn watched(&self, region: &str) -> Result<Timestamp, JournalError> {
        let journal = &self.responder.ports.journal;
        let account = &self.responder.settings.account;
        if let Some(since) = journal.watched(account, region).await? {
            return Ok(since);
        }
        let began = if *region == self.settings.home { journal.began().await? } else { None };
        let since = began.unwrap_or_else(|| self.responder.ports.clock.now());
        journal.record(&SystemEvent::Watched { account: account.clone(), region: region.to_owned(), since }).await?;
        Ok(since)
    }

    async fn list(&self, region: &str) -> Result<Vec<Snapshot>, CallError> {
        let account = &self.responder.settings.account;
        self.patiently(|| self.lambda.all_mappings(account, region)).await
    }

    /// Tries a call that changes nothing a few times.
    async fn patiently<T, F>(&self, call: impl Fn() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut attempt = 1;
        loop {
            match call().await {
                Err(error) if !error.is_final() && attempt < TRIES && !self.responder.is_stopping() => {
                    self.responder.pause(wait_after(&error, attempt)).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn failed(&self, region: &str, error: &SweepError, memory: &mut Memory) {
        let times = memory.failed.entry(region.to_owned()).or_default();
        *times = times.saturating_add(1);
        tracing::warn!(region, %error, times = *times, "the sweep failed; it is done again");
        if *times != ALARM_AFTER {
            return;
        }
        let what = format!(
            "the sweep over the mappings of {region} failed {times} times in a row ({error}): a mapping whose event got \
             lost is not found until it works. It needs lambda:ListEventSourceMappings, lambda:GetEventSourceMapping \
             and cloudtrail:LookupEvents"
        );
        tracing::error!(alarm = true, region, "{what}");
        if let Err(error) = self.responder.ports.journal.record(&SystemEvent::Alarm { what }).await {
            // It is told again the next time.
            *times -= 1;
            tracing::error!(%error, "the alarm is not in the journal");
        }
    }
}

/// Within a fifth of it: many workers must not sweep at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_is_whole_from_a_minute_on_and_in_proportion_below() {
        let usual = SweepSettings::new(Duration::from_mins(10), &[], "eu-west-1");
        assert_eq!((usual.grace, usual.give_up), (GRACE, GIVE_UP));
        assert_eq!(usual.regions, ["eu-west-1"]);
        let quick = SweepSettings::new(Duration::from_secs(2), &["b".into(), "a".into(), "b".into()], "a");
        assert_eq!((quick.grace, quick.give_up), (Duration::from_secs(6), Duration::from_secs(40)));
        assert_eq!(quick.regions, ["a", "b"]);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        for _ in 0..1000 {
            let wait = jittered(Duration::from_secs(10));
            assert!(wait >= Duration::from_secs(8) && wait <= Duration::from_secs(12), "{wait:?}");
        }
    }
}

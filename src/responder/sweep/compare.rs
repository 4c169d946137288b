//! Which mappings are not as the journal knows them.

use super::{Memory, Sweep, SweepError};
use crate::case::baseline::{self, Standing, standing};
use crate::case::{Case, FoundMapping};
use crate::detection::untouched_since;
use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::ports::{JournalError, MappingKnown};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::time::Duration;

/// How many mappings the journal is asked about at once: it must not be kept from others for long.
const AT_ONCE: usize = 50;
/// How many suspects one sweep takes up; the rest comes with the next.
const MOST: usize = 200;

/// Why a mapping is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing is known of it.
    Unknown,
    /// It is another than is known of it, or than people were shown.
    Changed,
    /// Its containment was undone.
    Undone,
}

/// A mapping that is looked into.
#[derive(Debug, Clone)]
pub(super) struct Suspect {
    pub(super) key: MappingKey,
    /// As it was listed.
    pub(super) read: Snapshot,
    pub(super) why: Why,
    /// Records since then are looked for.
    pub(super) since: Timestamp,
    /// Only what came later than `since` is: what was then was taken as it was found.
    pub(super) after: bool,
    /// How long ago it was changed, or was first seen not to be as it is known.
    pub(super) age: Duration,
    /// How long it has been seen so.
    pub(super) strange_for: Duration,
}

/// What comparing gave.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) day_one: Vec<FoundMapping>,
    pub(super) unknown: Vec<Suspect>,
    pub(super) changed: Vec<Suspect>,
    pub(super) undone: Vec<Suspect>,
    /// Changes that are left to their events, for now.
    pub(super) young: usize,
    /// The first for which there was no room.
    left: Option<MappingKey>,
}

impl Compared {
    fn full(&self) -> bool {
        self.unknown.len() + self.changed.len() >= MOST
    }
}

impl Sweep {
    pub(super) async fn compare(
        &self,
        region: &str,
        watched: Timestamp,
        mut listed: Vec<Snapshot>,
        memory: &mut Memory,
    ) -> Result<Compared, SweepError> {
        // On its way out: nothing comes of it any more.
        listed.retain(|read| read.state != "Deleting");
        listed.sort_by_key(|read| read.uuid.to_ascii_lowercase());
        if let Some(next) = memory.next.remove(region) {
            let before = listed.partition_point(|read| read.uuid.to_ascii_lowercase() < next.uuid);
            listed.rotate_left(before);
        }
        let keys: Vec<MappingKey> = listed.iter().map(|read| self.key(region, read)).collect();
        let there: HashSet<&MappingKey> = keys.iter().collect();
        let stays = |key: &MappingKey| key.region != *region || there.contains(key);
        memory.strange.retain(|key, _| stays(key));
        memory.settled.retain(|key, _| stays(key));
        let mut found = Compared::default();
        for (reads, keys) in listed.chunks(AT_ONCE).zip(keys.chunks(AT_ONCE)) {
            let known = self.responder.ports.journal.known_of(keys).await?;
            for ((read, key), known) in reads.iter().zip(keys).zip(known) {
                self.sort(key, read, &known, watched, memory, &mut found).await?;
            }
        }
        if let Some(next) = found.left.take() {
            tracing::warn!(region, suspects = MOST, "more mappings are not as known; the next sweep goes on with them");
            memory.next.insert(region.to_owned(), next);
        }
        Ok(found)
    }

    async fn sort(
        &self,
        key: &MappingKey,
        read: &Snapshot,
        known: &MappingKnown,
        watched: Timestamp,
        memory: &mut Memory,
        found: &mut Compared,
    ) -> Result<(), SweepError> {
        let last = self.last_case(known).await?;
        let mut standing = standing(read, known.baseline.as_ref(), last.as_ref());
        let mut read = read.clone();
        if standing == Standing::Same && hides(&read, known, key, memory) {
            let whole = match self.patiently(|| self.lambda.mapping(key)).await {
                Ok(Some(whole)) => whole,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(mapping = %key, %error, "its filter is not in the list, and cannot be read");
                    return Ok(());
                }
            };
            standing = baseline::standing(&whole, known.baseline.as_ref(), last.as_ref());
            if standing == Standing::Same {
                memory.settled.extend(whole.last_modified.map(|changed| (key.clone(), changed)));
            }
            read = whole;
        }
        let now = self.responder.ports.clock.now();
        let settled = memory.settled.get(key).is_some_and(|at| read.last_modified == Some(*at));
        if settled || matches!(standing, Standing::Same | Standing::Undone) {
            memory.strange.remove(key);
        }
        if standing == Standing::Same || settled && standing != Standing::Undone {
            return Ok(());
        }
        let first = match standing {
            Standing::Undone => now,
            _ => *memory.strange.entry(key.clone()).or_insert(now),
        };
        let since = |then: Timestamp| now.duration_since(then).max(SignedDuration::ZERO).unsigned_abs();
        let age = since(read.last_modified.map_or(first, |changed| changed.min(first)));
        let suspect = |why, known: Option<&Baseline>| Suspect {
            key: key.clone(),
            read: read.clone(),
            why,
            since: known.map_or(watched, |known| known.since),
            after: known.is_some_and(|known| known.found_at.is_some()),
            age,
            strange_for: since(first),
        };
        match standing {
            Standing::Same => {}
            Standing::Undone => found.undone.push(suspect(Why::Undone, last.as_ref().and_then(disabled).as_ref())),
            // Lambda's time may be a whole second's: what was made in the very second of the start is looked up.
            Standing::Unknown if read.last_modified.is_some_and(|it| it.as_second() < watched.as_second()) => {
                let mapping = FoundMapping { mapping: key.clone(), baseline: baseline::found(&read, now) };
                found.day_one.push(mapping);
            }
            _ if age < self.settings.grace => found.young += 1,
            // What is active against a decision is never too much.
            _ if found.full() => found.left = found.left.take().or_else(|| Some(key.clone())),
            Standing::Unknown => found.unknown.push(suspect(Why::Unknown, None)),
            Standing::Strayed(known) | Standing::Changed(known, _) => {
                found.changed.push(suspect(Why::Changed, Some(&known)));
            }
        }
        Ok(())
    }

    pub(super) async fn last_case(&self, known: &MappingKnown) -> Result<Option<Case>, JournalError> {
        match &known.case {
            Some(id) => self.responder.ports.journal.case(id).await,
            None => Ok(None),
        }
    }

    fn key(&self, region: &str, read: &Snapshot) -> MappingKey {
        MappingKey {
            account: self.responder.settings.account.clone(),
            region: region.to_owned(),
            uuid: read.uuid.to_ascii_lowercase(),
        }
    }
}

/// Since when a case had its mapping disabled.
fn disabled(case: &Case) -> Option<Baseline> {
    let read = case.latest()?;
    let step = case.steps.iter().rev().find(|step| case.holds_now(step))?;
    Some(baseline::of(read, step.started_at.unwrap_or(step.at), String::new()))
}

/// A list leaves encrypted filters out: where the mapping was changed since, they are to be read one by one, once.
fn hides(read: &Snapshot, known: &MappingKnown, key: &MappingKey, memory: &Memory) -> bool {
    let Some(accepted) = &known.baseline else { return false };
    let looked = memory.settled.get(key).is_some_and(|at| read.last_modified == Some(*at));
    read.wiring.filters.is_none() && !looked && !untouched_since(read, accepted)
}

//! What CloudTrail has of the calls that made mappings, or changed them.

use super::{Sweep, SweepError};
use crate::cloudtrail;
use crate::detection::{Finding, Trigger, latent};
use crate::ports::{CallError, SearchBy};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// `LookupEvents` goes back so far.
const KEEPS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The record of a change is looked for first from so long before the time that Lambda tells of it.
const CLOSE: SignedDuration = SignedDuration::from_mins(10);
/// How many pages of 50 are read for what is close, and for what lies further back.
const FEW: u32 = 10;
const MANY: u32 = 60;

/// The records of each mapping, by its UUID, oldest first.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_uuid: HashMap<String, Vec<Finding>>,
    /// There were more records than were read.
    pub(super) cut: bool,
}

/// A mapping whose records are wanted.
pub(super) struct Wanted<'a> {
    pub(super) uuid: &'a str,
    /// Since when.
    pub(super) since: Timestamp,
    /// When it was last changed.
    pub(super) changed: Option<Timestamp>,
}

impl Records {
    pub(super) fn of(&self, uuid: &str) -> &[Finding] {
        self.by_uuid.get(uuid).map_or(&[], Vec::as_slice)
    }
}

impl Sweep {
    /// The records of these mappings: those close to the last change first, and those further back only where none of
    /// them tells anything new.
    pub(super) async fn records(
        &self,
        region: &str,
        names: [&str; 2],
        wanted: &[Wanted<'_>],
    ) -> Result<Records, SweepError> {
        let oldest = self.responder.ports.clock.now() - KEEPS;
        let close = |one: &Wanted<'_>| one.changed.map_or(one.since, |changed| changed - CLOSE).max(one.since);
        let Some(since) = wanted.iter().map(close).min() else { return Ok(Records::default()) };
        let uuids: HashSet<&str> = wanted.iter().map(|one| one.uuid).collect();
        let near = self.search(region, names, &uuids, since.max(oldest), FEW).await?;
        let mut missing = Vec::new();
        for one in wanted {
            let mut news = false;
            for finding in near.of(one.uuid) {
                news = news || self.known(finding).await?.is_none();
            }
            if !news && (one.since < since || near.cut) {
                missing.push(one);
            }
        }
        let Some(since) = missing.iter().map(|one| one.since).min() else { return Ok(near) };
        Ok(self.search(region, names, &uuids, since.max(oldest), MANY).await?)
    }

    async fn search(
        &self,
        region: &str,
        names: [&str; 2],
        uuids: &HashSet<&str>,
        since: Timestamp,
        pages: u32,
    ) -> Result<Records, CallError> {
        let account = &self.responder.settings.account;
        let mut found = Records::default();
        for name in names {
            let by = SearchBy::EventName(name);
            let trail = &self.responder.ports.trail;
            let (records, more) = self.patiently(|| trail.search(account, region, by, since, pages)).await?;
            found.cut |= more;
            for text in records {
                for finding in findings(&text) {
                    if uuids.contains(finding.call.uuid.as_str()) && finding.region == *region {
                        found.by_uuid.entry(finding.call.uuid.clone()).or_default().push(finding);
                    }
                }
            }
        }
        for of_one in found.by_uuid.values_mut() {
            of_one.sort_by(|one, other| (one.event.time, &one.event.id).cmp(&(other.event.time, &other.event.id)));
            of_one.dedup_by(|one, other| one.event.id == other.event.id);
        }
        Ok(found)
    }
}

/// What a record's text says, found by the sweep.
fn findings(text: &str) -> impl Iterator<Item = Finding> {
    let read = cloudtrail::read(text.as_bytes()).into_iter().flatten();
    read.filter_map(|record| latent(&record).ok()).map(|mut finding| {
        finding.trigger = Trigger::Sweep;
        finding.call.uuid.make_ascii_lowercase();
        finding
    })
}

//! What the allowlist's entries were good for.

use super::Capped;
use super::tally::{dated, day};
use crate::detection::Finding;
use crate::policy::{Entry, PolicySet, Verdict};
use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::{BTreeSet, HashMap};

/// Of so many entries that cover one change, each pair is counted; that they overlap is plain by then.
const PAIRED: usize = 8;

/// What one entry was good for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryUse {
    /// Findings that it took part in allowing.
    pub allowed: u64,
    /// Findings that it covered and that were not allowed all the same: a rule forbade them, or something else that the
    /// call did was not covered.
    pub overruled: u64,
    /// Findings that it would have covered, had it not expired.
    pub too_late: u64,
    /// When it covered something last.
    pub last: Option<Timestamp>,
}

/// How an entry's last day stands to the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It was over by the day of the newest finding.
    Expired,
    /// It is over within two weeks of the newest finding.
    Expiring,
    /// Neither.
    Live,
}

impl EntryUse {
    /// Whether it covered nothing at all.
    pub fn unused(&self) -> bool {
        self.allowed == 0 && self.overruled == 0
    }
}

impl Expiry {
    /// Of an entry with this last day, where the newest finding is of that time.
    pub fn of(expires: Date, newest: Timestamp) -> Self {
        let today = day(newest);
        let soon = today.checked_add(14.days()).unwrap_or(Date::MAX);
        if expires < today {
            Self::Expired
        } else if expires <= soon {
            Self::Expiring
        } else {
            Self::Live
        }
    }
}

/// What the entries of a set were good for.
pub struct Usage<'p> {
    set: &'p PolicySet,
    positions: HashMap<&'p str, usize>,
    uses: Vec<EntryUse>,
    pairs: Capped<(usize, usize), u64>,
    overlapped: u64,
}

impl<'p> Usage<'p> {
    /// Of this set, telling apart as many pairs of entries.
    pub fn new(set: &'p PolicySet, most_pairs: usize) -> Self {
        let entries = set.entries();
        let positions = entries.iter().enumerate().map(|(position, entry)| (entry.id.as_str(), position)).collect();
        let uses = vec![EntryUse::default(); entries.len()];
        Self { set, positions, uses, pairs: Capped::new(most_pairs), overlapped: 0 }
    }

    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding, verdict: &Verdict) {
        let today = day(finding.event.time);
        let (mut live, mut late, mut pairs) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for change in &finding.changes {
            let covering = self.set.covering(finding, *change);
            let (now, before): (Vec<&Entry>, Vec<&Entry>) =
                covering.into_iter().partition(|entry| today <= entry.expires);
            let position = |entry: &&Entry| self.positions.get(entry.id.as_str()).copied();
            late.extend(before.iter().filter_map(position));
            let now: Vec<usize> = now.iter().filter_map(position).collect();
            for (at, first) in now.iter().enumerate().take(PAIRED) {
                pairs.extend(now.iter().take(PAIRED).skip(at + 1).map(|second| (*first, *second)));
            }
            live.extend(now);
        }
        for position in &live {
            if let Some(used) = self.uses.get_mut(*position) {
                *if verdict.allowed { &mut used.allowed } else { &mut used.overruled } += 1;
                used.last = used.last.max(dated(finding));
            }
        }
        for position in late.difference(&live) {
            if let Some(used) = self.uses.get_mut(*position) {
                used.too_late += 1;
            }
        }
        self.overlapped += u64::from(!pairs.is_empty());
        for pair in pairs {
            *self.pairs.of(&pair) += 1;
        }
    }

    /// Each entry, in the order of the file: its id, its last day and what it was good for.
    pub fn entries(&self) -> impl Iterator<Item = (&'p str, Date, &EntryUse)> {
        self.set.entries().iter().zip(&self.uses).map(|(entry, used)| (entry.id.as_str(), entry.expires, used))
    }

    /// Who answers for an entry, and why it is there; of a rule only why.
    pub fn about(&self, id: &str) -> (&'p str, &'p str) {
        let entry = self.positions.get(id).and_then(|position| self.set.entries().get(*position));
        entry.map_or_else(|| ("", self.set.rule_reason(id)), |entry| (entry.owner.as_str(), entry.reason.as_str()))
    }

    /// Whether an id is an entry's.
    pub fn is_entry(&self, id: &str) -> bool {
        self.positions.contains_key(id)
    }

    /// Findings of which some change was covered by more than one entry.
    pub fn overlapped(&self) -> u64 {
        self.overlapped
    }

    /// The pairs of entries that cover the same findings, and how many, most first.
    pub fn pairs(&self) -> Vec<(&'p str, &'p str, u64)> {
        let entries = self.set.entries();
        let id = |position: usize| entries.get(position).map_or("", |entry| entry.id.as_str());
        let ranked = self.pairs.ranked(|count| *count);
        ranked.into_iter().map(|((first, second), count)| (id(*first), id(*second), *count)).collect()
    }

    /// How often pairs that found no room were met.
    pub fn other_pairs(&self) -> u64 {
        self.pairs.others().copied().unwrap_or(0)
    }
}

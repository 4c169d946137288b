//! `allowlist.toml`: who may wire what. All that an entry names must match.

mod entry;
mod index;
mod lint;
mod parse;
mod values;

pub(crate) use entry::Entry;
pub(super) use parse::parse;

use crate::detection::{Change, Finding};
use index::Index;
use jiff::civil::Date;

/// The entries, found by principal.
#[derive(Debug, Default)]
pub(super) struct Allowlist {
    entries: Vec<Entry>,
    index: Index,
}

impl Allowlist {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut index = Index::default();
        for (position, entry) in entries.iter().enumerate() {
            index.insert(&entry.principal, position);
        }
        Self { entries, index }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries whose principal is the actor's, live or not, in the order of the file.
    pub(super) fn of_principal(&self, principal_arn: &str) -> impl Iterator<Item = &Entry> {
        self.index
            .candidates(principal_arn)
            .into_iter()
            .filter_map(|position| self.entries.get(position))
            .filter(|entry| entry.principal.matches(principal_arn))
    }

    /// The live entries that cover this change of the finding.
    pub(super) fn covering(&self, finding: &Finding, change: Change, today: Date) -> Vec<&Entry> {
        self.of_principal(&finding.actor.principal_arn)
            .filter(|entry| entry.is_live(today) && entry.covers(finding, change))
            .collect()
    }

    /// Why no entry covers the change, told by the entry that comes nearest.
    pub(super) fn nearest_miss(&self, finding: &Finding, change: Change, today: Date) -> Option<String> {
        // A principal with thousands of entries is not explained by comparing all of them.
        let misses = self.of_principal(&finding.actor.principal_arn).take(64).map(|entry| {
            let failing = entry.failing(finding, change);
            (failing.len() + usize::from(!entry.is_live(today)), entry, failing)
        });
        let (_, entry, failing) = misses.min_by_key(|(count, ..)| *count)?;
        let id = &entry.id;
        let mut told = Vec::new();
        if !entry.is_live(today) {
            told.push(format!("expired after {}", entry.expires));
        }
        if !failing.is_empty() {
            told.push(format!("does not cover {}", failing.join(", nor ")));
        }
        Some(format!("the nearest entry, {id}, {}", told.join(", and ")))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

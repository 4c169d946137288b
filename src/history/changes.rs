//! What differs between two policy sets, finding by finding.

use super::{Count, Kept};
use crate::detection::Finding;
use crate::policy::{Response, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

/// What comes of a verdict; two verdicts are the same where this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Outcome {
    /// Whether it is allowed.
    pub allowed: bool,
    /// What sluicegate does by itself.
    pub response: Response,
    /// Whether it restricts the actor's credentials by itself.
    pub restrict: bool,
}

impl Outcome {
    /// Of a verdict.
    pub fn of(verdict: &Verdict) -> Self {
        Self { allowed: verdict.allowed, response: verdict.response, restrict: verdict.restrict }
    }

    /// For people.
    pub fn told(self) -> String {
        if self.allowed {
            return "allowed".to_owned();
        }
        let response = format!("{:?}", self.response).to_lowercase();
        let restrict = if self.restrict { " and restrict" } else { "" };
        format!("not allowed, {response}{restrict}")
    }
}

/// A finding that two sets judge differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The finding.
    pub finding: Finding,
    /// By today's set.
    pub before: Verdict,
    /// By the set that it is compared with.
    pub after: Verdict,
}

/// What differs over all findings.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Findings whose outcome differs.
    pub changed: u64,
    /// Not allowed by today's set, allowed by the other.
    pub newly_allowed: u64,
    /// The other way round.
    pub no_longer_allowed: u64,
    /// How many were allowed and how many not by the other set.
    pub after: Count,
    /// From which outcome to which, and how many.
    pub by_change: BTreeMap<(Outcome, Outcome), u64>,
    /// The newest that changed; those that come to be allowed, or are no longer, before those that only have another
    /// response.
    pub kept: Kept<Changed>,
}

impl Changes {
    /// Keeping as many.
    pub fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            changed: 0,
            newly_allowed: 0,
            no_longer_allowed: 0,
            after: Count::default(),
            by_change: BTreeMap::new(),
            kept: Kept::new(most, most_bytes),
        }
    }

    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding, before: &Verdict, after: &Verdict) {
        self.after.add(after.allowed);
        let (from, to) = (Outcome::of(before), Outcome::of(after));
        if from == to {
            return;
        }
        self.changed += 1;
        self.newly_allowed += u64::from(!from.allowed && to.allowed);
        self.no_longer_allowed += u64::from(from.allowed && !to.allowed);
        *self.by_change.entry((from, to)).or_default() += 1;
        self.kept.push(from.allowed != to.allowed, || {
            let changed = Changed { finding: finding.clone(), before: before.clone(), after: after.clone() };
            (changed, super::backtest::weight(finding, &[before, after]))
        });
    }

    /// Those that are not allowed either way, and have another response.
    pub fn other_response(&self) -> u64 {
        self.changed - self.newly_allowed - self.no_longer_allowed
    }
}

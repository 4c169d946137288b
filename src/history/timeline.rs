//! Judging along the time: counters and accepted mappings follow the findings as a responder would have seen them.

use crate::detection::Finding;
use crate::policy::{Facts, PolicySet, Verdict};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet, VecDeque};

/// How far back an actor's findings count together.
const SPREE: SignedDuration = SignedDuration::from_mins(10);

/// So many principals may have a spree before those whose sprees are over are looked for.
const PRINCIPALS: usize = 1024;

/// So many mappings are remembered as accepted. Of an older one the baseline is then not known, which makes the
/// response to its update weaker, never stronger.
const MAPPINGS: usize = 250_000;

/// A finding, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was found.
    pub finding: Finding,
    /// What policy says.
    pub verdict: Verdict,
}

/// Judges findings that come oldest first. What a record of the past cannot tell is taken as it is where nobody has
/// decided yet: no case is open, and no containment was undone. The record stands in CloudTrail's own files, so it is
/// confirmed. An update's baseline is known where an earlier finding on the same mapping was allowed.
pub struct Timeline<'p> {
    set: &'p PolicySet,
    sprees: HashMap<String, Spree>,
    prune_at: usize,
    accepted: Accepted,
}

impl<'p> Timeline<'p> {
    /// By this set.
    pub fn new(set: &'p PolicySet) -> Self {
        Self { set, sprees: HashMap::new(), prune_at: PRINCIPALS, accepted: Accepted::new(MAPPINGS) }
    }

    /// Judges the next one.
    pub fn judge(&mut self, finding: &Finding) -> Verdict {
        let now = finding.event.time;
        let principal = &finding.actor.principal_arn;
        let before = self.sprees.get_mut(principal).map_or(0, |spree| spree.count(now));
        let mapping = Accepted::key(finding);
        let facts = Facts {
            now,
            trigger: finding.trigger,
            confirmed: true,
            findings_by_actor: before.saturating_add(1),
            wrong_of_last_ten: 0,
            case_open: false,
            baseline_known: mapping.is_some_and(|key| self.accepted.holds(key)),
        };
        let verdict = self.set.judge(finding, &facts);
        if verdict.allowed {
            if let Some(key) = mapping {
                self.accepted.insert(key);
            }
        } else if !principal.is_empty() {
            self.prune(now);
            self.sprees.entry(principal.clone()).or_default().add(now);
        }
        verdict
    }

    fn prune(&mut self, now: Timestamp) {
        if self.sprees.len() >= self.prune_at {
            self.sprees.retain(|_, spree| spree.count(now) > 0);
            // A flood by very many principals at once is not searched through again for each of them.
            self.prune_at = PRINCIPALS.max(self.sprees.len() * 2);
        }
    }
}

/// Whether policy allows a finding of the past at another time: what it was judged by then may have run out since. Here it
/// stands by itself, the actor's first, and an update's baseline is known.
pub fn is_allowed_at(set: &PolicySet, finding: &Finding, now: Timestamp) -> bool {
    let facts = Facts {
        now,
        trigger: finding.trigger,
        confirmed: true,
        findings_by_actor: 1,
        wrong_of_last_ten: 0,
        case_open: false,
        baseline_known: true,
    };
    set.judge(finding, &facts).allowed
}

/// An actor's findings of the last ten minutes: a time, and how many of it.
#[derive(Default)]
struct Spree {
    times: VecDeque<(Timestamp, u32)>,
    all: u32,
}

impl Spree {
    fn count(&mut self, now: Timestamp) -> u32 {
        while let Some((time, many)) = self.times.front().copied()
            && now.duration_since(time) > SPREE
        {
            self.all -= many;
            self.times.pop_front();
        }
        self.all
    }

    fn add(&mut self, now: Timestamp) {
        if self.all == u32::MAX {
            return;
        }
        self.all += 1;
        match self.times.back_mut() {
            Some((time, many)) if *time == now => *many += 1,
            _ => self.times.push_back((now, 1)),
        }
    }
}

/// The mappings whose latest known configuration was accepted, the latest so many.
struct Accepted {
    known: HashSet<u128>,
    order: VecDeque<u128>,
    most: usize,
}

impl Accepted {
    fn new(most: usize) -> Self {
        Self { known: HashSet::new(), order: VecDeque::new(), most }
    }

    /// A short name for the mapping; `None` where the record does not tell which it is.
    fn key(finding: &Finding) -> Option<u128> {
        if finding.call.uuid.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for part in [&finding.account, &finding.region, &finding.call.uuid.to_ascii_lowercase()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let bytes = hash.finalize();
        Some(bytes.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    fn holds(&self, key: u128) -> bool {
        self.known.contains(&key)
    }

    fn insert(&mut self, key: u128) {
        if self.known.insert(key) {
            self.order.push_back(key);
        }
        if self.known.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spree_counts_ten_minutes_and_no_more() {
        let at = |seconds: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let mut spree = Spree::default();
        for seconds in [0, 0, 0, 300, 600] {
            spree.add(at(seconds));
        }
        assert_eq!(spree.times.len(), 3, "those of one time are kept once");
        assert_eq!([600, 601, 900, 901, 1200, 1201].map(|now| spree.count(at(now))), [5, 2, 2, 1, 1, 0]);
    }

    #[test]
    fn only_the_latest_mappings_are_remembered() {
        let mut accepted = Accepted::new(2);
        for key in [1, 2, 2, 1, 3] {
            accepted.insert(key);
        }
        assert_eq!([1, 2, 3].map(|key| accepted.holds(key)), [false, true, true]);
        assert_eq!((accepted.known.len(), accepted.order.len()), (2, 2));
    }
}

//! Judging along the time: counters and accepted mappings follow the findings as a responder would have seen them.

use crate::detection::Finding;
use crate::policy::{Facts, PolicySet, Verdict};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet, VecDeque};

/// How far back an actor's findings count together.
const SPREE: SignedDuration = SignedDuration::from_mins(10);

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
    sprees: HashMap<String, VecDeque<Timestamp>>,
    accepted: HashSet<(String, String, String)>,
}

impl<'p> Timeline<'p> {
    /// By this set.
    pub fn new(set: &'p PolicySet) -> Self {
        Self { set, sprees: HashMap::new(), accepted: HashSet::new() }
    }

    /// Judges the next one.
    pub fn judge(&mut self, finding: &Finding) -> Verdict {
        let now = finding.event.time;
        let principal = &finding.actor.principal_arn;
        let before = self.sprees.get_mut(principal).map_or(0, |times| {
            times.retain(|time| now.duration_since(*time) <= SPREE);
            u32::try_from(times.len()).unwrap_or(u32::MAX)
        });
        let uuid = finding.call.uuid.to_ascii_lowercase();
        let key = (finding.account.clone(), finding.region.clone(), uuid);
        let facts = Facts {
            now,
            trigger: finding.trigger,
            confirmed: true,
            findings_by_actor: before.saturating_add(1),
            wrong_of_last_ten: 0,
            case_open: false,
            baseline_known: self.accepted.contains(&key),
        };
        let verdict = self.set.judge(finding, &facts);
        if verdict.allowed {
            self.accepted.insert(key);
        } else if !principal.is_empty() {
            self.sprees.entry(principal.clone()).or_default().push_back(now);
        }
        verdict
    }
}

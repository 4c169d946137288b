//! Whether policy allows a mapping as it stands: who made it, and who made it what it is now.

use crate::case::baseline;
use crate::cloudtrail::MappingCall;
use crate::detection::{Change, Finding, against};
use crate::mapping::{Baseline, Snapshot};
use crate::policy::{Facts, PolicySet, Response, Verdict};
use jiff::Timestamp;

/// A call, and what policy says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// The call.
    pub finding: Finding,
    /// What policy says.
    pub verdict: Verdict,
}

/// What is to be thought of a mapping.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// The call that made it, where it is known.
    pub created: Option<Deed>,
    /// The change that counts most: the last one that is not allowed and still in effect, else the last one.
    pub changed: Option<Deed>,
    /// Of the mapping as it stands. Allowed only where its creation is known and allowed, and so is all that it was
    /// changed to since. `None`: who made it is not known, and no change that is known speaks against it.
    pub verdict: Option<Verdict>,
}

/// The changes since the creation that matter.
struct Since {
    /// What is accepted, where the creation is known and allowed.
    accepted: Option<Baseline>,
    /// The last change of each kind that is not allowed.
    open: Vec<(Change, Deed)>,
    last: Option<Deed>,
}

/// Judges a mapping by its creation and by the updates since, oldest first, as policy is `now`.
pub fn judge(
    set: &PolicySet,
    now: Timestamp,
    mapping: &Snapshot,
    creation: Option<&Finding>,
    updates: &[Finding],
) -> Judgement {
    let created = creation.map(|finding| deed(set, now, finding.clone(), true));
    let accepted = created.as_ref().filter(|created| created.verdict.allowed);
    let mut since =
        Since { accepted: accepted.map(|created| as_created(&created.finding, mapping)), open: Vec::new(), last: None };
    for update in updates {
        since.take(set, now, mapping, update);
    }
    since.open.retain(|(change, _)| since.accepted.as_ref().is_none_or(|accepted| still(*change, mapping, accepted)));
    let open = since.open.iter().max_by_key(|(_, deed)| deed.finding.event.time).map(|(_, deed)| deed.clone());
    let verdict = match (&created, &open) {
        (Some(created), _) if !created.verdict.allowed => Some(created.verdict.clone()),
        (_, Some(open)) => Some(told_as_change(open, created.is_some())),
        (Some(created), None) => {
            let unexplained = since.accepted.as_ref().and_then(|accepted| unexplained(mapping, accepted));
            Some(unexplained.map_or_else(|| created.verdict.clone(), |why| asks(set, why)))
        }
        (None, None) => None,
    };
    Judgement { created, changed: open.or(since.last), verdict }
}

impl Since {
    fn take(&mut self, set: &PolicySet, now: Timestamp, mapping: &Snapshot, update: &Finding) {
        // What only restates what is accepted changes nothing, whoever says it.
        let Ok(change) = against(update.clone(), self.accepted.as_ref(), None) else { return };
        let deed = deed(set, now, change, self.accepted.is_some());
        let changes = deed.finding.changes.clone();
        self.open.retain(|(change, old)| !changes.contains(change) || !replaces(*change, &deed.finding, &old.finding));
        if deed.verdict.allowed {
            if let Some(before) = &self.accepted {
                self.accepted = Some(baseline::accepted(&deed.finding, Some(before), mapping));
            }
        } else {
            self.open.extend(changes.into_iter().map(|change| (change, deed.clone())));
        }
        self.last = Some(deed);
    }
}

/// Whether nothing is left of what an earlier change of the same kind did. Rewirings may be of different aspects.
fn replaces(change: Change, later: &Finding, earlier: &Finding) -> bool {
    let (later, earlier) = (&later.call, &earlier.call);
    if change != Change::Rewire {
        return true;
    }
    let (new, old) = (&later.wiring, &earlier.wiring);
    let named = [
        (old.filters.is_some(), new.filters.is_some()),
        (old.on_failure.is_some(), new.on_failure.is_some()),
        (old.on_success.is_some(), new.on_success.is_some()),
        (old.source_access.is_some(), new.source_access.is_some()),
    ];
    !earlier.withheld && !earlier.mentions.unreadable && named.iter().all(|(old, new)| !old || *new)
}

/// The record is CloudTrail's own. Cases and decisions are not looked at: no case is open, and nobody undid anything.
fn deed(set: &PolicySet, now: Timestamp, finding: Finding, baseline_known: bool) -> Deed {
    let facts = Facts {
        now,
        trigger: finding.trigger,
        confirmed: true,
        findings_by_actor: 1,
        wrong_of_last_ten: 0,
        case_open: false,
        baseline_known,
    };
    let verdict = set.judge(&finding, &facts);
    Deed { finding, verdict }
}

/// What a creation accepted. An aspect that the record carries with nothing in it, or does not show, is not known.
fn as_created(finding: &Finding, mapping: &Snapshot) -> Baseline {
    let mut accepted = baseline::accepted(finding, None, mapping);
    let MappingCall { wiring, mentions, withheld, .. } = &finding.call;
    if wiring.filters.is_none() && (mentions.filter || *withheld) {
        accepted.wiring.filters = None;
    }
    if wiring.on_failure.is_none() && (mentions.destination || *withheld) {
        accepted.wiring.on_failure = None;
    }
    if wiring.on_success.is_none() && (mentions.destination || *withheld) {
        accepted.wiring.on_success = None;
    }
    if wiring.source_access.is_none() && (mentions.source_access || *withheld) {
        accepted.wiring.source_access = None;
    }
    accepted
}

/// Whether a change that was not allowed is still there: the mapping is not as it was accepted, or that cannot be told.
fn still(change: Change, mapping: &Snapshot, accepted: &Baseline) -> bool {
    match change {
        Change::Create => true,
        Change::Repoint => !mapping.function.same_target(&accepted.function),
        Change::Enable => mapping.is_active() && !accepted.enabled,
        Change::Rewire => {
            let (is, was) = (&mapping.wiring, &accepted.wiring);
            let compared = [
                is.filters.is_some() && was.filters.is_some(),
                is.on_failure.is_some() && was.on_failure.is_some(),
                is.on_success.is_some() && was.on_success.is_some(),
                is.source_access.is_some() && was.source_access.is_some(),
            ];
            compared.contains(&false) || is.differs(was).any()
        }
    }
}

/// What the mapping is although no update that is known made it so.
fn unexplained(mapping: &Snapshot, accepted: &Baseline) -> Option<String> {
    let differs = mapping.wiring.differs(&accepted.wiring);
    let what = if !mapping.function.same_target(&accepted.function) {
        format!("it invokes {}, and what was allowed is {}", mapping.function, accepted.function)
    } else if differs.filter {
        "its filter is another than the one that was allowed".to_owned()
    } else if differs.destination {
        "what happens to its records after success or failure is not what was allowed".to_owned()
    } else if differs.source_access {
        "its access to the source is not what was allowed".to_owned()
    } else if mapping.is_active() && !accepted.enabled {
        "it is enabled, and was allowed disabled".to_owned()
    } else {
        return None;
    };
    Some(format!("{what}; CloudTrail's records, as far as they were read, do not tell who changed it"))
}

fn told_as_change(open: &Deed, created_allowed: bool) -> Verdict {
    let mut verdict = open.verdict.clone();
    let event = &open.finding.event;
    let before = if created_allowed { "its creation is allowed, but it" } else { "who made it is not known; it" };
    let told = format!("{before} was changed by {} {} at {}, which is not allowed", event.name, event.id, event.time);
    verdict.reasons.insert(0, told);
    verdict
}

fn asks(set: &PolicySet, why: String) -> Verdict {
    Verdict {
        allowed: false,
        response: Response::Ask,
        restrict: false,
        policies: Vec::new(),
        reasons: vec![why],
        errors: Vec::new(),
        policy_digest: set.digest().to_owned(),
    }
}

#[cfg(test)]
#[path = "judged_tests.rs"]
mod tests;

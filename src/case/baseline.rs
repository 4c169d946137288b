//! Which configuration of a mapping counts as accepted, after an allowed finding or a decision.

use super::{Case, State};
use crate::cloudtrail::Verb;
use crate::containment::StepKind;
use crate::detection::{Change, Finding, missed};
use crate::mapping::{Baseline, Snapshot, Wiring};
use jiff::{SignedDuration, Timestamp};

/// CloudTrail's times are whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What an allowed and verified finding makes of the baseline. Only what the event itself names is taken over: what
/// somebody else changed in between is not accepted along with it.
pub fn accepted(finding: &Finding, before: Option<&Baseline>, fresh: &Snapshot) -> Baseline {
    let call = &finding.call;
    let accepted_by = format!("event {} by {}", finding.event.id, finding.actor.principal_arn);
    let since = finding.event.time;
    match (call.verb, before) {
        (Verb::Create, _) => Baseline {
            function: call.function.clone(),
            source: fresh.source.clone(),
            enabled: call.enabled.unwrap_or(true),
            wiring: nothing_else(&call.wiring),
            since,
            accepted_by,
            found_at: None,
        },
        (Verb::Update, None) => {
            // `Updating` does not tell whether it is enabled; taken for enabled, it could be enabled unseen later.
            let enabled = call.enabled.unwrap_or(matches!(fresh.state.as_str(), "Enabled" | "Enabling"));
            // What was read holds every change until then, also one that came after this update.
            let found_at = until(fresh).map_or(since, |until| until.max(since));
            Baseline { enabled, found_at: Some(found_at), ..of(fresh, since, accepted_by) }
        }
        (Verb::Update, Some(before)) => Baseline {
            function: if finding.changes.contains(&Change::Repoint) { &call.function } else { &before.function }
                .clone(),
            source: before.source.clone(),
            enabled: call.enabled.unwrap_or(before.enabled),
            wiring: over(&call.wiring, &before.wiring),
            since,
            accepted_by,
            found_at: before.found_at,
        },
    }
}

/// The configuration as read, accepted as a whole.
pub fn of(snapshot: &Snapshot, since: Timestamp, accepted_by: String) -> Baseline {
    Baseline {
        function: snapshot.function.clone(),
        source: snapshot.source.clone(),
        enabled: snapshot.is_active(),
        wiring: snapshot.wiring.clone(),
        since,
        accepted_by,
        found_at: None,
    }
}

/// A mapping that nobody is known to have accepted: what later updates are compared with, and no more than that.
pub fn found(snapshot: &Snapshot, now: Timestamp) -> Baseline {
    let since = snapshot.last_modified.unwrap_or(now);
    let found_at = until(snapshot).unwrap_or(now);
    Baseline { found_at: Some(found_at), ..of(snapshot, since, format!("found by the sweep at {now}")) }
}

/// Events of up to then may be of what was read: their time is a whole second's, and that of the call's end.
fn until(snapshot: &Snapshot) -> Option<Timestamp> {
    snapshot.last_modified.map(|changed| changed.saturating_add(SECOND).unwrap_or(changed))
}

/// Whether the last case of a mapping left it disabled, to stay so, after what is accepted of it was accepted.
pub fn held_by(last: &Case, accepted: Option<&Baseline>) -> bool {
    last.stays_disabled() && is_newer(last, accepted)
}

fn is_newer(last: &Case, accepted: Option<&Baseline>) -> bool {
    accepted.is_none_or(|accepted| last.opened_at > accepted.since)
}

/// How a mapping stands to what the journal knows of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// As it is known.
    Same,
    /// The journal knows nothing of it.
    Unknown,
    /// Its open case disabled it, and it is active.
    Undone,
    /// People are asked about it, and it is wired otherwise than they were told, or awake.
    Strayed(Box<Baseline>),
    /// No case of it is open, and it is another than was known of it.
    Changed(Box<Baseline>, Vec<Change>),
}

/// Compares a mapping as read with what is accepted of it and with its last case.
pub fn standing(read: &Snapshot, accepted: Option<&Baseline>, last: Option<&Case>) -> Standing {
    if let Some(case) = last.filter(|case| case.state != State::Closed) {
        return in_case(read, case);
    }
    let held = last.is_some_and(|case| held_by(case, accepted));
    let accepted = accepted.map(|accepted| Baseline { enabled: accepted.enabled && !held, ..accepted.clone() });
    if accepted.as_ref().is_some_and(|accepted| missed(read, accepted).is_empty()) {
        return Standing::Same;
    }
    let left = last.filter(|case| is_newer(case, accepted.as_ref())).and_then(left_by);
    let Some(known) = left.or(accepted) else { return Standing::Unknown };
    match missed(read, &known) {
        changes if changes.is_empty() => Standing::Same,
        changes => Standing::Changed(Box::new(known), changes),
    }
}

fn in_case(read: &Snapshot, case: &Case) -> Standing {
    let busy = !matches!(case.state, State::AwaitingDecision | State::Stuck) || case.under_way().is_some();
    if busy || !case.acts() {
        return Standing::Same;
    }
    if case.in_force(StepKind::DisableMapping) && read.is_active() {
        return Standing::Undone;
    }
    let woke = read.is_active() && case.latest().is_some_and(|shown| !shown.is_active());
    match left_by(case) {
        Some(shown) if woke || !same_wiring(read, &shown) => Standing::Strayed(Box::new(shown)),
        _ => Standing::Same,
    }
}

fn same_wiring(read: &Snapshot, shown: &Baseline) -> bool {
    read.function.same_target(&shown.function) && !read.wiring.differs(&shown.wiring).any()
}

/// What a case last read.
fn left_by(case: &Case) -> Option<Baseline> {
    let read = case.latest()?;
    let left = of(read, case.opened_at, format!("case {}", case.id));
    Some(Baseline { enabled: left.enabled && !case.stays_disabled(), ..left })
}

/// A create names all that the mapping has: the rest is empty.
fn nothing_else(named: &Wiring) -> Wiring {
    let nothing = Wiring {
        filters: Some(Vec::new()),
        on_failure: Some(String::new()),
        on_success: Some(String::new()),
        source_access: Some(Vec::new()),
    };
    over(named, &nothing)
}

fn over(named: &Wiring, before: &Wiring) -> Wiring {
    Wiring {
        filters: named.filters.clone().or_else(|| before.filters.clone()),
        on_failure: named.on_failure.clone().or_else(|| before.on_failure.clone()),
        on_success: named.on_success.clone().or_else(|| before.on_success.clone()),
        source_access: named.source_access.clone().or_else(|| before.source_access.clone()),
    }
}

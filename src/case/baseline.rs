//! Which configuration of a mapping counts as accepted, after an allowed finding or a decision.

use crate::cloudtrail::Verb;
use crate::detection::{Change, Finding};
use crate::mapping::{Baseline, Snapshot, Wiring};
use jiff::Timestamp;

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
            Baseline { enabled, found_at: Some(since), ..of(fresh, since, accepted_by) }
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

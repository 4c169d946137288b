//! What of all that an update names is a change.

use super::inspect::{name_of, named_something};
use super::{Change, Finding, Ignored, enabled, repointed, rewired};
use crate::cloudtrail::Verb;
use crate::mapping::{Baseline, Snapshot};

/// Keeps of an update what changes the mapping's accepted configuration. What it names is a change where its own value
/// differs from the baseline, or where the mapping as read does; what only restates the baseline is dropped, and a
/// finding of which nothing is left is ignored. Without a baseline everything that is named stays.
///
/// Not to be asked for a mapping whose case is open: there, to enable it as the baseline says undoes the containment.
pub fn against(
    mut finding: Finding,
    baseline: Option<&Baseline>,
    fresh: Option<&Snapshot>,
) -> Result<Finding, Ignored> {
    let call = &finding.call;
    let Some(baseline) = baseline.filter(|_| call.verb == Verb::Update) else {
        return named_something(finding);
    };
    // Two answers to one question: whatever was named cannot be shown to be a restatement.
    if !call.disagrees.is_empty() {
        return named_something(finding);
    }
    let latent = finding.changes.is_empty();
    let has = |change: Change| finding.changes.contains(&change);
    let detections = [
        (Change::Repoint, has(Change::Repoint) && repointed::changed(call, baseline, fresh)),
        // Not only where wiring is named: a key with nothing in it may have cleared something.
        (Change::Rewire, rewired::changed(call, baseline, fresh)),
        (Change::Enable, has(Change::Enable) && enabled::changed(call, baseline, fresh)),
    ];
    let changed = detections.into_iter().filter(|(_, changed)| *changed);
    finding.changes = changed.map(|(change, _)| change).collect();
    finding.detection = name_of(&finding.changes);
    if finding.changes.is_empty() && !latent {
        return Err(Ignored("restates the mapping's accepted configuration".to_owned()));
    }
    named_something(finding)
}

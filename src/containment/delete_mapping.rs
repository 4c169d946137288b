//! `delete_mapping`: what a disable keeps is lost with it, so it takes an approval, and a snapshot first.

use super::{Call, Prior};
use crate::mapping::{Baseline, MappingKey};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "the UUID and the position in a stream cannot come back: a restore makes a new \
    mapping of the same configuration, which begins where its starting position says";

pub(super) fn call(mapping: &MappingKey) -> Call {
    Call::DeleteEventSourceMapping { mapping: mapping.clone() }
}

/// A mapping of the same configuration, enabled as `was_active` says; function and wiring by the baseline where there is
/// one, so that what an attacker repointed is never put back to where they pointed it.
pub(super) fn undo(prior: &Prior, baseline: Option<&Baseline>, was_active: bool, done: &Call) -> Option<Call> {
    let (Prior::Mapping { snapshot, tags }, Call::DeleteEventSourceMapping { mapping }) = (prior, done) else {
        return None;
    };
    let (function, wiring) =
        baseline.map_or((&snapshot.function, &snapshot.wiring), |accepted| (&accepted.function, &accepted.wiring));
    Some(Call::CreateEventSourceMapping {
        account: mapping.account.clone(),
        region: mapping.region.clone(),
        deleted: mapping.uuid.clone(),
        function_arn: function.arn.clone(),
        source: snapshot.source.clone(),
        wiring: wiring.clone(),
        enabled: baseline.map_or(was_active, |accepted| accepted.enabled),
        tags: tags.clone(),
        like: snapshot.whole.clone(),
    })
}

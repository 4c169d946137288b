//! `disable_mapping`: stop the mapping, keep everything about it.

use super::{Call, MappingChange, Prior};
use crate::mapping::{Baseline, FunctionRef, MappingKey, Snapshot, Wiring};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "records wait in the source while the mapping is disabled; streams drop them \
    after their retention; a batch in flight is finished first";

pub(super) fn call(mapping: &MappingKey) -> Call {
    let change = MappingChange { enabled: Some(false), ..MappingChange::default() };
    Call::UpdateEventSourceMapping { mapping: mapping.clone(), change }
}

/// Back to the baseline, or to the mapping as it was first read: enabled or not, function and wiring. A repoint is thus
/// never put back to where the attacker pointed it. `Enabled` is always given; the rest only where `now` differs.
pub(super) fn undo(prior: &Prior, baseline: Option<&Baseline>, now: Option<&Snapshot>, done: &Call) -> Option<Call> {
    let (Prior::Mapping { snapshot, .. }, Call::UpdateEventSourceMapping { mapping, .. }) = (prior, done) else {
        return None;
    };
    let (function, wiring, enabled): (&FunctionRef, &Wiring, bool) = baseline.map_or_else(
        || (&snapshot.function, &snapshot.wiring, snapshot.is_active()),
        |accepted| (&accepted.function, &accepted.wiring, accepted.enabled),
    );
    let now = now.unwrap_or(snapshot);
    let change = MappingChange {
        enabled: Some(enabled),
        function_arn: (function.arn != now.function.arn).then(|| function.arn.clone()),
        wiring: wiring.where_other_than(&now.wiring),
    };
    Some(Call::UpdateEventSourceMapping { mapping: mapping.clone(), change })
}

//! `mapping-enabled`: an update enabled a mapping. `enabled: false` alone is none: it only stops something.

use crate::cloudtrail::{MappingCall, Verb};
use crate::mapping::{Baseline, Snapshot};

/// Whether the call enables the mapping, or may.
pub(super) fn named(call: &MappingCall) -> bool {
    call.verb == Verb::Update && (call.enabled == Some(true) || call.withheld)
}

/// Whether that was a change.
pub(super) fn changed(call: &MappingCall, baseline: &Baseline, fresh: Option<&Snapshot>) -> bool {
    if call.withheld {
        return !baseline.enabled && fresh.is_none_or(Snapshot::is_active);
    }
    // Enabled before, told to be enabled, and yet it is not: it went through a state that nobody accepted.
    !baseline.enabled || fresh.is_some_and(|fresh| !fresh.is_active())
}

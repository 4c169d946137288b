//! `mapping-repointed`: an update pointed a mapping at another function, alias or version. Its UUID, its source and the
//! producers of its records do not notice.

use crate::cloudtrail::{MappingCall, Verb};
use crate::mapping::{Baseline, FunctionRef, Snapshot};

/// Whether the call names a function, or may.
pub(super) fn named(call: &MappingCall) -> bool {
    call.verb == Verb::Update && (call.names_function || call.withheld)
}

/// Whether that was a change.
pub(super) fn changed(call: &MappingCall, baseline: &Baseline, fresh: Option<&Snapshot>) -> bool {
    let other = |function: &FunctionRef| !function.same_target(&baseline.function);
    let known = call.function.is_known();
    (known && other(&call.function)) || fresh.map_or(!known, |fresh| other(&fresh.function))
}

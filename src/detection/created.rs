//! `mapping-created`: a mapping was made. One made disabled is dormant, not harmless: an update wakes it later.

use crate::cloudtrail::{MappingCall, Verb};

/// Whether the call made a mapping.
pub(super) fn named(call: &MappingCall) -> bool {
    call.verb == Verb::Create
}

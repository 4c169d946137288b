//! `quarantine_principal`: the tag on which a service control policy denies everything. The only form that survives an
//! attacker with rights in IAM; it does nothing where that policy is not installed.

use super::{Call, Prior};

/// The tag that the service control policy looks at.
pub const TAG: &str = "sluicegate-quarantine";
/// The tag that tells whose quarantine it is.
pub const CASE_TAG: &str = "sluicegate-case";

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "everything that runs as this user or role stops, in every session, until it is \
    lifted; nothing happens where the service control policy is not installed";

/// Gives each tag the value that it had, or takes it off.
pub(super) fn undo(prior: &Prior, done: &Call) -> Option<Call> {
    let (Prior::Tags { tags: before }, Call::Tag { principal, tags }) = (prior, done) else {
        return None;
    };
    let was = |key: &String| before.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let tags = tags.iter().map(|(key, value)| (key.clone(), value.clone(), was(key))).collect();
    Some(Call::Untag { principal: principal.clone(), tags })
}

//! `cap_principal`: the deny-all managed policy attached. It needs the fewest rights, and stops the whole principal.

use super::{Call, Prior};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "everything that runs as this user or role stops, in every session, until it is \
    lifted; it takes one of the ten places for managed policies";

/// Detaches what was attached; `None` where it was attached before.
pub(super) fn undo(prior: &Prior, done: &Call) -> Option<Call> {
    let (Prior::Attached { policies }, Call::AttachPolicy { principal, policy_arn }) = (prior, done) else {
        return None;
    };
    (!policies.contains(policy_arn))
        .then(|| Call::DetachPolicy { principal: principal.clone(), policy_arn: policy_arn.clone() })
}

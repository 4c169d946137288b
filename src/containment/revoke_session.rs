//! `revoke_session`: an inline policy on the role that denies everything to the session that made the call.

use super::{Call, Prior};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "every session of that name is denied, whoever uses it; whoever may assume the \
    role can begin a session of another name";

/// Takes off exactly what was put on.
pub(super) fn undo(prior: &Prior, done: &Call) -> Option<Call> {
    let (Prior::Policy { .. }, Call::PutPolicy { principal, name, deny }) = (prior, done) else {
        return None;
    };
    Some(Call::DeletePolicy { principal: principal.clone(), name: name.clone(), deny: deny.clone() })
}

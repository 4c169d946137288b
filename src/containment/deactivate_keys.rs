//! `deactivate_keys`: a user's access keys, after everything has been denied to the user: sessions that were issued with
//! the keys outlive them.

use super::{Call, Prior};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "whatever uses these keys stops, and goes on when they are active again";

/// Makes those active again that were.
pub(super) fn undo(prior: &Prior, done: &Call) -> Option<Call> {
    let (Prior::AccessKeys { keys }, Call::SetAccessKeys { principal, keys: done, active: false }) = (prior, done)
    else {
        return None;
    };
    let were: Vec<String> =
        keys.iter().filter(|key| key.active && done.contains(&key.id)).map(|key| key.id.clone()).collect();
    Some(Call::SetAccessKeys { principal: principal.clone(), keys: were, active: true })
}

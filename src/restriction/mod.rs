//! Restricting credentials: which principal stands behind a call, what form of denial holds for its kind, how far that
//! reaches, and what is handed to people instead. Pure: IAM is asked and changed by the responder, through the ports.

mod before;
mod by_hand;
mod by_itself;
mod deny;
mod form;
mod offer;
mod principal;
mod reach;
mod signs;
mod stream;
mod strength;
mod target;
mod trust;

pub use before::before;
pub use by_hand::{another, blocked, gone, protected};
pub use by_itself::PolicyGrant;
pub use deny::{Cutoff, Deny};
pub use form::{DENY_ALL, Form, Means, Mode, Standing, Wanted};
pub use offer::{Offer, OfferedStep, Strength, Whose};
pub use principal::{AccessKey, Principal, PrincipalType};
pub use signs::{Sign, signs};
pub use stream::{Effect, Misplaced, Restriction, RestrictionEvent, RestrictionId, RestrictionState};
pub use strength::{ELSEWHERE, by as strength_by};
pub use target::{ByHand, Ours, PROTECTED_TAG, Target, caller, execution};
pub use trust::Assumers;

/// That a principal is protected by its own tag.
pub fn is_protected_by_tag(tags: &[(String, String)]) -> bool {
    tags.iter().any(|(key, value)| key == PROTECTED_TAG && value != "false")
}

//! Restricting credentials: which principal stands behind a call, what form of denial holds for its kind, how far that
//! reaches, and what is handed to people instead. Pure: IAM is asked and changed by the responder, through the ports.

mod deny;
mod offer;
mod principal;
mod stream;

pub use deny::{Cutoff, Deny};
pub use offer::{Offer, OfferedStep, Strength, Whose};
pub use principal::{AccessKey, Principal, PrincipalType};
pub use stream::{Effect, Misplaced, Restriction, RestrictionEvent, RestrictionId, RestrictionState};

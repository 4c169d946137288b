//! CloudTrail: any accepted shape of input → typed records with an actor and, for mapping calls, the call.
//!
//! Everything here is pure, and nothing that arrives makes it panic: what cannot be read becomes a [`Damage`].

mod actor;
mod call;
mod record;
mod shapes;

pub use actor::{Actor, PrincipalKind};
pub use call::{MappingCall, Verb};
pub use record::{Envelope, Record};
pub use shapes::{Damage, Input, read};

//! CloudTrail: any accepted shape of input → typed records with an actor and, for mapping calls, the call.
//!
//! Everything here is pure, and nothing that arrives makes it panic: what cannot be read becomes a [`Damage`].

mod actor;
mod call;
mod document;
mod entity;
mod fast;
mod identity;
mod json;
mod record;
mod request;
mod shapes;
mod time;

pub use actor::{Actor, PrincipalKind};
pub use call::{Asked, MappingCall, Mentions, Verb};
pub use fast::cannot_matter;
pub(crate) use record::LAMBDA;
pub use record::{Envelope, Record};
pub(crate) use request::verb_of;
pub use shapes::{Damage, Input, MAX_RAW_BYTES, each, is_blank, read};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod properties;

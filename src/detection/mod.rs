//! Detections: a record → a [`Finding`], or why it is none.
//!
//! [`inspect`] judges by what the record says alone. An update *names* things whether or not it changes them, so
//! [`against`] then takes the mapping's baseline and a fresh read, and keeps what is a change. Before sluicegate acts by
//! itself, [`provenance`] asks whether the mapping as read is what the event says.
//!
//! What a genuine record always has and this one lacks never hides it: without `eventTime` a finding is of 1970, and
//! without `eventID` it has a derived id, so that neither passes [`provenance`].

mod baseline;
mod created;
mod enabled;
mod finding;
mod inspect;
mod missed;
mod provenance;
mod repointed;
mod rewired;

pub use baseline::against;
pub use finding::{Change, Detection, Event, Finding, Ignored, Trigger};
pub use inspect::{inspect, latent};
pub use missed::{explained, missed, unattributed, untouched_since};
pub use provenance::{provenance, still_so};

#[cfg(test)]
mod tests;

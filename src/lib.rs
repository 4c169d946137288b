//! sluicegate closes rogue AWS Lambda event source mappings within seconds, and a person decides the rest.
//!
//! The modules stand in the order in which an event flows through them.

pub mod mapping;

pub mod cloudtrail;
pub mod detection;
pub mod policy;

pub mod containment;

pub mod case;

pub mod ports;

pub mod journal;

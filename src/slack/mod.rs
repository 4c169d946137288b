//! Slack: how a case looks there.

pub mod card;

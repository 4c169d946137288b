//! What people see in Slack: every state of a case, with ordinary and with hostile names.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod hostile;
mod limits;
mod renderings;
mod snapshots;
mod stories;
mod story;

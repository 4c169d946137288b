//! Slack's adapter and the card reconciler, against a double that holds Slack's rules; the journal is a real one.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod cards;
mod clicks;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod digest;
mod faults;
mod sockets;
mod stage;

//! Crashes and faults: whatever happens between two lines, the end is the same.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../common/chat.rs"]
mod chat;
mod clicks;
#[path = "../common/mod.rs"]
mod common;
mod decisions;
mod deleting;
#[path = "../common/fake.rs"]
mod fake;
#[path = "../common/fake_iam.rs"]
mod fake_iam;
mod faults;
mod judging;
mod prefixes;
mod restrict;
mod review;
mod sweep;
mod timers;

//! Crashes and faults: whatever happens between two lines, the end is the same.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/fake.rs"]
mod fake;
mod decisions;
mod faults;
mod judging;
mod prefixes;

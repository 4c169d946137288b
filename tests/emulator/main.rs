//! The real binary, against the emulated account, with real clients on both sides.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod containment;
mod decisions;
mod elsewhere;
mod evidence;
mod faults;
mod guardrail;
mod kills;
mod learn;
mod objects;
mod replay;
mod restrict;
mod running;
mod scan;
mod slack;
mod stage;
mod sweep;

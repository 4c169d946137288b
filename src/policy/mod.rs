//! Policy: the allowlist, the rules and the inventory, and the three questions they answer.

mod verdict;

pub use verdict::{ApproveAction, Facts, Permission, Person, Problem, Response, Severity, Verdict};

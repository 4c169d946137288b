//! Policy: the allowlist, the rules and the inventory, and the three questions they answer.
//!
//! [`PolicySet::load`] takes the texts of the files and answers with a set or with everything that is wrong.
//! [`PolicySet::judge`] answers the first two questions of a finding: may this actor do it, and what does sluicegate
//! do by itself where not. [`PolicySet::person`] and [`PolicySet::may`] answer the third: may this person decide it.
//!
//! The allowlist is matched here, the rules by Cedar. Cedar leaves out a rule that errs; here an error is never a yes.

mod allowlist;
mod cases;
mod files;
mod glob;
mod inventory;
mod judge;
mod names;
mod people;
mod principal;
mod request;
mod respond;
mod rules;
mod set;
mod suggest;
mod toml_doc;
mod verdict;

pub(crate) use allowlist::Entry;
pub use cases::{CaseResult, Difference, run_cases};
pub use files::{PolicyFiles, SourceFile};
pub(crate) use glob::Glob;
pub(crate) use names::{change_word, source_kind_word};
pub(crate) use principal::is_principal;
pub use set::{Loaded, PolicyName, PolicySet};
pub use verdict::{ApproveAction, Facts, Permission, Person, Problem, Response, Severity, Verdict};

#[cfg(test)]
mod fixtures;

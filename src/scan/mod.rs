//! `scan`: the mappings that exist now, judged, and what about them smells.
//!
//! CloudTrail's records are gathered in a [`Trace`], by which [`judge`] tells who made each mapping, who changed it
//! since, and whether policy allows it as it stands. [`smells`] then looks at the mapping itself. A [`Report`] holds all
//! of it, and what could not be looked at.
//!
//! The policies that are in force now judge what exists now: an allowlist entry that has run out does not cover a
//! mapping that was made while it counted.

mod births;
mod filter;
mod judged;
mod page;
mod report;
mod smells;
mod tags;
mod trace;
mod view;

pub use births::{Births, SOON, windows};
pub use filter::Filtering;
pub use judged::{Deed, Judgement, judge};
pub use page::page;
pub use report::{Missing, Report, Scanned, Standing, Summary};
pub use smells::{About, Smell, smells};
pub use tags::{Tags, says_sensitive};
pub use trace::{Attribution, LOOKS_BACK, Trace, changed_after};
pub use view::{missing_line, scanned_line};

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "account {}, region {}", self.account, self.region)
    }
}

#[cfg(test)]
pub(crate) mod fixtures;

//! `ready`: what observe mode and history say about switching `enforce` on.
//!
//! The cases of the journal carry people's labels; the archive tells how much there would be to do. Both are told by
//! segment, which is a group of accounts and a kind of source, and judged once more by the policies as they are now: a
//! wrong case that is allowed since would not be made again. It only ever recommends.

mod advice;
mod seen;
mod segment;
mod wilson;

pub use advice::{Advice, Recommendation, first_rule};
pub use seen::{Label, Seen};
pub use segment::{CardsPerWeek, MostBy, Report, Segment, Summary, WrongCause};
pub use wilson::{Precision, at_least, labels_missing};

/// The lower bound of the precision from which on a segment is recommended: of five containments four are right at
/// least, with the certainty of the bound.
pub const ENOUGH: f64 = 0.8;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

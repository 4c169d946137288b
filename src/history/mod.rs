//! Findings of the past, judged as they would have been: what `backtest` tells, and what `learn`, `guardrail` and
//! `ready` rest on.
//!
//! [`Timeline`] judges along the time; [`Backtest`] does so and counts what comes of it, in bounded memory however many
//! findings there are.

mod backtest;
mod capped;
mod changes;
mod kept;
mod periods;
mod tally;
mod timeline;
mod usage;

pub use backtest::{Backtest, Limits, Opinion};
pub use capped::Capped;
pub use changes::{Changed, Changes, Outcome};
pub use kept::Kept;
pub use periods::{Bucket, Period, buckets};
pub use tally::{Count, PrincipalCount, Tally};
pub use timeline::{Judged, Timeline, is_allowed_at};
pub use usage::{EntryUse, Expiry, Usage};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

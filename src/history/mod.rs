//! Findings of the past, judged as they would have been: what `backtest` tells, and what `learn`, `guardrail` and
//! `ready` rest on.

mod timeline;

pub use timeline::{Judged, Timeline};

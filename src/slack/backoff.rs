//! How long to wait before Slack is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
/// The longest wait that Slack did not ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// Doubling from 250 ms to 15 s by the number of failures so far, with jitter: between half of it and all of it.
pub(super) fn backoff(failures: u32) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST);
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}

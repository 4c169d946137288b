//! How long to wait before a call is repeated.

use crate::ports::CallError;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// `Retry-After` is honoured, but a value beyond this is taken for a mistake.
const LONGEST_TOLD: Duration = Duration::from_mins(2);

/// Doubling from 200 ms to 10 s by the number of tries so far, with jitter: between half of it and all of it.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let full = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST);
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// The wait after `error` on try number `attempt`: what AWS told, else [`backoff`].
pub(crate) fn wait_after(error: &CallError, attempt: u32) -> Duration {
    let usual = backoff(attempt);
    match error {
        CallError::Throttled { retry_after: Some(told), .. } => {
            // Jitter on top: all who were told the same must not come back at once.
            (*told).min(LONGEST_TOLD) + FIRST.mul_f64(fastrand::f64())
        }
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_bounded_and_never_overflow() {
        for attempt in [0, 1, 2, 5, 10, 100, u32::MAX] {
            let wait = backoff(attempt);
            assert!(wait >= FIRST / 2 && wait <= LONGEST, "{attempt}: {wait:?}");
        }
        assert!(backoff(9) > backoff(1));
    }

    #[test]
    fn what_aws_tells_is_honoured_within_reason() {
        let told = |secs| CallError::Throttled {
            retry_after: Some(Duration::from_secs(secs)),
            message: String::new(),
            request_id: None,
        };
        assert!(wait_after(&told(7), 1) >= Duration::from_secs(7));
        assert!(wait_after(&told(7), 1) < Duration::from_secs(8));
        assert!(wait_after(&told(1_000_000), 1) <= LONGEST_TOLD + FIRST);
    }
}

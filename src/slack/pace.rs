//! Slack's pace: about one message a second into a channel, and what it tells about waiting. Nothing but calls to Slack
//! ever waits here, and none of them long: who would have to is told to come again.

use crate::ports::ChatError;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call waits for its turn at most.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many turns in a row may be taken at once.
const BURST: u32 = 3;
/// Jitter on top of what Slack tells, so that not all come back at once.
const JITTER: Duration = Duration::from_millis(250);

/// Turns, by method and channel.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    turns: Mutex<HashMap<(&'static str, String), Turns>>,
}

#[derive(Debug, Clone, Copy)]
struct Turns {
    /// When all turns taken so far would have been due at an even pace.
    taken_until: Instant,
    /// Slack wants nothing before this.
    closed_until: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Duration::from_millis(1_050))
    }
}

impl Pace {
    /// One turn in `every`, for each method and channel.
    pub fn new(every: Duration) -> Self {
        Self { every, turns: Mutex::default() }
    }

    /// Waits for a turn; an error that says when to come again where that would take too long.
    pub(super) async fn turn(&self, method: &'static str, channel: &str) -> Result<(), ChatError> {
        let now = Instant::now();
        let wait = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let of = turns.entry((method, channel.to_owned())).or_insert(Turns { taken_until: now, closed_until: now });
            let taken = of.taken_until.max(now);
            let due = taken.checked_sub(self.every * (BURST - 1)).unwrap_or(now);
            let wait = due.max(of.closed_until).saturating_duration_since(now);
            if wait > PATIENCE {
                let message = format!("{method} in this channel is at its limit");
                return Err(ChatError::Later { retry_after: Some(wait), message });
            }
            of.taken_until = taken + self.every;
            wait
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Slack told to wait.
    pub(super) fn close(&self, method: &'static str, channel: &str, wait: Duration) {
        let now = Instant::now();
        let until = now + wait + JITTER.mul_f64(fastrand::f64());
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let of = turns.entry((method, channel.to_owned())).or_insert(Turns { taken_until: now, closed_until: now });
        of.closed_until = of.closed_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn a_few_at_once_then_one_at_a_time() {
        let pace = Pace::new(Duration::from_millis(100));
        let began = Instant::now();
        let mut at = Vec::new();
        for _ in 0..6 {
            pace.turn("post", "C1").await.unwrap();
            at.push(began.elapsed().as_millis());
        }
        assert!(at[3] >= 99 && at[5] >= 299, "{at:?}");
        // Another channel, and another method, have turns of their own.
        let began = Instant::now();
        for _ in 0..BURST {
            pace.turn("post", "C2").await.unwrap();
            pace.turn("update", "C1").await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_millis(90));
    }

    #[tokio::test]
    async fn what_slack_tells_is_kept_to_and_nobody_waits_long() {
        let pace = Pace::new(Duration::from_millis(10));
        pace.close("post", "C1", Duration::from_secs(30));
        let Err(ChatError::Later { retry_after: Some(wait), .. }) = pace.turn("post", "C1").await else {
            unreachable!("it must not wait for half a minute")
        };
        assert!(wait > Duration::from_secs(29) && wait < Duration::from_secs(31));
        pace.turn("post", "C2").await.unwrap();
        pace.close("post", "C3", Duration::from_millis(100));
        let began = Instant::now();
        pace.turn("post", "C3").await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(100));
    }
}

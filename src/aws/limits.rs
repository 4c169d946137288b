//! Lambda's control plane gives all callers of an account and region together 15 requests a second. This keeps ours
//! below a share of that, so that others, and people, are still served.
//! <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// Limits by account and region.
type All = HashMap<(String, String), Arc<DefaultDirectRateLimiter>>;

/// One limit for each account and region. Clones share them.
#[derive(Debug, Clone)]
pub struct Limits {
    quota: Quota,
    all: Arc<Mutex<All>>,
}

impl Limits {
    /// So many calls a second in each account and region.
    pub fn new(calls_per_second: NonZeroU32) -> Self {
        Self { quota: Quota::per_second(calls_per_second), all: Arc::default() }
    }

    /// Waits for a place.
    pub(super) async fn wait(&self, account: &str, region: &str) {
        let limiter = {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry((account.to_owned(), region.to_owned()))
                .or_insert_with(|| Arc::new(RateLimiter::direct(self.quota)))
                .clone()
        };
        limiter.until_ready().await;
    }
}

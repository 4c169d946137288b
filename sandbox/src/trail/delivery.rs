//! From the trail to the queue that the rule feeds: in order, at once, and nothing lost; unless told otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Trail;

/// What is done to deliveries, as `EventBridge` may do it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFaults {
    /// How often each event is delivered.
    pub copies: u32,
    /// How many milliseconds each event is late.
    pub delay_ms: u64,
    /// So many events are gathered and then delivered last first; 0 and 1 leave the order alone.
    pub reorder: usize,
    /// Events are kept back until `release`.
    pub withhold: bool,
}

impl Default for DeliveryFaults {
    fn default() -> Self {
        Self { copies: 1, delay_ms: 0, reorder: 0, withhold: false }
    }
}

/// What waits for the delivery task; without a body it only has the task look at what it has gathered.
pub(super) struct Parcel {
    pub(super) body: Option<String>,
    pub(super) due: Instant,
}

/// Counts what is under way, so that a test can wait for it.
#[derive(Debug, Default)]
pub(super) struct Pending(AtomicUsize);

impl Pending {
    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::SeqCst);
    }

    pub(super) fn done(&self, count: usize) {
        self.0.fetch_sub(count, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Delivers one event after the other, for as long as the sandbox lives.
pub(super) async fn deliver(trail: Arc<Trail>, mut parcels: mpsc::UnboundedReceiver<Parcel>) {
    let mut gathered = Vec::new();
    while let Some(parcel) = parcels.recv().await {
        tokio::time::sleep_until(parcel.due).await;
        gathered.extend(parcel.body);
        let faults = trail.delivery_faults();
        if gathered.len() < faults.reorder {
            continue;
        }
        let bodies = std::mem::take(&mut gathered);
        let count = bodies.len();
        let reordered: Vec<String> = if faults.reorder > 1 { bodies.into_iter().rev().collect() } else { bodies };
        for body in reordered {
            if faults.withhold {
                trail.withhold(body);
                continue;
            }
            for _ in 0..faults.copies {
                send(&trail, &body).await;
            }
        }
        trail.pending.done(count);
    }
}

/// Sends until it is taken, or the queue is no longer wanted.
pub(super) async fn send(trail: &Trail, body: &str) {
    for queue in trail.queues() {
        while let Err(error) = trail.upstream.send_message(&queue, body).await {
            tracing::warn!(%queue, %error, "an event could not be delivered; trying again");
            tokio::time::sleep(Duration::from_millis(200)).await;
            if !trail.queues().contains(&queue) {
                break;
            }
        }
    }
}

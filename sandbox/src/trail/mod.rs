//! `CloudTrail` and the `EventBridge` rule: what was called is recorded, delivered to a queue, and can be looked up.

mod delivery;
mod identity;
mod lookup;
mod record;
mod spelling;
mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use delivery::DeliveryFaults;
use delivery::{Parcel, Pending};
use identity::Identities;
pub(crate) use record::{Circumstances, event_name};

use crate::upstream::Upstream;
use crate::wire::{Operation, Reply};

/// The trail of everything that is called through the sandbox.
#[derive(Debug)]
pub struct Trail {
    state: Mutex<State>,
    parcels: mpsc::UnboundedSender<Parcel>,
    pub(crate) identities: Identities,
    pub(crate) upstream: Arc<Upstream>,
    pending: Pending,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Value>,
    queues: Vec<String>,
    faults: DeliveryFaults,
    withheld: Vec<String>,
    lookup_delay: Duration,
}

impl Trail {
    /// Starts the delivery task on the current runtime.
    pub(crate) fn start(upstream: Arc<Upstream>) -> Arc<Self> {
        let (parcels, received) = mpsc::unbounded_channel();
        let trail = Arc::new(Self {
            state: Mutex::default(),
            parcels,
            identities: Identities::default(),
            upstream,
            pending: Pending::default(),
        });
        tokio::spawn(delivery::deliver(Arc::clone(&trail), received));
        trail
    }

    /// Has the rule feed this queue, beside those that it feeds already.
    pub fn deliver_to(&self, queue_url: &str) {
        self.state().queues.push(queue_url.to_owned());
    }

    /// Has the rule feed no queue any more.
    pub fn stop_delivering(&self) {
        self.state().queues.clear();
    }

    /// What is done to deliveries from now on.
    pub fn set_delivery_faults(&self, faults: DeliveryFaults) {
        self.state().faults = faults;
        // What was gathered for another order may be due now. The task lives as long as the sandbox.
        let _ = self.parcels.send(Parcel { body: None, due: Instant::now() });
    }

    /// What is being done to deliveries.
    pub fn delivery_faults(&self) -> DeliveryFaults {
        self.state().faults.clone()
    }

    /// Ends the withholding and delivers what was withheld.
    pub async fn release(&self) {
        let withheld = {
            let mut state = self.state();
            state.faults.withhold = false;
            std::mem::take(&mut state.withheld)
        };
        for body in withheld {
            delivery::send(self, &body).await;
        }
    }

    /// Puts a message into the queue past the trail, as someone who may write to it can: it is in no trail.
    pub async fn inject(&self, body: &str) {
        delivery::send(self, body).await;
    }

    /// Waits until everything that was recorded so far is in the queue, or withheld.
    pub async fn delivered(&self) {
        while self.pending.count() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Every record so far, oldest first, as `CloudTrail` writes them.
    pub fn records(&self) -> Vec<Value> {
        self.state().records.clone()
    }

    /// Forgets every record so far, as `LookupEvents` does after ninety days.
    pub fn forget(&self) {
        self.state().records.clear();
    }

    /// How long a call stays unknown to `LookupEvents`.
    pub fn set_lookup_delay(&self, delay: Duration) {
        self.state().lookup_delay = delay;
    }

    /// From now on, calls with this key are recorded as made by a service for the key's owner (`invokedBy`).
    pub fn used_by_service(&self, access_key_id: &str, service: &str) {
        self.identities.used_by_service(access_key_id, service);
    }

    /// Records a call that was answered, and delivers it if the rule matches.
    pub(crate) fn write(&self, operation: &Operation, reply: &Reply, seen: &Circumstances<'_>) {
        let Some(record) = record::record(operation, reply, seen) else {
            return;
        };
        let name = record.get("eventName").and_then(Value::as_str).unwrap_or_default();
        let matches = ["CreateEventSourceMapping", "UpdateEventSourceMapping"].iter().any(|one| name.starts_with(one));
        let body = matches.then(|| record::envelope(&record).to_string());
        // Recorded and sent under one lock: the queue's order is the trail's.
        let mut state = self.state();
        state.records.push(record);
        if let Some(body) = body {
            self.pending.add(1);
            let due = Instant::now() + Duration::from_millis(state.faults.delay_ms);
            if self.parcels.send(Parcel { body: Some(body), due }).is_err() {
                tracing::error!("the delivery task is gone");
            }
        }
    }

    /// Answers `LookupEvents` for an account and region.
    pub(crate) fn look_up(&self, account: &str, region: &str, request: &Value) -> Value {
        let state = self.state();
        lookup::page(&state.records, state.lookup_delay, account, region, request)
    }

    fn withhold(&self, body: String) {
        self.state().withheld.push(body);
    }

    fn queues(&self) -> Vec<String> {
        self.state().queues.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Events from an SQS queue that an EventBridge rule feeds.
//!
//! A message is deleted only when all in it is settled or durable. While it is worked on, its visibility is extended; a
//! message that cannot be read is left to the queue's redrive; one that must come again is given back after a while.

use crate::ports::CallError;
use crate::responder::{Disposition, Responder};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Seconds that a message is ours before others see it again.
const VISIBILITY: i32 = 60;
/// How often that is renewed while work goes on.
const RENEW: Duration = Duration::from_secs(20);
/// Seconds after which a message that must come again is seen again.
const COMES_AGAIN: i32 = 5;

/// What to listen to, and how much at once.
#[derive(Debug, Clone)]
pub struct SqsSettings {
    /// The queue.
    pub queue_url: String,
    /// How many receive calls wait side by side.
    pub receivers: usize,
    /// How many messages are worked on at once.
    pub in_flight: usize,
}

/// Whether events can come in. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    last_answer: Arc<AtomicI64>,
    last_error: Arc<Mutex<Option<String>>>,
}

impl Health {
    fn answered(&self) {
        self.last_answer.store(Timestamp::now().as_second(), Ordering::Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failed(&self, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Whether the queue answered within the last minute; why not, else.
    pub fn check(&self) -> Result<(), String> {
        let error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = Timestamp::now().as_second() - self.last_answer.load(Ordering::Relaxed);
        match error {
            Some(error) => Err(format!("the queue does not answer: {error}")),
            None if age > 60 => Err("the queue has not answered for a minute".into()),
            None => Ok(()),
        }
    }
}

/// The intake. Clones share it.
#[derive(Clone)]
pub struct SqsIntake {
    client: Client,
    settings: Arc<SqsSettings>,
    responder: Responder,
    health: Health,
    places: Arc<Semaphore>,
}

impl SqsIntake {
    /// An intake that hands what it gets to `responder`.
    pub fn new(client: Client, settings: SqsSettings, responder: Responder, health: Health) -> Self {
        let places = Arc::new(Semaphore::new(settings.in_flight));
        Self { client, settings: Arc::new(settings), responder, health, places }
    }

    /// Whether the queue can be reached, for a clear error at start.
    pub async fn check(client: &Client, queue_url: &str) -> Result<(), CallError> {
        let get = client.get_queue_attributes().queue_url(queue_url);
        let get = get.attribute_names(aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages);
        get.send().await.map_err(crate::aws::call_error)?;
        Ok(())
    }

    /// Receives until `stopping` turns true, then waits for what is in hand.
    pub async fn run(&self, stopping: watch::Receiver<bool>) {
        let mut receivers = JoinSet::new();
        for _ in 0..self.settings.receivers {
            receivers.spawn(self.clone().receive(stopping.clone()));
        }
        while let Some(ended) = receivers.join_next().await {
            if ended.is_err() && !*stopping.borrow() {
                tracing::error!(alarm = true, "a defect ended a receiver; another takes its place. Please report it");
                tokio::time::sleep(RENEW / 20).await;
                receivers.spawn(self.clone().receive(stopping.clone()));
            }
        }
        let all = u32::try_from(self.settings.in_flight).unwrap_or(u32::MAX);
        // Closed never: it fails only where the semaphore was closed, which nobody does.
        let _ = self.places.acquire_many(all).await;
    }

    async fn receive(self, mut stopping: watch::Receiver<bool>) {
        let mut failures = 0_u32;
        while !*stopping.borrow() {
            // As many places as a receive can fill, so that no message waits in hand.
            let Ok(place) = self.places.clone().acquire_owned().await else {
                return;
            };
            drop(place);
            let wanted = self.places.available_permits().clamp(1, 10);
            let poll = self
                .client
                .receive_message()
                .queue_url(&self.settings.queue_url)
                .max_number_of_messages(i32::try_from(wanted).unwrap_or(10))
                .wait_time_seconds(20)
                .visibility_timeout(VISIBILITY)
                .send();
            let answer = tokio::select! {
                answer = poll => answer,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            match answer.map_err(crate::aws::call_error) {
                Ok(batch) => {
                    failures = 0;
                    self.health.answered();
                    for message in batch.messages.unwrap_or_default() {
                        self.take(message).await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::error!(%error, queue = %self.settings.queue_url, "the queue cannot be read");
                    self.health.failed(error.to_string());
                    let wait = Duration::from_millis(250).saturating_mul(1 << failures.min(6));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        _ = stopping.wait_for(|stop| *stop) => return,
                    }
                }
            }
        }
    }

    async fn take(&self, message: Message) {
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return;
        };
        let intake = self.clone();
        tokio::spawn(async move {
            intake.work_on(&message).await;
            drop(place);
        });
    }

    async fn work_on(&self, message: &Message) {
        let id = message.message_id().unwrap_or_default();
        let body = message.body().unwrap_or_default();
        let Some(receipt) = message.receipt_handle() else {
            return;
        };
        let work = self.responder.receive(id, body.as_bytes());
        tokio::pin!(work);
        let disposition = loop {
            tokio::select! {
                disposition = &mut work => break disposition,
                () = tokio::time::sleep(RENEW) => self.hide(receipt, VISIBILITY).await,
            }
        };
        match disposition {
            Disposition::Done => self.delete(id, receipt).await,
            Disposition::Unreadable => {}
            Disposition::Again(why) => {
                tracing::warn!(message_id = id, why, "a message is given back, to come again");
                self.hide(receipt, COMES_AGAIN).await;
            }
        }
    }

    async fn hide(&self, receipt: &str, seconds: i32) {
        let change = self.client.change_message_visibility().queue_url(&self.settings.queue_url);
        let change = change.receipt_handle(receipt).visibility_timeout(seconds).send();
        if let Err(error) = change.await.map_err(crate::aws::call_error) {
            // It is then seen again sooner, or later: both are harmless, since every event is known by its id.
            tracing::warn!(%error, "a message's visibility was not changed");
        }
    }

    async fn delete(&self, id: &str, receipt: &str) {
        for attempt in 0..4_u64 {
            let delete = self.client.delete_message().queue_url(&self.settings.queue_url).receipt_handle(receipt);
            match delete.send().await.map_err(crate::aws::call_error) {
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(message_id = id, %error, "a settled message was not deleted; it comes again, and is known");
                    tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
                }
            }
        }
    }
}

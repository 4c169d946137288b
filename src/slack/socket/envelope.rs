//! Envelopes: taken, made durable, acknowledged; in that order, and each beside the others.

use super::super::interaction::{Parsed, parse};
use crate::ports::{Ack, Chat, Interaction, Interactions, SlackProof};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, mpsc};

/// The largest envelope that is looked into. Slack's are a hundredth of it.
pub(super) const LARGEST: usize = 1 << 20;
/// How many are in hand at once; more are left for the person to click again.
const IN_HAND: usize = 1_000;
/// How many that were taken are remembered.
const REMEMBERED: usize = 2_000;

/// What a frame was.
pub(super) enum Frame {
    /// Nothing that the connection must know of.
    Taken,
    /// Slack is about to end the connection.
    Disconnect(String),
}

/// Where envelopes go. Clones share it.
#[derive(Clone)]
pub(super) struct Envelopes(Arc<Inner>);

struct Inner {
    sink: Arc<dyn Interactions>,
    chat: Arc<dyn Chat>,
    places: Arc<Semaphore>,
    known: Mutex<Known>,
}

/// Envelopes that came lately: in hand, or with what was acknowledged.
#[derive(Default)]
struct Known {
    acks: HashMap<String, Option<Ack>>,
    order: VecDeque<String>,
}

/// Whether an envelope came before.
enum Begin {
    First,
    InHand,
    Taken(Ack),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "envelope_id")]
    id: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    accepts_response_payload: bool,
    #[serde(default)]
    payload: Value,
}

impl Envelopes {
    pub(super) fn new(sink: Arc<dyn Interactions>, chat: Arc<dyn Chat>) -> Self {
        let places = Arc::new(Semaphore::new(IN_HAND));
        Self(Arc::new(Inner { sink, chat, places, known: Mutex::default() }))
    }

    /// Takes a frame. Nothing is waited for here: the acknowledgement follows through `acks`.
    pub(super) fn take(&self, text: &str, acks: &mpsc::UnboundedSender<String>) -> Frame {
        if text.len() > LARGEST {
            tracing::warn!(bytes = text.len(), "an envelope from Slack is too large, and refused");
            return Frame::Taken;
        }
        let Ok(envelope) = serde_json::from_str::<Envelope>(text) else {
            tracing::warn!("a frame from Slack is no envelope");
            return Frame::Taken;
        };
        match envelope.kind.as_str() {
            "disconnect" => return Frame::Disconnect(envelope.reason.chars().take(60).collect()),
            "interactive" => self.interactive(envelope, acks),
            "hello" => {}
            kind => {
                let kind: String = kind.chars().filter(|c| !c.is_control()).take(40).collect();
                tracing::info!(kind, "an envelope that sluicegate has no use for");
                if !envelope.id.is_empty() {
                    say(acks, &envelope.id, &Ack::default());
                }
            }
        }
        Frame::Taken
    }

    fn interactive(&self, envelope: Envelope, acks: &mpsc::UnboundedSender<String>) {
        if envelope.id.is_empty() {
            tracing::warn!("an envelope from Slack that cannot be acknowledged, for it has no id");
            return;
        }
        let Ok(place) = self.0.places.clone().try_acquire_owned() else {
            tracing::error!("more clicks at once than can be taken: this one is refused, and its person sees that");
            return;
        };
        match self.known().begin(&envelope.id) {
            Begin::First => {}
            // The one that is in hand is acknowledged for both.
            Begin::InHand => return,
            Begin::Taken(ack) => return say(acks, &envelope.id, &ack),
        }
        let (envelopes, acks) = (self.clone(), acks.clone());
        tokio::spawn(async move {
            let ack = envelopes.settle(&envelope.payload).await;
            if let Some(ack) = &ack {
                let ack = if envelope.accepts_response_payload { ack } else { &Ack::default() };
                say(&acks, &envelope.id, ack);
            }
            envelopes.known().end(&envelope.id, ack);
            drop(place);
        });
    }

    /// What to acknowledge; `None`: it is not durable, and the person must see that.
    async fn settle(&self, payload: &Value) -> Option<Ack> {
        let interaction = match parse(payload, Timestamp::now()) {
            Parsed::Is(interaction) => interaction,
            Parsed::Incomplete(ack) => return Some(ack),
            Parsed::Ignored(what) => {
                tracing::info!(what, "an interaction that sluicegate has no use for");
                return Some(Ack::default());
            }
            Parsed::Malformed { why, proof } => {
                let user = proof.as_ref().map_or("", |proof| &proof.user_id);
                tracing::warn!(why, user, "an interaction that no card of ours sends; nothing is done");
                if let Some(proof) = proof {
                    self.tell(proof, "sluicegate cannot make sense of that click: nothing was done.");
                }
                return Some(Ack::default());
            }
        };
        let (case, what) = match &interaction {
            Interaction::Vote(ballot) => (ballot.case_id.clone(), ballot.decision.name()),
            Interaction::Modal(wanted) => (wanted.case_id.clone(), wanted.decision.name()),
            Interaction::Rating(rating) => (rating.case_id.clone(), if rating.right { "right" } else { "wrong" }),
        };
        match self.0.sink.take(interaction).await {
            Ok(ack) => Some(ack),
            Err(error) => {
                tracing::error!(%case, what, %error, "a click is not acknowledged, for it cannot be kept");
                None
            }
        }
    }

    fn tell(&self, proof: SlackProof, text: &'static str) {
        let chat = self.0.chat.clone();
        tokio::spawn(async move {
            if let Err(error) = chat.whisper(&proof.channel, &proof.user_id, &proof.response_url, text).await {
                tracing::warn!(%error, "somebody could not be told");
            }
        });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn begin(&mut self, id: &str) -> Begin {
        match self.acks.get(id) {
            Some(Some(ack)) => return Begin::Taken(ack.clone()),
            Some(None) => return Begin::InHand,
            None => {}
        }
        self.acks.insert(id.to_owned(), None);
        self.order.push_back(id.to_owned());
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.acks.remove(&oldest);
            }
        }
        Begin::First
    }

    /// One that was not taken is forgotten: it may come again.
    fn end(&mut self, id: &str, ack: Option<Ack>) {
        if ack.is_some() {
            if let Some(known) = self.acks.get_mut(id) {
                *known = ack;
            }
        } else {
            self.acks.remove(id);
            self.order.retain(|known| known != id);
        }
    }
}

fn say(acks: &mpsc::UnboundedSender<String>, envelope_id: &str, ack: &Ack) {
    let said = match &ack.0 {
        Some(payload) => json!({"envelope_id": envelope_id, "payload": payload}),
        None => json!({"envelope_id": envelope_id}),
    };
    // Its connection is gone: Slack has told the person, and a second click is the same vote.
    let _ = acks.send(said.to_string());
}

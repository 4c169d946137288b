//! Interactions on their way to the app, and how long it takes to acknowledge them.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::signed;
use super::world::World;

/// Where interactions go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Route {
    /// One of the connections.
    #[default]
    Socket,
    /// Signed requests to this URL.
    Http(String),
}

/// What became of one interaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Acknowledgement {
    /// The envelope's id.
    pub envelope_id: String,
    /// `block_actions`, `view_submission`, `view_closed`.
    pub kind: String,
    /// Who acted.
    pub user: String,
    /// How long it took until it was acknowledged, in milliseconds; none where it was not.
    pub took_ms: Option<u64>,
    /// Whether that was in time.
    pub in_time: bool,
    /// How often it was sent again.
    pub resends: u32,
    /// Over which connection it went last; none where there was none.
    pub connection: Option<u64>,
    /// What the acknowledgement says.
    pub response_payload: Option<Value>,
}

impl Acknowledgement {
    /// Whether the app acknowledged it in time: otherwise the person saw an error.
    pub fn is_acknowledged(&self) -> bool {
        self.in_time
    }
}

impl World {
    /// Sends an interaction, and waits for its acknowledgement as long as Slack does.
    pub(crate) async fn deliver(&self, envelope_id: String, payload: Value) -> Acknowledgement {
        let kind = payload["type"].as_str().unwrap_or_default().to_owned();
        let user = payload["user"]["id"].as_str().unwrap_or_default().to_owned();
        let route = {
            let mut state = self.state();
            state.sent.insert(envelope_id.clone(), payload.clone());
            state.route.clone()
        };
        let mut outcome = Acknowledgement {
            envelope_id,
            kind,
            user,
            took_ms: None,
            in_time: false,
            resends: 0,
            connection: None,
            response_payload: None,
        };
        loop {
            match &route {
                Route::Socket => self.over_a_socket(&payload, &mut outcome).await,
                Route::Http(url) => self.over_http(url, &payload, &mut outcome).await,
            }
            if outcome.in_time || outcome.resends >= self.options.resends {
                break;
            }
            outcome.resends += 1;
        }
        let mut state = self.state();
        if !outcome.in_time {
            state.warn(&outcome.user, failure(&outcome.kind));
        }
        state.acknowledgements.push(outcome.clone());
        outcome
    }

    async fn over_a_socket(&self, payload: &Value, outcome: &mut Acknowledgement) {
        let faults = self.faults.sockets();
        let mut payload = payload.clone();
        for (pointer, value) in &faults.tamper {
            if let Some(place) = payload.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
        let envelope = json!({
            "envelope_id": outcome.envelope_id,
            "payload": payload,
            "type": "interactive",
            "accepts_response_payload": outcome.kind == "view_submission",
            "retry_attempt": outcome.resends,
            "retry_reason": if outcome.resends == 0 { "" } else { "timeout" },
        });
        let limit = self.options.acknowledge_within;
        let coming = if faults.lose {
            Some((0, self.sockets.wait_for(&outcome.envelope_id)))
        } else {
            self.sockets.send(&outcome.envelope_id, &envelope, faults.duplicate)
        };
        let Some((connection, coming)) = coming else { return };
        outcome.connection = Some(connection).filter(|id| *id != 0);
        if let Ok(Ok((took, said))) = tokio::time::timeout(limit, coming).await {
            outcome.took_ms = Some(millis(took));
            outcome.in_time = took <= limit;
            outcome.response_payload = said.filter(|_| outcome.kind == "view_submission");
        }
    }

    async fn over_http(&self, url: &str, payload: &Value, outcome: &mut Acknowledgement) {
        let started = std::time::Instant::now();
        let body = signed::form(payload);
        let posting = signed::post(url, signed::headers(&self.secrets.signing, &body), body);
        let Ok(Ok(answer)) = tokio::time::timeout(self.options.acknowledge_within, posting).await else { return };
        outcome.took_ms = Some(millis(started.elapsed()));
        outcome.in_time = answer.status == 200;
        let said = serde_json::from_slice(&answer.body).ok();
        outcome.response_payload = said.filter(|_| outcome.kind == "view_submission");
    }

    /// An acknowledgement that came when nobody waited for it any more.
    pub(super) fn late(&self, envelope_id: &str, took: Duration) {
        let mut state = self.state();
        let of_it = state.acknowledgements.iter_mut().rev().find(|one| one.envelope_id == envelope_id);
        if let Some(late) = of_it.filter(|one| one.took_ms.is_none()) {
            late.took_ms = Some(millis(took));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What Slack shows to a person whose click went nowhere.
fn failure(kind: &str) -> &'static str {
    match kind {
        "view_submission" => "We had some trouble connecting. Try again?",
        _ => "This app did not respond. It may be having trouble; try again.",
    }
}

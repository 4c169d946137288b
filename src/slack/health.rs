//! How Slack is, for readiness; and what a person must be told once.

use crate::case::SystemEvent;
use crate::ports::Journal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How Slack is. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SlackHealth(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    connections: usize,
    troubles: BTreeMap<&'static str, String>,
}

impl SlackHealth {
    /// `ok`, or what is wrong.
    pub fn word(&self) -> String {
        let state = self.state();
        let mut all: Vec<String> = state.troubles.iter().map(|(part, why)| format!("{part}: {why}")).collect();
        if all.is_empty() && state.connections == 0 {
            all.push("not connected yet: clicks do not come in".to_owned());
        }
        if all.is_empty() { "ok".to_owned() } else { all.join("; ") }
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    pub(super) fn connected(&self, more: bool) {
        let mut state = self.state();
        state.connections = if more { state.connections + 1 } else { state.connections.saturating_sub(1) };
    }

    pub(super) fn trouble(&self, part: &'static str, why: String) {
        self.state().troubles.insert(part, why);
    }

    pub(super) fn well(&self, part: &'static str) {
        self.state().troubles.remove(part);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a person must be told, in the log and in the journal: once, until it is over.
#[derive(Clone)]
pub struct Alarms {
    journal: Arc<dyn Journal>,
    raised: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Alarms {
    /// Alarms that the journal keeps.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, raised: Arc::default() }
    }

    /// Raises an alarm about something, unless the same was raised and is not over.
    pub(super) async fn raise(&self, about: &str, what: &str) {
        if self.raised().insert(about.to_owned(), what.to_owned()).as_deref() == Some(what) {
            return;
        }
        tracing::error!(alarm = true, "{what}");
        if let Err(error) = self.journal.record(&SystemEvent::Alarm { what: what.to_owned() }).await {
            tracing::error!(%error, "the alarm is not in the journal yet");
            self.raised().remove(about);
        }
    }

    /// It is over.
    pub(super) fn over(&self, about: &str) {
        if let Some(what) = self.raised().remove(about) {
            tracing::info!("over: {what}");
        }
    }

    fn raised(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Faults of the Web API, scripted per call, and of the sockets.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens instead of, or after, a call. `CutAfter` and `HangAfter` let it have its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlackEffect {
    /// 429 with `Retry-After`, and `ratelimited`.
    RateLimited {
        /// In how many seconds it should be tried again.
        retry_after: u32,
    },
    /// An HTTP status, with a page that is not JSON.
    Status {
        /// 500, 503.
        status: u16,
    },
    /// `ok: false`.
    Error {
        /// Slack's error.
        error: String,
    },
    /// No effect; the connection stays open that long without an answer, and is then dropped.
    HangBefore {
        /// How long.
        ms: u64,
    },
    /// The effect, and then as `HangBefore`.
    HangAfter {
        /// How long.
        ms: u64,
    },
    /// The connection is dropped, without effect.
    CutBefore,
    /// The connection is dropped, after the effect.
    CutAfter,
    /// The call takes that much longer.
    Delay {
        /// How much longer.
        ms: u64,
    },
}

/// One fault: which calls, how often, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackFault {
    /// The method, or `*` for any.
    pub method: String,
    /// Only calls whose arguments contain this, as JSON.
    #[serde(default)]
    pub containing: Option<String>,
    /// So many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    /// So many calls are hit; all of them if left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub effect: SlackEffect,
}

impl SlackFault {
    /// Every call of a method (`*`: any) from now on.
    pub fn on(method: &str, effect: SlackEffect) -> Self {
        Self { method: method.to_owned(), containing: None, after: 0, times: None, effect }
    }

    /// Only calls that contain this.
    pub fn containing(self, text: &str) -> Self {
        Self { containing: Some(text.to_owned()), ..self }
    }

    /// Not the first so many.
    pub fn after(self, count: u32) -> Self {
        Self { after: count, ..self }
    }

    /// Only so many.
    pub fn times(self, count: u32) -> Self {
        Self { times: Some(count), ..self }
    }
}

/// What goes wrong with the sockets, until cleared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each can go wrong by itself")]
pub struct SocketFaults {
    /// Every connection is asked to end, and ended, after this time.
    pub disconnect_after_ms: Option<u64>,
    /// What is said before that: `warning`, `refresh_requested`, `link_disabled`; nothing: it is cut.
    pub disconnect_reason: Option<String>,
    /// New connections are refused.
    pub refuse: bool,
    /// New connections hear nothing, not even a hello.
    pub hang: bool,
    /// Each envelope is sent twice.
    pub duplicate: bool,
    /// What is changed in each payload on its way: JSON pointer and new value.
    pub tamper: Vec<(String, Value)>,
    /// Envelopes get lost.
    pub lose: bool,
}

/// A fault that was scripted.
#[derive(Clone, Debug, Serialize)]
pub struct ArmedSlackFault {
    /// Its number.
    pub id: u64,
    /// How many calls it has hit.
    pub hits: u32,
    /// What it is.
    pub fault: SlackFault,
    #[serde(skip)]
    seen: u32,
}

/// The faults that are scripted now.
#[derive(Debug, Default)]
pub struct SlackFaults {
    script: Mutex<Script>,
    sockets: Mutex<SocketFaults>,
}

#[derive(Debug, Default)]
struct Script {
    next: u64,
    armed: Vec<ArmedSlackFault>,
}

impl SlackFaults {
    /// Scripts one more, and gives its number.
    pub fn add(&self, fault: SlackFault) -> u64 {
        let mut script = self.script();
        script.next += 1;
        let id = script.next;
        script.armed.push(ArmedSlackFault { id, hits: 0, fault, seen: 0 });
        id
    }

    /// What is scripted, spent faults included.
    pub fn all(&self) -> Vec<ArmedSlackFault> {
        self.script().armed.clone()
    }

    /// Takes one back.
    pub fn remove(&self, id: u64) -> bool {
        let mut script = self.script();
        let before = script.armed.len();
        script.armed.retain(|armed| armed.id != id);
        script.armed.len() < before
    }

    /// Takes all back, those of the sockets too.
    pub fn clear(&self) {
        self.script().armed.clear();
        self.set_sockets(SocketFaults::default());
    }

    /// What goes wrong with sockets from now on; connections that are open keep their time of disconnection.
    pub fn set_sockets(&self, faults: SocketFaults) {
        *self.sockets.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// What goes wrong with sockets now.
    pub fn sockets(&self) -> SocketFaults {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is to happen to this call: the first fault that matches and is not spent.
    pub(crate) fn pick(&self, method: &str, arguments: &Value) -> Option<SlackEffect> {
        let mut script = self.script();
        if script.armed.is_empty() {
            return None;
        }
        let text = arguments.to_string();
        for armed in &mut script.armed {
            let fault = &armed.fault;
            let matches = (fault.method == "*" || fault.method == method)
                && fault.containing.as_deref().is_none_or(|part| text.contains(part));
            if !matches {
                continue;
            }
            armed.seen += 1;
            if armed.seen > fault.after && fault.times.is_none_or(|times| armed.hits < times) {
                armed.hits += 1;
                return Some(fault.effect.clone());
            }
        }
        None
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

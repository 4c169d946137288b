//! Faults, scripted per call.

mod effect;
mod transitions;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use effect::Effect;
pub(crate) use effect::{Outcome, in_use};
pub(crate) use transitions::Transitions;

use crate::wire::Operation;

/// One fault: which calls, how often, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation, or `*` for any.
    pub operation: String,
    /// Only calls whose path, query or body contain this: a mapping's UUID, say.
    #[serde(default)]
    pub containing: Option<String>,
    /// Only calls with this key.
    #[serde(default)]
    pub by: Option<String>,
    /// Only calls with another key than this.
    #[serde(default)]
    pub not_by: Option<String>,
    /// So many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    /// So many calls are hit; all of them if left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// Until so many milliseconds from now.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// Every call of an operation (`*`: any) from now on.
    pub fn on(operation: &str, effect: Effect) -> Self {
        Self {
            operation: operation.to_owned(),
            containing: None,
            by: None,
            not_by: None,
            after: 0,
            times: None,
            for_ms: None,
            effect,
        }
    }

    /// Only calls that contain this.
    pub fn containing(self, text: &str) -> Self {
        Self { containing: Some(text.to_owned()), ..self }
    }

    /// Only calls with this key.
    pub fn by(self, access_key_id: &str) -> Self {
        Self { by: Some(access_key_id.to_owned()), ..self }
    }

    /// Only calls with another key.
    pub fn not_by(self, access_key_id: &str) -> Self {
        Self { not_by: Some(access_key_id.to_owned()), ..self }
    }

    /// Not the first so many.
    pub fn after(self, count: u32) -> Self {
        Self { after: count, ..self }
    }

    /// Only so many.
    pub fn times(self, count: u32) -> Self {
        Self { times: Some(count), ..self }
    }

    /// Only for so long.
    pub fn lasting(self, time: Duration) -> Self {
        Self { for_ms: Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)), ..self }
    }

    fn matches(&self, operation: &Operation, text: &str) -> bool {
        let key = operation.access_key_id.as_deref();
        (self.operation == "*" || self.operation == operation.name)
            && self.containing.as_deref().is_none_or(|part| text.contains(part))
            && self.by.as_deref().is_none_or(|by| key == Some(by))
            && self.not_by.as_deref().is_none_or(|by| key != Some(by))
    }
}

/// A fault that was scripted.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Armed {
    /// Its number.
    pub id: u64,
    /// How many calls it has hit.
    pub hits: u32,
    /// What it is.
    pub fault: Fault,
    #[serde(skip)]
    seen: u32,
    #[serde(skip)]
    until: Option<Instant>,
}

/// The faults that are scripted now.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    next: u64,
    armed: Vec<Armed>,
}

/// What is to happen to a call.
pub(crate) struct Picked {
    pub(crate) delay: Duration,
    pub(crate) effect: Option<Effect>,
}

impl Faults {
    /// Scripts a fault, and returns its number. Of several that match a call the earliest hits; delays add up.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut script = self.script();
        script.next += 1;
        let id = script.next;
        let until = fault.for_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        script.armed.push(Armed { id, hits: 0, fault, seen: 0, until });
        id
    }

    /// Takes a fault off; whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        let mut script = self.script();
        let before = script.armed.len();
        script.armed.retain(|armed| armed.id != id);
        script.armed.len() < before
    }

    /// Takes all of them off.
    pub fn clear(&self) {
        self.script().armed.clear();
    }

    /// All of them, those that are used up too.
    pub fn all(&self) -> Vec<Armed> {
        self.script().armed.clone()
    }

    /// How many calls a fault has hit.
    pub fn hits(&self, id: u64) -> u32 {
        self.script().armed.iter().find(|armed| armed.id == id).map_or(0, |armed| armed.hits)
    }

    /// Whether any fault may have to look into a call.
    pub(crate) fn any(&self) -> bool {
        !self.script().armed.is_empty()
    }

    /// Finds what is to happen to a call, and counts it.
    pub(crate) fn pick(&self, operation: &Operation, text: &str) -> Picked {
        let mut picked = Picked { delay: Duration::ZERO, effect: None };
        for armed in &mut self.script().armed {
            let over = armed.until.is_some_and(|until| Instant::now() >= until)
                || armed.fault.times.is_some_and(|times| armed.hits >= times);
            let delay =
                if let Effect::Delay { ms } = armed.fault.effect { Some(Duration::from_millis(ms)) } else { None };
            if over || (delay.is_none() && picked.effect.is_some()) || !armed.fault.matches(operation, text) {
                continue;
            }
            armed.seen += 1;
            if armed.seen <= armed.fault.after {
                continue;
            }
            armed.hits += 1;
            match delay {
                Some(delay) => picked.delay += delay,
                None => picked.effect = Some(armed.fault.effect.clone()),
            }
        }
        picked
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Which cases evidence is gathered for, when next, and how that went so far: in memory, for a worker that starts looks
//! at all of them anew.

use crate::case::CaseId;
use crate::evidence::{Piece, Tried};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// For so long the answer of a search counts: in a flood many cases ask the same about one principal.
const FRESH: Duration = Duration::from_secs(45);
/// So many answers are kept.
const ANSWERS: usize = 32;

/// So many cases stay known of which nothing is due.
const REMEMBERED: usize = 5_000;

/// How each piece of a case was tried.
pub(super) type Tries = BTreeMap<Piece, Tried>;
/// Records, and whether there are more.
pub(super) type Answer = Arc<(Vec<String>, bool)>;

/// The cases. Clones share them.
#[derive(Clone, Default)]
pub(in crate::responder) struct Gathering {
    cases: Arc<Mutex<HashMap<CaseId, Watched>>>,
    wake: Arc<Notify>,
    answers: Arc<Mutex<HashMap<String, (Instant, Answer)>>>,
    /// Held by who searches CloudTrail: one at a time, so that verification seldom waits.
    pub(super) searching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Watched {
    /// When it is due; `None`: it is being looked into.
    at: Option<Timestamp>,
    /// It was wanted anew meanwhile.
    again: bool,
    tried: Tries,
}

impl Gathering {
    /// A case may lack evidence. One that is known already is looked at when it is due, or, `anew`, at once.
    pub(in crate::responder) fn want(&self, id: &CaseId, now: Timestamp, anew: bool) {
        let mut cases = self.cases();
        match cases.get_mut(id) {
            None => {
                cases.insert(id.clone(), Watched { at: Some(now), ..Watched::default() });
            }
            Some(watched) if anew => match &mut watched.at {
                Some(at) => *at = now.min(*at),
                None => watched.again = true,
            },
            Some(_) => return,
        }
        drop(cases);
        self.wake.notify_one();
    }

    /// The case that is due longest.
    pub(super) fn take(&self, now: Timestamp) -> Option<CaseId> {
        let mut cases = self.cases();
        let due = cases.iter().filter_map(|(id, watched)| Some((watched.at?, id)));
        let (_, id) = due.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at)?;
        let id = id.clone();
        if let Some(watched) = cases.get_mut(&id) {
            watched.at = None;
        }
        Some(id)
    }

    /// It was looked into, and is due again at `next`; `None`: not until it is wanted anew. It stays known, with what was
    /// tried in vain.
    pub(super) fn release(&self, id: &CaseId, next: Option<Timestamp>) {
        let mut cases = self.cases();
        if let Some(watched) = cases.get_mut(id) {
            let again = std::mem::take(&mut watched.again);
            watched.at = if again { Some(Timestamp::UNIX_EPOCH) } else { Some(next.unwrap_or(Timestamp::MAX)) };
        }
        if cases.len() > REMEMBERED {
            cases.retain(|_, watched| watched.at != Some(Timestamp::MAX));
        }
    }

    pub(super) fn tried(&self, id: &CaseId) -> Tries {
        self.cases().get(id).map(|watched| watched.tried.clone()).unwrap_or_default()
    }

    pub(super) fn remember(&self, id: &CaseId, tried: Tries) {
        if let Some(watched) = self.cases().get_mut(id) {
            watched.tried = tried;
        }
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// What the same search answered a moment ago.
    pub(super) fn answered(&self, search: &str) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, (at, _)| at.elapsed() < FRESH);
        answers.get(search).map(|(_, answer)| answer.clone())
    }

    pub(super) fn keep_answer(&self, search: String, answer: Answer) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() < ANSWERS {
            answers.insert(search, (Instant::now(), answer));
        }
    }

    fn cases(&self) -> MutexGuard<'_, HashMap<CaseId, Watched>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

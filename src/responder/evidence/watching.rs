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

    /// The case that is due longest; first those that nothing was tried of yet, for their code may be gone in a second.
    pub(super) fn take(&self, now: Timestamp) -> Option<CaseId> {
        let mut cases = self.cases();
        let due = cases.iter().filter_map(|(id, watched)| Some((!watched.tried.is_empty(), watched.at?, id)));
        let (.., id) = due.filter(|(_, at, _)| *at <= now).min_by_key(|(tried, at, _)| (*tried, *at))?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::detection::Detection;

    fn id(n: u32) -> CaseId {
        CaseId::from_parts("111122223333", "eu-west-1", &n.to_string(), Detection::MappingCreated)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn each_case_is_looked_into_once_at_a_time_longest_due_first() {
        let all = Gathering::default();
        all.want(&id(1), at(20), false);
        all.want(&id(2), at(10), false);
        all.want(&id(2), at(10), false);
        assert_eq!(all.take(at(5)), None);
        assert_eq!([all.take(at(30)), all.take(at(30)), all.take(at(30))], [Some(id(2)), Some(id(1)), None]);
        all.release(&id(2), Some(at(40)));
        assert_eq!((all.take(at(39)), all.take(at(40))), (None, Some(id(2))));
    }

    #[test]
    fn a_case_that_nothing_was_tried_of_goes_before_those_that_wait_for_their_next_look() {
        let all = Gathering::default();
        all.want(&id(1), at(1), false);
        let _ = all.take(at(1));
        all.remember(&id(1), Tries::from([(Piece::Code, Tried { at: at(1), failures: 0, in_vain: false })]));
        all.release(&id(1), Some(at(1)));
        all.want(&id(2), at(9), false);
        assert_eq!([all.take(at(9)), all.take(at(9))], [Some(id(2)), Some(id(1))]);
    }

    #[test]
    fn what_was_tried_in_vain_is_remembered_until_it_is_wanted_anew() {
        let all = Gathering::default();
        all.want(&id(1), at(1), false);
        let _ = all.take(at(1));
        let vain = Tried { at: at(1), failures: 1, in_vain: true };
        all.remember(&id(1), Tries::from([(Piece::Code, vain)]));
        all.release(&id(1), None);
        all.want(&id(1), at(2), false);
        assert_eq!((all.take(at(1_000_000)), all.tried(&id(1)).len()), (None, 1));
        all.want(&id(1), at(3), true);
        assert_eq!((all.take(at(3)), all.tried(&id(1)).get(&Piece::Code)), (Some(id(1)), Some(&vain)));
    }

    #[test]
    fn what_is_wanted_anew_while_it_is_looked_into_is_looked_into_again() {
        let all = Gathering::default();
        all.want(&id(1), at(1), false);
        let _ = all.take(at(1));
        all.want(&id(1), at(2), true);
        assert_eq!(all.take(at(2)), None);
        all.release(&id(1), None);
        assert_eq!(all.take(at(2)), Some(id(1)));
        all.release(&id(1), None);
        assert_eq!(all.take(at(2)), None);
    }

    #[test]
    fn an_answer_counts_for_the_next_who_asks_the_same_and_few_are_kept() {
        let all = Gathering::default();
        for n in 0..ANSWERS + 5 {
            all.keep_answer(n.to_string(), Answer::default());
        }
        assert!(all.answered("0").is_some() && all.answered("33").is_none());
    }
}

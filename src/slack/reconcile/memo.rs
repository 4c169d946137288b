//! What is remembered of each case to save calls, and which case comes next. Forgetting it costs calls, and nothing else.

use super::CardSettings;
use crate::case::CaseId;
use crate::ports::CardState;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// However many events come: after so long a card is brought up to date.
const LONGEST_QUIET: u32 = 6;
/// So many in a row are again and again.
const FAILURES: u32 = 3;
/// How many cases are remembered.
const MOST: usize = 10_000;

/// What people see of a message, in short.
pub(super) type Content = [u8; 32];

/// Which cases somebody takes care of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Those that Slack was never told of.
    Post,
    /// Those whose card shows less than they are.
    Update,
    /// Those whose card is as it should be, and whose thread tells less.
    Thread,
}

/// What is remembered of a case.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    /// The events it had when it was last looked at, and since when.
    seq: u64,
    since: Instant,
    /// Since when it has been behind.
    behind_since: Option<Instant>,
    not_before: Option<Instant>,
    /// Somebody takes care of it: nobody else may.
    busy: bool,
    /// How far it was shown and threaded when this process last took note of that; a list may be older.
    pub(super) known: Option<(u64, u64)>,
    /// How often it could not be shown in a row.
    pub(super) failures: u32,
    /// What was last sent.
    pub(super) sent: Option<Content>,
    /// The channels in which a post may have been made that nobody knows of.
    pub(super) uncertain: Vec<String>,
    /// The channels that were looked through for a post of an earlier process.
    pub(super) looked: Vec<String>,
    /// Whether it is known how far the thread is; and whether a reply may have been made that nobody knows of.
    pub(super) thread_known: bool,
    pub(super) thread_uncertain: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Memos(Mutex<HashMap<CaseId, Memo>>);

impl Memo {
    fn new(now: Instant) -> Self {
        Self {
            seq: 0,
            since: now,
            behind_since: None,
            not_before: None,
            busy: false,
            known: None,
            failures: 0,
            sent: None,
            uncertain: Vec::new(),
            looked: Vec::new(),
            thread_known: false,
            thread_uncertain: false,
        }
    }

    /// Takes note of how many events the case has now.
    fn see(&mut self, seq: u64, now: Instant) {
        if self.seq != seq {
            self.seq = seq;
            self.since = now;
        }
        self.behind_since.get_or_insert(now);
    }

    /// Whether nothing happened for `quiet`, or it has waited long enough for that.
    fn rested(&self, quiet: Duration, now: Instant) -> bool {
        let behind = self.behind_since.map_or(Duration::ZERO, |since| now.duration_since(since));
        now.duration_since(self.since) >= quiet || behind >= quiet * LONGEST_QUIET
    }
}

impl Memos {
    /// Takes the first case of a lane that is due; it is nobody else's until it is [`Memos::released`]. Threads wait while
    /// there are cases of which nothing was posted.
    pub(super) fn take(&self, lane: Lane, behind: &[CardState], settings: &CardSettings) -> Option<CardState> {
        let now = Instant::now();
        let mut memos = self.all();
        // Those that are behind are remembered however many they are: only where there are more it is worth a look.
        if memos.len() > MOST.max(behind.len() * 2) {
            let all: HashSet<&CaseId> = behind.iter().map(|state| &state.case_id).collect();
            memos.retain(|id, memo| memo.busy || all.contains(id));
        }
        let mut unposted = false;
        // One that fails again and again lets all others go first.
        let (mut chosen, mut otherwise) = (None, None);
        for state in behind {
            let memo = memos.entry(state.case_id.clone()).or_insert_with(|| Memo::new(now));
            let (shown, threaded) = memo.known.unwrap_or((state.shown, state.threaded));
            let of = match (shown >= state.seq, threaded >= state.seq) {
                (true, true) => continue,
                (true, false) => Lane::Thread,
                (false, _) if shown == 0 => Lane::Post,
                (false, _) => Lane::Update,
            };
            memo.see(state.seq, now);
            if memo.not_before.is_some_and(|not_before| now < not_before) {
                continue;
            }
            unposted |= of == Lane::Post;
            let quiet = if of == Lane::Thread { settings.thread_quiet } else { settings.quiet };
            let place = if memo.failures < FAILURES { &mut chosen } else { &mut otherwise };
            if of == lane && place.is_none() && !memo.busy && memo.rested(quiet, now) {
                *place = Some(CardState { shown, threaded, ..state.clone() });
            }
        }
        let state = chosen.or(otherwise).filter(|_| lane != Lane::Thread || !unposted)?;
        if let Some(memo) = memos.get_mut(&state.case_id) {
            memo.behind_since = None;
            memo.busy = true;
        }
        Some(state)
    }

    /// Somebody else may take care of it.
    pub(super) fn released(&self, id: &CaseId) {
        self.with(id, |memo| memo.busy = false);
    }

    /// Changes what is remembered of a case.
    pub(super) fn with<T>(&self, id: &CaseId, change: impl FnOnce(&mut Memo) -> T) -> T {
        change(self.all().entry(id.clone()).or_insert_with(|| Memo::new(Instant::now())))
    }

    /// It is looked at again later.
    pub(super) fn put_off(&self, id: &CaseId, wait: Duration) {
        self.with(id, |memo| memo.not_before = Some(Instant::now() + wait));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CaseId, Memo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::detection::Detection;

    fn state(n: u32, seq: u64, shown: u64, threaded: u64) -> CardState {
        let case_id = CaseId::from_parts("1", "r", &n.to_string(), Detection::MappingCreated);
        CardState { case_id, seq, shown, threaded }
    }

    fn settings() -> CardSettings {
        let at_once = Duration::ZERO;
        CardSettings { quiet: at_once, thread_quiet: at_once, ..CardSettings::new("C1") }
    }

    #[test]
    fn the_newest_comes_first_and_threads_wait_for_posts() {
        let memos = Memos::default();
        let behind = [state(1, 3, 3, 1), state(2, 5, 0, 0), state(3, 1, 0, 0)];
        assert_eq!(memos.take(Lane::Thread, &behind, &settings()), None);
        assert_eq!(memos.take(Lane::Update, &behind, &settings()), None);
        assert_eq!(memos.take(Lane::Post, &behind, &settings()).unwrap(), behind[1]);
        assert_eq!(
            memos.take(Lane::Post, &behind, &settings()).unwrap(),
            behind[2],
            "one that is taken is nobody else's"
        );
        assert_eq!(memos.take(Lane::Thread, &behind[..1], &settings()).unwrap(), behind[0]);
    }

    #[test]
    fn what_this_process_knows_is_newer_than_a_list() {
        let memos = Memos::default();
        let old = [state(1, 5, 2, 2)];
        memos.with(&old[0].case_id, |memo| memo.known = Some((5, 4)));
        assert_eq!(memos.take(Lane::Update, &old, &settings()), None);
        assert_eq!(memos.take(Lane::Thread, &old, &settings()), Some(state(1, 5, 5, 4)));
        memos.released(&old[0].case_id);
        memos.with(&old[0].case_id, |memo| memo.known = Some((5, 5)));
        assert_eq!(memos.take(Lane::Thread, &old, &settings()), None);
    }

    #[test]
    fn what_was_put_off_holds_nobody_up() {
        let memos = Memos::default();
        let behind = [state(1, 3, 0, 0), state(2, 5, 5, 1)];
        memos.put_off(&behind[0].case_id, Duration::from_secs(9));
        assert_eq!(memos.take(Lane::Post, &behind, &settings()), None);
        assert!(memos.take(Lane::Thread, &behind, &settings()).is_some());
    }

    #[test]
    fn what_fails_again_and_again_comes_last() {
        let memos = Memos::default();
        let behind = [state(1, 3, 0, 0), state(2, 5, 0, 0)];
        memos.with(&behind[0].case_id, |memo| memo.failures = FAILURES);
        assert_eq!(memos.take(Lane::Post, &behind, &settings()).unwrap(), behind[1]);
        assert_eq!(memos.take(Lane::Post, &behind, &settings()).unwrap(), behind[0]);
    }

    #[test]
    fn thousands_that_are_behind_are_chosen_from_quickly() {
        let memos = Memos::default();
        let behind: Vec<CardState> = (0..20_000).map(|n| state(n, 2, 0, 0)).collect();
        let began = Instant::now();
        for _ in 0..3 {
            assert!(memos.take(Lane::Post, &behind, &settings()).is_some());
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        for n in 20_000..61_000 {
            memos.with(&state(n, 1, 0, 0).case_id, |_| ());
        }
        let _ = memos.take(Lane::Post, &behind, &settings());
        assert_eq!(memos.all().len(), 20_000, "what is not behind is forgotten");
    }

    #[test]
    fn a_burst_is_one_change() {
        let memos = Memos::default();
        let quiet = CardSettings { quiet: Duration::from_mins(1), ..settings() };
        assert_eq!(memos.take(Lane::Post, &[state(1, 1, 0, 0)], &quiet), None);
        assert!(memos.take(Lane::Post, &[state(1, 1, 0, 0)], &settings()).is_some());
    }
}

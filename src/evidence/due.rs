//! When to look for what: once, again after a failure, and again where the answer comes late.

use super::processed::window;
use super::source_of;
use crate::case::{Case, Outcome, State};
use crate::mapping::SourceKind;
use jiff::{SignedDuration, Timestamp};

/// After a containment metrics and CloudTrail's own record appear minutes later: it is looked again until they settle.
const ROUNDS: [SignedDuration; 4] = [
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(15),
];
/// While a mapping runs on and people are asked.
const WHILE_ACTIVE: SignedDuration = SignedDuration::from_mins(30);
/// After a failure, by the number of tries.
const AGAIN: [SignedDuration; 6] = [
    SignedDuration::from_secs(20),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
];
/// What could not be learnt by then is left unknown.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// One thing to be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// The function's code, before somebody deletes it.
    Code,
    /// The function.
    Function,
    /// The source.
    Source,
    /// What was processed.
    Processed,
    /// What the principal did lately.
    History,
}

impl Piece {
    /// All, most pressing first.
    pub const ALL: [Self; 5] = [Self::Code, Self::Function, Self::Source, Self::Processed, Self::History];

    /// Its name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Function => "function",
            Self::Source => "source",
            Self::Processed => "processed",
            Self::History => "history",
        }
    }

    fn is_known(self, case: &Case) -> bool {
        match self {
            Self::Code => case.code_kept().is_some(),
            Self::Function => case.function_facts().is_some(),
            Self::Source => case.source_facts().is_some_and(|facts| {
                let unread = source_of(case).kind == SourceKind::Sqs && facts.retention_s.is_none();
                facts.tags_unknown.is_empty() && !unread
            }),
            Self::Processed => case.processed().is_some(),
            Self::History => case.history().is_some_and(|history| history.unread.is_empty()),
        }
    }
}

/// How it was tried so far, by this worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When last.
    pub at: Timestamp,
    /// How often it failed since it last succeeded.
    pub failures: u32,
    /// Trying again does not help: the function is gone, say.
    pub in_vain: bool,
}

/// Whether evidence may be looked for: never while sluicegate is about to contain the mapping.
pub fn is_ready(case: &Case) -> bool {
    match case.state {
        State::AwaitingDecision => true,
        State::Closed => !matches!(case.outcome, Some(Outcome::Left | Outcome::Restored)),
        State::Containing | State::Acting | State::Stuck => case.contained(),
    }
}

/// When to look for a piece, which may be past; `None`: no more.
pub fn due(case: &Case, piece: Piece, tried: Option<&Tried>, now: Timestamp) -> Option<Timestamp> {
    let young = now.duration_since(case.opened_at) < GIVE_UP_AFTER;
    if !young || !is_ready(case) {
        return None;
    }
    let Some(tried) = tried else {
        // A worker that has just started looks for what is missing, and for what may have come meanwhile.
        return (!piece.is_known(case) || again(case, piece, Timestamp::UNIX_EPOCH).is_some()).then_some(now);
    };
    if tried.in_vain {
        return None;
    }
    if tried.failures > 0 && !piece.is_known(case) {
        let tries = usize::try_from(tried.failures).unwrap_or(usize::MAX).clamp(1, AGAIN.len());
        return AGAIN.get(tries - 1).and_then(|wait| tried.at.checked_add(*wait).ok());
    }
    again(case, piece, tried.at)
}

/// When the next look is due after the last one, for what can still change.
fn again(case: &Case, piece: Piece, last: Timestamp) -> Option<Timestamp> {
    match piece {
        Piece::Code | Piece::Function | Piece::Source => None,
        Piece::History => round(case.opened_at, last),
        Piece::Processed => {
            let (_, until) = window(case);
            let known = case.processed();
            if known.is_some_and(|known| known.settled && known.until.is_some() == until.is_some()) {
                return None;
            }
            if until.is_some() && known.is_some_and(|known| known.until.is_none()) {
                return Some(last);
            }
            let asked = || (case.state == State::AwaitingDecision).then(|| last.checked_add(WHILE_ACTIVE).ok());
            round(until.unwrap_or(case.opened_at), last).or_else(|| asked().flatten())
        }
    }
}

fn round(since: Timestamp, last: Timestamp) -> Option<Timestamp> {
    ROUNDS.iter().filter_map(|after| since.checked_add(*after).ok()).find(|round| *round > last)
}

#[cfg(test)]
#[path = "tests/due.rs"]
mod tests;

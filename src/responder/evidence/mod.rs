//! Gathering evidence: what people would look up before they decide. Only once the mapping is contained or people are
//! asked, beside everything else, and never in its way: a task of its own, few at a time, with limits of its own.

mod function;
mod history;
mod processed;
mod round;
mod source;
mod watching;

pub(super) use watching::Gathering;

use super::Responder;
use crate::case::{Case, CaseId, State};
use crate::evidence::{Piece, due, is_ready};
use crate::ports::JournalError;
use jiff::{SignedDuration, Timestamp};
use round::Round;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::{Instrument, info_span};
use watching::Tries;

/// How many cases are looked into at once.
const AT_ONCE: usize = 3;
/// More than so many cases at work are a flood: containing them comes first.
const FLOOD: usize = 16;
/// But no longer than this, for an attacker could keep a flood up to have the evidence deleted meanwhile.
const YIELD: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(100);
/// How long at most until it is looked for what is due.
const LOOK: Duration = Duration::from_secs(2);
/// A worker that starts takes up what was closed so lately: metrics come late.
const LATELY: SignedDuration = SignedDuration::from_mins(30);

impl Responder {
    /// Gathers evidence for each case that lacks some, until it has to stop.
    pub async fn gather(&self) {
        if let Err(error) = self.take_up_closed().await {
            tracing::warn!(%error, "evidence of cases that were closed lately may stay incomplete");
        }
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        while !self.is_stopping() {
            let Some(id) = self.gathering.take(self.ports.clock.now()) else {
                tokio::select! {
                    () = self.pause(LOOK) => {}
                    () = self.gathering.woken() => {}
                }
                continue;
            };
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            self.yield_to_containment().await;
            let responder = self.clone();
            let span = info_span!("evidence", case = %id);
            tokio::spawn(
                async move {
                    let next = Box::pin(responder.gather_evidence(&id)).await.unwrap_or_else(|error| {
                        tracing::warn!(%error, "evidence cannot be written; it is tried again");
                        Some(responder.ports.clock.now() + SignedDuration::from_secs(30))
                    });
                    responder.gathering.release(&id, next);
                    drop(permit);
                }
                .instrument(span),
            );
        }
    }

    /// Looks for what is due in a case, and appends what is new; gives when to look again. Each piece is bounded in
    /// time, and none waits for another that fails.
    pub async fn gather_evidence(&self, id: &CaseId) -> Result<Option<Timestamp>, JournalError> {
        let case = self.load(id).await?;
        let now = self.ports.clock.now();
        let tried = self.gathering.tried(id);
        let is_due = |piece: &Piece| due(&case, *piece, tried.get(piece), now).is_some_and(|at| at <= now);
        let wanted = first_things(Piece::ALL.into_iter().filter(is_due).collect(), &tried);
        let round = Round::new(self, case, wanted, tried);
        round.run().await?;
        let (case, tried) = round.end();
        let now = self.ports.clock.now();
        let next = Piece::ALL.into_iter().filter_map(|piece| due(&case, piece, tried.get(&piece), now)).min();
        self.gathering.remember(id, tried);
        Ok(next)
    }

    /// Has evidence gathered for a case that may have some. `anew`: it came to rest, so that more may be due.
    pub(super) fn wants_evidence(&self, case: &Case, anew: bool) {
        if is_ready(case) {
            self.gathering.want(&case.id, self.ports.clock.now(), anew);
        }
    }

    async fn take_up_closed(&self) -> Result<(), JournalError> {
        let now = self.ports.clock.now();
        for summary in self.ports.journal.cases().await? {
            let lately = summary.state == State::Closed && now.duration_since(summary.updated_at) < LATELY;
            if let Ok(id) = summary.case_id.parse()
                && lately
            {
                self.gathering.want(&id, now, false);
            }
        }
        Ok(())
    }

    async fn yield_to_containment(&self) {
        let began = tokio::time::Instant::now();
        while self.at_work() > FLOOD && began.elapsed() < YIELD && !self.is_stopping() {
            self.pause(MOMENT).await;
        }
    }
}

/// CloudTrail is asked slowly, one search at a time: not before all else was looked at once. In a flood the code of the
/// last case must not wait for the searches of all others.
fn first_things(mut wanted: Vec<Piece>, tried: &Tries) -> Vec<Piece> {
    if wanted.iter().any(|piece| *piece != Piece::History && !tried.contains_key(piece)) {
        wanted.retain(|piece| *piece != Piece::History);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Tried;

    #[test]
    fn a_cases_first_look_does_not_wait_for_cloudtrail() {
        let now = Timestamp::UNIX_EPOCH;
        let all = Piece::ALL.to_vec();
        assert_eq!(first_things(all.clone(), &Tries::new()), all[..4]);
        let tried: Tries =
            all[..4].iter().map(|piece| (*piece, Tried { at: now, failures: 1, in_vain: false })).collect();
        assert_eq!(first_things(all.clone(), &tried), all);
        assert_eq!(first_things(vec![Piece::History], &Tries::new()), [Piece::History]);
    }
}

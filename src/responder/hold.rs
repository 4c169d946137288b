//! Who holds a restriction: its stream in the journal is claimed, joined and let go of by compare-and-set.

use super::{Responder, retry};
use crate::case::{Case, CaseId};
use crate::containment::{Call, Observation, StepKind};
use crate::ports::JournalError;
use crate::restriction::{Restriction, RestrictionEvent, RestrictionId, RestrictionState};
use jiff::{SignedDuration, Timestamp};

/// For how long another case may be taking the same off before somebody is told that it does not get on.
const COMES_OFF_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// What came of claiming.
pub(super) enum Claim {
    /// The case holds it, alone or with others.
    Held(Box<Restriction>),
    /// Another case is taking it off right now.
    ComesOff,
    /// It cannot be had, and why, for people.
    Taken(String),
}

/// What came of letting go.
pub(super) enum LetGo {
    /// The case was the last: it comes off.
    Last,
    /// These hold it still.
    HeldBy(Vec<CaseId>),
}

impl Responder {
    /// Has the case hold what `call` puts on: it claims it, or joins the restriction that does the same already. Claimed
    /// before and not put on, after a crash, it is the case's still.
    pub(super) async fn claim(
        &self,
        case: &Case,
        step: StepKind,
        call: &Call,
        undo: Option<&Call>,
    ) -> Result<Claim, JournalError> {
        let Some(principal) = call.principal().cloned() else {
            return Ok(Claim::Taken("it restricts nobody".into()));
        };
        let issued = case.opened.finding.actor.issued_at;
        let claimed = RestrictionEvent::Claimed {
            case_id: case.id.clone(),
            principal,
            step,
            call: call.clone(),
            undo: undo.cloned(),
        };
        let mut ids = vec![RestrictionId::of(step, call), RestrictionId::apart(step, call)];
        ids.dedup();
        let mut at = 0;
        while let Some(id) = ids.get(at) {
            let known = self.ports.journal.restriction(id).await?;
            let (expected, event) = match known {
                None => (0, claimed.clone()),
                Some(off) if off.state == RestrictionState::Off => (off.seq, claimed.clone()),
                Some(going) if going.state == RestrictionState::ComingOff => {
                    if at + 1 < ids.len() {
                        at += 1;
                        continue;
                    }
                    return Ok(self.comes_off(&going));
                }
                Some(held) if held.covers(call, issued) && held.holders.contains(&case.id) => {
                    return Ok(Claim::Held(Box::new(held)));
                }
                Some(held) if held.covers(call, issued) => {
                    (held.seq, RestrictionEvent::Joined { case_id: case.id.clone() })
                }
                Some(_) => {
                    at += 1;
                    continue;
                }
            };
            if let Some(held) = self.append_stream(id, expected, &[event]).await? {
                return Ok(Claim::Held(Box::new(held)));
            }
        }
        Ok(Claim::Taken("a restriction of that name is on already, and does not reach as far".into()))
    }

    fn comes_off(&self, going: &Restriction) -> Claim {
        if self.ports.clock.now().duration_since(going.updated_at) < COMES_OFF_WITHIN {
            return Claim::ComesOff;
        }
        Claim::Taken(format!(
            "another case began to take the same off at {} and has not finished ({} on {}): lift it there first",
            going.updated_at,
            going.call.describe(),
            going.principal.words()
        ))
    }

    /// Has the case let go of what `call` put on.
    pub(super) async fn let_go(&self, case: &Case, step: StepKind, call: &Call) -> Result<LetGo, JournalError> {
        loop {
            let Some(held) = self.stream_of(step, call).await? else { return Ok(LetGo::Last) };
            let others: Vec<CaseId> = held.holders.iter().filter(|holder| **holder != case.id).cloned().collect();
            let case_id = case.id.clone();
            let event = match held.state {
                RestrictionState::ComingOff | RestrictionState::Off => return Ok(LetGo::Last),
                _ if others.is_empty() => RestrictionEvent::ComingOff { case_id },
                _ if held.holders.contains(&case.id) => RestrictionEvent::LetGo { case_id },
                // A crash came between letting go and saying so.
                _ => return Ok(LetGo::HeldBy(others)),
            };
            if self.append_stream(&held.id, held.seq, &[event]).await?.is_some() {
                return Ok(if others.is_empty() { LetGo::Last } else { LetGo::HeldBy(others) });
            }
        }
    }

    /// It was read back as on, or as off again.
    pub(super) async fn settle_stream(&self, step: StepKind, call: &Call, off: bool) -> Result<(), JournalError> {
        loop {
            let Some(held) = self.stream_of(step, call).await? else { return Ok(()) };
            let event = match (held.state, off) {
                (RestrictionState::Claimed, false) => RestrictionEvent::Applied,
                (RestrictionState::ComingOff, true) => RestrictionEvent::TakenOff,
                _ => return Ok(()),
            };
            if self.append_stream(&held.id, held.seq, &[event]).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// A claim that came to nothing is given up: the next who wants the same finds it free.
    pub(super) async fn abandon(&self, case: &Case, step: StepKind, call: &Call) -> Result<(), JournalError> {
        let claimed = self.stream_of(step, call).await?.is_some_and(|held| held.state == RestrictionState::Claimed);
        if claimed && matches!(self.let_go(case, step, call).await?, LetGo::Last) {
            self.settle_stream(step, call, true).await?;
        }
        Ok(())
    }

    /// Lets go of what a case claimed and never put on, before it is closed: it offers no lift for that, and would hold
    /// it for ever against the others. What is on after all, or cannot be read, it keeps.
    pub(super) async fn drop_claims(&self, case: &Case) -> Result<(), JournalError> {
        for held in self.ports.journal.restrictions().await? {
            if !held.holders.contains(&case.id) || case.restrictions().any(|step| step.call == held.call) {
                continue;
            }
            let _held = self.restricting.lock().await;
            let alone = held.holders.len() == 1;
            match self.observe(&held.call).await {
                Ok(seen) if alone && held.call.achieved(&seen) && seen != Observation::PrincipalGone => {
                    tracing::error!(restriction = %held.id, call = %held.call.describe(), "it is on, though its step failed; a person is needed");
                }
                Err(error) if alone => {
                    tracing::warn!(restriction = %held.id, %error, "it cannot be read, so its claim stays");
                }
                Ok(_) | Err(_) => {
                    if matches!(self.let_go(case, held.step, &held.call).await?, LetGo::Last) {
                        self.settle_stream(held.step, &held.call, true).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The restriction that this very call put on, or is to.
    pub(super) async fn stream_of(&self, step: StepKind, call: &Call) -> Result<Option<Restriction>, JournalError> {
        for id in [RestrictionId::of(step, call), RestrictionId::apart(step, call)] {
            if let Some(found) = self.ports.journal.restriction(&id).await?.filter(|found| found.call == *call) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Appends to a restriction's stream; `None` where somebody else appended first. While the journal cannot be written
    /// it waits.
    pub(super) async fn append_stream(
        &self,
        id: &RestrictionId,
        expected: u64,
        events: &[RestrictionEvent],
    ) -> Result<Option<Restriction>, JournalError> {
        let mut waited = 0;
        loop {
            match self.ports.journal.append_restriction(id, expected, events).await {
                Ok(now) => return Ok(Some(now)),
                Err(JournalError::Conflict { .. }) => return Ok(None),
                Err(JournalError::Unavailable(why)) if !self.is_stopping() => {
                    tracing::error!(restriction = %id, %why, "the journal cannot be written; nothing is changed until it can");
                    waited += 1;
                    self.pause(retry::backoff(waited)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How long something has been so.
    pub(super) fn age(&self, since: Timestamp) -> SignedDuration {
        self.ports.clock.now().duration_since(since)
    }
}

//! A finding on a mapping whose case is open joins that case; where it undid the containment, that is made good.

use super::judge::Seen;
use super::verify::Read;
use super::{Disposition, Responder};
use crate::case::{Case, CaseEvent, CaseId, Evidence, Mode, Provenance, Reminder, State};
use crate::cloudtrail::Verb;
use crate::containment::{Observation, StepKind};
use crate::detection::Finding;
use crate::mapping::Snapshot;
use crate::policy::Verdict;
use crate::ports::{CallError, JournalError};

impl Responder {
    pub(super) async fn join(
        &self,
        id: &CaseId,
        seen: &Seen,
        verdict: &Verdict,
        provenance: &Provenance,
    ) -> Result<Disposition, JournalError> {
        loop {
            let case = self.load(id).await?;
            if case.state == State::Closed {
                return Ok(Disposition::Again(format!("{id} was closed just now")));
            }
            if knows(&case, &seen.finding.event.id) {
                break;
            }
            let mut events = vec![CaseEvent::Joined {
                finding: Box::new(seen.finding.clone()),
                verdict: Box::new(verdict.clone()),
                provenance: provenance.clone(),
            }];
            if let Read::There(read) = &seen.read {
                let undone = undone(&case, &Observation::Mapping { snapshot: read.clone() });
                let woke = |known: &Snapshot| read.is_active() && !known.is_active();
                let other = case.latest().is_none_or(|known| woke(known) || !known.wired_as(read));
                let waits = matches!(case.state, State::AwaitingDecision | State::Stuck);
                if undone.is_none() && other && waits {
                    // People must not decide about what it is no more.
                    events.push(CaseEvent::Evidence(Evidence::MappingRead { snapshot: read.clone() }));
                }
                events.extend(undone);
            }
            match self.ports.journal.append(id, case.seq, &events).await {
                Ok(_) => {
                    tracing::warn!(
                        case = %id, event = %seen.finding.event.id, actor = %seen.finding.actor.arn,
                        detection = seen.finding.detection.name(), "joined an open case"
                    );
                    break;
                }
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.nudge(id);
        Ok(Disposition::Done)
    }
}

/// A case whose mapping is to stay disabled, of the same function and source as one that was just made.
pub(super) struct Earlier {
    case: CaseId,
    /// Whether its mapping is gone; why that cannot be told.
    gone: Result<bool, CallError>,
}

impl Responder {
    /// The last case of the function and source of a creation, where that case's mapping is another and is to stay disabled.
    pub(super) async fn earlier_of_pair(&self, finding: &Finding) -> Result<Option<Earlier>, JournalError> {
        let call = &finding.call;
        let (function, source) = (&call.function.arn, &call.source.arn);
        if self.settings.mode == Mode::Observe || call.verb != Verb::Create || source.is_empty() {
            return Ok(None);
        }
        let last = self.ports.journal.last_case_of_pair(&finding.account, &finding.region, function, source).await?;
        let Some(id) = last else { return Ok(None) };
        let case = self.load(&id).await?;
        let same = case.mapping.as_ref().is_some_and(|old| old.uuid.eq_ignore_ascii_case(&call.uuid));
        if same || !case.stays_disabled() {
            return Ok(None);
        }
        let gone = match case.mapping.as_ref().filter(|_| !case.gone) {
            Some(old) => self.ports.lambda.mapping(old).await.map(|read| read.is_none()),
            None => Ok(true),
        };
        Ok(Some(Earlier { case: id, gone }))
    }

    /// A mapping of the same function and source as one that is to stay disabled, made again: it joins that case, is
    /// disabled whatever policy asks for otherwise, and people are paged. `None`: there is no such case.
    pub(super) async fn recreated(
        &self,
        seen: &Seen,
        verdict: &Verdict,
        provenance: &Provenance,
    ) -> Result<Option<Disposition>, JournalError> {
        let (finding, Some(mapping), Read::There(read)) = (&seen.finding, &seen.mapping, &seen.read) else {
            return Ok(None);
        };
        let acts =
            self.settings.mode == Mode::Enforce && matches!(provenance, Provenance::Verified | Provenance::Confirmed);
        if !acts || finding.call.verb != Verb::Create {
            return Ok(None);
        }
        let Some(Earlier { case: id, gone }) = &seen.earlier else { return Ok(None) };
        let case = self.load(id).await?;
        if !case.stays_disabled() {
            return Ok(None);
        }
        if case.state == State::Acting || case.under_way().is_some() {
            return Ok(Some(Disposition::Again(format!("{id} is being worked on"))));
        }
        match gone {
            Ok(true) => {}
            // A mapping that is still there must not drop out of sight: then this one is a case of its own.
            Ok(false) => return Ok(None),
            Err(error) => return Ok(Some(Disposition::Again(format!("{} cannot be read: {error}", case.subject())))),
        }
        let findings = u32::try_from(case.joined.len()).unwrap_or(u32::MAX).saturating_add(1);
        let events = [
            CaseEvent::Recreated {
                finding: Box::new(finding.clone()),
                verdict: Box::new(verdict.clone()),
                mapping: mapping.clone(),
                snapshot: read.clone(),
            },
            CaseEvent::Reminded { reminder: Reminder::Again { findings } },
        ];
        match self.ports.journal.append(id, case.seq, &events).await {
            Ok(case) => {
                tracing::error!(case = %id, %mapping, actor = %finding.actor.arn, "made again what is to stay disabled");
                self.drive_from(case);
                Ok(Some(Disposition::Done))
            }
            Err(JournalError::Conflict { .. }) => Ok(Some(Disposition::Again(format!("{id} moved on")))),
            Err(error) => Err(error),
        }
    }
}

fn knows(case: &Case, event_id: &str) -> bool {
    case.opened.finding.event.id == event_id || case.joined.iter().any(|joined| joined.event.id == event_id)
}

/// Where the disable was in force and the mapping is active again: somebody undid it. Nothing is said while a decision
/// is being carried out, which may be the restore itself.
pub(super) fn undone(case: &Case, seen: &Observation) -> Option<CaseEvent> {
    let Observation::Mapping { snapshot } = seen else {
        return None;
    };
    if case.state == State::Acting || case.under_way().is_some() || !snapshot.is_active() {
        return None;
    }
    // Read before it was disabled again, by somebody who found it enabled at the same time.
    let known = case.latest().and_then(|read| read.last_modified);
    if known.zip(snapshot.last_modified).is_some_and(|(known, seen)| seen < known) {
        return None;
    }
    let disabled = case.steps.iter().find(|step| step.kind == StepKind::DisableMapping && case.holds_now(step))?;
    Some(CaseEvent::Tampered { id: disabled.id, seen: seen.clone() })
}

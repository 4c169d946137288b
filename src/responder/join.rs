//! A finding on a mapping whose case is open joins that case; where it undid the containment, that is made good.

use super::judge::Seen;
use super::verify::Read;
use super::{Disposition, Responder};
use crate::case::{Case, CaseEvent, CaseId, Evidence, Provenance, State};
use crate::containment::{Observation, StepKind};
use crate::policy::Verdict;
use crate::ports::JournalError;

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
                let other = case.latest().is_none_or(|known| !known.wired_as(read));
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

fn knows(case: &Case, event_id: &str) -> bool {
    case.opened.finding.event.id == event_id || case.joined.iter().any(|joined| joined.event.id == event_id)
}

/// Where the disable was in force and the mapping is active again: somebody undid it. Nothing is said while a decision
/// is being carried out, which may be the restore itself.
fn undone(case: &Case, seen: &Observation) -> Option<CaseEvent> {
    let Observation::Mapping { snapshot } = seen else {
        return None;
    };
    if case.state == State::Acting || case.under_way().is_some() || !snapshot.is_active() {
        return None;
    }
    let disabled = case.steps.iter().find(|step| step.kind == StepKind::DisableMapping && case.holds(step))?;
    Some(CaseEvent::Tampered { id: disabled.id, seen: seen.clone() })
}

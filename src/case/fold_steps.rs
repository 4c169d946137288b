//! The part of the fold that is about steps: prepared → started → outcome, and their undoing.

use super::state::{Case, State, Step, StepStatus};
use super::{CaseEvent, Mode, PlannedStep};
use crate::containment::{Observation, Prior, StepKind};
use jiff::Timestamp;

impl Case {
    pub(super) fn step_event(&mut self, event: &CaseEvent, at: Timestamp) -> Result<(), String> {
        match event {
            CaseEvent::StepPrepared { id, step, undoes, call, prior } => {
                self.prepare(Step::new(*id, *step, *undoes, call.clone(), at), prior.as_ref())
            }
            CaseEvent::StepStarted { id, identity, .. } => {
                let step = self.step_in(*id, &[StepStatus::Prepared, StepStatus::Started, StepStatus::Failed])?;
                // Taken up again after a crash: a call may have reached AWS whose request id nobody wrote down.
                step.ambiguous |= step.status == StepStatus::Started;
                step.status = StepStatus::Started;
                step.at = at;
                step.started_at = step.started_at.or(Some(at));
                step.identity.clone_from(identity);
                if self.state == State::Stuck {
                    self.state = if self.is_approved(*id) { State::Acting } else { State::Containing };
                }
                Ok(())
            }
            CaseEvent::StepTried { id, attempt, ambiguous, request_id, .. } => {
                let step = self.step_in(*id, &[StepStatus::Started])?;
                step.attempts = *attempt;
                step.ambiguous |= *ambiguous;
                step.request_ids.extend(request_id.clone());
                Ok(())
            }
            CaseEvent::StepSucceeded { id, read_back, request_ids, .. } => {
                self.finish(*id, StepStatus::Succeeded, read_back, request_ids, at)
            }
            CaseEvent::StepUndone { id, read_back, request_ids, .. } => {
                self.finish(*id, StepStatus::Succeeded, read_back, request_ids, at)?;
                self.undone(*id)?;
                self.made_anew(*id, read_back);
                Ok(())
            }
            CaseEvent::StepReleased { id, .. } => {
                let step = self.step_in(*id, &[StepStatus::Started])?;
                step.status = StepStatus::Succeeded;
                step.at = at;
                self.undone(*id)
            }
            CaseEvent::StepFailed { id, error, refused } => self.fail(*id, error, *refused, at),
            CaseEvent::Tampered { id, seen } => {
                let step = self.step_in(*id, &[StepStatus::Succeeded])?;
                step.status = StepStatus::Undone;
                step.at = at;
                self.saw(seen);
                self.state = State::Containing;
                self.votes.clear();
                Ok(())
            }
            CaseEvent::OwnCallSeen { step, .. } => {
                self.step_mut(*step)?.own_call_seen = true;
                Ok(())
            }
            _ => Err("it is no step's event".into()),
        }
    }

    /// Whether a step is one of the plan that people approved last: a response that came later is not.
    fn is_approved(&self, id: u32) -> bool {
        let Some(step) = self.steps.iter().find(|step| step.id == id && id > self.approved_after) else {
            return false;
        };
        let same = |planned: &PlannedStep| {
            (planned.step, planned.undoes) == (step.kind, step.undoes) && planned.call.target() == step.call.target()
        };
        self.approved.iter().any(|tally| tally.plan.steps.iter().any(same))
    }

    fn undone(&mut self, id: u32) -> Result<(), String> {
        let undone = self.steps.iter().find(|step| step.id == id).and_then(|step| step.undoes);
        let target = undone.ok_or("it is no undo")?;
        self.step_in(target, &[StepStatus::Succeeded])?.status = StepStatus::Undone;
        Ok(())
    }

    /// A mapping that was deleted and made anew is another: the case is about that one now, and nothing that was done to
    /// the old one is in force on it.
    fn made_anew(&mut self, id: u32, read_back: &Observation) {
        let made = self.steps.iter().any(|step| step.id == id && step.kind == StepKind::DeleteMapping);
        let (true, Observation::Mapping { snapshot }, Some(mapping)) = (made, read_back, &mut self.mapping) else {
            return;
        };
        mapping.uuid.clone_from(&snapshot.uuid);
        for step in &mut self.steps {
            if step.kind == StepKind::DisableMapping && step.status == StepStatus::Succeeded {
                step.status = StepStatus::Undone;
            }
        }
    }

    fn prepare(&mut self, step: Step, prior: Option<&Prior>) -> Result<(), String> {
        if self.opened.mode == Mode::Observe {
            return Err("in observe mode nothing is changed".into());
        }
        if let Some(other) = self.under_way() {
            return Err(format!("step {} is under way", other.id));
        }
        if step.id != self.next_step() {
            return Err(format!("step {} is out of order", step.id));
        }
        if let Some(prior) = prior {
            let target = step.call.target();
            if self.prior_of(step.kind, &target).is_some() {
                return Err("the prior state is captured once".into());
            }
            self.priors.push((step.kind, target, prior.clone()));
        }
        self.steps.push(step);
        Ok(())
    }

    fn finish(
        &mut self,
        id: u32,
        status: StepStatus,
        read_back: &Observation,
        request_ids: &[String],
        at: Timestamp,
    ) -> Result<(), String> {
        let step = self.step_in(id, &[StepStatus::Started])?;
        if !step.call.achieved(read_back) {
            return Err("what was read back is not what the step is for".into());
        }
        step.status = status;
        step.at = at;
        step.request_ids.extend(request_ids.iter().cloned());
        self.saw(read_back);
        self.rest_of_response();
        Ok(())
    }

    fn fail(&mut self, id: u32, error: &str, refused: bool, at: Timestamp) -> Result<(), String> {
        let step = self.step_in(id, &[StepStatus::Prepared, StepStatus::Started])?;
        step.status = StepStatus::Failed;
        step.at = at;
        step.refused = refused;
        if step.error != error {
            error.clone_into(&mut step.error);
            if self.state != State::AwaitingDecision {
                self.asked = None;
            }
        }
        if self.state == State::Acting {
            self.state = State::Stuck;
        }
        self.rest_of_response();
        Ok(())
    }

    /// What was not tried yet comes first: a freeze that fails must not keep the mapping alive. Then what failed for now
    /// is tried again.
    fn rest_of_response(&mut self) {
        if self.state == State::Containing && self.untried().is_none() && self.to_be_retried() {
            self.state = State::Stuck;
        }
    }

    fn saw(&mut self, seen: &Observation) {
        match seen {
            Observation::Mapping { snapshot } => {
                self.last_read = Some(snapshot.clone());
                self.gone = false;
            }
            Observation::MappingGone => self.gone = true,
            Observation::Concurrency { .. }
            | Observation::FunctionGone
            | Observation::Policy { .. }
            | Observation::Attached { .. }
            | Observation::AccessKeys { .. }
            | Observation::Tags { .. }
            | Observation::PrincipalGone => {}
        }
    }

    fn step_mut(&mut self, id: u32) -> Result<&mut Step, String> {
        self.steps.iter_mut().find(|step| step.id == id).ok_or_else(|| format!("there is no step {id}"))
    }

    fn step_in(&mut self, id: u32, allowed: &[StepStatus]) -> Result<&mut Step, String> {
        let step = self.step_mut(id)?;
        if allowed.contains(&step.status) { Ok(step) } else { Err(format!("step {id} is {:?}", step.status)) }
    }
}

impl Step {
    fn new(
        id: u32,
        kind: crate::containment::StepKind,
        undoes: Option<u32>,
        call: crate::containment::Call,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            undoes,
            call,
            status: StepStatus::Prepared,
            at,
            started_at: None,
            identity: String::new(),
            attempts: 0,
            ambiguous: false,
            request_ids: Vec::new(),
            error: String::new(),
            refused: false,
            own_call_seen: false,
        }
    }
}

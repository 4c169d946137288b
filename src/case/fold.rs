//! The one place where an event changes a case. Total: an event that cannot follow is [`Illegal`], never ignored.

use super::state::{Case, State, Step, StepStatus, Tally};
use super::{CaseEvent, Evidence, Mode, Opened, Outcome, Plan, Provenance};
use crate::containment::{Observation, Prior, StepKind};
use crate::detection::Finding;
use crate::mapping::{MappingKey, Snapshot};
use crate::policy::Response;
use jiff::Timestamp;

/// An event that cannot follow what came before it: the journal is damaged, or sluicegate has a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("case {case}: event {kind} cannot follow event {seq}: {why}")]
pub struct Illegal {
    case: String,
    kind: &'static str,
    seq: u64,
    why: String,
}

impl Case {
    /// The case after `events`, oldest first; `None` where there are none.
    pub fn fold<'e>(events: impl IntoIterator<Item = (&'e CaseEvent, Timestamp)>) -> Result<Option<Self>, Illegal> {
        let mut case: Option<Self> = None;
        for (event, at) in events {
            case = Some(match case {
                None => Self::begin(event, at)?,
                Some(mut case) => {
                    case.apply(event, at)?;
                    case
                }
            });
        }
        Ok(case)
    }

    /// The case after its first event.
    pub fn begin(event: &CaseEvent, at: Timestamp) -> Result<Self, Illegal> {
        let CaseEvent::Opened(opened) = event else {
            let why = "a case begins with opened".to_owned();
            return Err(Illegal { case: "?".into(), kind: event.kind(), seq: 0, why });
        };
        Ok(Self::open(opened, at))
    }

    fn open(opened: &Opened, at: Timestamp) -> Self {
        Self {
            id: opened.case_id.clone(),
            seq: 1,
            opened: opened.clone(),
            opened_at: at,
            updated_at: at,
            joined: Vec::new(),
            mapping: opened.mapping.clone(),
            gone: false,
            provenance: opened.provenance.clone(),
            response: opened.verdict.response,
            baseline: opened.baseline.as_deref().cloned(),
            unasked: false,
            steps: Vec::new(),
            priors: Vec::new(),
            last_read: opened.snapshot.clone(),
            state: State::Containing,
            outcome: None,
            asked: None,
            asked_at: None,
            expired_at: None,
            reminders: Vec::new(),
            unconfirmed: Vec::new(),
            evidence: Vec::new(),
            card: None,
            ratings: Vec::new(),
            votes: Vec::new(),
            counted: Vec::new(),
            approved: None,
            approved_after: 0,
        }
    }

    /// Applies one more event.
    pub fn apply(&mut self, event: &CaseEvent, at: Timestamp) -> Result<(), Illegal> {
        self.transition(event, at).map_err(|why| Illegal {
            case: self.id.to_string(),
            kind: event.kind(),
            seq: self.seq,
            why,
        })?;
        self.seq += 1;
        self.updated_at = at;
        Ok(())
    }

    fn transition(&mut self, event: &CaseEvent, at: Timestamp) -> Result<(), String> {
        match event {
            CaseEvent::Opened(_) => Err("it is open already".into()),
            CaseEvent::Joined { finding, verdict, provenance } => {
                self.joined.push((**finding).clone());
                if *provenance == Provenance::Verified {
                    self.join(verdict.response);
                }
                Ok(())
            }
            CaseEvent::Recreated { finding, mapping, snapshot, .. } => self.recreate(finding, mapping, snapshot),
            CaseEvent::Evidence(evidence) => {
                self.learn(evidence, at);
                Ok(())
            }
            CaseEvent::ApprovalRequested { why, plans } => self.ask(why, plans, at),
            CaseEvent::ConfirmationAsked { vote, code } => {
                self.unconfirmed.push((code.clone(), vote.clone()));
                self.counted.push(vote.ballot.clone());
                Ok(())
            }
            CaseEvent::Voted(vote) => {
                self.unconfirmed.retain(|(_, waiting)| waiting.ballot != vote.ballot);
                self.votes.push(vote.clone());
                self.counted.push(vote.ballot.clone());
                Ok(())
            }
            CaseEvent::Expired { verdict } => {
                self.expire(verdict.as_deref().map(|verdict| verdict.response), at);
                Ok(())
            }
            CaseEvent::Reminded { reminder } => {
                self.reminders.push((*reminder, at));
                Ok(())
            }
            CaseEvent::CardPosted { channel, ts } => {
                self.card = Some((channel.clone(), ts.clone()));
                Ok(())
            }
            CaseEvent::Rated { person, right } => {
                self.ratings.retain(|(who, _)| who != person);
                self.ratings.push((person.clone(), *right));
                Ok(())
            }
            CaseEvent::Approved { plan, people } => self.approve(plan, people, at),
            CaseEvent::Closed { outcome, .. } => self.close(*outcome),
            CaseEvent::StepPrepared { .. }
            | CaseEvent::StepStarted { .. }
            | CaseEvent::StepTried { .. }
            | CaseEvent::StepSucceeded { .. }
            | CaseEvent::StepFailed { .. }
            | CaseEvent::StepUndone { .. }
            | CaseEvent::StepReleased { .. }
            | CaseEvent::Tampered { .. }
            | CaseEvent::OwnCallSeen { .. } => self.step_event(event, at),
            CaseEvent::Denied { .. } | CaseEvent::Note { .. } => Ok(()),
        }
    }

    /// A verified finding counts, whatever became of the one that opened the case: a forged or stale event about a
    /// mapping must not shield it from a genuine one.
    fn join(&mut self, response: Response) {
        if !self.believed() && response >= Response::Disable {
            self.provenance = Provenance::Verified;
            self.response = response;
            self.contain_again();
        } else if response > self.response {
            self.response = response;
            self.contain_again();
        }
    }

    /// The same pair again: what was contained, or removed, stays so.
    fn recreate(&mut self, finding: &Finding, mapping: &MappingKey, snapshot: &Snapshot) -> Result<(), String> {
        if !self.stays_disabled() || self.under_way().is_some() || self.state == State::Acting {
            return Err(format!("the case is {:?}, and its mapping is not to stay disabled", self.state));
        }
        self.joined.push(finding.clone());
        self.unasked = self.state == State::Closed;
        self.mapping = Some(mapping.clone());
        self.last_read = Some(Box::new(snapshot.clone()));
        self.gone = false;
        self.provenance = Provenance::Verified;
        self.response = self.response.max(Response::Disable);
        self.state = State::Containing;
        self.outcome = None;
        self.votes.clear();
        self.unconfirmed.clear();
        Ok(())
    }

    /// The question lapses, and its votes with it. What policy lets sluicegate do by itself then is a new response.
    fn expire(&mut self, response: Option<Response>, at: Timestamp) {
        self.expired_at = Some(at);
        self.votes.clear();
        self.unconfirmed.clear();
        if self.state == State::AwaitingDecision
            && !self.contained()
            && self.believed()
            && let Some(response) = response.filter(|response| *response >= Response::Disable)
        {
            self.response = response;
            self.state = State::Containing;
        }
    }

    fn learn(&mut self, evidence: &Evidence, at: Timestamp) {
        match evidence {
            Evidence::MappingFound { mapping } => self.mapping = Some(mapping.clone()),
            Evidence::MappingRead { snapshot } => {
                self.last_read = Some(snapshot.clone());
                self.gone = false;
            }
            Evidence::MappingGone { .. } => self.gone = true,
            Evidence::Provenance { provenance } => {
                self.provenance = provenance.clone();
                if self.believed() && self.votes.is_empty() {
                    self.contain_again();
                }
            }
            Evidence::Function(_)
            | Evidence::Source(_)
            | Evidence::CodeKept(_)
            | Evidence::History(_)
            | Evidence::Processed(_)
            | Evidence::Credentials { .. }
            | Evidence::Restricted { .. }
            | Evidence::Unknown { .. } => {
                self.evidence.retain(|(known, _)| !known.is_replaced_by(evidence));
                self.evidence.push((evidence.clone(), at));
            }
        }
    }

    /// Back to work where the response is to act and people are only being asked.
    fn contain_again(&mut self) {
        if self.state == State::AwaitingDecision && self.response >= Response::Disable && self.believed() {
            self.state = State::Containing;
        }
    }

    fn ask(&mut self, why: &str, plans: &[Plan], at: Timestamp) -> Result<(), String> {
        match self.state {
            State::Closed => return Err("the case is closed".into()),
            State::Stuck => {}
            State::Containing | State::AwaitingDecision | State::Acting => self.state = State::AwaitingDecision,
        }
        self.unasked = false;
        self.asked = Some((why.to_owned(), plans.to_vec()));
        self.asked_at = Some(at);
        self.expired_at = None;
        self.votes.clear();
        self.unconfirmed.clear();
        Ok(())
    }

    fn approve(&mut self, plan: &Plan, people: &[String], at: Timestamp) -> Result<(), String> {
        if !self.decisions().contains(&plan.decision) {
            return Err(format!("{} does not fit a case that is {:?}", plan.decision, self.state));
        }
        // A lift that got stuck on a closed case, decided again, leads back to where that case was.
        let stuck = self.approved.as_ref().and_then(|tally| tally.before).filter(|_| self.state == State::Stuck);
        let before = self.outcome.filter(|_| self.state == State::Closed).or(stuck);
        self.approved = Some(Tally { plan: plan.clone(), people: people.to_vec(), at, before });
        self.approved_after = self.steps.last().map_or(0, |step| step.id);
        self.state = State::Acting;
        self.outcome = None;
        self.expired_at = None;
        self.unconfirmed.clear();
        Ok(())
    }

    fn close(&mut self, outcome: Outcome) -> Result<(), String> {
        if self.state == State::Closed {
            return Err("it is closed already".into());
        }
        if let Some(step) = self.under_way() {
            return Err(format!("step {} is under way", step.id));
        }
        self.state = State::Closed;
        self.outcome = Some(outcome);
        Ok(())
    }

    fn step_event(&mut self, event: &CaseEvent, at: Timestamp) -> Result<(), String> {
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
                    self.state = if self.approved.is_some() && *id > self.approved_after {
                        State::Acting
                    } else {
                        State::Containing
                    };
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

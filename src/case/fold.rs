//! The one place where an event changes a case. Total: an event that cannot follow is [`Illegal`], never ignored.

use super::state::{Case, State, Tally};
use super::{CaseEvent, Evidence, Opened, Outcome, Plan, Provenance};
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
                if matches!(provenance, Provenance::Verified | Provenance::Confirmed) {
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
                if self.believed() && self.votes.is_empty() && self.unconfirmed.is_empty() {
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
        let shown = self.last_read.clone();
        self.approved = Some(Tally { plan: plan.clone(), people: people.to_vec(), at, shown, before });
        // Votes for anything else were overtaken: they must not count for a later decision.
        self.votes.retain(|vote| vote.plan == plan.digest);
        self.approved_after = self.steps.last().map_or(0, |step| step.id);
        self.state = State::Acting;
        self.outcome = None;
        self.expired_at = None;
        // Votes for anything else have come to nothing, or to what they were for: they count for no later approval.
        self.votes.retain(|vote| vote.plan == plan.digest);
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
}

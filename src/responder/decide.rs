//! Votes: verified, held against policy, counted, and carried out when enough people want the same.

use super::Responder;
use crate::approval::{Count, count, misfit};
use crate::case::{Case, CaseEvent, Decision, Mode, Outcome, State, SystemEvent, Via, Vote, plan_for};
use crate::ports::{Ballot, CallError, JournalError, Proof};

/// Why a vote did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who, as far as known.
    pub identity: String,
    /// Why, for the person.
    pub why: String,
}

enum Trouble {
    Refused(Refusal),
    Later(CallError),
    Journal(JournalError),
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Responder {
    /// Takes every vote that waits. Each either counts, or is refused, and the journal has it; one whose proof cannot
    /// be verified for now goes on waiting.
    pub async fn take_ballots(&self) -> Result<(), JournalError> {
        for ballot in self.ports.journal.ballots().await? {
            match self.take(&ballot).await {
                Ok(()) => {}
                Err(Trouble::Refused(refusal)) => {
                    tracing::warn!(case = %ballot.case_id, identity = %refusal.identity, why = %refusal.why, "a vote is refused");
                    let event = SystemEvent::VoteRefused {
                        ballot: ballot.id.clone(),
                        case_id: ballot.case_id.clone(),
                        decision: ballot.decision,
                        identity: refusal.identity,
                        why: refusal.why,
                    };
                    self.ports.journal.record(&event).await?;
                }
                Err(Trouble::Later(error)) => {
                    tracing::warn!(case = %ballot.case_id, %error, "a vote cannot be verified yet");
                    continue;
                }
                Err(Trouble::Journal(error)) => return Err(error),
            }
            self.ports.journal.settle(&ballot.id).await?;
        }
        Ok(())
    }

    async fn take(&self, ballot: &Ballot) -> Result<(), Trouble> {
        let Proof::Aws(proof) = &ballot.proof else { return Err(refused("slack", "not yet")) };
        let identity = match self.ports.identity.verify(proof, &ballot.claim()).await {
            Ok(identity) => identity,
            Err(error) if error.is_final() => return Err(refused("unverified", &error.to_string())),
            Err(error) => return Err(Trouble::Later(error)),
        };
        loop {
            let Some(case) = self.ports.journal.case(&ballot.case_id).await? else {
                return Err(refused(&identity, "there is no such case"));
            };
            let events = self.vote(&case, ballot, &identity).await?;
            match self.ports.journal.append(&case.id, case.seq, &events).await {
                Ok(_) => break,
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.nudge(&ballot.case_id);
        Ok(())
    }

    /// The events of a vote that counts.
    async fn vote(&self, case: &Case, ballot: &Ballot, identity: &str) -> Result<Vec<CaseEvent>, Trouble> {
        let no = |why: &str| Err(refused(identity, why));
        if case.counted.contains(&ballot.id) {
            return Ok(Vec::new());
        }
        if self.settings.mode == Mode::Observe {
            return no("mode is observe: nothing is changed. Set mode = \"enforce\" to decide");
        }
        let Some(plan) = plan_for(case, ballot.decision) else {
            return no(&misfit(case, ballot.decision));
        };
        if plan.digest != ballot.plan {
            return no("the case has moved on, and the plan is another than the one that was shown: look again");
        }
        if let Some(other) = self.other_open_case(case).await? {
            return no(&format!("the mapping has another open case, {other}: decide that one"));
        }
        let policies = self.policies.current();
        let person = policies.person(identity);
        let caused = policies.caused(&person, &case.opened.finding)
            || case.joined.iter().any(|finding| policies.caused(&person, finding));
        let reversible = true;
        let permission = policies.may(
            &person,
            ballot.decision.needs(),
            &case.opened.finding,
            caused,
            reversible,
            self.ports.clock.now(),
        );
        if !permission.permitted {
            let why: Vec<String> = permission.reasons.into_iter().chain(permission.errors).collect();
            return no(&format!("policy does not let {} decide {}: {}", person.id, ballot.decision, why.join("; ")));
        }
        let vote = Vote {
            ballot: ballot.id.clone(),
            person: person.id,
            identity: identity.to_owned(),
            decision: ballot.decision,
            plan: ballot.plan.clone(),
            reason: ballot.reason.clone(),
            needed: permission.approvals,
            policies: permission.policies,
            via: Via::CommandLine,
        };
        match count(case, &vote) {
            Count::Again => no("you voted for this already; another person is needed"),
            Count::Needs(_) => Ok(vec![CaseEvent::Voted(vote)]),
            Count::Passes(people) => Ok(vec![CaseEvent::Voted(vote), CaseEvent::Approved { plan, people }]),
        }
    }

    /// For a restore after the case was closed: a later case of the same mapping comes first.
    async fn other_open_case(&self, case: &Case) -> Result<Option<String>, JournalError> {
        match (&case.mapping, case.state, case.outcome) {
            (Some(mapping), State::Closed, Some(Outcome::Contained)) => {
                let open = self.ports.journal.open_case_on(mapping).await?;
                Ok(open.filter(|open| *open != case.id).map(|open| open.to_string()))
            }
            _ => Ok(None),
        }
    }

    /// What people would be shown before they decide.
    pub fn plan(case: &Case, decision: Decision) -> Result<crate::case::Plan, String> {
        plan_for(case, decision).ok_or_else(|| misfit(case, decision))
    }
}

fn refused(identity: &str, why: &str) -> Trouble {
    Trouble::Refused(Refusal { identity: identity.to_owned(), why: why.to_owned() })
}

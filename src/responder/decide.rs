//! Votes: whose they are, whether policy lets them count, how many it takes; carried out when enough people want the same.

use super::Responder;
use super::voter::Voter;
use crate::approval::{Count, count, decided, misfit};
use crate::case::{Case, CaseEvent, CaseId, Decision, Mode, Outcome, Plan, State, SystemEvent, Via, Vote, plans_for};
use crate::policy::Permission;
use crate::ports::{Ballot, JournalError, Proof, SlackProof};
use crate::slack::card;
use futures_util::future::join_all;

/// Why a vote did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who, as far as known.
    pub identity: String,
    /// Why, for the person.
    pub why: String,
}

pub(super) enum Trouble {
    Refused(Refusal),
    /// It cannot be told for now, for this reason: the vote goes on waiting.
    Later(String),
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
        // One at a time: what a vote is judged by must not change under it.
        let _turn = self.turn.lock().await;
        let ballots = self.ports.journal.ballots().await?;
        // Who they are is asked for all at once: one that cannot be told soon must not keep the others waiting.
        let claims: Vec<String> = ballots.iter().map(Ballot::claim).collect();
        let voters =
            join_all(ballots.iter().zip(&claims).map(|(ballot, claim)| self.voter(&ballot.proof, claim))).await;
        for (ballot, voter) in ballots.into_iter().zip(voters) {
            if self.ports.journal.refusal(&ballot.id).await?.is_some() {
                self.ports.journal.settle(&ballot.id).await?;
                continue;
            }
            let identity = voter.as_ref().map_or_else(|_| "unknown".to_owned(), |voter| voter.identity.clone());
            let taken = match voter {
                Ok(voter) => self.take(&ballot, &voter).await,
                Err(trouble) => Err(trouble),
            };
            match taken {
                Ok(told) => self.whisper(&ballot.case_id, &ballot.proof, &told),
                Err(Trouble::Refused(refusal)) => self.refuse(&ballot, refusal).await?,
                Err(Trouble::Later(why)) => {
                    tracing::warn!(case = %ballot.case_id, why, "a vote cannot be verified yet");
                    continue;
                }
                // It never will be taken, and those behind it must not wait for it.
                Err(Trouble::Journal(error @ JournalError::Damaged(_))) => {
                    let why = format!("the journal cannot take it: {error}");
                    self.refuse(&ballot, Refusal { identity, why }).await?;
                }
                Err(Trouble::Journal(error)) => return Err(error),
            }
            self.ports.journal.settle(&ballot.id).await?;
        }
        Ok(())
    }

    async fn refuse(&self, ballot: &Ballot, refusal: Refusal) -> Result<(), JournalError> {
        tracing::warn!(case = %ballot.case_id, identity = %refusal.identity, why = %refusal.why, "a vote is refused");
        let event = SystemEvent::VoteRefused {
            ballot: ballot.id.clone(),
            case_id: ballot.case_id.clone(),
            decision: ballot.decision,
            identity: refusal.identity,
            why: refusal.why.clone(),
        };
        self.ports.journal.record(&event).await?;
        self.whisper(&ballot.case_id, &ballot.proof, &card::refused(ballot.decision, &refusal.why));
        Ok(())
    }

    /// Tells the person who clicked, in the background: it changes nothing if it does not reach them.
    fn whisper(&self, case_id: &CaseId, proof: &Proof, text: &str) {
        let (Proof::Slack(proof), Some(chat)) = (proof, self.ports.chat.clone()) else { return };
        if text.is_empty() {
            return;
        }
        let (proof, text, case_id, journal) =
            (proof.clone(), text.to_owned(), case_id.clone(), self.ports.journal.clone());
        tokio::spawn(async move {
            let mut channel = proof.channel;
            if channel.is_empty() {
                // A modal is in no channel: what was wanted there is answered beside the card.
                let card = journal.case(&case_id).await.ok().flatten().and_then(|case| case.card);
                channel = card.map(|(channel, _)| channel).unwrap_or_default();
            }
            let told = chat.whisper(&channel, &proof.user_id, &proof.response_url, &text).await;
            if let Err(error) = told {
                tracing::warn!(%error, user = proof.user_id, "the person who clicked could not be told");
            }
        });
    }

    /// Takes a vote; gives what the person is told.
    async fn take(&self, ballot: &Ballot, voter: &Voter) -> Result<String, Trouble> {
        loop {
            let Some(case) = self.ports.journal.case(&ballot.case_id).await? else {
                return Err(refused(&voter.identity, "there is no such case"));
            };
            let (events, told) = match &ballot.confirms {
                None => self.vote(&case, ballot, voter).await?,
                Some(code) => self.confirmed_vote(&case, ballot, code, voter).await?,
            };
            if events.is_empty() {
                return Ok(told);
            }
            match self.ports.journal.append(&case.id, case.seq, &events).await {
                Ok(_) => {
                    self.nudge(&ballot.case_id);
                    return Ok(told);
                }
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The events of a vote that counts, or that will once it is confirmed.
    async fn vote(&self, case: &Case, ballot: &Ballot, voter: &Voter) -> Result<(Vec<CaseEvent>, String), Trouble> {
        if case.counted.contains(&ballot.id) {
            return match voter.via {
                // Taken up again after a crash.
                Via::CommandLine => Ok((Vec::new(), String::new())),
                Via::Slack | Via::SlackConfirmed => Err(refused(&voter.identity, "this very click was taken already")),
            };
        }
        let (plan, permission) = self.may(case, ballot.decision, &ballot.plan, voter).await?;
        let vote = Vote {
            ballot: ballot.id.clone(),
            person: voter.person.id.clone(),
            identity: voter.identity.clone(),
            decision: ballot.decision,
            plan: ballot.plan.clone(),
            reason: ballot.reason.clone(),
            needed: permission.approvals,
            policies: permission.policies,
            via: voter.via,
        };
        if permission.confirm_aws && voter.via == Via::Slack {
            if case.votes.iter().any(|cast| cast.person == vote.person && cast.plan == vote.plan) {
                return Err(refused(&voter.identity, "you voted for this already; another person is needed"));
            }
            let code = code();
            let told = format!(
                "{} needs your AWS identity as well, since a Slack account alone is not enough: run `sluicegate confirm {code}`",
                vote.decision
            );
            return Ok((vec![CaseEvent::ConfirmationAsked { vote, code }], told));
        }
        counted(case, vote, plan)
    }

    /// The events of a vote that came by Slack, now that the same person shows up under their AWS identity.
    async fn confirmed_vote(
        &self,
        case: &Case,
        ballot: &Ballot,
        code: &str,
        voter: &Voter,
    ) -> Result<(Vec<CaseEvent>, String), Trouble> {
        let no = |why: &str| Err(refused(&voter.identity, why));
        if case.votes.iter().any(|vote| vote.via == Via::SlackConfirmed && vote.ballot == ballot.id) {
            return Ok((Vec::new(), String::new()));
        }
        let Some((_, waiting)) = case.unconfirmed.iter().find(|(known, _)| known == code) else {
            return no("no vote waits for this code: it was confirmed already, or the question is another now");
        };
        if (waiting.decision, &waiting.plan) != (ballot.decision, &ballot.plan) {
            return no("the code is for another decision");
        }
        if voter.via != Via::CommandLine || voter.person.id != waiting.person {
            return no(&format!("the vote is {}'s, and this AWS identity is {}'s", waiting.person, voter.person.id));
        }
        let (plan, permission) = self.may(case, ballot.decision, &ballot.plan, voter).await?;
        let vote = Vote {
            ballot: waiting.ballot.clone(),
            identity: format!("{} and {}", waiting.identity, voter.identity),
            needed: waiting.needed.max(permission.approvals),
            via: Via::SlackConfirmed,
            ..waiting.clone()
        };
        counted(case, vote, plan)
    }

    /// Whether this person may decide this on the case as it stands, with the plan that they were shown.
    async fn may(
        &self,
        case: &Case,
        decision: Decision,
        digest: &str,
        voter: &Voter,
    ) -> Result<(Plan, Permission), Trouble> {
        let no = |why: &str| Err(refused(&voter.identity, why));
        if self.settings.mode == Mode::Observe {
            return no("mode is observe: nothing is changed. Set mode = \"enforce\" to decide");
        }
        if let (Some(at), Via::Slack) = (case.expired_at, voter.via) {
            return no(&format!(
                "nobody decided in time, and the question lapsed at {at}: decide with `sluicegate decide {} {decision}`",
                case.id
            ));
        }
        let plans = plans_for(case, decision);
        if plans.is_empty() {
            return no(&misfit(case, decision));
        }
        let Some(plan) = plans.into_iter().find(|plan| plan.digest == digest) else {
            let moved_on = "the case has moved on, and the plan is another than the one that was shown: look again";
            return match decided(case) {
                Some(decided) if matches!(case.state, State::Acting | State::Closed) => {
                    no(&format!("{decided}; {moved_on}"))
                }
                _ => no(moved_on),
            };
        };
        // Lifting changes nothing of the mapping.
        if decision != Decision::Lift
            && let Some(other) = self.other_open_case(case).await?
        {
            return no(&format!("the mapping has another open case, {other}: decide that one"));
        }
        let permission = self.permission(case, decision, voter);
        if !permission.permitted {
            let why: Vec<String> = permission.reasons.into_iter().chain(permission.errors).collect();
            return no(&format!("policy does not let {} decide {decision}: {}", voter.person.id, why.join("; ")));
        }
        Ok((plan, permission))
    }

    fn permission(&self, case: &Case, decision: Decision, voter: &Voter) -> Permission {
        let (policies, person) = (self.policies.current(), &voter.person);
        let caused = policies.caused(person, &case.opened.finding)
            || case.joined.iter().any(|finding| policies.caused(person, finding));
        let now = self.ports.clock.now();
        policies.may(person, decision.needs(), &case.opened.finding, caused, decision.is_reversible(), now)
    }

    /// Before a modal is opened: whether who clicked may decide this, and the case as it stands. A refusal is in the
    /// journal, and the person is told.
    pub async fn may_be_asked(
        &self,
        case_id: &CaseId,
        decision: Decision,
        plan: &str,
        proof: &SlackProof,
    ) -> Result<Option<Case>, JournalError> {
        let checked = async {
            let voter = self.slack_voter(proof).await?;
            let Some(case) = self.ports.journal.case(case_id).await? else {
                return Err(refused(&voter.identity, "there is no such case"));
            };
            self.may(&case, decision, plan, &voter).await.map(|_| case)
        };
        let refusal = match checked.await {
            Ok(case) => return Ok(Some(case)),
            Err(Trouble::Refused(refusal)) => refusal,
            Err(Trouble::Later(why)) => Refusal { identity: proof.user_id.clone(), why },
            Err(Trouble::Journal(error)) => return Err(error),
        };
        let ballot = Ballot {
            id: format!("{:032x}", fastrand::u128(..)),
            case_id: case_id.clone(),
            decision,
            plan: plan.to_owned(),
            reason: String::new(),
            proof: Proof::Slack(proof.clone()),
            confirms: None,
        };
        self.refuse(&ballot, refusal).await?;
        Ok(None)
    }

    /// In `observe`: somebody says whether it would have been right.
    pub async fn rate(&self, case_id: &CaseId, right: bool, proof: &SlackProof) -> Result<(), JournalError> {
        let voter = match self.slack_voter(proof).await {
            Ok(voter) => voter,
            Err(Trouble::Refused(Refusal { why, .. }) | Trouble::Later(why)) => {
                self.whisper(case_id, &Proof::Slack(proof.clone()), &why);
                return Ok(());
            }
            Err(Trouble::Journal(error)) => return Err(error),
        };
        while let Some(case) = self.ports.journal.case(case_id).await? {
            let rated = (voter.person.id.clone(), right);
            if case.outcome != Some(Outcome::Observed) || case.ratings.contains(&rated) {
                return Ok(());
            }
            let event = CaseEvent::Rated { person: voter.person.id.clone(), right };
            match self.ports.journal.append(case_id, case.seq, &[event]).await {
                Err(JournalError::Conflict { .. }) => {}
                done => return done.map(|_| ()),
            }
        }
        Ok(())
    }

    /// For a decision after the case was closed: a later case of the same mapping comes first.
    async fn other_open_case(&self, case: &Case) -> Result<Option<String>, JournalError> {
        match (&case.mapping, case.state) {
            (Some(mapping), State::Closed) => {
                let open = self.ports.journal.open_case_on(mapping).await?;
                Ok(open.filter(|open| *open != case.id).map(|open| open.to_string()))
            }
            _ => Ok(None),
        }
    }

    /// What people would be shown before they decide, the narrowest first.
    pub fn plans(case: &Case, decision: Decision) -> Result<Vec<Plan>, String> {
        let plans = plans_for(case, decision);
        if plans.is_empty() { Err(misfit(case, decision)) } else { Ok(plans) }
    }
}

/// The events of a vote that counts now.
fn counted(case: &Case, vote: Vote, plan: Plan) -> Result<(Vec<CaseEvent>, String), Trouble> {
    match count(case, &vote) {
        Count::Again => Err(refused(&vote.identity, "you voted for this already; another person is needed")),
        Count::Needs(more) => {
            let people = if more == 1 { "one more person is".into() } else { format!("{more} more people are") };
            let told = format!("your vote for {} counts; {people} needed", vote.decision);
            Ok((vec![CaseEvent::Voted(vote)], told))
        }
        Count::Passes(people) => {
            Ok((vec![CaseEvent::Voted(vote), CaseEvent::Approved { plan, people }], String::new()))
        }
    }
}

/// What is typed to confirm: eight letters and digits that are not mistaken for each other. No secret.
fn code() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..8).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect()
}

pub(super) fn refused(identity: &str, why: &str) -> Trouble {
    Trouble::Refused(Refusal { identity: identity.to_owned(), why: why.to_owned() })
}

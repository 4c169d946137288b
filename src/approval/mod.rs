//! Approval: when enough people have decided the same, and what that permits.

use crate::case::{Case, Decision, Plan, State, Vote};

/// That people approved exactly this plan. It can be made only here, and only where their approval is in the journal;
/// the steps that need one take it as an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalGrant {
    plan: Plan,
    people: Vec<String>,
}

impl ApprovalGrant {
    /// The grant of a case that is carrying an approved plan out.
    pub fn of(case: &Case) -> Option<Self> {
        let tally = case.approved.as_ref().filter(|_| case.state == State::Acting)?;
        Some(Self { plan: tally.plan.clone(), people: tally.people.clone() })
    }

    /// What was approved.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// By whom.
    pub fn people(&self) -> &[String] {
        &self.people
    }
}

/// How a vote changes things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// This person decided the same before.
    Again,
    /// It counts; so many more are needed.
    Needs(u32),
    /// It passes, with these people.
    Passes(Vec<String>),
}

/// Counts `vote` with those that the case has for the same plan: people, not ids, and the largest number that any of
/// them was told is needed.
pub fn count(case: &Case, vote: &Vote) -> Count {
    let same = case.votes.iter().filter(|cast| cast.decision == vote.decision && cast.plan == vote.plan);
    let mut people: Vec<String> = same.clone().map(|cast| cast.person.clone()).collect();
    if people.contains(&vote.person) {
        return Count::Again;
    }
    people.push(vote.person.clone());
    people.dedup();
    let needed = same.map(|cast| cast.needed).chain([vote.needed, 1]).max().unwrap_or(1);
    let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
    if have >= needed { Count::Passes(people) } else { Count::Needs(needed - have) }
}

/// Who decided it last, when and what, for a person who comes too late.
pub fn decided(case: &Case) -> Option<String> {
    let tally = case.approved.as_ref()?;
    Some(format!("already decided by {} at {}: {}", tally.people.join(", "), tally.at, tally.plan.decision))
}

/// Why a decision does not fit a case, for the person who tried.
pub fn misfit(case: &Case, decision: Decision) -> String {
    let decided = decided(case);
    let fitting: Vec<&str> = case.decisions().into_iter().map(Decision::name).collect();
    let state = match (case.state, decided) {
        (State::Acting | State::Closed, Some(decided)) => decided,
        (State::Containing, _) => "sluicegate is still at work on it; try again in a moment".into(),
        (State::Closed, None) => format!("the case is closed ({:?})", case.outcome).to_lowercase(),
        (State::Acting | State::AwaitingDecision | State::Stuck, _) => {
            format!("{decision} does not fit the case as it stands")
        }
    };
    if fitting.is_empty() { state } else { format!("{state}; what fits: {}", fitting.join(", ")) }
}

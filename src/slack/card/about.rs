//! What a card needs to know that is not in its case.

use crate::case::Decision;
use jiff::Timestamp;

/// What is not in the case. The current time is no part of it: the same case always looks the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What it would cost if the containment were wrong, where that is known.
    pub cost: Option<Cost>,
    /// Who may decide what.
    pub deciders: Vec<Deciders>,
}

/// What a wrong containment would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// For people, sentence by sentence.
    pub words: Vec<String>,
    /// From when on records that wait in the source are lost.
    pub lost_from: Option<Timestamp>,
    /// When half of that time is over: people are told again then.
    pub half_at: Option<Timestamp>,
}

/// Whom a decision takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciders {
    /// The decision.
    pub decision: Decision,
    /// How many people.
    pub people: u32,
    /// Of which teams, or who.
    pub who: Vec<String>,
    /// Each vote is to be confirmed under the person's AWS identity.
    pub confirm: bool,
}

impl About {
    /// Whom this decision takes, where that is known.
    pub(super) fn deciders(&self, decision: Decision) -> Option<&Deciders> {
        self.deciders.iter().find(|deciders| deciders.decision == decision)
    }
}

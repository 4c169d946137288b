//! What people do on cards, whatever it comes by.

use super::{Ballot, JournalError, SlackProof};
use crate::case::{CaseId, Decision};
use async_trait::async_trait;
use serde_json::Value;

/// What somebody did on a card, or in the modal that it opened. Its shape was checked, and nothing else: neither who it
/// was, nor whether they may, nor whether the case exists.
#[derive(Debug, Clone, PartialEq)]
pub enum Interaction {
    /// A vote. The same click, however often it comes, is the same ballot.
    Vote(Ballot),
    /// A modal is wanted, within three seconds.
    Modal(ModalWanted),
    /// In `observe`: whether it would have been right.
    Rating(Rating),
}

/// Somebody wants to decide what needs a reason.
#[derive(Clone, PartialEq, Eq)]
pub struct ModalWanted {
    /// On which case.
    pub case_id: CaseId,
    /// What.
    pub decision: Decision,
    /// The digest of the plan that the card showed.
    pub plan: String,
    /// The right to open one modal.
    pub trigger_id: String,
    /// Who.
    pub proof: SlackProof,
}

impl std::fmt::Debug for ModalWanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModalWanted")
            .field("case_id", &self.case_id)
            .field("decision", &self.decision)
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

/// Whether what sluicegate would have done would have been right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// Its id: the same click is the same rating.
    pub id: String,
    /// Of which case.
    pub case_id: CaseId,
    /// Whether it would have been.
    pub right: bool,
    /// Who says so.
    pub proof: SlackProof,
}

/// What an acknowledgement says beside that it is one; for a modal that stays open, its errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ack(pub Option<Value>);

/// Where interactions go.
#[async_trait]
pub trait Interactions: Send + Sync {
    /// Takes an interaction. What must not be lost is durable when it returns, and nothing else is waited for: the person
    /// sees an error after three seconds. After an error it is not acknowledged, and the person clicks again. Taking one
    /// twice has no further effect.
    async fn take(&self, interaction: Interaction) -> Result<Ack, JournalError>;
}

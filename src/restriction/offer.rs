//! What can be offered to people about a principal: exact calls with their reach, or instructions for doing it by hand.

use super::Principal;
use crate::containment::{Call, StepKind};
use serde::{Deserialize, Serialize};

/// Whose credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Those that made the call: as narrowly as holds for their kind.
    Caller,
    /// The whole role behind them: what a second approval can widen a session's denial to.
    CallerWhole,
    /// The execution role of the function, where the same actor made it.
    Execution,
}

/// Whether the principal could take the restriction off itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Strength {
    /// It may do nothing that would.
    Strong {
        /// Why, for people.
        why: String,
    },
    /// It may.
    Weak {
        /// The IAM actions by which it could.
        could: Vec<String>,
    },
    /// It could not be found out.
    Unknown {
        /// Why, for people.
        why: String,
    },
}

/// One step that is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferedStep {
    /// Which step.
    pub step: StepKind,
    /// The exact call; a cut-off in it is the time of the vote that passes.
    pub call: Call,
}

/// What can be done about a principal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "can", rename_all = "snake_case")]
pub enum Offer {
    /// These steps, in order.
    Restrict {
        /// The principal, with the id that IAM gave.
        principal: Principal,
        /// The steps.
        steps: Vec<OfferedStep>,
        /// How far it reaches, for people: `every session of role X issued before the decision`.
        reach: String,
        /// Whether it could be undone by whom it restricts.
        strength: Strength,
    },
    /// sluicegate must not, or cannot: people do it.
    ByHand {
        /// Why.
        why: String,
        /// What to do, line by line.
        how: Vec<String>,
    },
}

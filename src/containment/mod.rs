//! Containment: the changes that sluicegate makes to an account, one file a step, each with its plan, what counts as
//! done, and its undo. Pure: the calls are made by the responder, through the ports.

mod call;
mod disable_mapping;
mod freeze_function;

pub use call::{Call, MappingChange, Observation};

use crate::mapping::{Baseline, Snapshot};
use serde::{Deserialize, Serialize};

/// One kind of change to AWS. The names are the journal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// `UpdateEventSourceMapping(Enabled=false)`.
    DisableMapping,
    /// `PutFunctionConcurrency(0)`: stops every trigger, version and alias of the function.
    FreezeFunction,
}

impl StepKind {
    /// The journal's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DisableMapping => "disable_mapping",
            Self::FreezeFunction => "freeze_function",
        }
    }

    /// What people are told that the step does beside what it is for.
    pub fn side_effects(self) -> &'static str {
        match self {
            Self::DisableMapping => disable_mapping::SIDE_EFFECTS,
            Self::FreezeFunction => freeze_function::SIDE_EFFECTS,
        }
    }

    /// The call that carries the step out on the mapping as it was read.
    pub fn call(self, mapping: &crate::mapping::MappingKey, snapshot: &Snapshot) -> Call {
        match self {
            Self::DisableMapping => disable_mapping::call(mapping),
            Self::FreezeFunction => freeze_function::call(mapping, snapshot),
        }
    }

    /// The call that takes it back, to `baseline` where there is one, else to the prior state; `None` where the state
    /// that `now` was read is already that.
    pub fn undo(self, prior: &Prior, baseline: Option<&Baseline>, now: Option<&Snapshot>, done: &Call) -> Option<Call> {
        match self {
            Self::DisableMapping => disable_mapping::undo(prior, baseline, now, done),
            Self::FreezeFunction => freeze_function::undo(prior, done),
        }
    }
}

/// What was there before a step changed it. Captured once, before the first step of its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Prior {
    /// The mapping, whole.
    Mapping {
        /// As read.
        snapshot: Box<Snapshot>,
    },
    /// The function's reserved concurrency; `None`: it had none.
    Concurrency {
        /// As read.
        reserved: Option<i32>,
    },
}

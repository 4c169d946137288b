//! Containment: the changes that sluicegate makes to an account, one file a step, each with its plan, what counts as
//! done, and its undo. Pure: the calls are made by the responder, through the ports.

mod call;
mod cap_principal;
mod deactivate_keys;
mod delete_mapping;
mod deny_principal;
mod disable_mapping;
mod foreign;
mod freeze_function;
mod observe;
mod quarantine_principal;
mod revoke_session;

pub use call::{Call, MappingChange};
pub use observe::Observation;
pub use quarantine_principal::{CASE_TAG, TAG as QUARANTINE_TAG};

use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::restriction::AccessKey;
use serde::{Deserialize, Serialize};

/// One kind of change to AWS. The names are the journal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// `UpdateEventSourceMapping(Enabled=false)`.
    DisableMapping,
    /// `PutFunctionConcurrency(0)`: stops every trigger, version and alias of the function.
    FreezeFunction,
    /// `DeleteEventSourceMapping`.
    DeleteMapping,
    /// `PutRolePolicy`: denies everything to one session, or to the sessions issued before a time.
    RevokeSession,
    /// `PutUserPolicy` or `PutRolePolicy`: denies everything to the whole user or role.
    DenyPrincipal,
    /// `UpdateAccessKey(Inactive)` for a user's keys.
    DeactivateKeys,
    /// `AttachRolePolicy` or `AttachUserPolicy` of the deny-all managed policy.
    CapPrincipal,
    /// `TagRole` or `TagUser` with the tag on which a service control policy denies everything.
    QuarantinePrincipal,
}

impl StepKind {
    /// The journal's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DisableMapping => "disable_mapping",
            Self::FreezeFunction => "freeze_function",
            Self::DeleteMapping => "delete_mapping",
            Self::RevokeSession => "revoke_session",
            Self::DenyPrincipal => "deny_principal",
            Self::DeactivateKeys => "deactivate_keys",
            Self::CapPrincipal => "cap_principal",
            Self::QuarantinePrincipal => "quarantine_principal",
        }
    }

    /// What people are told that the step does beside what it is for.
    pub fn side_effects(self) -> &'static str {
        match self {
            Self::DisableMapping => disable_mapping::SIDE_EFFECTS,
            Self::FreezeFunction => freeze_function::SIDE_EFFECTS,
            Self::DeleteMapping => delete_mapping::SIDE_EFFECTS,
            Self::RevokeSession => revoke_session::SIDE_EFFECTS,
            Self::DenyPrincipal => deny_principal::SIDE_EFFECTS,
            Self::DeactivateKeys => deactivate_keys::SIDE_EFFECTS,
            Self::CapPrincipal => cap_principal::SIDE_EFFECTS,
            Self::QuarantinePrincipal => quarantine_principal::SIDE_EFFECTS,
        }
    }

    /// Whether all of it can be taken back.
    pub fn is_reversible(self) -> bool {
        !matches!(self, Self::DeleteMapping)
    }

    /// Whether it changes the mapping or its function; else it restricts credentials.
    pub fn is_on_mapping(self) -> bool {
        matches!(self, Self::DisableMapping | Self::FreezeFunction | Self::DeleteMapping)
    }

    /// The call that carries the step out on the mapping as it was read; `None` for what is no change of a mapping.
    pub fn call(self, mapping: &MappingKey, snapshot: &Snapshot) -> Option<Call> {
        match self {
            Self::DisableMapping => Some(disable_mapping::call(mapping)),
            Self::FreezeFunction => Some(freeze_function::call(mapping, snapshot)),
            Self::DeleteMapping => Some(delete_mapping::call(mapping)),
            Self::RevokeSession
            | Self::DenyPrincipal
            | Self::DeactivateKeys
            | Self::CapPrincipal
            | Self::QuarantinePrincipal => None,
        }
    }

    /// The call that takes it back, to `baseline` where there is one, else to the prior state; `None` where there is
    /// nothing to take back. `was_active`: whether the mapping was, before anything was done to it.
    pub fn undo(
        self,
        prior: &Prior,
        baseline: Option<&Baseline>,
        now: Option<&Snapshot>,
        was_active: bool,
        done: &Call,
    ) -> Option<Call> {
        match self {
            Self::DisableMapping => disable_mapping::undo(prior, baseline, now, done),
            Self::FreezeFunction => freeze_function::undo(prior, done),
            Self::DeleteMapping => delete_mapping::undo(prior, baseline, was_active, done),
            Self::RevokeSession | Self::DenyPrincipal => revoke_session::undo(prior, done),
            Self::DeactivateKeys => deactivate_keys::undo(prior, done),
            Self::CapPrincipal => cap_principal::undo(prior, done),
            Self::QuarantinePrincipal => quarantine_principal::undo(prior, done),
        }
    }
}

/// What was there before a step changed it. Captured once, before the first step of its kind on its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Prior {
    /// The mapping, whole.
    Mapping {
        /// As read.
        snapshot: Box<Snapshot>,
        /// Its tags, where they were read: before it is deleted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<(String, String)>,
    },
    /// The function's reserved concurrency; `None`: it had none.
    Concurrency {
        /// As read.
        reserved: Option<i32>,
    },
    /// The principal's inline policy of the name that the step uses; `None`: there was none.
    Policy {
        /// The document as read.
        document: Option<String>,
    },
    /// The ARNs of the managed policies that were attached to the principal.
    Attached {
        /// As read.
        policies: Vec<String>,
    },
    /// The user's access keys.
    AccessKeys {
        /// As read.
        keys: Vec<AccessKey>,
    },
    /// The principal's tags: key and value.
    Tags {
        /// As read.
        tags: Vec<(String, String)>,
    },
}

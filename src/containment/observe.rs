//! What reading a call's target said, and whether that is what the call is for.

use super::{Call, MappingChange};
use crate::mapping::Snapshot;
use crate::restriction::AccessKey;
use serde::{Deserialize, Serialize};

/// What reading a call's target said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "snake_case")]
pub enum Observation {
    /// The mapping as it is.
    Mapping {
        /// As read.
        snapshot: Box<Snapshot>,
    },
    /// There is no such mapping.
    MappingGone,
    /// The function's reserved concurrency; `None`: it has none.
    Concurrency {
        /// As read.
        reserved: Option<i32>,
    },
    /// There is no such function.
    FunctionGone,
    /// The principal's inline policy of the call's name; `None`: there is none.
    Policy {
        /// The document, as IAM gives it.
        document: Option<String>,
    },
    /// The ARNs of the managed policies that are attached to the principal.
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
    /// There is no such role or user.
    PrincipalGone,
}

impl Call {
    /// Whether what was read is what the call is for.
    pub fn achieved(&self, seen: &Observation) -> bool {
        match (self, seen) {
            (Self::UpdateEventSourceMapping { change, .. }, Observation::Mapping { snapshot }) => {
                change.achieved(snapshot)
            }
            (Self::SetFunctionConcurrency { reserved, .. }, Observation::Concurrency { reserved: seen }) => {
                reserved == seen
            }
            (Self::DeleteEventSourceMapping { .. }, Observation::MappingGone) => true,
            (
                Self::CreateEventSourceMapping { function_arn, wiring, enabled, .. },
                Observation::Mapping { snapshot },
            ) => {
                snapshot.state == if *enabled { "Enabled" } else { "Disabled" }
                    && snapshot.function.arn == *function_arn
                    && wiring.holds_in(&snapshot.wiring)
            }
            (Self::PutPolicy { deny, .. }, Observation::Policy { document: Some(document) }) => {
                deny.document().as_ref() == Some(document)
            }
            (Self::DeletePolicy { .. }, Observation::Policy { document }) => document.is_none(),
            (Self::AttachPolicy { policy_arn, .. }, Observation::Attached { policies }) => {
                policies.contains(policy_arn)
            }
            (Self::DetachPolicy { policy_arn, .. }, Observation::Attached { policies }) => {
                !policies.contains(policy_arn)
            }
            (Self::SetAccessKeys { keys: wanted, active, .. }, Observation::AccessKeys { keys }) => {
                let as_wanted = |id: &String| keys.iter().find(|key| key.id == *id).map(|key| key.active == *active);
                // A key that is gone can do nothing; it cannot come back either.
                wanted.iter().all(|id| as_wanted(id).unwrap_or(true))
            }
            (Self::Tag { tags, .. }, Observation::Tags { tags: seen }) => tags.iter().all(|tag| seen.contains(tag)),
            (Self::Untag { tags, .. }, Observation::Tags { tags: seen }) => tags.iter().all(|(key, _, before)| {
                seen.iter().find(|(name, _)| name == key).map(|(_, value)| value) == before.as_ref()
            }),
            // With the principal gone nothing is left to restrict, or to take a restriction off.
            (call, Observation::PrincipalGone) => call.principal().is_some(),
            _ => false,
        }
    }
}

impl MappingChange {
    fn achieved(&self, seen: &Snapshot) -> bool {
        let state = match self.enabled {
            Some(false) => seen.state == "Disabled",
            Some(true) => seen.state == "Enabled",
            None => matches!(seen.state.as_str(), "Enabled" | "Disabled"),
        };
        let function = self.function_arn.as_ref().is_none_or(|arn| *arn == seen.function.arn);
        state && function && self.wiring.holds_in(&seen.wiring)
    }
}

//! The exact calls that steps make, as the journal keeps them.

use crate::mapping::{MappingKey, SourceRef, Wiring};
use crate::restriction::{Deny, Principal, PrincipalType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an `UpdateEventSourceMapping` changes; what is `None` is left out of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MappingChange {
    /// `Enabled`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `FunctionName`, as a full ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_arn: Option<String>,
    /// Filter, destinations and source access.
    #[serde(default)]
    pub wiring: Wiring,
}

/// One changing call to AWS with all its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation")]
pub enum Call {
    /// `lambda:UpdateEventSourceMapping`
    UpdateEventSourceMapping {
        /// Which mapping.
        mapping: MappingKey,
        /// What of it.
        change: MappingChange,
    },
    /// `lambda:PutFunctionConcurrency`, or `DeleteFunctionConcurrency` where `reserved` is `None`.
    SetFunctionConcurrency {
        /// The function's account.
        account: String,
        /// The function's region.
        region: String,
        /// The function's ARN without qualifier.
        function_arn: String,
        /// `ReservedConcurrentExecutions`.
        reserved: Option<i32>,
    },
    /// `lambda:DeleteEventSourceMapping`
    DeleteEventSourceMapping {
        /// Which mapping.
        mapping: MappingKey,
    },
    /// `lambda:CreateEventSourceMapping`, for a mapping that was deleted: of the same configuration, under a new UUID.
    CreateEventSourceMapping {
        /// The mapping's account.
        account: String,
        /// Its region.
        region: String,
        /// The UUID of the one that was deleted.
        deleted: String,
        /// `FunctionName`, as a full ARN.
        function_arn: String,
        /// The source that it reads.
        source: SourceRef,
        /// Filter, destinations and source access.
        wiring: Wiring,
        /// `Enabled`
        enabled: bool,
        /// `Tags`
        tags: Vec<(String, String)>,
        /// All else as in this answer of `GetEventSourceMapping`.
        like: Value,
    },
    /// `iam:PutRolePolicy` or `PutUserPolicy`.
    PutPolicy {
        /// On whom.
        principal: Principal,
        /// `PolicyName`
        name: String,
        /// What it denies.
        deny: Deny,
    },
    /// `iam:DeleteRolePolicy` or `DeleteUserPolicy`, only where the policy is byte for byte what was put.
    DeletePolicy {
        /// Of whom.
        principal: Principal,
        /// `PolicyName`
        name: String,
        /// What was put.
        deny: Deny,
    },
    /// `iam:AttachRolePolicy` or `AttachUserPolicy`.
    AttachPolicy {
        /// To whom.
        principal: Principal,
        /// `PolicyArn`
        policy_arn: String,
    },
    /// `iam:DetachRolePolicy` or `DetachUserPolicy`.
    DetachPolicy {
        /// From whom.
        principal: Principal,
        /// `PolicyArn`
        policy_arn: String,
    },
    /// `iam:UpdateAccessKey` for each of these keys.
    SetAccessKeys {
        /// Whose.
        principal: Principal,
        /// `AccessKeyId` of each.
        keys: Vec<String>,
        /// `Status`: `Active` or `Inactive`.
        active: bool,
    },
    /// `iam:TagRole` or `TagUser`.
    Tag {
        /// Whom.
        principal: Principal,
        /// Key and value of each.
        tags: Vec<(String, String)>,
    },
    /// `iam:UntagRole` or `UntagUser`, or the tag with the value that it had before.
    Untag {
        /// Whom.
        principal: Principal,
        /// Of each tag: key, the value that was put, and the value before; `None`: there was none.
        tags: Vec<(String, String, Option<String>)>,
    },
}

impl Call {
    /// For people: `UpdateEventSourceMapping(…)`.
    pub fn describe(&self) -> String {
        match self {
            Self::UpdateEventSourceMapping { mapping, change } => {
                let mut arguments = vec![format!("UUID={}", mapping.uuid)];
                arguments.extend(change.enabled.map(|enabled| format!("Enabled={enabled}")));
                arguments.extend(change.function_arn.as_ref().map(|arn| format!("FunctionName={arn}")));
                if change.wiring.filters.is_some() {
                    arguments.push("FilterCriteria=…".into());
                }
                if change.wiring.on_failure.is_some() || change.wiring.on_success.is_some() {
                    arguments.push("DestinationConfig=…".into());
                }
                if change.wiring.source_access.is_some() {
                    arguments.push("SourceAccessConfigurations=…".into());
                }
                format!("UpdateEventSourceMapping({})", arguments.join(", "))
            }
            Self::SetFunctionConcurrency { function_arn, reserved: Some(n), .. } => {
                format!("PutFunctionConcurrency({function_arn}, ReservedConcurrentExecutions={n})")
            }
            Self::SetFunctionConcurrency { function_arn, reserved: None, .. } => {
                format!("DeleteFunctionConcurrency({function_arn})")
            }
            Self::DeleteEventSourceMapping { mapping } => format!("DeleteEventSourceMapping(UUID={})", mapping.uuid),
            Self::CreateEventSourceMapping { deleted, function_arn, enabled, .. } => format!(
                "CreateEventSourceMapping(FunctionName={function_arn}, Enabled={enabled}, all else as {deleted} had it)"
            ),
            Self::PutPolicy { principal, name, deny } => {
                format!("Put{}Policy({}, {name}, {})", of(principal), principal.name, deny.describe())
            }
            Self::DeletePolicy { principal, name, .. } => {
                format!("Delete{}Policy({}, {name})", of(principal), principal.name)
            }
            Self::AttachPolicy { principal, policy_arn } => {
                format!("Attach{}Policy({}, {policy_arn})", of(principal), principal.name)
            }
            Self::DetachPolicy { principal, policy_arn } => {
                format!("Detach{}Policy({}, {policy_arn})", of(principal), principal.name)
            }
            Self::SetAccessKeys { principal, keys, active } => {
                let status = if *active { "Active" } else { "Inactive" };
                format!("UpdateAccessKey({}, {}, {status})", principal.name, keys.join(" and "))
            }
            Self::Tag { principal, tags } => {
                let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("Tag{}({}, {})", of(principal), principal.name, tags.join(", "))
            }
            Self::Untag { principal, tags } => {
                let tags: Vec<&str> = tags.iter().map(|(key, ..)| key.as_str()).collect();
                format!("Untag{}({}, {})", of(principal), principal.name, tags.join(", "))
            }
        }
    }

    /// Whose credentials it changes, where it does.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::PutPolicy { principal, .. }
            | Self::DeletePolicy { principal, .. }
            | Self::AttachPolicy { principal, .. }
            | Self::DetachPolicy { principal, .. }
            | Self::SetAccessKeys { principal, .. }
            | Self::Tag { principal, .. }
            | Self::Untag { principal, .. } => Some(principal),
            Self::UpdateEventSourceMapping { .. }
            | Self::SetFunctionConcurrency { .. }
            | Self::DeleteEventSourceMapping { .. }
            | Self::CreateEventSourceMapping { .. } => None,
        }
    }

    /// What it changes, so that two calls on the same thing are known as such: a mapping's UUID, a function's ARN, a
    /// principal's ARN with what is denied of it, whichever case put the denial on.
    pub fn target(&self) -> String {
        match self {
            Self::UpdateEventSourceMapping { mapping, .. } | Self::DeleteEventSourceMapping { mapping } => {
                mapping.uuid.clone()
            }
            Self::CreateEventSourceMapping { deleted, .. } => deleted.clone(),
            Self::SetFunctionConcurrency { function_arn, .. } => function_arn.clone(),
            Self::PutPolicy { principal, deny, .. } | Self::DeletePolicy { principal, deny, .. } => {
                format!("{} {}", principal.arn, deny.scope())
            }
            Self::AttachPolicy { principal, policy_arn } | Self::DetachPolicy { principal, policy_arn } => {
                format!("{} {policy_arn}", principal.arn)
            }
            Self::SetAccessKeys { principal, .. } | Self::Tag { principal, .. } | Self::Untag { principal, .. } => {
                principal.arn.clone()
            }
        }
    }

    /// The same with every cut-off fixed at the decision's time.
    pub fn decided(self, at: jiff::Timestamp) -> Self {
        match self {
            Self::PutPolicy { principal, name, deny } => Self::PutPolicy { principal, name, deny: deny.decided(at) },
            other => other,
        }
    }
}

impl Wiring {
    /// Whether all that this names is so in `seen`.
    pub(crate) fn holds_in(&self, seen: &Wiring) -> bool {
        fn same<T: PartialEq + Default>(wanted: Option<&T>, seen: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| seen.map_or_else(|| *wanted == T::default(), |seen| seen == wanted))
        }
        same(self.filters.as_ref(), seen.filters.as_ref())
            && same(self.on_failure.as_ref(), seen.on_failure.as_ref())
            && same(self.on_success.as_ref(), seen.on_success.as_ref())
            && same(self.source_access.as_ref(), seen.source_access.as_ref())
    }

    /// The aspects of this wiring in which `seen` differs from it.
    pub(crate) fn where_other_than(&self, seen: &Wiring) -> Wiring {
        fn pick<T: PartialEq + Default + Clone>(wanted: Option<&T>, seen: Option<&T>) -> Option<T> {
            wanted.filter(|wanted| seen.map_or(**wanted != T::default(), |seen| seen != *wanted)).cloned()
        }
        let destinations_differ = self
            .on_failure
            .as_ref()
            .is_some_and(|_| !same_text(self.on_failure.as_ref(), seen.on_failure.as_ref()))
            || self.on_success.as_ref().is_some_and(|_| !same_text(self.on_success.as_ref(), seen.on_success.as_ref()));
        Wiring {
            filters: pick(self.filters.as_ref(), seen.filters.as_ref()),
            // DestinationConfig is one argument: both halves are given back together.
            on_failure: if destinations_differ { self.on_failure.clone() } else { None },
            on_success: if destinations_differ { self.on_success.clone() } else { None },
            source_access: pick(self.source_access.as_ref(), seen.source_access.as_ref()),
        }
    }
}

fn same_text(wanted: Option<&String>, seen: Option<&String>) -> bool {
    wanted.map_or("", String::as_str) == seen.map_or("", String::as_str)
}

fn of(principal: &Principal) -> &'static str {
    match principal.kind {
        PrincipalType::Role => "Role",
        PrincipalType::User => "User",
    }
}

//! The exact calls that steps make, as the journal keeps them, and what reading back says about them.

use crate::mapping::{MappingKey, Snapshot, Wiring};
use serde::{Deserialize, Serialize};

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
}

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
        }
    }

    /// Whether what was read is what the call is for.
    pub fn achieved(&self, seen: &Observation) -> bool {
        match (self, seen) {
            (Self::UpdateEventSourceMapping { change, .. }, Observation::Mapping { snapshot }) => {
                change.achieved(snapshot)
            }
            (Self::SetFunctionConcurrency { reserved, .. }, Observation::Concurrency { reserved: seen }) => {
                reserved == seen
            }
            (Self::UpdateEventSourceMapping { .. } | Self::SetFunctionConcurrency { .. }, _) => false,
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

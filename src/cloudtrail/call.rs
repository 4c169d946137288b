//! A `CreateEventSourceMapping*` or `UpdateEventSourceMapping*` call, from request and response together.

use crate::mapping::{FunctionRef, SourceRef, Wiring};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// `CreateEventSourceMapping*`
    Create,
    /// `UpdateEventSourceMapping*`
    Update,
}

/// What a mapping call asked for and what Lambda answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingCall {
    /// Create or update.
    pub verb: Verb,
    /// The mapping's UUID, from the response, else from an update's request; `""` where neither has it.
    pub uuid: String,
    /// The mapping's own ARN; `""` where the record has none.
    pub mapping_arn: String,
    /// The function: the response's ARN, else the request's name completed with account and region.
    pub function: FunctionRef,
    /// Whether the *request* names a function (an update need not).
    pub names_function: bool,
    /// The source; empty in an update whose response left it out.
    pub source: SourceRef,
    /// The request's `enabled`; `None` where it does not name it (a create then means true).
    pub enabled: Option<bool>,
    /// The wiring that the *request* names. `filterCriteria: {}`, `destinationConfig: {}` and
    /// `sourceAccessConfigurations: []` are what CloudTrail writes for a parameter that was left out, and stay `None`;
    /// `{"filters": []}` and `{"onFailure": {}}` name nothing on purpose, and are `Some` and empty.
    pub wiring: Wiring,
    /// The response's `state`; `""` where it has none.
    pub state: String,
    /// The response's `lastModified`.
    pub last_modified: Option<Timestamp>,
}

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

impl Verb {
    /// What CloudTrail is to be searched for, which takes whole names alone: the call with its API's date, as it is
    /// written, and, to be safe, without.
    pub fn event_names(self) -> [&'static str; 2] {
        match self {
            Self::Create => ["CreateEventSourceMapping20150331", "CreateEventSourceMapping"],
            Self::Update => ["UpdateEventSourceMapping20150331", "UpdateEventSourceMapping"],
        }
    }
}

/// Which keys of the wiring a request carries at all. CloudTrail writes `{}` and `[]` for a parameter that was left out,
/// and seems to for one that was cleared: only the mapping itself can tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "each says something about another key")]
pub struct Mentions {
    /// `filterCriteria`
    pub filter: bool,
    /// `destinationConfig`
    pub destination: bool,
    /// `sourceAccessConfigurations`
    pub source_access: bool,
    /// One of them holds what cannot be read (CloudTrail hides some values): it counts as named.
    pub unreadable: bool,
}

/// What a request names, where the response names another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The function.
    pub function: FunctionRef,
    /// The source.
    pub source: SourceRef,
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
    /// The wiring keys that the request carries, named or not.
    #[serde(default)]
    pub mentions: Mentions,
    /// The record holds no request (`null`, or left out because it was too long), so that what an update named cannot
    /// be told from it: it counts as naming everything.
    #[serde(default)]
    pub withheld: bool,
    /// How request, response and the place of the call contradict each other, in plain words; `""` where they do not. The fields above hold
    /// the response's side. Such a call is never confirmed by a look at the mapping alone.
    #[serde(default)]
    pub disagrees: String,
    /// Where request and response name different functions or sources, and contradict each other in nothing else: what
    /// the request names. Policy allows such a call only where it would allow either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<Asked>>,
}

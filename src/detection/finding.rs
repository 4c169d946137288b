//! What a detection found.

use crate::cloudtrail::{Actor, MappingCall};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which detection named the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Detection {
    /// A mapping was made, enabled or dormant.
    #[serde(rename = "mapping-created")]
    MappingCreated,
    /// An update enabled it.
    #[serde(rename = "mapping-enabled")]
    MappingEnabled,
    /// An update pointed it at another function, alias or version.
    #[serde(rename = "mapping-repointed")]
    MappingRepointed,
    /// An update changed its filter, destination or source access.
    #[serde(rename = "mapping-rewired")]
    MappingRewired,
}

/// One thing that a call did; policy must allow all of them. Named as the policy's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the detections' names")]
pub enum Change {
    Repoint,
    Rewire,
    Enable,
    Create,
}

/// How sluicegate came to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A live event from the queue.
    Event,
    /// The sweep over existing mappings.
    Sweep,
    /// An archive's replay.
    Replay,
    /// A time limit of a case.
    Expiry,
}

/// The CloudTrail event that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `eventID`
    pub id: String,
    /// `eventName`
    pub name: String,
    /// `eventTime`
    pub time: Timestamp,
    /// `requestID`; `""` where the record has none.
    pub request_id: String,
}

/// A record that a detection matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The detection that names it: the first of created, repointed, rewired, enabled.
    pub detection: Detection,
    /// All that the call did, most telling first.
    pub changes: Vec<Change>,
    /// How it came in.
    pub trigger: Trigger,
    /// The event behind it.
    pub event: Event,
    /// The mapping's account.
    pub account: String,
    /// The mapping's region.
    pub region: String,
    /// Who did it.
    pub actor: Actor,
    /// What was asked for and answered.
    pub call: MappingCall,
}

/// Why a record is no finding, for people: `call failed: AccessDenied`, `not a mapping call`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored(pub String);

impl Detection {
    /// Its name, as printed and hashed.
    pub fn name(self) -> &'static str {
        match self {
            Self::MappingCreated => "mapping-created",
            Self::MappingEnabled => "mapping-enabled",
            Self::MappingRepointed => "mapping-repointed",
            Self::MappingRewired => "mapping-rewired",
        }
    }
}

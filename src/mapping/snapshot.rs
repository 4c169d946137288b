//! A mapping as it was read from Lambda, and the last configuration of it that was accepted.

use super::{FunctionRef, SourceRef, Wiring};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which mapping: unique over all accounts and regions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MappingKey {
    /// The account that owns the mapping.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its UUID.
    pub uuid: String,
}

impl std::fmt::Display for MappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mapping {} in account {}, region {}", self.uuid, self.account, self.region)
    }
}

/// A mapping as `GetEventSourceMapping` answered, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The UUID that the answer itself carried.
    pub uuid: String,
    /// The mapping's own ARN; `""` where the answer had none.
    pub arn: String,
    /// The function it invokes.
    pub function: FunctionRef,
    /// The source it reads.
    pub source: SourceRef,
    /// The API's free-text state: `Creating`, `Enabling`, `Enabled`, `Disabling`, `Disabled`, `Updating`, `Deleting`.
    pub state: String,
    /// When it was last changed; `None` where the answer had no time.
    pub last_modified: Option<Timestamp>,
    /// Filter, destinations, source access.
    pub wiring: Wiring,
    /// The whole answer, in the API's own spelling, kept as prior state.
    pub whole: Value,
}

impl Snapshot {
    /// Whether records flow, or are about to. Only `Disabled` and what leads to it or to deletion counts as not.
    pub fn is_active(&self) -> bool {
        !matches!(self.state.as_str(), "Disabled" | "Disabling" | "Deleting")
    }

    /// Whether both tie the same function and source together in the same way, in whatever state.
    pub fn wired_as(&self, other: &Self) -> bool {
        self.function == other.function && self.source == other.source && self.wiring == other.wiring
    }
}

impl Baseline {
    /// Whether it can tell what an update of that time changed: it may hold that very change, as it was found.
    pub fn knows_before(&self, time: Timestamp) -> bool {
        self.found_at.is_none_or(|found| time > found)
    }
}

/// A mapping's last accepted configuration: what an update is judged against and what an undo returns to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The function, with its qualifier.
    pub function: FunctionRef,
    /// The source; a mapping cannot change it.
    pub source: SourceRef,
    /// Whether it was enabled.
    pub enabled: bool,
    /// Filter, destinations, source access; `None` in it: not known.
    pub wiring: Wiring,
    /// Since when it counts: the time of the event or decision that was accepted.
    pub since: Timestamp,
    /// What accepted it, for people: `event ID by ARN`, `restore of sg-…`.
    pub accepted_by: String,
    /// Where an update was accepted on a mapping that nothing was known of: until when what was read then may have been
    /// changed. What the rest of the mapping was by then was taken as it was found, and accepted by nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_at: Option<Timestamp>,
}

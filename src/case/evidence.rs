//! What is learnt about a case. What could not be learnt is said, never guessed; "not processed" is never said.

use super::state::Provenance;
use crate::mapping::{MappingKey, Snapshot};
use crate::restriction::{Effect, Offer, Whose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something learnt about a case. Of each kind the latest counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Evidence {
    /// Which mapping it is: found by listing, since the event did not carry its UUID.
    MappingFound {
        /// The mapping.
        mapping: MappingKey,
    },
    /// The mapping as read.
    MappingRead {
        /// As read.
        snapshot: Box<Snapshot>,
    },
    /// The mapping does not exist, or exists no more.
    MappingGone {
        /// What was looked at.
        looked_at: String,
    },
    /// How far the event is known to be true.
    Provenance {
        /// The answer.
        provenance: Provenance,
    },
    /// The function that the mapping invokes.
    Function(Box<FunctionFacts>),
    /// The source that it reads.
    Source(Box<SourceFacts>),
    /// The function's code was kept.
    CodeKept(CodeKept),
    /// What the same principal and access key did lately.
    History(Box<History>),
    /// What the mapping processed while it was active, as far as can be seen.
    Processed(Box<Processed>),
    /// What can be done about credentials.
    Credentials {
        /// Whose.
        whose: Whose,
        /// What.
        offer: Box<Offer>,
    },
    /// How far a restriction that this case put on takes effect.
    Restricted {
        /// The step.
        step: u32,
        /// How far.
        effect: Effect,
    },
    /// Something could not be learnt.
    Unknown {
        /// What: `function`, `source`, `code`, `history`, `processed`, `credentials`.
        what: String,
        /// Why, for people.
        why: String,
    },
}

/// What is known of a function. Strings that are not known are `""`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionFacts {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its execution role.
    pub role: String,
    /// `CodeSha256`, base64 as Lambda gives it.
    pub code_sha256: String,
    /// `Runtime`
    pub runtime: String,
    /// `LastModified`
    pub last_modified: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Who else may invoke it: the principals of its resource policy.
    pub invokers: Vec<String>,
    /// Whether it belongs to the same account as the mapping; `None`: not known.
    pub same_account: Option<bool>,
    /// The tags that it shares with the source.
    pub shared_tags: Vec<(String, String)>,
    /// Calls by the case's actor, or another session of the same principal, that made or changed the function, its code
    /// or its execution role, newest first.
    pub changed_by_actor: Vec<CallLine>,
    /// The actor, or another session of the same principal, created the function, and CloudTrail says so.
    pub made_by_actor: bool,
}

/// What is known of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceFacts {
    /// Its ARN; `""` for a self-managed cluster.
    pub arn: String,
    /// Whether it belongs to the same account as the mapping; `None`: not known.
    pub same_account: Option<bool>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Those of them that say how sensitive it is.
    pub sensitive: Vec<(String, String)>,
    /// Why the tags are not known, for people; `""` where they are.
    pub tags_unknown: String,
    /// For how long it keeps records that nobody reads, in seconds; `None`: not known.
    pub retention_s: Option<u64>,
    /// Where that is known from, for people: `SQS: MessageRetentionPeriod`, `DynamoDB streams: always 24 hours`.
    pub retention_from: String,
}

/// A function's code package, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeKept {
    /// SHA-256 (hex) of the archive.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where it is.
    pub place: String,
    /// The hash that Lambda told for the code, base64, where the archive has another: it was changed meanwhile. Else `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub differs: String,
}

/// One call in CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLine {
    /// When.
    pub at: Timestamp,
    /// `lambda:CreateFunction`, and the like.
    pub what: String,
    /// On what, where the record tells; else `""`.
    pub on: String,
    /// `""`, or the error code.
    #[serde(default)]
    pub error: String,
    /// The record's `eventID`.
    pub event_id: String,
    /// Another session of the same principal that made it; `""` where it is the case's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// What a principal did lately, by CloudTrail's `LookupEvents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// From when.
    pub since: Timestamp,
    /// Lambda, IAM and STS calls, newest first.
    pub calls: Vec<CallLine>,
    /// There are more than were looked at.
    pub more: bool,
    /// Other sessions that the same credentials began: targets that a restriction does not reach.
    #[serde(default)]
    pub began_sessions: Vec<String>,
    /// Queries for the data events that `LookupEvents` does not have, ready for CloudTrail Lake and for Athena.
    pub query: String,
    /// What could not be asked, for people: the rest is what is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// What a mapping processed, as far as can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processed {
    /// From when it may have been active.
    pub from: Timestamp,
    /// Until when; `None`: it may be still.
    pub until: Option<Timestamp>,
    /// What was looked at, and what it said.
    pub looked_at: Vec<Looked>,
    /// Whether what was looked at can still change: metrics appear minutes later.
    pub settled: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// `LastProcessingResult`, `AWS/Lambda Invocations of orders`, …
    pub at: String,
    /// What it said, for people.
    pub said: String,
    /// Whether that is evidence that records were processed: `None` where it tells nothing.
    pub processed: Option<bool>,
}

impl Evidence {
    /// Whether `newer` says the same thing anew.
    pub(super) fn is_replaced_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::Credentials { whose: known, .. }, Self::Credentials { whose, .. }) => known == whose,
            (Self::Restricted { step: known, .. }, Self::Restricted { step, .. }) => known == step,
            (Self::Unknown { what: known, .. }, _) => known == newer.what(),
            (_, Self::Unknown { .. }) => false,
            _ => self.what() == newer.what(),
        }
    }

    /// What it is about, in a word.
    pub fn what(&self) -> &str {
        match self {
            Self::MappingFound { .. } | Self::MappingRead { .. } | Self::MappingGone { .. } => "mapping",
            Self::Provenance { .. } => "provenance",
            Self::Function(_) => "function",
            Self::Source(_) => "source",
            Self::CodeKept(_) => "code",
            Self::History(_) => "history",
            Self::Processed(_) => "processed",
            Self::Credentials { .. } => "credentials",
            Self::Restricted { .. } => "restricted",
            Self::Unknown { what, .. } => what,
        }
    }
}

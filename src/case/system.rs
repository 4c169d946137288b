//! What belongs to no case: the events of the journal's stream `system`. What is written here is read for years: fields
//! are only ever added, with a default.

use super::event::kinds;
use super::{CaseId, Decision, Mode};
use crate::detection::Finding;
use crate::mapping::{Baseline, MappingKey};
use crate::policy::Verdict;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A mapping as the sweep found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundMapping {
    /// Which.
    pub mapping: MappingKey,
    /// Its configuration.
    pub baseline: Baseline,
}

/// What belongs to no case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SystemEvent {
    /// A finding that policy allows, and the configuration accepted by it.
    Allowed {
        /// What was found.
        finding: Box<Finding>,
        /// What policy said.
        verdict: Box<Verdict>,
        /// The mapping, where its UUID is known.
        mapping: Option<MappingKey>,
        /// What an update is judged against from now on; absent where the mapping did not agree with the event.
        baseline: Option<Box<Baseline>>,
    },
    /// A vote that did not count.
    VoteRefused {
        /// The vote's id.
        ballot: String,
        /// The case.
        case_id: CaseId,
        /// What was wanted.
        decision: Decision,
        /// Who, as far as known.
        identity: String,
        /// Why, for people.
        why: String,
    },
    /// A message that could not be read; it stays on the queue for its redrive.
    Unreadable {
        /// The queue's id of the message.
        message_id: String,
        /// Where and what.
        error: String,
        /// SHA-256 (hex) of the body.
        sha256: String,
        /// Its length in bytes.
        bytes: u64,
    },
    /// A policy set came into force.
    PolicyLoaded {
        /// Its digest.
        digest: String,
    },
    /// A policy set was refused; the last good one stays.
    PolicyRefused {
        /// The problems, for people.
        problems: Vec<String>,
    },
    /// A worker started.
    Started {
        /// Its id.
        worker: String,
        /// The AWS identity it has.
        identity: String,
        /// Whether it acts.
        mode: Mode,
    },
    /// From when on the sweep answers for a region: what was made there before is for `scan`.
    Watched {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// From when on.
        since: Timestamp,
    },
    /// The sweep came upon mappings of which nothing was known, or whose accepted configuration had fallen behind:
    /// what updates are judged against from now on.
    Found {
        /// The mappings.
        mappings: Vec<FoundMapping>,
        /// Why they are no cases, for people.
        why: String,
        /// Whether it takes the place of what was accepted earlier.
        #[serde(default)]
        replaces: bool,
    },
    /// Something that a person must see, whatever the log level: a token was revoked, say.
    Alarm {
        /// What happened, and what to do.
        what: String,
    },
    /// In `observe`: the day's cases were told in one message.
    Digest {
        /// The day (UTC) on which it was due.
        day: jiff::civil::Date,
    },
    /// The journal's end is not where it was last left: rows are missing or were added.
    JournalDamaged {
        /// For people.
        found: String,
    },
}

kinds!(SystemEvent: Allowed => "allowed", VoteRefused => "vote_refused", Unreadable => "unreadable",
    PolicyLoaded => "policy_loaded", PolicyRefused => "policy_refused", Started => "started",
    Alarm => "alarm", Digest => "digest", Watched => "watched", Found => "found",
    JournalDamaged => "journal_damaged");

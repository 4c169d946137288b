//! The events of the journal. What is written here is read for years: fields are only ever added, with a default.

use super::evidence::Evidence;
use super::state::{Outcome, Provenance};
use super::{CaseId, Decision, Plan};
use crate::containment::{Call, Observation, Prior, StepKind};
use crate::detection::Finding;
use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::policy::Verdict;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The schema version that each event is written with.
pub const VERSION: u32 = 1;

/// Whether sluicegate acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Judge and report; change nothing.
    #[default]
    Observe,
    /// Act.
    Enforce,
}

/// The first event of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The case's id.
    pub case_id: CaseId,
    /// What was found.
    pub finding: Finding,
    /// What policy said.
    pub verdict: Verdict,
    /// Whether sluicegate acts.
    pub mode: Mode,
    /// The mapping, once its UUID is known.
    pub mapping: Option<MappingKey>,
    /// How far the event is known to be true.
    pub provenance: Provenance,
    /// The mapping as first read.
    pub snapshot: Option<Box<Snapshot>>,
    /// Its last accepted configuration, where one is known.
    pub baseline: Option<Box<Baseline>>,
    /// In `observe`: the calls that `enforce` would have made.
    #[serde(default)]
    pub would_do: Vec<Call>,
}

/// A vote that was verified and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Its own id.
    pub ballot: String,
    /// The person's id: votes count people.
    pub person: String,
    /// The identity under which the vote came.
    pub identity: String,
    /// For what.
    pub decision: Decision,
    /// The digest of the plan that was shown.
    pub plan: String,
    /// Why, in the person's words.
    pub reason: String,
    /// How many such votes it takes.
    pub needed: u32,
    /// The rules that let it count.
    pub policies: Vec<String>,
    /// What it came by.
    #[serde(default)]
    pub via: Via,
}

/// What a vote came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// `sluicegate decide`, under an AWS identity.
    #[default]
    CommandLine,
    /// A button or modal in Slack.
    Slack,
    /// Slack, and confirmed under the person's AWS identity.
    SlackConfirmed,
}

/// What people were told again, or more loudly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Reminder {
    /// A decision is waited for.
    Waiting {
        /// The how-manieth reminder since people were asked, from 1.
        nth: u32,
    },
    /// Half of the time is over after which records that wait in the source are lost.
    LossAhead {
        /// From when on they are lost.
        lost_from: Timestamp,
    },
    /// Somebody made the same mapping again, or enabled it.
    Again {
        /// How many findings have joined the case.
        findings: u32,
    },
    /// Nobody decided in time.
    Lapsed,
}

/// What happens to a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "they are written and read one at a time")]
pub enum CaseEvent {
    /// It began.
    Opened(Box<Opened>),
    /// Another finding on the same mapping came while the case was open.
    Joined {
        /// What was found.
        finding: Box<Finding>,
        /// What policy said.
        verdict: Box<Verdict>,
        /// How far it is known to be true. Only a verified one can make the case's response stronger.
        provenance: Provenance,
    },
    /// The mapping of a contained or removed case was made again, under another UUID: the case is about that one now, and
    /// it is disabled without a question.
    Recreated {
        /// What was found.
        finding: Box<Finding>,
        /// What policy said.
        verdict: Box<Verdict>,
        /// The new mapping.
        mapping: MappingKey,
        /// As read; it is what the event says.
        snapshot: Box<Snapshot>,
    },
    /// What a step will do, before it does it. Retries use these arguments and no others.
    StepPrepared {
        /// The step's number within the case, from 1.
        id: u32,
        /// Which step.
        step: StepKind,
        /// The step that it takes back, for an undo.
        #[serde(default)]
        undoes: Option<u32>,
        /// The exact call.
        call: Call,
        /// What was there before; captured once a case and kind.
        #[serde(default)]
        prior: Option<Prior>,
    },
    /// It is being done.
    StepStarted {
        /// The step's number.
        id: u32,
        /// Who does it.
        worker: String,
        /// The AWS identity that makes the call.
        identity: String,
        /// Until when nobody else takes it up, where several workers share a journal.
        lease_until: Timestamp,
    },
    /// A try that did not succeed, or whose success was not seen.
    StepTried {
        /// The step's number.
        id: u32,
        /// Which try, from 1.
        attempt: u32,
        /// What AWS said, for people.
        error: String,
        /// Whether the call may have had its effect all the same.
        ambiguous: bool,
        /// The request's id, where AWS told it.
        #[serde(default)]
        request_id: Option<String>,
        /// How long to wait before the next, in milliseconds.
        wait_ms: u64,
    },
    /// It is done, and was read back.
    StepSucceeded {
        /// The step's number.
        id: u32,
        /// What was read back.
        read_back: Observation,
        /// The ids of the requests that AWS took, by which CloudTrail's records of them are known as ours.
        request_ids: Vec<String>,
        /// How many tries it took.
        attempts: u32,
        /// From the start of the step to the read-back, in milliseconds.
        took_ms: u64,
    },
    /// It could not be done.
    StepFailed {
        /// The step's number.
        id: u32,
        /// Why, for people.
        error: String,
        /// AWS refused for good; repeating does not help.
        refused: bool,
    },
    /// An undo is done, and was read back.
    StepUndone {
        /// The undo's own number.
        id: u32,
        /// What was read back.
        read_back: Observation,
        /// The ids of the requests that AWS took.
        request_ids: Vec<String>,
        /// How many tries it took.
        attempts: u32,
    },
    /// Somebody undid what a step did.
    Tampered {
        /// The step's number.
        id: u32,
        /// What was read.
        seen: Observation,
    },
    /// Something was learnt.
    Evidence(Evidence),
    /// People are asked.
    ApprovalRequested {
        /// Why, for people.
        why: String,
        /// What they can decide, and what each decision does.
        plans: Vec<Plan>,
    },
    /// The case's message was posted.
    CardPosted {
        /// Where.
        channel: String,
        /// The message's timestamp, its id.
        ts: String,
    },
    /// A vote that counts once it is confirmed under the person's AWS identity.
    ConfirmationAsked {
        /// The vote, as it will count.
        vote: Vote,
        /// What `sluicegate confirm` takes; no secret: it counts for nothing without the identity.
        code: String,
    },
    /// A vote counted.
    Voted(Vote),
    /// Enough people decided the same.
    Approved {
        /// What, exactly: these steps are done and no others.
        plan: Plan,
        /// Who.
        people: Vec<String>,
    },
    /// People decided against it.
    Denied {
        /// Who.
        person: String,
    },
    /// Nobody decided in time: the question lapses, and what policy permits then is done.
    Expired {
        /// What sluicegate does by itself now, as policy says; absent in journals before it was asked.
        #[serde(default)]
        verdict: Option<Box<Verdict>>,
    },
    /// People were told again.
    Reminded {
        /// Of what.
        reminder: Reminder,
    },
    /// In `observe`: somebody said whether it would have been right.
    Rated {
        /// Who.
        person: String,
        /// Whether it would have been.
        right: bool,
    },
    /// An undo that had nothing to do: other cases hold the restriction, which stays.
    StepReleased {
        /// The undo's own number.
        id: u32,
        /// The cases that hold it still.
        held_by: Vec<CaseId>,
    },
    /// A call of our own was seen in CloudTrail.
    OwnCallSeen {
        /// The CloudTrail event.
        event_id: String,
        /// The step that made it.
        step: u32,
    },
    /// For people.
    Note {
        /// The text.
        text: String,
    },
    /// It is over.
    Closed {
        /// How.
        outcome: Outcome,
        /// The configuration that is accepted by it, where one is.
        #[serde(default)]
        baseline: Option<Box<Baseline>>,
    },
}

macro_rules! kinds {
    ($ty:ident: $($variant:ident => $name:literal),+ $(,)?) => {
        impl $ty {
            /// The `type` that the journal stores it under.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }
        }
    };
}

pub(super) use kinds;

kinds!(CaseEvent: Opened => "opened", Joined => "joined", Recreated => "recreated", StepPrepared => "step_prepared", StepStarted => "step_started",
    StepTried => "step_tried", StepSucceeded => "step_succeeded",
    StepFailed => "step_failed", StepUndone => "step_undone", Tampered => "tampered", Evidence => "evidence",
    ApprovalRequested => "approval_requested", CardPosted => "card_posted", ConfirmationAsked => "confirmation_asked",
    Voted => "voted", Approved => "approved", Denied => "denied", Expired => "expired", Reminded => "reminded",
    Rated => "rated", StepReleased => "step_released", OwnCallSeen => "own_call_seen", Note => "note", Closed => "closed");

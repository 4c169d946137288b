//! The outside world, as the responder sees it. Each method says what repeating it, its failing and its timing out mean.

use crate::case::{Case, CaseEvent, CaseId, Opened, Summary, SystemEvent};
use crate::containment::MappingChange;
use crate::mapping::{Baseline, FunctionRef, MappingKey, Snapshot, SourceRef};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// Why a call to AWS did not give an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// 429: repeat after a while.
    #[error("throttled: {message}")]
    Throttled {
        /// `Retry-After`, where AWS told it.
        retry_after: Option<Duration>,
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// 409, or 400 `ResourceInUseException`: another change is under way; repeat.
    #[error("busy: {message}")]
    Busy {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// 5xx: repeat. The effect may have happened all the same.
    #[error("unavailable: {message}")]
    Unavailable {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// Timed out, or cut off, after sending: the effect may have happened. Observe before repeating.
    #[error("no answer: {message}")]
    Ambiguous {
        /// What the client saw.
        message: String,
    },
    /// It was not sent: no connection, no credentials. Repeat.
    #[error("not sent: {message}")]
    NotSent {
        /// What the client saw.
        message: String,
    },
    /// 404: there is no such thing.
    #[error("not found: {message}")]
    NotFound {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// Any other 4xx: repeating does not help.
    #[error("refused: {code}: {message}")]
    Refused {
        /// AWS's error code.
        code: String,
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// An answer that cannot be what was asked for. Nothing may be concluded from it.
    #[error("answer makes no sense: {message}")]
    Nonsense {
        /// What is wrong with it.
        message: String,
    },
}

impl CallError {
    /// Whether the call may have had its effect all the same.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous { .. } | Self::Unavailable { .. } | Self::Nonsense { .. })
    }

    /// Whether repeating can help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotFound { .. })
    }

    /// Whether it was refused to these credentials, and not as such: somebody may put that right.
    pub fn is_denied(&self) -> bool {
        const DENIED: [&str; 6] = [
            "AccessDenied",
            "AccessDeniedException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ];
        matches!(self, Self::Refused { code, .. } if DENIED.contains(&code.as_str()))
    }

    /// The request's id, where AWS told it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Throttled { request_id, .. }
            | Self::Busy { request_id, .. }
            | Self::Unavailable { request_id, .. }
            | Self::NotFound { request_id, .. }
            | Self::Refused { request_id, .. } => request_id.as_deref(),
            Self::Ambiguous { .. } | Self::NotSent { .. } | Self::Nonsense { .. } => None,
        }
    }
}

/// AWS took a call. That is no proof of its effect: read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The request's id, `""` where AWS told none.
    pub request_id: String,
}

/// Lambda's control plane, in any account and region. Every call waits for its place under the account's limit.
#[async_trait]
pub trait Lambda: Send + Sync {
    /// `GetEventSourceMapping`; `None`: there is no such mapping. Changes nothing.
    async fn mapping(&self, key: &MappingKey) -> Result<Option<Snapshot>, CallError>;

    /// `ListEventSourceMappings`, all pages: the mappings of exactly this function (with its qualifier) and source.
    /// Changes nothing.
    async fn find_mappings(
        &self,
        account: &str,
        region: &str,
        function: &FunctionRef,
        source: &SourceRef,
    ) -> Result<Vec<Snapshot>, CallError>;

    /// `UpdateEventSourceMapping`. Repeating it with the same change is harmless.
    async fn update_mapping(&self, key: &MappingKey, change: &MappingChange) -> Result<Acknowledged, CallError>;

    /// `GetFunctionConcurrency`: the reserved concurrency; `None`: there is none. Changes nothing.
    async fn concurrency(&self, account: &str, region: &str, function_arn: &str) -> Result<Option<i32>, CallError>;

    /// `PutFunctionConcurrency`, or `DeleteFunctionConcurrency` for `None`. Repeating it is harmless.
    async fn set_concurrency(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        reserved: Option<i32>,
    ) -> Result<Acknowledged, CallError>;
}

/// CloudTrail's own record of events.
#[async_trait]
pub trait Trail: Send + Sync {
    /// `LookupEvents` by event id: the record as CloudTrail keeps it, JSON; `None`: not there (yet: minutes may pass).
    async fn lookup(&self, account: &str, region: &str, event_id: &str) -> Result<Option<String>, CallError>;
}

/// Who AWS says that somebody is.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The ARN that this process's own credentials have.
    async fn own(&self) -> Result<String, CallError>;

    /// The ARN behind a signed `GetCallerIdentity`, asked of this process's own STS endpoint. An error, too, where the
    /// proof is not for exactly this vote.
    async fn verify(&self, proof: &Proof, claim: &str) -> Result<String, CallError>;
}

/// A `GetCallerIdentity` request, signed by the person who votes, with what they vote for in a signed header.
/// It holds a session token: it is kept only until it is verified, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proof {
    /// The host that it was signed for.
    pub host: String,
    /// The signed headers, in order.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("host", &self.host).finish_non_exhaustive()
    }
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Why the journal did not do what it was asked. Unless it says otherwise, nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Somebody else appended first: read again, decide again.
    #[error("{stream}: expected {expected} events, found {actual}")]
    Conflict {
        /// The stream.
        stream: String,
        /// What the caller knew of.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// The journal cannot be reached or written. Nothing in AWS may be changed until it can.
    #[error("the journal cannot be used: {0}")]
    Unavailable(String),
    /// The journal holds what sluicegate cannot have written.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
}

/// What a CloudTrail event is known as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It opened, or joined, this case.
    Case(CaseId),
    /// It was allowed, or is our own call.
    Settled,
}

/// What came of opening a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// It is open now, with the events given.
    Opened(Box<Case>),
    /// The event was seen before.
    Known(Known),
    /// The mapping has an open case, which the finding must join instead. Nothing was written.
    Busy(CaseId),
}

/// One event as the journal keeps it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Recorded<E> {
    /// Its place in the journal, from 1; gapless in `SQLite`.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What.
    pub event: E,
}

/// A vote on its way: written by the command line, taken by the worker. It counts for nothing before it is verified.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ballot {
    /// Its id, random.
    pub id: String,
    /// On which case.
    pub case_id: CaseId,
    /// For what.
    pub decision: crate::case::Decision,
    /// The digest of the plan that was shown.
    pub plan: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub proof: Proof,
}

impl Ballot {
    /// What the voter signs: case, decision and plan.
    pub fn claim(&self) -> String {
        format!("{};{};{}", self.case_id, self.decision, self.plan)
    }
}

/// The case journal: append-only, compare-and-set. What a method wrote is durable when it returns.
///
/// A failed append may be repeated: it either finds its events there (`Conflict`) or writes them.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Opens a case with its first events, unless its event is known already or its mapping has an open case. All or
    /// nothing, and at once.
    async fn open(&self, opened: &Opened, more: &[CaseEvent]) -> Result<Opening, JournalError>;

    /// Appends to a case that has `expected` events; gives the case afterwards.
    async fn append(&self, case: &CaseId, expected: u64, events: &[CaseEvent]) -> Result<Case, JournalError>;

    /// Appends to the stream `system`. An `allowed` finding, or a message, that is there already is not written twice.
    async fn record(&self, event: &SystemEvent) -> Result<(), JournalError>;

    /// A case, folded.
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, JournalError>;

    /// A case's events, oldest first.
    async fn history(&self, id: &CaseId) -> Result<Vec<Recorded<CaseEvent>>, JournalError>;

    /// Every case in a line, newest last.
    async fn cases(&self) -> Result<Vec<Summary>, JournalError>;

    /// The cases that are not closed.
    async fn unfinished(&self) -> Result<Vec<CaseId>, JournalError>;

    /// What a CloudTrail event is known as.
    async fn known(&self, account: &str, region: &str, event_id: &str) -> Result<Option<Known>, JournalError>;

    /// The open case of a mapping.
    async fn open_case_on(&self, mapping: &MappingKey) -> Result<Option<CaseId>, JournalError>;

    /// Every case of a mapping, oldest first.
    async fn cases_on(&self, mapping: &MappingKey) -> Result<Vec<CaseId>, JournalError>;

    /// The last accepted configuration of a mapping.
    async fn baseline(&self, mapping: &MappingKey) -> Result<Option<Baseline>, JournalError>;

    /// The case whose step made the request, where the journal knows its id.
    async fn own_request(&self, request_id: &str) -> Result<Option<CaseId>, JournalError>;

    /// Confirmed findings that were not allowed, by one principal, since a time.
    async fn findings_by(&self, principal_arn: &str, since: Timestamp) -> Result<u32, JournalError>;

    /// Of the last ten cases of an account that people decided, those that they undid.
    async fn wrong_of_last_ten(&self, account: &str) -> Result<u32, JournalError>;

    /// Puts a vote where the worker finds it.
    async fn cast(&self, ballot: &Ballot) -> Result<(), JournalError>;

    /// The votes that nobody took yet.
    async fn ballots(&self) -> Result<Vec<Ballot>, JournalError>;

    /// Takes a vote off, once its outcome is in the journal.
    async fn settle(&self, ballot_id: &str) -> Result<(), JournalError>;

    /// Why a vote did not count, where it did not.
    async fn refusal(&self, ballot_id: &str) -> Result<Option<String>, JournalError>;

    /// How many events it has; an answer says that it can be read.
    async fn length(&self) -> Result<u64, JournalError>;
}

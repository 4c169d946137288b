//! The case journal.

use super::AwsProof;
use crate::case::{Case, CaseEvent, CaseId, Opened, Summary, SystemEvent};
use crate::mapping::{Baseline, MappingKey};
use crate::restriction::{Restriction, RestrictionEvent, RestrictionId};
use async_trait::async_trait;
use jiff::Timestamp;

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
    /// The code that this confirms, for a vote that came by Slack and waits for it.
    #[serde(default)]
    pub confirms: Option<String>,
}

/// How a vote shows who cast it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Proof {
    /// A signed `GetCallerIdentity`.
    Aws(AwsProof),
    /// An interaction that came over Slack's own connection, or under its signature.
    Slack(SlackProof),
}

/// Who clicked what, as Slack told it over a connection that is known to be Slack's. Names and e-mails of a payload are
/// not kept: their owners choose them.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SlackProof {
    /// The workspace: `T…`.
    pub team_id: String,
    /// The user's own workspace, where the payload tells it; else `""`.
    pub user_team_id: String,
    /// The app that the interaction is for.
    pub app_id: String,
    /// The user: `U…` or `W…`.
    pub user_id: String,
    /// The channel of the card.
    pub channel: String,
    /// The card, or the modal.
    pub container: String,
    /// When it was clicked, as Slack tells; as it came in where Slack does not.
    pub at: Timestamp,
    /// Where an answer can be sent, for half an hour; `""` where there is none. A secret.
    pub response_url: String,
}

impl std::fmt::Debug for SlackProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackProof")
            .field("team_id", &self.team_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl Ballot {
    /// What the voter signs: case, decision and plan.
    pub fn claim(&self) -> String {
        let code = self.confirms.as_ref().map(|code| format!(";{code}")).unwrap_or_default();
        format!("{};{};{}{code}", self.case_id, self.decision, self.plan)
    }
}

/// A case's message, and how far it shows the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardState {
    /// The case.
    pub case_id: CaseId,
    /// How many events the case has.
    pub seq: u64,
    /// How many of them the message shows; 0 where it was never told.
    pub shown: u64,
    /// How many of them the thread has.
    pub threaded: u64,
}

/// What is known of a mapping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappingKnown {
    /// Its last accepted configuration.
    pub baseline: Option<Baseline>,
    /// Its open case, else its last one.
    pub case: Option<CaseId>,
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

    /// Appends to the stream `system`. An `allowed` finding, or a message, that is there already is not written twice; nor
    /// is a mapping that is `found`, unless that is to take the place of what was accepted of it earlier.
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

    /// What is known of each of these mappings, in their order.
    async fn known_of(&self, mappings: &[MappingKey]) -> Result<Vec<MappingKnown>, JournalError>;

    /// When the first worker began; `None`: none did.
    async fn began(&self) -> Result<Option<Timestamp>, JournalError>;

    /// From when on the sweep answers for a region; `None`: it was never swept.
    async fn watched(&self, account: &str, region: &str) -> Result<Option<Timestamp>, JournalError>;

    /// The last case of a mapping of this function (its ARN, as the mapping or the record names it) and source.
    async fn last_case_of_pair(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        source_arn: &str,
    ) -> Result<Option<CaseId>, JournalError>;

    /// The cases of such a pair in which a mapping was deleted, or was to be: those that can make one anew.
    async fn deletions_of_pair(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        source_arn: &str,
    ) -> Result<Vec<CaseId>, JournalError>;

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

    /// The cases whose message, or its thread, shows less than the journal has, newest case first.
    async fn cards_behind(&self) -> Result<Vec<CardState>, JournalError>;

    /// Remembers how far a case's message and its thread show it. That is no part of the log: forgotten, they are
    /// looked at again.
    async fn card_shown(&self, case: &CaseId, shown: u64, threaded: u64) -> Result<(), JournalError>;

    /// The day of the last digest, where there was one.
    async fn last_digest(&self) -> Result<Option<jiff::civil::Date>, JournalError>;

    /// The case that has a vote waiting for this code.
    async fn case_of_code(&self, code: &str) -> Result<Option<CaseId>, JournalError>;

    /// A restriction, folded.
    async fn restriction(&self, id: &RestrictionId) -> Result<Option<Restriction>, JournalError>;

    /// Appends to a restriction's stream that has `expected` events; gives the restriction afterwards.
    async fn append_restriction(
        &self,
        id: &RestrictionId,
        expected: u64,
        events: &[RestrictionEvent],
    ) -> Result<Restriction, JournalError>;

    /// The restrictions that are not off.
    async fn restrictions(&self) -> Result<Vec<Restriction>, JournalError>;

    /// How many events it has; an answer says that it can be read.
    async fn length(&self) -> Result<u64, JournalError>;
}

//! One CloudTrail record.

use super::{Actor, MappingCall};
use jiff::Timestamp;

/// What EventBridge wrapped around the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// `source`, `aws.lambda` for the genuine thing.
    pub source: String,
    /// `detail-type`.
    pub detail_type: String,
    /// `account`.
    pub account: String,
    /// `region`.
    pub region: String,
    /// Whether an archive replays it (`replay-name`).
    pub replay: bool,
}

/// One CloudTrail record, with only what sluicegate uses. Missing strings are `""`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `eventID`
    pub event_id: String,
    /// `eventName`, with its API date, for example `CreateEventSourceMapping20150331`.
    pub event_name: String,
    /// `eventSource`, for example `lambda.amazonaws.com`.
    pub event_source: String,
    /// `eventTime`; `None` where it is missing or no time.
    pub event_time: Option<Timestamp>,
    /// `awsRegion`
    pub region: String,
    /// `recipientAccountId`, else the identity's account: where the mapping is.
    pub account: String,
    /// `requestID`
    pub request_id: String,
    /// `errorCode`
    pub error_code: String,
    /// `errorMessage`
    pub error_message: String,
    /// Who did it.
    pub actor: Actor,
    /// The mapping call, where it is one and it succeeded in being read.
    pub call: Option<MappingCall>,
    /// What EventBridge wrapped around it, where it did.
    pub envelope: Option<Envelope>,
}

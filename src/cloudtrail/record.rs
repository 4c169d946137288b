//! One CloudTrail record.

use super::document::{Document, Fields, KEYS};
use super::identity::{self, Circumstances};
use super::json::{present, text_or_empty};
use super::request::{self, Place};
use super::{Actor, MappingCall, time};
use crate::mapping::is_account;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// `eventSource` of a mapping call.
pub(crate) const LAMBDA: &str = "lambda.amazonaws.com";

// Where the keys that are not taken in order stand in `KEYS`.
const ID: usize = 0;
const NAME: usize = 1;
const SOURCE: usize = 15;
const DETAIL_TYPE: usize = 16;
const ACCOUNT: usize = 17;
const REGION: usize = 18;
const REPLAY: usize = 19;
const DETAIL: usize = 20;

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
    /// `eventID`; a mapping call that has none gets one derived from its content, `sha256-…`.
    pub event_id: String,
    /// `eventName`, with its API date, for example `CreateEventSourceMapping20150331`.
    pub event_name: String,
    /// `eventSource`, for example `lambda.amazonaws.com`.
    pub event_source: String,
    /// `eventTime`; `None` where it is missing or no time.
    pub event_time: Option<Timestamp>,
    /// `awsRegion`
    pub region: String,
    /// `recipientAccountId`, else the identity's account, for a mapping call else the envelope's: where the mapping is.
    /// Only twelve digits count as an account.
    pub account: String,
    /// `requestID`
    pub request_id: String,
    /// `errorCode`
    pub error_code: String,
    /// `errorMessage`
    pub error_message: String,
    /// Who did it.
    pub actor: Actor,
    /// The mapping call, where it is one and Lambda did it. (One that did and cannot be read is a `Damage`.)
    pub call: Option<MappingCall>,
    /// What EventBridge wrapped around it, where it did.
    pub envelope: Option<Envelope>,
}

impl Record {
    /// Makes a record of what a document holds, unwrapping an envelope.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Box<Self>, String> {
        let detail =
            present(fields.values[DETAIL]).filter(|detail| !is_record(fields) || detail.get().starts_with('{'));
        let Some(detail) = detail else {
            return Self::bare(fields, None);
        };
        whole(fields)?;
        let envelope = Envelope {
            source: text_or_empty(fields.values[SOURCE]),
            detail_type: text_or_empty(fields.values[DETAIL_TYPE]),
            account: text_or_empty(fields.values[ACCOUNT]),
            region: text_or_empty(fields.values[REGION]),
            replay: present(fields.values[REPLAY]).is_some(),
        };
        let document: Document<'_> =
            serde_json::from_str(detail.get()).map_err(|_| "detail cannot be read".to_owned())?;
        match &document.items[..] {
            [item] if item.number == 0 => match &item.content {
                Ok(fields) => Self::bare(fields, Some(envelope)),
                Err(what) => Err(format!("not a CloudTrail record: detail is {what}")),
            },
            _ => Err("not a CloudTrail record: detail is a list".to_owned()),
        }
    }

    fn bare(fields: &Fields<'_>, envelope: Option<Envelope>) -> Result<Box<Self>, String> {
        whole(fields)?;
        if !is_record(fields) {
            return Err("not a CloudTrail record: it has neither eventName nor eventID".to_owned());
        }
        let [
            id,
            name,
            source,
            time,
            region,
            account,
            request_id,
            error_code,
            error_message,
            identity,
            source_ip,
            user_agent,
            request,
            response,
            console,
            ..,
        ] = fields.values;
        let circumstances = Circumstances { source_ip, user_agent, console };
        let mut record = Box::new(Self {
            event_id: text_or_empty(id),
            event_name: text_or_empty(name),
            event_source: text_or_empty(source),
            event_time: time::iso(time),
            region: text_or_empty(region),
            account: text_or_empty(account),
            request_id: text_or_empty(request_id),
            error_code: text_or_empty(error_code),
            error_message: text_or_empty(error_message),
            actor: identity::read(identity, &circumstances),
            call: None,
            envelope,
        });
        if !is_account(&record.account) {
            record.account = Some(&record.actor.account).filter(|id| is_account(id)).cloned().unwrap_or_default();
        }
        if let Some(verb) = request::verb_of(&record.event_name)
            && record.event_source == LAMBDA
            && !record.failed()
        {
            record.complete(fields)?;
            let place = Place { region: &record.region, account: &record.account };
            record.call = Some(request::read(verb, request, response, &place)?);
        }
        Ok(record)
    }

    /// Whether the call failed: Lambda did nothing.
    pub fn failed(&self) -> bool {
        !self.error_code.is_empty() || !self.error_message.is_empty()
    }

    /// A mapping call that succeeded is judged even where the record lacks what every genuine one has: left out, such
    /// a field must not hide it.
    fn complete(&mut self, fields: &Fields<'_>) -> Result<(), String> {
        if let Some(envelope) = &self.envelope {
            if self.account.is_empty() && is_account(&envelope.account) {
                self.account.clone_from(&envelope.account);
            }
            if self.region.is_empty() {
                self.region.clone_from(&envelope.region);
            }
        }
        if self.account.is_empty() || self.region.is_empty() {
            let name = &self.event_name;
            return Err(format!("{name} cannot be judged: the record does not tell its account and region"));
        }
        if self.event_id.is_empty() {
            self.event_id = derived_id(fields);
        }
        Ok(())
    }
}

/// An id for a record without one: the same record always gets the same.
fn derived_id(fields: &Fields<'_>) -> String {
    let mut hash = Sha256::new();
    for (key, value) in KEYS.iter().zip(fields.values) {
        if let Some(value) = value {
            hash.update(key);
            hash.update(value.get());
            hash.update([0]);
        }
    }
    format!("sha256-{}", HEXLOWER.encode(&hash.finalize()[..16]))
}

fn is_record(fields: &Fields<'_>) -> bool {
    [ID, NAME].iter().any(|&key| present(fields.values[key]).is_some())
}

/// Refuses an object that says the same thing twice: who reads it with another parser may read another value.
fn whole(fields: &Fields<'_>) -> Result<(), String> {
    match fields.twice {
        Some(key) => Err(format!("the record holds {key} twice")),
        None => Ok(()),
    }
}

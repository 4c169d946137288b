//! What a record says by itself.

use super::{Change, Detection, Event, Finding, Ignored, Trigger, created, enabled, repointed, rewired};
use crate::cloudtrail::{Envelope, LAMBDA, MappingCall, Record};
use jiff::Timestamp;

/// Judges a record by itself: a finding with everything that its call names, or why it is none.
pub fn inspect(record: &Record) -> Result<Finding, Ignored> {
    latent(record).and_then(named_something)
}

/// As [`inspect`], but an update that names nothing for certain is a finding too, one without changes. CloudTrail
/// writes `filterCriteria: {}` for a filter that was cleared as well as for one that was left out; [`super::against`]
/// tells them apart where there are a baseline and a fresh read, and ignores the finding where there are not.
pub fn latent(record: &Record) -> Result<Finding, Ignored> {
    if let Some(envelope) = &record.envelope {
        genuine(envelope, record)?;
    }
    if record.event_source != LAMBDA {
        return ignored(format!("not from {LAMBDA}: {}", or_nothing(&record.event_source)));
    }
    if crate::cloudtrail::verb_of(&record.event_name).is_none() {
        return ignored(format!("not a mapping call: {}", or_nothing(&record.event_name)));
    }
    if record.failed() {
        let code = [&record.error_code, &record.error_message].into_iter().find(|text| !text.is_empty());
        return ignored(format!("call failed: {}", code.map_or("", String::as_str)));
    }
    // `cloudtrail::read` gives every record that comes this far a call, or damage in its place.
    let Some(call) = &record.call else {
        return ignored(format!("{} without a call", record.event_name));
    };
    let changes = named(call);
    Ok(Finding {
        detection: name_of(&changes),
        changes,
        trigger: match &record.envelope {
            Some(envelope) if envelope.replay => Trigger::Replay,
            _ => Trigger::Event,
        },
        event: Event {
            id: record.event_id.clone(),
            name: record.event_name.clone(),
            time: record.event_time.unwrap_or(Timestamp::UNIX_EPOCH),
            request_id: record.request_id.clone(),
        },
        account: record.account.clone(),
        region: record.region.clone(),
        actor: record.actor.clone(),
        call: call.clone(),
    })
}

/// A finding without changes is none.
pub(super) fn named_something(finding: Finding) -> Result<Finding, Ignored> {
    if finding.changes.is_empty() {
        return ignored("update changes neither enabled, function, filter, destination nor source access".to_owned());
    }
    Ok(finding)
}

/// Only AWS can put an event of source `aws.…` on a bus; anything else that carries a mapping call was made up.
fn genuine(envelope: &Envelope, record: &Record) -> Result<(), Ignored> {
    const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";
    if envelope.source != "aws.lambda" {
        return ignored(format!("envelope source is {}, not aws.lambda", or_nothing(&envelope.source)));
    }
    if envelope.detail_type != DETAIL_TYPE {
        let detail_type = or_nothing(&envelope.detail_type);
        return ignored(format!("envelope detail-type is {detail_type}, not {DETAIL_TYPE}"));
    }
    for (what, outside, inside) in
        [("account", &envelope.account, &record.account), ("region", &envelope.region, &record.region)]
    {
        if !outside.is_empty() && !inside.is_empty() && outside != inside {
            return ignored(format!("envelope and record disagree: {what} is {outside} in one, {inside} in the other"));
        }
    }
    Ok(())
}

/// All that a call names, most telling first.
fn named(call: &MappingCall) -> Vec<Change> {
    let detections = [
        (Change::Create, created::named(call)),
        (Change::Repoint, repointed::named(call)),
        (Change::Rewire, rewired::named(call)),
        (Change::Enable, enabled::named(call)),
    ];
    let named = detections.into_iter().filter(|(_, named)| *named);
    named.map(|(change, _)| change).collect()
}

/// The detection that names a finding with these changes.
pub(super) fn name_of(changes: &[Change]) -> Detection {
    match changes.first() {
        Some(Change::Create) => Detection::MappingCreated,
        Some(Change::Repoint) => Detection::MappingRepointed,
        Some(Change::Enable) => Detection::MappingEnabled,
        // A latent finding can only turn out to be this.
        Some(Change::Rewire) | None => Detection::MappingRewired,
    }
}

fn ignored<T>(why: String) -> Result<T, Ignored> {
    Err(Ignored(why))
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

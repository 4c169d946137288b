//! Whether a mapping, as Lambda describes it, is what an event says.

use super::{Finding, Trigger};
use crate::cloudtrail::Verb;
use crate::mapping::{Arn, Snapshot};
use jiff::{SignedDuration, Timestamp};

/// How old an event may be and still be acted upon by itself.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(15);
/// How far ahead its time may lie: clocks differ.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How long before the event the mapping may have been changed last: the event's time is a second's, and not Lambda's.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// Confirms a finding by the mapping as read, or says in plain words what does not fit. What is not confirmed so must
/// be found in CloudTrail itself before anything is changed. That a mapping is real proves nothing about who made it.
pub fn provenance(finding: &Finding, fresh: &Snapshot, now: Timestamp) -> Result<(), String> {
    let call = &finding.call;
    if finding.trigger == Trigger::Replay {
        return Err("an archive replays the event".to_owned());
    }
    if finding.event.id.is_empty() || finding.event.id.starts_with("sha256-") {
        return Err("the record has no eventID".to_owned());
    }
    if !call.disagrees.is_empty() {
        return Err(call.disagrees.clone());
    }
    timely(finding.event.time, fresh.last_modified, now)?;
    still_so(finding, fresh)
}

/// Whether a mapping, as read, is what a call made it, or says in plain words what does not fit. Enough by itself only
/// for a record that CloudTrail itself gave.
pub fn still_so(finding: &Finding, fresh: &Snapshot) -> Result<(), String> {
    let call = &finding.call;
    if !call.disagrees.is_empty() {
        return Err(call.disagrees.clone());
    }
    same("mapping", &call.uuid.to_ascii_lowercase(), &fresh.uuid.to_ascii_lowercase())?;
    same("function", &call.function.name, &fresh.function.name)?;
    if call.function.qualifier != fresh.function.qualifier {
        return differs("the function's alias or version", &call.function.qualifier, &fresh.function.qualifier);
    }
    same("function's account", &call.function.account, &fresh.function.account)?;
    // An update cannot change it, and its answer may leave it out.
    if finding.trigger != Trigger::Sweep || call.verb != Verb::Update || call.source.is_known() {
        same("source", &call.source.to_string(), &fresh.source.to_string())?;
    }
    if !call.mapping_arn.is_empty() && !fresh.arn.is_empty() {
        same("mapping's ARN", &call.mapping_arn, &fresh.arn)?;
    }
    // An older answer has no ARN of its own; function and mapping share account and region.
    let arn = [&fresh.arn, &fresh.function.arn].into_iter().find_map(|arn| Arn::parse(arn));
    let (account, region) = arn.map_or(("", ""), |arn| (arn.account, arn.region));
    same("account", &finding.account, account)?;
    same("region", &finding.region, region)
}

fn timely(event: Timestamp, changed: Option<Timestamp>, now: Timestamp) -> Result<(), String> {
    if event == Timestamp::UNIX_EPOCH {
        return Err("the record has no eventTime".to_owned());
    }
    let age = now.duration_since(event);
    if age > MAX_AGE {
        return Err(format!("the event of {event} is {age:#} old, more than 15 minutes"));
    }
    if -age > MAX_AHEAD {
        return Err(format!("the event of {event} lies {:#} in the future", -age));
    }
    let Some(changed) = changed else {
        return Err("Lambda does not say when the mapping was last changed".to_owned());
    };
    if event.duration_since(changed) > SLACK {
        return Err(format!(
            "the mapping was last changed at {changed}, more than a minute before the event of {event}"
        ));
    }
    Ok(())
}

/// Both must say it, and say the same.
fn same(what: &str, event: &str, read: &str) -> Result<(), String> {
    if event.is_empty() {
        return Err(format!("the event does not tell the {what}"));
    }
    if read.is_empty() {
        return Err(format!("Lambda does not tell the {what}"));
    }
    if event == read {
        return Ok(());
    }
    differs(&format!("the {what}"), event, read)
}

fn differs(what: &str, event: &str, read: &str) -> Result<(), String> {
    Err(format!("{what} is {event:?} in the event, but {read:?} as read from Lambda"))
}

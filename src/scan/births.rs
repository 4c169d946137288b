//! When functions were made, and by whom.

use super::Place;
use crate::cloudtrail;
use crate::mapping::{FunctionRef, partition_of};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A function made within this time of a mapping was made for it.
pub const SOON: SignedDuration = SignedDuration::from_mins(10);

/// A function that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birth {
    function: FunctionRef,
    /// The role's or user's IAM ARN; never `""`.
    pub principal_arn: String,
    /// When.
    pub at: Timestamp,
    /// The event.
    pub event_id: String,
}

/// The functions that CloudTrail tells were made in a place.
#[derive(Debug, Clone)]
pub struct Births {
    place: Place,
    all: Vec<Birth>,
}

impl Births {
    /// None yet.
    pub fn new(place: Place) -> Self {
        Self { place, all: Vec::new() }
    }

    /// Takes records of `CreateFunction*`, as CloudTrail gives them. One that cannot be read, that failed or that names
    /// nobody for certain tells nothing.
    pub fn take(&mut self, records: &[String]) {
        for text in records {
            let whole: Value = serde_json::from_str(text).unwrap_or_default();
            let found = cloudtrail::read(text.as_bytes()).into_iter().flatten();
            self.all.extend(found.filter_map(|record| birth(&self.place, &record, &whole)));
        }
    }

    /// The making of this function, by this principal, within [`SOON`] of a time.
    pub fn near(&self, function: &FunctionRef, principal_arn: &str, time: Timestamp) -> Option<&Birth> {
        let same = |one: &FunctionRef| one.name == function.name && one.account == function.account;
        self.all.iter().find(|birth| {
            !principal_arn.is_empty()
                && birth.principal_arn == principal_arn
                && function.is_known()
                && same(&birth.function)
                && birth.at.duration_since(time).abs() <= SOON
        })
    }
}

fn birth(place: &Place, record: &cloudtrail::Record, whole: &Value) -> Option<Birth> {
    // Not `CreateFunctionUrlConfig`.
    let dated = record.event_name.strip_prefix("CreateFunction")?;
    let made = dated.bytes().all(|byte| byte.is_ascii_digit() || byte == b'v');
    let here = record.account == place.account && record.region == place.region;
    if !made || !here || record.failed() || record.event_source != cloudtrail::LAMBDA {
        return None;
    }
    let text = |pointer: &str| whole.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = text("/responseElements/functionArn").or_else(|| text("/requestParameters/functionName"))?;
    let principal_arn = Some(record.actor.principal_arn.clone()).filter(|arn| !arn.is_empty())?;
    Some(Birth {
        function: FunctionRef::parse(named, partition_of(&place.region), &place.region, &place.account),
        principal_arn,
        at: record.event_time?,
        event_id: record.event_id.clone(),
    })
}

/// The times within [`SOON`] of any of these, in the order in which the first of each was given; those that overlap are
/// one.
pub fn windows(times: &[Timestamp]) -> Vec<(Timestamp, Timestamp)> {
    let around = |time: &Timestamp| {
        (time.checked_sub(SOON).unwrap_or(Timestamp::UNIX_EPOCH), time.checked_add(SOON).unwrap_or(Timestamp::MAX))
    };
    let mut sorted: Vec<Timestamp> = times.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, until) in sorted.iter().map(around) {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = until,
            _ => merged.push((from, until)),
        }
    }
    let first = |window: &(Timestamp, Timestamp)| {
        times.iter().position(|time| (window.0..=window.1).contains(time)).unwrap_or(usize::MAX)
    };
    merged.sort_by_key(first);
    merged
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::scan::fixtures::{DEPLOYER, create, function, place};
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn made(change: impl FnOnce(&mut Value)) -> String {
        create(|record| {
            record["eventName"] = json!("CreateFunction20150331");
            record["requestParameters"] = json!({ "functionName": "orders-consumer" });
            record["responseElements"] = json!({ "functionArn": function("orders-consumer").arn });
            change(record);
        })
    }

    fn near(record: String, time: &str) -> bool {
        let mut births = Births::new(place());
        births.take(&[record]);
        births.near(&function("orders-consumer:live"), DEPLOYER, at(time)).is_some()
    }

    #[test]
    fn a_function_is_found_by_name_maker_and_time() {
        assert!(near(made(|_| ()), "2026-11-01T10:10:00Z"));
        assert!(near(made(|_| ()), "2026-11-01T09:50:00Z"));
        assert!(!near(made(|_| ()), "2026-11-01T10:10:01Z"));
        assert!(near(made(|record| record["responseElements"] = Value::Null), "2026-11-01T10:00:00Z"));
    }

    #[test]
    fn what_made_no_function_is_none() {
        let cases: [fn(&mut Value); 6] = [
            |record| record["eventName"] = json!("CreateFunctionUrlConfig"),
            |record| record["errorCode"] = json!("ResourceConflictException"),
            |record| record["eventSource"] = json!("evil.amazonaws.com"),
            |record| record["awsRegion"] = json!("eu-west-2"),
            |record| record["userIdentity"] = Value::Null,
            |record| {
                record["requestParameters"] = Value::Null;
                record["responseElements"] = json!({ "functionArn": ["x"] });
            },
        ];
        for change in cases {
            assert!(!near(made(change), "2026-11-01T10:00:00Z"));
        }
        assert!(!near("{".to_owned(), "2026-11-01T10:00:00Z"));
    }

    #[test]
    fn nobody_is_never_the_same_as_nobody() {
        let mut births = Births::new(place());
        births.take(&[made(|_| ())]);
        assert!(births.near(&function("orders-consumer"), "", at("2026-11-01T10:00:00Z")).is_none());
        assert!(births.near(&FunctionRef::default(), DEPLOYER, at("2026-11-01T10:00:00Z")).is_none());
    }

    #[test]
    fn windows_that_overlap_are_one_and_the_first_given_comes_first() {
        let times = [at("2026-11-03T00:00:00Z"), at("2026-11-01T00:15:00Z"), at("2026-11-01T00:00:00Z")];
        let told: Vec<String> = windows(&times).iter().map(|(from, until)| format!("{from} {until}")).collect();
        assert_eq!(told, ["2026-11-02T23:50:00Z 2026-11-03T00:10:00Z", "2026-10-31T23:50:00Z 2026-11-01T00:25:00Z",]);
        assert!(windows(&[]).is_empty());
        assert_eq!(windows(&[Timestamp::MIN, Timestamp::MAX]).len(), 2);
    }
}

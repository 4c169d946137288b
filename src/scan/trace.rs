//! CloudTrail's records of one account and region → who made which mapping, and who changed it since.

use super::Place;
use crate::cloudtrail::{self, Verb};
use crate::detection::{Finding, Trigger, latent};
use crate::mapping::Snapshot;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How far CloudTrail's own record of events reaches back.
pub const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(90 * 24);
/// CloudTrail tells whole seconds. `LastModified` also moves while a new mapping comes up, so that most mappings look
/// changed: better that than to miss one that was changed at once.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// Whether it is known who made a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribution {
    /// CloudTrail has the call that made it.
    Found,
    /// It was last changed before CloudTrail's record begins, so it was made before that too.
    Older,
    /// CloudTrail's 90 days do not have the call: it is older and was changed since, or it was never recorded.
    NotFound,
    /// CloudTrail could not be asked, or not to the end; why.
    Unavailable(String),
}

impl Attribution {
    /// Its name, as printed.
    pub fn told(&self) -> String {
        match self {
            Self::Found => "found".to_owned(),
            Self::Older => "older-than-90-days".to_owned(),
            Self::NotFound => "not-found".to_owned(),
            Self::Unavailable(why) => format!("unavailable: {why}"),
        }
    }
}

/// What CloudTrail tells of the mappings of a place.
#[derive(Debug, Clone)]
pub struct Trace {
    place: Place,
    creations: HashMap<String, Finding>,
    changes: HashMap<String, Vec<Finding>>,
    unreadable: usize,
    oldest: Option<Timestamp>,
}

impl Trace {
    /// Nothing yet.
    pub fn new(place: Place) -> Self {
        Self { place, creations: HashMap::new(), changes: HashMap::new(), unreadable: 0, oldest: None }
    }

    /// Takes records as CloudTrail gives them, in any order; those that are known already are not doubled. Calls that
    /// failed, that are of another place or that name no mapping tell nothing.
    pub fn take(&mut self, records: &[String]) {
        for input in records.iter().flat_map(|text| cloudtrail::read(text.as_bytes())) {
            let Ok(record) = input else {
                self.unreadable += 1;
                continue;
            };
            if let Some(time) = record.event_time {
                self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
            }
            if let Ok(finding) = latent(&record) {
                self.keep(finding);
            }
        }
    }

    fn keep(&mut self, mut finding: Finding) {
        let uuid = finding.call.uuid.to_ascii_lowercase();
        if uuid.is_empty() || finding.account != self.place.account || finding.region != self.place.region {
            return;
        }
        finding.trigger = Trigger::Sweep;
        match finding.call.verb {
            Verb::Create => {
                self.creations.entry(uuid).or_insert(finding);
            }
            Verb::Update => {
                let known = self.changes.entry(uuid).or_default();
                if !known.iter().any(|other| other.event.id == finding.event.id) {
                    known.push(finding);
                }
            }
        }
    }

    /// The call that made a mapping.
    pub fn creation(&self, uuid: &str) -> Option<&Finding> {
        self.creations.get(&uuid.to_ascii_lowercase())
    }

    /// The calls that updated a mapping, oldest first.
    pub fn changes(&self, uuid: &str) -> Vec<Finding> {
        let mut changes = self.changes.get(&uuid.to_ascii_lowercase()).cloned().unwrap_or_default();
        changes.sort_by(|one, other| (one.event.time, &one.event.id).cmp(&(other.event.time, &other.event.id)));
        changes
    }

    /// Whether some mapping that CloudTrail may still know is without its creator.
    pub fn lacks_any(&self, mappings: &[Snapshot], now: Timestamp) -> bool {
        mappings.iter().any(|mapping| !is_older(mapping, now) && self.creation(&mapping.uuid).is_none())
    }

    /// How many records could not be read.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The time of the oldest record so far.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// Whether it is known who made a mapping; `unavailable` says why CloudTrail was not read to its end, where it was
    /// not.
    pub fn attribution(&self, mapping: &Snapshot, now: Timestamp, unavailable: Option<&str>) -> Attribution {
        match (self.creation(&mapping.uuid), unavailable) {
            (Some(_), _) => Attribution::Found,
            (None, _) if is_older(mapping, now) => Attribution::Older,
            (None, Some(why)) => Attribution::Unavailable(why.to_owned()),
            (None, None) => Attribution::NotFound,
        }
    }

    /// Since when updates have to be looked for, so that none is missed that made a mapping what it is; `None`: no
    /// mapping was changed in CloudTrail's time, as far as `LastModified` tells.
    pub fn changes_wanted_since(&self, mappings: &[Snapshot], now: Timestamp) -> Option<Timestamp> {
        let from = |mapping: &Snapshot| match self.creation(&mapping.uuid) {
            Some(creation) => changed_after(mapping, creation.event.time).then_some(creation.event.time),
            None => (!is_older(mapping, now)).then(|| begins(now)),
        };
        mappings.iter().filter_map(from).min()
    }
}

/// Whether a mapping was changed after it was made at `made`. One that does not tell when it was changed may have been.
pub fn changed_after(mapping: &Snapshot, made: Timestamp) -> bool {
    mapping.last_modified.is_none_or(|time| time.duration_since(made) > SAME_MOMENT)
}

/// Where CloudTrail's record begins.
fn begins(now: Timestamp) -> Timestamp {
    now.checked_sub(LOOKS_BACK).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A mapping is never made after it was last modified.
fn is_older(mapping: &Snapshot, now: Timestamp) -> bool {
    mapping.last_modified.is_some_and(|time| time < begins(now))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::scan::fixtures::{create, mapping, now, place, update};
    use serde_json::json;

    fn traced(records: &[String]) -> Trace {
        let mut trace = Trace::new(place());
        trace.take(records);
        trace
    }

    #[test]
    fn a_creation_is_found_by_uuid_in_any_case_and_only_in_its_place() {
        let trace = traced(&[create(|record| {
            let uuid = record["responseElements"]["uUID"].as_str().unwrap().to_uppercase();
            record["responseElements"]["uUID"] = json!(uuid);
        })]);
        assert_eq!(trace.attribution(&mapping(), now(), None), Attribution::Found);
        assert_eq!(trace.creation(&mapping().uuid).unwrap().trigger, Trigger::Sweep);
        let elsewhere = traced(&[create(|record| record["awsRegion"] = json!("eu-west-2"))]);
        assert_eq!(elsewhere.attribution(&mapping(), now(), None), Attribution::NotFound);
        let other = traced(&[create(|record| record["recipientAccountId"] = json!("999988887777"))]);
        assert!(other.lacks_any(&[mapping()], now()));
    }

    #[test]
    fn a_call_that_failed_made_nothing() {
        let trace = traced(&[create(|record| record["errorCode"] = json!("AccessDenied"))]);
        assert_eq!(trace.attribution(&mapping(), now(), None), Attribution::NotFound);
    }

    #[test]
    fn why_nobody_is_known_is_told_apart() {
        let trace = traced(&[]);
        let mut old = mapping();
        old.last_modified = Some(now() - SignedDuration::from_hours(91 * 24));
        let told = |mapping: &Snapshot, why| trace.attribution(mapping, now(), why).told();
        assert_eq!(told(&old, None), "older-than-90-days");
        assert_eq!(told(&old, Some("denied")), "older-than-90-days");
        assert_eq!(told(&mapping(), None), "not-found");
        assert_eq!(told(&mapping(), Some("denied")), "unavailable: denied");
        let mut timeless = mapping();
        timeless.last_modified = None;
        assert_eq!(told(&timeless, None), "not-found");
        // What is certainly older is not searched for.
        assert!(!trace.lacks_any(&[old], now()) && trace.lacks_any(&[timeless], now()));
    }

    #[test]
    fn damaged_records_are_counted_and_lose_no_other() {
        let trace = traced(&["{".to_owned(), "[]".to_owned(), String::new(), create(|_| ())]);
        assert!(trace.creation(&mapping().uuid).is_some());
        assert!(trace.unreadable() >= 1);
    }

    #[test]
    fn updates_come_in_order_and_once() {
        let at = |time: &'static str, id: &'static str| {
            update(move |record| {
                record["eventTime"] = json!(time);
                record["eventID"] = json!(id);
            })
        };
        let trace = traced(&[
            at("2026-11-02T00:00:00Z", "b"),
            at("2026-11-01T00:00:00Z", "a"),
            at("2026-11-02T00:00:00Z", "b"),
        ]);
        let ids: Vec<String> = trace.changes(&mapping().uuid).into_iter().map(|change| change.event.id).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(trace.oldest().unwrap().to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn updates_are_looked_for_only_where_there_was_a_change() {
        let trace = traced(&[create(|_| ())]);
        let made = trace.creation(&mapping().uuid).unwrap().event.time;
        let mut settled = mapping();
        settled.last_modified = Some(made + SignedDuration::from_millis(900));
        assert_eq!(trace.changes_wanted_since(&[settled], now()), None);
        assert_eq!(trace.changes_wanted_since(&[mapping()], now()), Some(made));
        let mut unknown = mapping();
        unknown.uuid = "other".to_owned();
        assert_eq!(trace.changes_wanted_since(&[mapping(), unknown], now()), Some(now() - LOOKS_BACK));
    }
}

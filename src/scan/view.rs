//! What `scan --format json` prints, one line a mapping. The fields are a contract; what is not known is null.

use super::{Deed, Missing, Scanned, Smell};
use crate::detection::{Change, Detection};
use crate::explanation::{ActorView, VerdictView, known};
use crate::mapping::SourceKind;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    account: &'a str,
    region: &'a str,
    uuid: &'a str,
    arn: Option<&'a str>,
    function_arn: Option<&'a str>,
    source_arn: Option<&'a str>,
    /// The bootstrap servers of a cluster that has no ARN.
    source_name: Option<&'a str>,
    source_kind: SourceKind,
    state: &'a str,
    last_modified: Option<Timestamp>,
    created_by: Option<By<'a>>,
    changed_by: Option<ChangedBy<'a>>,
    verdict: Option<VerdictView<'a>>,
    attribution: String,
    smells: &'a [Smell],
    unknown: &'a [String],
}

#[derive(Serialize)]
struct By<'a> {
    #[serde(flatten)]
    actor: ActorView<'a>,
    event_id: &'a str,
    event_name: &'a str,
    event_time: Timestamp,
}

#[derive(Serialize)]
struct ChangedBy<'a> {
    #[serde(flatten)]
    by: By<'a>,
    detection: Detection,
    changes: &'a [Change],
    verdict: VerdictView<'a>,
}

#[derive(Serialize)]
struct NotLookedAt<'a> {
    error: &'a str,
    account: &'a str,
    region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<&'a str>,
}

impl<'a> By<'a> {
    fn of(deed: &'a Deed) -> Self {
        let event = &deed.finding.event;
        Self {
            actor: ActorView::of(&deed.finding.actor),
            event_id: &event.id,
            event_name: &event.name,
            event_time: event.time,
        }
    }
}

/// The line of a mapping.
pub fn scanned_line(scanned: &Scanned) -> impl Serialize {
    let Scanned { place, mapping, attribution, created, changed, verdict, smells, unknown } = scanned;
    Line {
        account: &place.account,
        region: &place.region,
        uuid: &mapping.uuid,
        arn: known(&mapping.arn),
        function_arn: known(&mapping.function.arn),
        source_arn: known(&mapping.source.arn),
        source_name: known(&mapping.source.name),
        source_kind: mapping.source.kind,
        state: &mapping.state,
        last_modified: mapping.last_modified,
        created_by: created.as_ref().map(By::of),
        changed_by: changed.as_ref().map(|deed| ChangedBy {
            by: By::of(deed),
            detection: deed.finding.detection,
            changes: &deed.finding.changes,
            verdict: VerdictView::of(&deed.verdict),
        }),
        verdict: verdict.as_ref().map(VerdictView::of),
        attribution: attribution.told(),
        smells,
        unknown,
    }
}

/// The line of what could not be looked at.
pub fn missing_line(missing: &Missing) -> impl Serialize {
    let Missing { place, uuid, error } = missing;
    NotLookedAt { error, account: &place.account, region: &place.region, uuid: known(uuid) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::scan::fixtures::{create, intern, mapping, now, place, shipped, update};
    use crate::scan::{Attribution, Standing, Trace, judge};
    use serde_json::{Value, json};

    fn scanned(records: &[String]) -> Scanned {
        let mut trace = Trace::new(place());
        trace.take(records);
        let mapping = mapping();
        let found = judge(shipped(), now(), &mapping, trace.creation(&mapping.uuid), &trace.changes(&mapping.uuid));
        Scanned {
            place: place(),
            attribution: trace.attribution(&mapping, now(), Some("denied")),
            mapping,
            created: found.created,
            changed: found.changed,
            verdict: found.verdict,
            smells: Vec::new(),
            unknown: Vec::new(),
        }
    }

    fn line(scanned: &Scanned) -> Value {
        serde_json::to_value(scanned_line(scanned)).unwrap()
    }

    #[test]
    fn the_fields_are_as_promised() {
        let scanned = scanned(&[create(|record| record["userIdentity"] = intern()), update(|_| ())]);
        assert_eq!(scanned.standing(), Standing::NotAllowed);
        let line = line(&scanned);
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "account",
            "region",
            "uuid",
            "arn",
            "function_arn",
            "source_arn",
            "source_name",
            "source_kind",
            "state",
            "last_modified",
            "created_by",
            "changed_by",
            "verdict",
            "attribution",
            "smells",
            "unknown",
        ];
        expected.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(line["created_by"]["principal_arn"], "arn:aws:iam::111122223333:role/people/intern");
        assert_eq!((&line["created_by"]["event_id"], &line["attribution"]), (&json!("created"), &json!("found")));
        assert_eq!(line["changed_by"]["detection"], "mapping-enabled");
        assert_eq!((&line["verdict"]["allowed"], &line["source_kind"]), (&json!(false), &json!("sqs")));
    }

    #[test]
    fn what_is_not_known_is_null() {
        let scanned = scanned(&[]);
        assert_eq!(
            (scanned.standing(), &scanned.attribution),
            (Standing::Unattributed, &Attribution::Unavailable("denied".to_owned()))
        );
        let line = line(&scanned);
        assert_eq!(
            (&line["created_by"], &line["changed_by"], &line["verdict"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(line["attribution"], "unavailable: denied");
    }

    #[test]
    fn an_error_names_its_place() {
        let mut missing = Missing { place: place(), uuid: String::new(), error: "denied".to_owned() };
        let told = |missing: &Missing| serde_json::to_value(missing_line(missing)).unwrap();
        assert_eq!(told(&missing), json!({ "error": "denied", "account": "111122223333", "region": "eu-west-1" }));
        missing.uuid = "u".to_owned();
        assert_eq!(told(&missing)["uuid"], "u");
    }
}

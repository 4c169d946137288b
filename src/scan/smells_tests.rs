#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::mapping::SourceRef;
use crate::scan::fixtures::{create, function, intern, mapping, now, place, shipped, without_accounts};
use crate::scan::{Trace, judge};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The names of the smells, and what is not known.
fn of(about: About<'_>) -> (Vec<&'static str>, Vec<String>) {
    let (smells, unknown) = smells(&about);
    (smells.iter().map(|smell| smell.smell).collect(), unknown)
}

fn with<T>(mapping: &Snapshot, tags: &Tags, records: &[String], then: impl FnOnce(About<'_>) -> T) -> T {
    let (set, place) = (shipped(), place());
    let mut births = Births::new(place.clone());
    births.take(records);
    let mut trace = Trace::new(place.clone());
    trace.take(records);
    let found = judge(set, now(), mapping, trace.creation(&mapping.uuid), &trace.changes(&mapping.uuid));
    then(About {
        place: &place,
        mapping,
        created: found.created.as_ref(),
        changed: found.changed.as_ref(),
        births: &births,
        births_unread: None,
        tags,
        set,
    })
}

fn bare(mapping: &Snapshot) -> (Vec<&'static str>, Vec<String>) {
    with(mapping, &Tags::NotAsked, &[], of)
}

fn reason(mapping: &Snapshot) -> String {
    with(mapping, &Tags::NotAsked, &[], |about| smells(&about).0.remove(0).reason)
}

fn reading(source: &str) -> Snapshot {
    Snapshot { source: SourceRef::from_arn(source), ..mapping() }
}

#[test]
fn an_ordinary_mapping_does_not_smell() {
    let told = with(&mapping(), &Tags::Read(Vec::new()), &[create(|_| ())], of);
    assert_eq!(told, (Vec::new(), Vec::new()));
}

#[test]
fn a_source_elsewhere_smells_and_whose_it_is_is_told() {
    for (account, whose) in [("444455556666", "of the organisation"), ("999988887777", "foreign")] {
        let mapping = reading(&format!("arn:aws:sqs:eu-west-1:{account}:orders-in"));
        assert_eq!(bare(&mapping).0, ["source-in-another-account"]);
        let reason = reason(&mapping);
        assert!(reason.contains(account) && reason.contains(whose), "{reason}");
    }
    assert_eq!(whose(&without_accounts(), "999988887777"), "of unknown origin: the inventory lists no accounts");
    let servers = Snapshot { source: SourceRef::from_bootstrap(["b:9092"]), ..mapping() };
    assert_eq!(bare(&servers), (Vec::new(), Vec::new()), "no account, no smell");
}

#[test]
fn a_connection_to_a_cluster_elsewhere_is_a_source_elsewhere() {
    let own = "arn:aws:kafka:eu-west-1:111122223333:vpc-connection";
    let there = reading(&format!("{own}/999988887777/bus/6cc0432b-2"));
    assert_eq!(bare(&there).0, ["source-in-another-account"]);
    assert_eq!(bare(&reading(&format!("{own}/111122223333/bus/6cc0432b-2"))).0, Vec::<&str>::new());
    assert_eq!(bare(&reading(&format!("{own}/bus/6cc0432b-2"))).0, Vec::<&str>::new());
}

/// The mapping's function, made at this time by whoever made the mapping.
fn function_made(time: &'static str, who: Option<Value>) -> String {
    create(move |record| {
        record["eventName"] = json!("CreateFunction20150331");
        record["eventID"] = json!("function");
        record["eventTime"] = json!(time);
        record["requestParameters"] = json!({ "functionName": "orders-consumer" });
        record["responseElements"] = json!({ "functionArn": function("orders-consumer").arn });
        if let Some(who) = who {
            record["userIdentity"] = who;
        }
    })
}

#[test]
fn a_function_made_for_it_smells_only_by_the_same_hand_and_at_the_same_time() {
    let told = |function: String| with(&mapping(), &Tags::NotAsked, &[create(|_| ()), function], of).0;
    assert_eq!(told(function_made("2026-11-01T09:55:00Z", None)), ["function-made-for-it"]);
    assert_eq!(told(function_made("2026-11-01T09:49:59Z", None)), Vec::<&str>::new());
    assert_eq!(told(function_made("2026-11-01T09:55:00Z", Some(intern()))), Vec::<&str>::new());
    let drains = Snapshot { whole: json!({ "BatchSize": 1, "StartingPosition": "LATEST" }), ..mapping() };
    let records = [create(|_| ()), function_made("2026-11-01T09:55:00Z", None)];
    let told = with(&drains, &Tags::NotAsked, &records, of).0;
    assert_eq!(told, ["drains-one-by-one", "function-made-for-it"]);
    assert_eq!(with(&drains, &Tags::NotAsked, &[create(|_| ())], of).0, Vec::<&str>::new());
}

#[test]
fn functions_that_could_not_be_looked_up_are_told() {
    let unread = |about: About<'_>| of(About { births_unread: Some("denied"), ..about });
    let (found, unknown) = with(&mapping(), &Tags::NotAsked, &[create(|_| ())], unread);
    assert_eq!((found.len(), unknown.len()), (0, 1));
    assert!(unknown[0].ends_with(": denied"), "{unknown:?}");
    assert_eq!(with(&mapping(), &Tags::NotAsked, &[], unread), (Vec::new(), Vec::new()), "nobody made it, as known");
}

#[test]
fn records_that_leave_the_account_smell() {
    let to = |on_failure: &str, on_success: &str| {
        let mut mapping = mapping();
        mapping.wiring.on_failure = Some(on_failure.to_owned());
        mapping.wiring.on_success = Some(on_success.to_owned());
        bare(&mapping)
    };
    let queue = |account: &str| format!("arn:aws:sqs:eu-west-1:{account}:drop");
    assert_eq!(to(&queue("111122223333"), ""), (Vec::new(), Vec::new()));
    assert_eq!(to(&queue("999988887777"), "").0, ["destination-in-another-account"]);
    assert_eq!(to("", &queue("444455556666")).0, ["destination-in-another-account"]);
    assert_eq!(to(&queue("999988887777"), &queue("999988887777")).0.len(), 2);
    assert_eq!(to("kafka://failed-orders", ""), (Vec::new(), Vec::new()), "a topic of its own cluster");
    for unknown in ["arn:aws:s3:::somebodys-bucket", "somewhere", "arn:aws:sqs"] {
        let (found, told) = to(unknown, "");
        assert_eq!((found.len(), told.len()), (0, 1), "{unknown}");
        assert!(told[0].contains(unknown) && told[0].contains("names no account"), "{told:?}");
    }
}

#[test]
fn reading_all_of_a_sensitive_source_smells() {
    let sensitive = Tags::Read(vec![("data-classification".to_owned(), "Restricted".to_owned())]);
    let filtered = |filters: Option<&str>| {
        let mut mapping = mapping();
        mapping.wiring.filters = filters.map(|text| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] });
        mapping
    };
    for open in ["", "{}"] {
        assert_eq!(with(&filtered(Some(open)), &sensitive, &[], of).0, ["reads-all-of-a-sensitive-source"]);
    }
    let narrow = filtered(Some(r#"{"body":["x"]}"#));
    assert_eq!(with(&narrow, &sensitive, &[], of), (Vec::new(), Vec::new()));
    let (found, unknown) = with(&filtered(None), &sensitive, &[], of);
    assert_eq!((found.len(), unknown.len()), (0, 1), "an encrypted filter is not no filter");
    assert!(unknown[0].contains("encrypted"), "{unknown:?}");
    let public = Tags::Read(vec![("data-classification".to_owned(), "public".to_owned())]);
    assert_eq!(with(&filtered(None), &public, &[], of), (Vec::new(), Vec::new()));
    let (found, unknown) = with(&mapping(), &Tags::Unread("denied".to_owned()), &[], of);
    assert_eq!((found.len(), unknown.len()), (0, 1));
}

#[test]
fn one_that_sleeps_since_it_was_made_smells() {
    let asleep = create(|record| record["requestParameters"]["enabled"] = json!(false));
    let disabled = Snapshot { state: "Disabled".to_owned(), ..mapping() };
    let told = |mapping: &Snapshot, record: &String| with(mapping, &Tags::NotAsked, std::slice::from_ref(record), of).0;
    assert_eq!(told(&disabled, &asleep), ["dormant-since-creation"]);
    assert_eq!(told(&disabled, &create(|_| ())), Vec::<&str>::new(), "somebody's pause");
    assert_eq!(told(&mapping(), &asleep), Vec::<&str>::new());
}

#[test]
fn a_function_that_is_gone_smells() {
    let problem = "PROBLEM: Function not found. Check that the function exists";
    let gone = Snapshot { whole: json!({ "LastProcessingResult": problem }), ..mapping() };
    assert_eq!(bare(&gone).0, ["function-gone"]);
    for result in [json!("OK"), json!("No records processed"), Value::Null, json!(7)] {
        let mapping = Snapshot { whole: json!({ "LastProcessingResult": result }), ..mapping() };
        assert_eq!(bare(&mapping).0, Vec::<&str>::new());
    }
}

proptest! {
    #[test]
    fn no_text_makes_them_panic(source in "\\PC{0,50}", destination in "\\PC{0,50}", filter in "\\PC{0,30}") {
        let mut mapping = reading(&source);
        mapping.wiring.on_failure = Some(destination);
        mapping.wiring.filters = Some(vec![filter]);
        bare(&mapping);
    }
}

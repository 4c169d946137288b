#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::scan::Trace;
use crate::scan::fixtures::{create, function, intern, mapping, now, place, shipped, update};
use serde_json::{Value, json};

fn judged(mapping: &Snapshot, records: &[String]) -> Judgement {
    let mut trace = Trace::new(place());
    trace.take(records);
    judge(shipped(), now(), mapping, trace.creation(&mapping.uuid), &trace.changes(&mapping.uuid))
}

fn allowed(judgement: &Judgement) -> Option<bool> {
    judgement.verdict.as_ref().map(|verdict| verdict.allowed)
}

fn repoint(to: &'static str, time: &'static str, who: Option<Value>) -> String {
    update(move |record| {
        record["eventTime"] = json!(time);
        record["eventID"] = json!(format!("to {to} at {time}"));
        record["requestParameters"]["functionName"] = json!(to);
        record["requestParameters"]["enabled"] = Value::Null;
        record["responseElements"]["functionArn"] = json!(function(to).arn);
        if let Some(who) = who {
            record["userIdentity"] = who;
        }
    })
}

fn calling(name: &str) -> Snapshot {
    Snapshot { function: function(name), ..mapping() }
}

#[test]
fn who_made_it_decides() {
    let judgement = judged(&mapping(), &[create(|_| ())]);
    assert_eq!(allowed(&judgement), Some(true), "{judgement:#?}");
    assert_eq!(judgement.verdict.unwrap().policies[0], "orders-pipeline");
    let judgement = judged(&mapping(), &[create(|record| record["userIdentity"] = intern())]);
    assert_eq!(allowed(&judgement), Some(false));
    assert_eq!(judgement.created.unwrap().finding.actor.session_name, "mallory");
    assert_eq!(judged(&mapping(), &[]), Judgement::default());
}

#[test]
fn an_entry_that_ran_out_does_not_cover_what_exists_now() {
    let mut trace = Trace::new(place());
    trace.take(&[create(|_| ())]);
    let later = "2027-07-01T00:00:00Z".parse().unwrap();
    let judgement = judge(shipped(), later, &mapping(), trace.creation(&mapping().uuid), &[]);
    assert_eq!(allowed(&judgement), Some(false));
}

#[test]
fn an_allowed_mapping_that_somebody_repointed_is_not_allowed() {
    let records = [create(|_| ()), repoint("exfil", "2026-11-20T00:00:00Z", Some(intern()))];
    let judgement = judged(&calling("exfil"), &records);
    assert_eq!(allowed(&judgement), Some(false));
    assert!(judgement.created.unwrap().verdict.allowed);
    assert_eq!(judgement.changed.unwrap().finding.call.function.name, "exfil");
    assert!(judgement.verdict.unwrap().reasons[0].starts_with("its creation is allowed, but it was changed by"));
}

#[test]
fn what_was_taken_back_is_no_longer_held_against_it() {
    let records = [
        create(|_| ()),
        repoint("exfil", "2026-11-20T00:00:00Z", Some(intern())),
        repoint("orders-consumer", "2026-11-20T00:05:00Z", None),
    ];
    let judgement = judged(&calling("orders-consumer"), &records);
    assert_eq!(allowed(&judgement), Some(true), "{judgement:#?}");
    // But not while it is still so.
    assert_eq!(allowed(&judged(&calling("exfil"), &records)), Some(false));
}

#[test]
fn restating_what_was_accepted_is_no_change_whoever_does_it() {
    let records = [create(|_| ()), repoint("orders-consumer", "2026-11-20T00:00:00Z", Some(intern()))];
    let judgement = judged(&mapping(), &records);
    assert_eq!((allowed(&judgement), judgement.changed), (Some(true), None));
}

#[test]
fn a_change_that_nobody_is_known_for_is_not_allowed() {
    let judgement = judged(&calling("exfil"), &[create(|_| ())]);
    assert_eq!(allowed(&judgement), Some(false));
    let why = &judgement.verdict.unwrap().reasons[0];
    assert!(why.contains(":function:exfil") && why.contains("do not tell who changed it"), "{why}");
    let mut diverted = mapping();
    diverted.wiring.on_failure = Some("arn:aws:sqs:eu-west-1:111122223333:drop".to_owned());
    let quiet = create(|record| record["requestParameters"]["destinationConfig"] = Value::Null);
    assert_eq!(allowed(&judged(&diverted, std::slice::from_ref(&quiet))), Some(false));
    // A key with nothing in it may have been anything: it is not held against the mapping.
    let silent = create(|record| record["requestParameters"]["destinationConfig"] = json!({}));
    assert_eq!(allowed(&judged(&diverted, &[silent])), Some(true));
}

#[test]
fn a_mapping_made_disabled_and_woken_by_another_is_not_allowed() {
    let asleep = create(|record| record["requestParameters"]["enabled"] = json!(false));
    let woken = update(|record| record["userIdentity"] = intern());
    let records = [asleep.clone(), woken];
    let judgement = judged(&mapping(), &records);
    assert_eq!(allowed(&judgement), Some(false));
    assert!(judgement.changed.is_some());
    let disabled = Snapshot { state: "Disabled".to_owned(), ..mapping() };
    assert_eq!(allowed(&judged(&disabled, &records)), Some(true));
    assert_eq!(
        allowed(&judged(&mapping(), std::slice::from_ref(&asleep))),
        Some(false),
        "enabled, and nobody is known to have"
    );
    assert_eq!(allowed(&judged(&mapping(), &[asleep, update(|_| ())])), Some(true), "the pipeline may enable");
}

#[test]
fn of_a_mapping_of_unknown_making_a_change_is_judged_all_the_same() {
    let judgement = judged(&calling("exfil"), &[repoint("exfil", "2026-11-20T00:00:00Z", Some(intern()))]);
    assert_eq!(allowed(&judgement), Some(false));
    assert!(judgement.created.is_none());
    // An allowed change does not make its unknown creation allowed.
    let judgement = judged(&mapping(), &[update(|_| ())]);
    assert_eq!((allowed(&judgement), judgement.changed.is_some()), (None, true));
}

#[test]
fn an_allowed_change_of_another_kind_hides_none() {
    let rewire = update(|record| {
        record["eventTime"] = json!("2026-11-20T00:00:00Z");
        record["eventID"] = json!("rewired");
        record["userIdentity"] = intern();
        let drop = json!({ "onFailure": { "destination": "arn:aws:sqs:eu-west-1:999988887777:drop" } });
        record["requestParameters"] = json!({ "uUID": mapping().uuid, "destinationConfig": drop });
    });
    let mut diverted = mapping();
    diverted.wiring.on_failure = Some("arn:aws:sqs:eu-west-1:999988887777:drop".to_owned());
    for records in [vec![create(|_| ()), rewire.clone(), update(|_| ())], vec![rewire.clone(), update(|_| ())]] {
        let judgement = judged(&diverted, &records);
        assert_eq!(allowed(&judgement), Some(false), "{judgement:#?}");
        assert_eq!(judgement.changed.unwrap().finding.event.id, "rewired");
    }
}

#[test]
fn an_allowed_rewiring_of_one_aspect_does_not_hide_another() {
    let rewire = |id: &'static str, time: &'static str, named: Value, who: Value| {
        update(move |record| {
            record["eventTime"] = json!(time);
            record["eventID"] = json!(id);
            record["userIdentity"] = who;
            record["requestParameters"] = named;
            record["requestParameters"]["uUID"] = json!(mapping().uuid);
        })
    };
    let drop = "arn:aws:sqs:eu-west-1:111122223333:drop";
    let diverts = json!({ "destinationConfig": { "onFailure": { "destination": drop } } });
    let diverts = rewire("diverted", "2026-11-20T00:00:00Z", diverts, intern());
    let runner = crate::scan::fixtures::identity("arn:aws:iam::111122223333:role/terraform/orders", "runner-1");
    let narrows = json!({ "filterCriteria": { "filters": [{ "pattern": "{\"body\":[\"x\"]}" }] } });
    let narrows = rewire("narrowed", "2026-11-21T00:00:00Z", narrows, runner);
    let narrows =
        narrows.replace("\"sourceIPAddress\":\"cloudformation.amazonaws.com\"", "\"sourceIPAddress\":\"10.20.1.1\"");
    let judgement = judged(&mapping(), std::slice::from_ref(&narrows));
    assert!(judgement.changed.unwrap().verdict.allowed, "the runner may rewire");
    // The creation carries a destination with nothing in it: by itself it does not tell what was accepted.
    let creation = create(|record| record["requestParameters"]["destinationConfig"] = json!({}));
    let mut diverted = mapping();
    diverted.wiring.on_failure = Some(drop.to_owned());
    let judgement = judged(&diverted, &[creation, diverts, narrows]);
    assert_eq!(allowed(&judgement), Some(false), "{judgement:#?}");
    assert_eq!(judgement.changed.unwrap().finding.event.id, "diverted");
}

proptest::proptest! {
    #[test]
    fn the_order_in_which_records_come_does_not_matter(order in proptest::sample::subsequence((0..4).collect::<Vec<usize>>(), 0..=4), turned in proptest::bool::ANY) {
        let records = [
            create(|_| ()),
            repoint("exfil", "2026-11-20T00:00:00Z", Some(intern())),
            repoint("orders-consumer", "2026-11-21T00:00:00Z", None),
            repoint("exfil", "2026-11-22T00:00:00Z", Some(intern())),
        ];
        let mut some: Vec<String> = order.iter().map(|number| records[*number].clone()).collect();
        let judgement = judged(&calling("exfil"), &some);
        if turned {
            some.reverse();
        }
        some.extend(some.clone());
        proptest::prop_assert_eq!(&judged(&calling("exfil"), &some), &judgement);
        // However few of them there are, a mapping that invokes what nobody allowed is never allowed.
        proptest::prop_assert_ne!(allowed(&judgement), Some(true));
    }
}

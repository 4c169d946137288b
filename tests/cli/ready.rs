//! `ready`, on a journal with observed cases and on archives.

use crate::harness::Place;
use crate::records::{create, deployer, stranger};
use serde_json::{Value, json};
use sluicegate::case::{CaseEvent, CaseId, Mode, Opened, Outcome, Provenance};
use sluicegate::clock::SystemClock;
use sluicegate::cloudtrail;
use sluicegate::detection::{Finding, inspect};
use sluicegate::journal::SqliteJournal;
use sluicegate::policy::{Response, Verdict};
use sluicegate::ports::{Journal, Opening};
use std::sync::Arc;

fn finding(number: usize, identity: &Value) -> Finding {
    let mut record = create(identity);
    record["eventID"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
    let read = cloudtrail::read(record.to_string().as_bytes());
    inspect(read.into_iter().next().unwrap().as_ref().unwrap()).unwrap()
}

fn said(person: &str, right: bool) -> CaseEvent {
    CaseEvent::Rated { person: person.into(), right }
}

/// An observed case, closed as such, with what people said of it.
async fn observed(journal: &SqliteJournal, number: usize, identity: &Value, ratings: &[CaseEvent]) {
    let finding = finding(number, identity);
    let verdict = Verdict {
        allowed: false,
        response: Response::Disable,
        restrict: false,
        policies: vec![],
        reasons: vec![format!("no entry of allowlist.toml is for {}", finding.actor.principal_arn)],
        errors: vec![],
        policy_digest: String::new(),
    };
    let opened = Opened {
        case_id: CaseId::of(&finding),
        finding,
        verdict,
        mode: Mode::Observe,
        mapping: None,
        provenance: Provenance::Confirmed,
        snapshot: None,
        baseline: None,
        would_do: vec![],
    };
    let Opening::Opened(case) = journal.open(&opened, &[]).await.unwrap() else { panic!("not opened") };
    let mut events = vec![CaseEvent::Closed { outcome: Outcome::Observed, baseline: None }];
    events.extend(ratings.iter().cloned());
    journal.append(&case.id, case.seq, &events).await.unwrap();
}

fn journal(place: &Place) -> SqliteJournal {
    SqliteJournal::open(&place.path("sluicegate.db"), Arc::new(SystemClock), true).unwrap()
}

fn segments(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter_map(|line| line.get("segment")).collect()
}

#[tokio::test]
async fn labels_become_a_precision_with_its_uncertainty_and_a_recommendation() {
    let place = Place::new();
    let journal = journal(&place);
    for number in 0..18 {
        observed(&journal, number, &stranger(), &[said("alice", true)]).await;
    }
    // The last word of each person counts, and one who disagrees.
    observed(&journal, 18, &stranger(), &[said("alice", false), said("alice", true)]).await;
    observed(&journal, 19, &stranger(), &[said("alice", true), said("bob", false)]).await;
    observed(&journal, 20, &stranger(), &[]).await;
    drop(journal);
    let run = place.run(&["ready", "--format", "json"]).ends(0);
    let lines = run.lines();
    let all = segments(&lines);
    assert!(!all.is_empty(), "{run:?}");
    let segment = all[0];
    assert_eq!(
        (&segment["observed"], &segment["right"], &segment["wrong"], &segment["unlabelled"]),
        (&json!(21), &json!(19), &json!(1), &json!(1))
    );
    let bound = segment["precision"]["at_least"].as_f64().unwrap();
    assert!(bound > 0.70 && bound < 0.80, "{bound}");
    assert_eq!(segment["wrong_causes"][0]["times"], 1);
    assert_eq!(segment["wrong_causes"][0]["people"], json!(["bob"]));
    assert_eq!(segment["source_kind"], "sqs");
    let last = lines.last().unwrap();
    assert_eq!(last["summary"]["labelled"], 20);
    assert_eq!(last["recommendation"][0]["advice"], "wait");
    let text = place.run(&["ready"]).ends(0);
    for told in ["19 of 20 right", "more labelled cases would do", "Nothing was switched on", "contractors/mallory"] {
        assert!(text.stdout.contains(told), "no {told:?} in {}", text.stdout);
    }
    assert!(!text.stdout.contains("100 %"));
}

#[tokio::test]
async fn enough_right_ones_are_told_to_be_enforced_and_nothing_is_switched_on() {
    let place = Place::new();
    let journal = journal(&place);
    for number in 0..20 {
        observed(&journal, number, &stranger(), &[said("alice", true)]).await;
    }
    drop(journal);
    let before = std::fs::read(place.path("policies/rules.cedar")).unwrap();
    let text = place.run(&["ready", "--days", "7"]).ends(0).stdout;
    assert!(text.contains("ENFORCE") && text.contains("@id(\"enforce-"), "{text}");
    assert_eq!(std::fs::read(place.path("policies/rules.cedar")).unwrap(), before, "nothing is switched on");
}

#[test]
fn without_a_journal_the_archive_alone_is_told() {
    let place = Place::new();
    let mut records = Vec::new();
    for (number, (day, who)) in
        [(3, stranger()), (10, stranger()), (17, deployer()), (24, stranger())].into_iter().enumerate()
    {
        let mut record = create(&who);
        record["eventID"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
        record["eventTime"] = json!(format!("2026-02-{day:02}T10:15:00Z"));
        records.push(record.to_string());
    }
    place.write("trail.json", records.join("\n"));
    let run = place.run(&["ready", "--format", "json", "trail.json"]).ends(0);
    let lines = run.lines();
    let segment = segments(&lines)[0];
    assert_eq!(segment["cards_per_week"], json!({"journal": null, "archive": 1.0}));
    assert!(segment["precision"].is_null());
    assert_eq!(lines.last().unwrap()["recommendation"][0]["advice"], "observe");
    assert_eq!(lines.last().unwrap()["summary"]["not_allowed"], 3);
    assert!(!place.path("sluicegate.db").exists(), "no journal is made by looking");
    let text = place.run(&["ready", "trail.json"]).ends(0).stdout;
    assert!(text.contains("1.0 by the archive") && text.contains("nothing is labelled"), "{text}");
}

#[test]
fn without_anything_it_says_what_to_do() {
    let place = Place::new();
    let text = place.run(&["ready"]).ends(0).stdout;
    assert!(
        text.contains("no journal yet") && text.contains("sluicegate run") && text.contains("ready PATH"),
        "{text}"
    );
    let lines = place.run(&["ready", "--format", "json"]).ends(0).lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["recommendation"], json!([]));
}

#[test]
fn damage_is_told_and_the_rest_counted() {
    let place = Place::new();
    place.write("trail/a.json", create(&stranger()).to_string());
    place.write("trail/b.json", "{\"Records\": [");
    let run = place.run(&["ready", "--format", "json", "trail"]).ends(1);
    assert_eq!(run.lines().last().unwrap()["summary"]["findings"], 1, "{run:?}");
    place.run(&["ready", "nowhere"]).ends(2);
    place.write("sluicegate.db", "no database");
    place.run(&["ready"]).ends(3);
}

//! `backtest`: whole archives judged along the time, told as lines for programs and as a summary for people.

mod against;
mod html;
mod text;

use crate::harness::{Place, Run};
use crate::records::{UUID, create, deployer, envelope, numbered, runner, stranger, update, with, without};
use serde_json::{Value, json};

/// A policy that restricts whoever has ten findings in ten minutes, and a response that shows the counter.
const SPREE: &str = r#"
@id("spree-restricts")
@reason("ten rogue mappings in ten minutes are no accident")
permit (principal, action == Action::"restrict", resource)
when { context.confirmed && context.invokedBy == "" && context.findingsByActor >= 10 && !principal.protected };
"#;

/// The record at another time of the day that all these tests are about.
pub fn at(record: &Value, time: &str) -> Value {
    with(record, "/eventTime", json!(format!("2026-02-03T{time}Z")))
}

/// The record about another mapping.
pub fn of_mapping(record: &Value, number: usize) -> Value {
    let uuid = format!("00000000-0000-4000-8000-{number:012}");
    let record = with(record, "/responseElements/uUID", json!(uuid));
    if record["requestParameters"].get("uUID").is_some() {
        return with(&record, "/requestParameters/uUID", json!(uuid));
    }
    record
}

pub fn log(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

impl Place {
    pub fn backtest(&self, more: &[&str]) -> Run {
        self.run(&[&["backtest", "--format", "json"], more].concat())
    }
}

impl Run {
    /// What is said of the findings, in order: without damage and summary.
    pub fn findings(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line.get("event_id").is_some()).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.findings().iter().map(|line| line["event_id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn summary(&self) -> Value {
        self.lines().last().expect("a summary")["summary"].clone()
    }
}

#[test]
fn every_shape_is_read_and_the_oldest_finding_is_first() {
    let place = Place::new();
    let made = create(&deployer());
    let call = |number: usize, time: &str| at(&numbered(&made, number), time);
    place.write("logs/a/one.json", call(4, "10:04:00").to_string());
    place.write("logs/a/lines.jsonl", format!("{}\n{}\n", call(6, "10:06:00"), call(1, "10:01:00")));
    place.write(
        "logs/b/log.json",
        log(&[call(5, "10:05:00"), with(&call(9, "10:00:00"), "/eventName", json!("Invoke"))]),
    );
    place.write("logs/b/event.json", envelope(&call(2, "10:02:00")).to_string());
    place.write("more.json", serde_json::to_string(&[call(3, "10:03:00")]).unwrap());
    let run = place.backtest(&["logs", "more.json"]).ends(0);
    assert_eq!(run.ids(), (1..=6).map(|number| format!("event-{number}")).collect::<Vec<_>>());
    let summary = run.summary();
    assert_eq!((&summary["files"], &summary["records"], &summary["findings"]), (&json!(5), &json!(7), &json!(6)));
    assert_eq!((&summary["allowed"], &summary["not_allowed"], &summary["errors"]), (&json!(6), &json!(0), &json!(0)));
    assert_eq!(summary["first_event"], "2026-02-03T10:01:00Z");
    assert_eq!(summary["last_event"], "2026-02-03T10:06:00Z");
}

#[test]
fn the_same_record_in_two_files_is_one_finding() {
    let place = Place::new();
    let record = create(&stranger());
    place.write("logs/a.json", log(std::slice::from_ref(&record)));
    place.write("logs/b.json", log(&[record.clone(), record.clone()]));
    place.write("logs/c.json", envelope(&record).to_string());
    let run = place.backtest(&["logs"]).ends(0);
    assert_eq!(run.ids().len(), 1, "{run:?}");
    assert_eq!((&run.summary()["records"], &run.summary()["findings"]), (&json!(4), &json!(1)));
}

#[test]
fn a_line_says_what_explain_says() {
    let place = Place::new();
    let records = [numbered(&create(&deployer()), 1), at(&numbered(&create(&stranger()), 2), "10:16:00")];
    place.write("log.json", log(&records));
    let explained = place.run(&["explain", "--format", "json", "log.json"]).ends(0).lines();
    let mut told = place.backtest(&["log.json"]).ends(0).findings();
    for line in &mut told {
        let time = line.as_object_mut().unwrap().remove("event_time").unwrap();
        assert!(time.as_str().unwrap().starts_with("2026-02-03T10:1"), "{time}");
    }
    assert_eq!(told, explained);
}

#[test]
fn the_summary_keeps_the_contract() {
    let place = Place::new();
    place.write("log.json", log(&[numbered(&create(&deployer()), 1), numbered(&create(&stranger()), 2)]));
    let summary = place.backtest(&["log.json"]).ends(0).summary();
    for key in ["files", "records", "findings", "allowed", "not_allowed", "errors", "bytes_compressed", "bytes_raw"] {
        assert!(summary[key].is_u64(), "{key}: {summary}");
    }
    assert!(summary["seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(summary["by_response"], json!({"leave": 1, "notify": 0, "ask": 0, "disable": 1, "freeze": 0}));
    assert!(summary.get("changes").is_none(), "{summary}");
}

#[test]
fn damage_is_told_first_counted_and_makes_the_answer_no() {
    let place = Place::new();
    place.write("logs/a.json", format!("{}\n{{\"eventID\":\n", numbered(&create(&deployer()), 1)));
    place.write("logs/b.json", log(&[at(&numbered(&create(&stranger()), 2), "10:16:00")]));
    place.write("logs/c.json", "nonsense");
    let run = place.backtest(&["logs"]).ends(1);
    let first = &run.lines()[0];
    assert!(first["error"].is_string() && first["position"].is_string(), "{first}");
    assert!(first["source"].as_str().unwrap().ends_with("a.json"), "{first}");
    assert_eq!(run.ids(), ["event-1", "event-2"]);
    assert_eq!(run.summary()["errors"], 2);
    assert!(run.stderr.contains("2 places could not be read; the first: logs/a.json"), "{}", run.stderr);
}

#[test]
fn fail_on_not_allowed() {
    let place = Place::new();
    place.write("good.json", log(&[create(&deployer())]));
    place.write("bad.json", log(&[create(&stranger())]));
    place.backtest(&["--fail-on", "not-allowed", "good.json"]).ends(0);
    place.backtest(&["bad.json"]).ends(0);
    let run = place.backtest(&["--fail-on", "not-allowed", "bad.json"]).ends(1);
    assert_eq!(run.summary()["not_allowed"], 1);
    assert_eq!(run.stderr, "sluicegate: 1 finding is not allowed (--fail-on not-allowed)\n");
    // Both reasons are told.
    place.write("broken.json", "{");
    let run = place.backtest(&["--fail-on", "not-allowed", "bad.json", "broken.json"]).ends(1);
    assert!(run.stderr.contains("1 place could not be read") && run.stderr.contains("not allowed"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_asked_for() {
    let place = Place::new();
    place.write("log.json", log(&[create(&deployer())]));
    place.write("logs/log.json", log(&[create(&deployer())]));
    for (arguments, told) in [
        (&["nowhere"][..], "nowhere"),
        (&[], "PATH"),
        (&["--policies", "nowhere", "log.json"], "refused"),
        (&["--against", "nowhere", "log.json"], "refused"),
        (&["--fail-on", "changed", "log.json"], "--against"),
        (&["--all", "log.json"], "--all"),
        (&["--threads", "0", "log.json"], "--threads"),
        (&["--output", "nowhere/report.html", "log.json"], "there is no folder nowhere"),
        (&["--output", "logs", "log.json"], "it is a folder"),
        (&["s3://", "log.json"], "names no bucket"),
    ] {
        let run = place.backtest(arguments).ends(2);
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn an_empty_archive_is_no_failure_and_is_told() {
    let place = Place::new();
    std::fs::create_dir(place.path("logs")).unwrap();
    let run = place.run(&["backtest", "logs"]).ends(0);
    assert!(run.stdout.contains("No records were found"), "{}", run.stdout);
    assert_eq!(place.backtest(&["logs"]).ends(0).summary()["findings"], 0);
}

#[test]
fn a_file_takes_what_standard_output_would() {
    let place = Place::new();
    place.write("log.json", log(&[create(&stranger())]));
    let run = place.backtest(&["--output", "told.jsonl", "log.json"]).ends(0);
    assert_eq!(run.stdout, "");
    let written = std::fs::read_to_string(place.path("told.jsonl")).unwrap();
    assert_eq!(written.lines().count(), 2);
    assert!(written.lines().last().unwrap().starts_with("{\"summary\":"), "{written}");
}

#[test]
fn counters_follow_the_time_and_not_the_files() {
    let place = Place::new();
    place.append("policies/rules.cedar", SPREE);
    let made = create(&stranger());
    // Twelve within ten minutes, spread over files in disorder; before them one that has long been forgotten.
    let mut records: Vec<Value> = (0..12)
        .map(|number| at(&numbered(&of_mapping(&made, number), number), &format!("12:{number:02}:00")))
        .collect();
    records[11] = at(&records[11], "12:30:00");
    records.push(at(&numbered(&of_mapping(&made, 90), 90), "11:00:00"));
    records.push(at(&numbered(&with(&create(&deployer()), "/userAgent", json!("x")), 91), "12:05:30"));
    let order = [11, 3, 9, 0, 13, 7, 12, 1, 5, 10, 2, 8, 4, 6];
    for (file, number) in order.into_iter().enumerate() {
        place.write(&format!("logs/{file:02}.json"), log(std::slice::from_ref(&records[number])));
    }
    let run = place.backtest(&["logs"]).ends(0);
    let restricted: Vec<String> = run
        .findings()
        .iter()
        .filter(|line| line["verdict"]["restrict"] == true)
        .map(|line| line["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(restricted, ["event-9", "event-10"], "the tenth and the eleventh within ten minutes");
    assert_eq!(run.summary()["restrict"], 2);
}

#[test]
fn an_accepted_mapping_has_a_baseline() {
    let place = Place::new();
    let made = numbered(&create(&deployer()), 1);
    let change =
        |number: usize, time: &str| at(&numbered(&update(&stranger(), &json!({"enabled": true})), number), time);
    place.write("log.json", log(&[change(3, "10:20:00"), made, change(2, "10:10:00")]));
    let run = place.backtest(&["log.json"]).ends(0);
    let responses: Vec<Value> = run.findings().iter().map(|line| line["verdict"]["response"].clone()).collect();
    assert_eq!(run.ids(), ["event-2", "event-1", "event-3"]);
    assert_eq!(responses, ["ask", "leave", "disable"], "what was there before is known only after it was accepted");
    assert_eq!(run.findings()[2]["mapping"]["uuid"], UUID);
}

#[test]
fn an_entry_counts_by_the_time_of_the_event() {
    let place = Place::new();
    place.replace("policies/allowlist.toml", "expires   = 2099-12-31", "expires   = 2026-02-03");
    let made = create(&deployer());
    let after = with(&numbered(&made, 2), "/eventTime", json!("2026-02-04T00:00:00Z"));
    let before = with(&numbered(&made, 1), "/eventTime", json!("2026-02-03T23:59:59Z"));
    place.write("log.json", log(&[after, before]));
    let run = place.backtest(&["log.json"]).ends(0);
    let allowed: Vec<bool> = run.findings().iter().map(|line| line["verdict"]["allowed"] == true).collect();
    assert_eq!(allowed, [true, false]);
    let text = place.run(&["backtest", "log.json"]).ends(0).stdout;
    let told = "orders-pipeline expired after 2026-02-03; 1 finding since then would have been covered";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_record_without_a_time_is_judged_and_told_apart() {
    let place = Place::new();
    let timeless = without(&numbered(&create(&runner()), 1), "/eventTime");
    place.write("log.json", log(&[numbered(&create(&deployer()), 2), timeless]));
    let run = place.backtest(&["log.json"]).ends(0);
    assert_eq!(run.ids(), ["event-1", "event-2"]);
    assert!(run.findings()[0]["event_time"].is_null());
    assert_eq!(run.summary()["first_event"], "2026-02-03T10:15:00Z");
    let text = place.run(&["backtest", "log.json"]).ends(0).stdout;
    assert!(text.contains("1 finding is without a time"), "{text}");
}

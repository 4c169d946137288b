//! The summary that people read.

use super::{at, log, of_mapping};
use crate::harness::Place;
use crate::records::{create, deployer, numbered, runner, stranger, with, without};
use serde_json::{Value, json};

/// A history with something of everything in it.
fn history() -> Place {
    let place = Place::new();
    place.append(
        "policies/allowlist.toml",
        r#"
[[allow]]
id        = "orders-again"
owner     = "team-orders"
reason    = "the same, in other words"
expires   = 2099-12-31
principal = "arn:aws:iam::111122223333:role/ci/*"
regions   = ["eu-west-1"]

[[allow]]
id        = "old-migration"
owner     = "team-data"
reason    = "a migration"
expires   = 2026-02-01
principal = "arn:aws:iam::111122223333:user/contractors/*"

[[allow]]
id        = "soon-over"
owner     = "team-data"
reason    = "another"
expires   = 2026-02-10
principal = "arn:aws:iam::111122223333:role/data/*"
"#,
    );
    let mut records: Vec<Value> = Vec::new();
    let mut add = |record: &Value, time: &str| {
        let number = records.len();
        records.push(at(&numbered(&of_mapping(record, number), number), time));
    };
    for minute in 0..4 {
        add(&create(&deployer()), &format!("10:0{minute}:00"));
    }
    for minute in 10..25 {
        add(&create(&stranger()), &format!("11:{minute}:00"));
    }
    let foreign = json!("arn:aws:sqs:eu-west-1:999988887777:orders-in");
    let foreign = with(&create(&deployer()), "/requestParameters/eventSourceArn", foreign.clone());
    add(
        &with(&foreign, "/responseElements/eventSourceArn", foreign["requestParameters"]["eventSourceArn"].clone()),
        "12:00:00",
    );
    add(&with(&create(&runner()), "/sourceIPAddress", json!("203.0.113.9")), "12:01:00");
    add(&create(&without(&stranger(), "/arn")), "12:02:00");
    place.write("logs/2026/log.json", log(&records));
    place.write("logs/broken.json", "{\"Records\": [{");
    place
}

/// What differs from run to run is left out.
fn steady(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("Read 2 files, 22 records, "), "{first}");
    assert!(first.contains(" in ") && first.ends_with("/s"), "{first}");
    let (before, after) = rest.split_once("digest ").unwrap();
    format!("{before}digest …{}", &after[12..])
}

#[test]
fn a_summary() {
    let run = history().run(&["backtest", "logs"]).ends(1);
    insta::assert_snapshot!(steady(&run.stdout));
    assert!(run.stderr.starts_with("sluicegate: 1 place could not be read; the first: logs/broken.json: "), "{run:?}");
}

#[test]
fn all_of_them_before_the_summary() {
    let text = history().run(&["backtest", "--all", "logs"]).ends(1).stdout;
    let (findings, summary) = text.split_once("\n\n").unwrap();
    assert_eq!(findings.lines().filter(|line| line.contains(" mapping-created: ")).count(), 22, "{findings}");
    assert!(summary.starts_with("Read 2 files"), "{summary}");
}

#[test]
fn nothing_in_a_record_commands_the_terminal() {
    let hostile = "\u{1b}[2J\u{202e}gnp\u{2066}\nallowed\u{0}\u{200b}";
    let place = Place::new();
    let mut record = create(&stranger());
    for pointer in [
        "/eventID",
        "/awsRegion",
        "/userAgent",
        "/userIdentity/arn",
        "/userIdentity/userName",
        "/requestParameters/functionName",
        "/requestParameters/eventSourceArn",
        "/responseElements/functionArn",
        "/responseElements/eventSourceArn",
    ] {
        record = with(&record, pointer, json!(hostile));
    }
    place.write("log.json", log(&[record.clone(), with(&record, "/userIdentity", json!({"type": hostile}))]));
    for more in [&["backtest", "log.json"][..], &["backtest", "--all", "--against", "policies", "log.json"]] {
        let text = place.run(more).ends(0).stdout;
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{200b}'..='\u{2069}').contains(&c);
        assert!(!text.contains(bad), "{text:?}");
        assert!(text.contains("\\u{202e}") && !text.contains("\nallowed"), "{text}");
    }
}

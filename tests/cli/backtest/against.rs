//! What another policy set would change.

use super::{at, log, of_mapping};
use crate::harness::Place;
use crate::records::{create, deployer, numbered, runner, stranger};
use serde_json::{Value, json};

/// Two sets: the other one has lost the pipeline's entry, asks about strangers, and forbids Kinesis nothing.
fn place() -> Place {
    let place = Place::new();
    for name in ["allowlist.toml", "rules.cedar", "inventory.toml"] {
        let text = std::fs::read_to_string(place.path(&format!("policies/{name}"))).unwrap();
        place.write(&format!("next/{name}"), text);
    }
    place.replace("next/allowlist.toml", "\"orders-pipeline\"", "\"orders-consumers\"");
    place.replace("next/allowlist.toml", "functions = [\"orders-*\"]", "functions = [\"orders-consumer-*\"]");
    place.replace(
        "next/rules.cedar",
        "permit (principal, action == Action::\"disable\", resource);",
        "permit (principal, action == Action::\"notify\", resource);",
    );
    let records: Vec<Value> = [deployer(), runner(), stranger()]
        .iter()
        .enumerate()
        .map(|(number, who)| at(&numbered(&of_mapping(&create(who), number), number), &format!("10:0{number}:00")))
        .collect();
    place.write("log.json", log(&records));
    place
}

#[test]
fn each_finding_has_both_verdicts() {
    let place = place();
    let run = place.backtest(&["--against", "next", "log.json"]).ends(0);
    let lines = run.findings();
    let changed: Vec<&Value> = lines.iter().map(|line| &line["changed"]).collect();
    assert_eq!(changed, [true, false, true]);
    assert_eq!((&lines[0]["before"]["response"], &lines[0]["after"]["response"]), (&json!("leave"), &json!("ask")));
    assert_eq!((&lines[2]["before"]["response"], &lines[2]["after"]["response"]), (&json!("disable"), &json!("ask")));
    assert!(lines.iter().all(|line| line["verdict"] == line["before"]), "the verdict is today's");
    let policies = lines[0]["before"]["policies"].as_array().unwrap();
    assert!(policies.contains(&json!("orders-pipeline")), "{policies:?}");
    let changes = &run.summary()["changes"];
    assert_eq!(changes["findings"], 2);
    assert_eq!((&changes["newly_allowed"], &changes["no_longer_allowed"]), (&json!(0), &json!(1)));
    assert_eq!((&changes["other_response"], &changes["allowed"]), (&json!(1), &json!(1)));
    assert_eq!(changes["by_change"].as_array().unwrap().len(), 2, "{changes}");
    assert_ne!(changes["policy_digest"], run.summary()["policy_digest"]);
}

#[test]
fn the_other_way_round_it_is_newly_allowed() {
    let run = place().backtest(&["--policies", "next", "--against", "policies", "log.json"]).ends(0);
    let changes = &run.summary()["changes"];
    assert_eq!((&changes["newly_allowed"], &changes["no_longer_allowed"]), (&json!(1), &json!(0)));
}

#[test]
fn the_same_set_changes_nothing() {
    let place = place();
    let run = place.backtest(&["--against", "policies", "--fail-on", "changed", "log.json"]).ends(0);
    assert_eq!(run.summary()["changes"]["findings"], 0);
    let text = place.run(&["backtest", "--against", "policies", "log.json"]).ends(0).stdout;
    assert!(text.contains("policies changes nothing: every finding is judged the same"), "{text}");
}

#[test]
fn a_pipeline_can_stop_at_a_change() {
    let run = place().backtest(&["--against", "next", "--fail-on", "changed", "log.json"]).ends(1);
    assert!(run.stderr.contains("2 findings are judged differently by --against"), "{}", run.stderr);
}

#[test]
fn people_read_what_changes() {
    let text = place().run(&["backtest", "--against", "next", "log.json"]).ends(0).stdout;
    let (_, changes) = text.split_once("\n\nnext changes").expect("a heading");
    let (changes, _) = changes.split_once("\n\n").unwrap();
    insta::assert_snapshot!(changes);
}

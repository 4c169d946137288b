//! `test`: the policy cases beside the policies.

use crate::harness::Place;

const CASES: &str = "policies/tests/default.toml";

#[test]
fn the_shipped_cases_hold() {
    let place = Place::new();
    let run = place.run(&["test"]).ends(0);
    assert!(run.stdout.ends_with("passed, 0 failed\n"), "{}", run.stdout);
    let lines = place.run(&["test", "--format", "json"]).ends(0).lines();
    assert!(lines.len() > 10 && lines.iter().all(|line| line["passed"] == true), "{lines:?}");
}

#[test]
fn a_case_that_does_not_hold_says_how() {
    let place = Place::new();
    place.replace(CASES, "response = \"leave\"", "response = \"disable\"");
    let run = place.run(&["test"]).ends(1);
    assert!(run.stdout.contains("FAILED  the orders pipeline wires its own consumer"), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("{CASES}:")), "{}", run.stdout);
    assert!(run.stdout.contains("leave") && run.stdout.contains("1 failed"), "{}", run.stdout);
    let failed: Vec<_> =
        place.run(&["test", "--format", "json"]).ends(1).lines().into_iter().filter(|l| l["passed"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["name"], "the orders pipeline wires its own consumer");
}

#[test]
fn a_rule_that_is_dropped_fails_its_case() {
    let place = Place::new();
    place.replace("policies/rules.cedar", "PrincipalKind::\"Root\"", "PrincipalKind::\"Directory\"");
    let run = place.run(&["test"]).ends(1);
    assert!(run.stdout.contains("FAILED  root wires nothing"), "{}", run.stdout);
}

#[test]
fn cases_that_cannot_be_read_are_refused() {
    for (old, new, named) in [
        ("response = \"leave\"", "respons = \"leave\"", "respons"),
        ("response = \"leave\"", "response = \"leav\"", "leav"),
        ("via      =", "vai      =", "vai"),
        ("[[case]]", "[[case]", "TOML"),
        ("source   = \"sqs:orders-in\"", "source   = \"sqqs:orders-in\"", "sqqs"),
    ] {
        let place = Place::new();
        place.replace(CASES, old, new);
        let run = place.run(&["test"]).ends(2);
        assert!(run.stdout.contains(&format!("{CASES}:")) && run.stdout.contains(named), "{new}: {run:?}");
    }
    let place = Place::new();
    std::fs::remove_file(place.path(CASES)).unwrap();
    assert!(place.run(&["test"]).ends(2).stderr.contains("there are no policy cases in policies/tests"));
}

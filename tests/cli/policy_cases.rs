//! `test`: the policy cases beside the policies.

use crate::harness::Place;

const CASES: &str = "policies/tests/default.toml";

#[test]
fn the_shipped_cases_hold() {
    let place = Place::new();
    let run = place.run(&["test"]).ends(0);
    assert!(run.stdout.ends_with("passed, 0 failed\n"), "{}", run.stdout);
    // The breaker has nothing to forbid as long as no rule permits to freeze or to restrict.
    assert!(run.stdout.contains("14 of 15 entries and rules decided a case (93 %)"), "{}", run.stdout);
    assert!(run.stdout.contains("no case for breaker (policies/rules.cedar:"), "{}", run.stdout);
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
    let failed: Vec<_> = place
        .run(&["test", "--format", "json"])
        .ends(1)
        .lines()
        .into_iter()
        .filter(|line| line["passed"] == false)
        .collect();
    assert_eq!(failed.len(), 2, "the case and the summary: {failed:?}");
    assert_eq!(failed[1]["summary"]["failed"], 1);
    assert_eq!(failed[0]["differences"][0]["key"], "response");
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

#[test]
fn what_no_case_decides_is_told_and_can_fail_a_pipeline() {
    let place = Place::new();
    let entry = "[[allow]]\nid = \"nobody-tried\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-01-01\n\
                 principal = \"arn:aws:iam::111122223333:role/ci/other\"\n";
    place.append("policies/allowlist.toml", entry);
    let run = place.run(&["test"]).ends(0);
    assert!(run.stdout.contains("no case for nobody-tried (policies/allowlist.toml:"), "{}", run.stdout);
    let run = place.run(&["test", "--min-coverage", "100"]).ends(1);
    assert!(run.stderr.contains("wanted are 100 %"), "{}", run.stderr);
    place.run(&["test", "--min-coverage", "50"]).ends(0);
    let last = place.run(&["test", "--format", "json"]).ends(0).lines().pop().unwrap();
    let uncovered = last["summary"]["coverage"]["uncovered"].as_array().unwrap();
    assert!(uncovered.iter().any(|policy| policy["id"] == "nobody-tried"), "{uncovered:?}");
}

#[test]
fn some_of_the_cases_can_be_run_alone() {
    let place = Place::new();
    let run = place.run(&["test", "root wires"]).ends(0);
    assert!(run.stdout.contains("1 cases in") && !run.stdout.contains("coverage"), "{}", run.stdout);
    assert!(place.run(&["test", "no such case"]).ends(2).stderr.contains("\"no such case\""));
}

#[test]
fn ci_reads_junit() {
    let place = Place::new();
    place.replace(CASES, "response = \"leave\"", "response = \"disable\"");
    place.replace(CASES, "name     = \"not another team's function\"", "name     = \"<&\\\"\\u0001 é\"");
    place.run(&["test", "--junit", "report.xml"]).ends(1);
    let xml = std::fs::read_to_string(place.path("report.xml")).unwrap();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites"), "{xml}");
    assert!(
        xml.contains("failures=\"1\"") && xml.contains("<failure message=\"response: expected disable, got leave\""),
        "{xml}"
    );
    assert!(xml.contains("name=\"&lt;&amp;&quot;\u{fffd} é\""), "{xml}");
    // Well-formed to a parser that knows nothing of ours.
    let check =
        "import sys, xml.etree.ElementTree as e; print(len(e.parse(sys.argv[1]).getroot().findall('.//testcase')))";
    let python =
        std::process::Command::new("python3").args(["-c", check]).arg(place.path("report.xml")).output().unwrap();
    assert!(String::from_utf8_lossy(&python.stdout).trim().parse::<usize>().unwrap() > 10, "{python:?}");
}

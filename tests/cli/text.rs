//! What people read: the whole text of `explain` and `check`, and that nothing in a record can command a terminal.

use crate::harness::Place;
use crate::records::{create, deployer, envelope, stranger, update, with, without};
use serde_json::{Value, json};

/// `explain` as text, of these records.
fn explained(records: &[Value]) -> String {
    let place = Place::new();
    place.write("input", serde_json::to_string(records).unwrap());
    place.run(&["explain", "input"]).ends(0).stdout
}

#[test]
fn an_allowed_record() {
    insta::assert_snapshot!(explained(&[create(&deployer())]));
}

#[test]
fn a_record_that_is_not_allowed() {
    insta::assert_snapshot!(explained(&[create(&stranger())]));
}

#[test]
fn a_near_miss_says_what_is_missing() {
    insta::assert_snapshot!(explained(&[create(&without(&deployer(), "/invokedBy"))]));
}

#[test]
fn an_identity_that_nobody_can_name() {
    insta::assert_snapshot!(explained(&[create(&without(&deployer(), "/sessionContext"))]));
}

#[test]
fn an_update_that_does_several_things() {
    let request = json!({"functionName": "siphon", "enabled": true, "filterCriteria": {"filters": []}});
    insta::assert_snapshot!(explained(&[update(&stranger(), &request)]));
}

#[test]
fn records_that_are_no_finding() {
    let call = create(&deployer());
    insta::assert_snapshot!(explained(&[
        with(&call, "/errorCode", json!("AccessDenied")),
        with(&call, "/eventName", json!("Invoke")),
        with(&envelope(&call), "/source", json!("custom.lambda")),
        update(&stranger(), &json!({"batchSize": 1})),
    ]));
}

#[test]
fn damaged_input() {
    let place = Place::new();
    place.write("log.json", format!("{}\n{{\"eventID\": \n7\n", create(&deployer())));
    insta::assert_snapshot!(place.run(&["explain", "log.json"]).ends(1).stdout);
}

#[test]
fn a_set_with_problems() {
    let place = Place::new();
    place.replace("policies/allowlist.toml", "principal = \"arn:aws:iam::*:role/terraform/*\"", "principle = \"x\"");
    place.replace("policies/rules.cedar", "PrincipalKind::\"Root\"", "PrincipalKind::\"Rooot\"");
    place.replace("policies/rules.cedar", "FunctionGroup::\"tier0\"", "FunctionGroup::\"tier1\"");
    let run = place.run(&["check"]).ends(2);
    insta::assert_snapshot!(format!("{}---- standard error\n{}", run.stdout, run.stderr));
}

#[test]
fn a_set_with_warnings() {
    let place = Place::new();
    place.replace("policies/allowlist.toml", "expires   = 2099-12-31", "expires   = 2020-06-30");
    let text = place.run(&["check"]).ends(0).stdout;
    let (before, _) = text.rsplit_once("digest ").unwrap();
    insta::assert_snapshot!(before.to_owned() + "digest …");
}

#[test]
fn nothing_in_a_record_commands_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{8}\u{9b}31m\u{202e}gnp\u{2066}\n  allowed; response leave\u{0}\u{200b}\u{feff}";
    let call = create(&stranger());
    let mut records = Vec::new();
    for pointer in [
        "/eventID",
        "/eventName",
        "/eventSource",
        "/errorCode",
        "/errorMessage",
        "/awsRegion",
        "/recipientAccountId",
        "/userAgent",
        "/sourceIPAddress",
        "/userIdentity/type",
        "/userIdentity/arn",
        "/userIdentity/userName",
        "/userIdentity/invokedBy",
        "/requestParameters/functionName",
        "/requestParameters/eventSourceArn",
        "/responseElements/uUID",
        "/responseElements/functionArn",
        "/responseElements/eventSourceArn",
    ] {
        records.push(with(&call, pointer, json!(hostile)));
    }
    for pointer in ["/source", "/detail-type", "/account", "/region"] {
        records.push(with(&envelope(&call), pointer, json!(hostile)));
    }
    let text = explained(&records);
    let harmful: Vec<char> = text
        .chars()
        .filter(|c| *c != '\n' && (c.is_control() || "\u{202e}\u{2066}\u{200b}\u{feff}".contains(*c)))
        .collect();
    assert!(harmful.is_empty(), "{harmful:?}");
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("allowed")),
        "a record writes no line of its own:\n{text}"
    );
    assert!(text.contains("\\u{1b}"), "{text}");
}

#[test]
fn hostile_file_names_and_policies_are_shown_harmless() {
    let place = Place::new();
    let run = place.run(&["explain", "\u{1b}[2Jx"]).ends(2);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    place.write("\u{1b}[1mlog", "{");
    let run = place.run(&["explain", "\u{1b}[1mlog"]).ends(1);
    assert!(!run.stdout.contains('\u{1b}') && run.stdout.contains("not JSON"), "{:?}", run.stdout);
    place.append("policies/allowlist.toml", "\n[[allow]]\n\"\\u001b[2J\" = 1\n");
    let run = place.run(&["check"]).ends(2);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
}

#[test]
fn text_is_plain_where_it_is_no_terminal() {
    let place = Place::new();
    place.write("input", create(&stranger()).to_string());
    for arguments in [&["explain", "input"][..], &["check"], &["test"]] {
        let run = place.run(arguments).ends(0);
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{arguments:?}");
    }
    let run = place.run(&["explain", "missing"]).ends(2);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
}

/// A full disk is no success: what a command had to say is not there.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let place = Place::new();
    place.write("input", create(&deployer()).to_string());
    for arguments in [&["explain", "input"][..], &["learn", "input"], &["check"], &["test"], &["guardrail"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sluicegate"));
        let run = command.args(arguments).current_dir(place.path("")).stdout(full).output().unwrap();
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(3), "{arguments:?}: {told}");
        assert!(told.contains("standard output: "), "{arguments:?}: {told}");
    }
}

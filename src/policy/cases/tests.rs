#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::{Difference, run_cases};
use crate::policy::SourceFile;
use crate::policy::fixtures::{facts, load, shipped};

fn run(text: &str) -> Result<Vec<super::CaseResult>, Vec<String>> {
    let file = SourceFile::new("t.toml", text);
    run_cases(&load(&shipped()), &file, facts().now)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_difference_is_told_with_its_reasons() {
    let results = run("# one\n[[case]]\nname = \"n\"\nactor = \"arn:aws:iam::111122223333:role/dev\"\n\
         function = \"f\"\nexpect = { allowed = true, response = \"leave\", policies = [\"x\"], errors = 1 }\n")
    .unwrap();
    assert_eq!((results[0].line, results[0].name.as_str(), results[0].passed), (2, "n", false));
    let told = |of: &Difference| format!("{}: expected {}, got {}", of.key, of.expected, of.got);
    assert_eq!(
        results[0].differences.iter().map(told).collect::<Vec<_>>(),
        [
            "allowed: expected true, got false",
            "policies: expected x, got disable-first",
            "errors: expected 1, got 0",
            "response: expected leave, got disable",
        ]
    );
    assert_eq!(
        results[0].because,
        [
            "no entry of allowlist.toml is for arn:aws:iam::111122223333:role/dev",
            "disabled, by rule disable-first: a disabled mapping can be enabled again",
        ]
    );
    assert_eq!(results[0].policies, ["disable-first"]);
}

#[test]
fn mistakes_of_a_case_are_told_and_nothing_is_run() {
    for (text, expected) in [
        ("", "t.toml:1:1: error: the file holds no case"),
        ("[[cas]]", "t.toml:1:3: error: unknown key `cas`; did you mean `case`?"),
        ("[[case]]\nactor = \"\"", "t.toml:1:1: error: the case has no `name`"),
        ("[[case]]\nname = \"n\"\nexpect = { allowed = true }", "t.toml:1:1: error: the case names no `actor`"),
        ("[[case]]\nname = \"n\"\nactor = \"\"", "t.toml:1:1: error: the case expects nothing"),
        ("[[case]]\nname = \"n\"\nactor = \"\"\nexpect = {}", "t.toml:1:1: error: the case expects nothing"),
        (
            "[[case]]\nname = \"n\"\nactor = \"\"\nexpect = { alowed = true }",
            "t.toml:4:12: error: unknown key `alowed`; did you mean `allowed`?",
        ),
        (
            "[[case]]\nname = \"n\"\nactor = \"\"\nexpect = { response = \"disabel\" }",
            "t.toml:4:23: error: there is no response `disabel`; did you mean `disable`?",
        ),
        (
            "[[case]]\nname = \"n\"\nactor = \"\"\nactions = [\"x\"]\nexpect = { allowed = true }",
            "t.toml:4:12: error: there is no action `x`",
        ),
        (
            "[[case]]\nname = \"n\"\nactor = \"\"\nnow = 2026-01-01\nexpect = { allowed = true }",
            "t.toml:4:7: error: `now` must be a time",
        ),
        (
            "[[case]]\nname = \"n\"\napprover = \"alise\"\ndecisions = [\"leave\"]\nexpect = { permitted = true }",
            "t.toml:3:12: error: `alise` is nobody in [people]; did you mean `alice`?",
        ),
        (
            "[[case]]\nname = \"n\"\napprover = \"alice\"\ndecisions = [\"remove\"]\nexpect = { permitted = true }",
            "t.toml:4:14: error: there is no decision `remove`",
        ),
    ] {
        let told = run(text).unwrap_err();
        assert!(told.iter().any(|told| told.starts_with(expected)), "{text}\nexpected {expected}\ngot {told:#?}");
    }
}

//! `check`: every problem with its file, line, column and what to do.

use crate::harness::Place;
use serde_json::Value;
use std::ops::RangeInclusive;

const ALLOWLIST: &str = "policies/allowlist.toml";
const INVENTORY: &str = "policies/inventory.toml";

/// A problem that is expected: where, and what is said.
pub struct Wrong<'a> {
    pub file: &'a str,
    pub lines: RangeInclusive<usize>,
    pub message: &'a str,
    pub suggestion: &'a str,
    pub what: &'a str,
}

/// Asserts that `check` refuses the set for that problem, alike in both formats.
#[track_caller]
pub fn refused(place: &Place, wrong: &Wrong<'_>) {
    let what = wrong.what;
    let run = place.run(&["check", "--format", "json"]);
    assert_eq!(run.code, 2, "{what}: {run:?}");
    let errors: Vec<Value> = run.lines().into_iter().filter(|line| line["severity"] == "error").collect();
    let fits = |line: &&Value| {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let at = usize::try_from(line["line"].as_u64().unwrap()).unwrap();
        text("file") == wrong.file
            && wrong.lines.contains(&at)
            && text("message").contains(wrong.message)
            && text("suggestion").contains(wrong.suggestion)
            && line["column"].as_u64().unwrap() > 0
    };
    let found = errors.iter().find(fits).unwrap_or_else(|| panic!("{what}: {errors:#?}"));
    let text = place.run(&["check"]).ends(2);
    let place_told = format!("{}:{}:{}: error: ", wrong.file, found["line"], found["column"]);
    assert!(text.stdout.contains(&place_told), "{what}: {}", text.stdout);
    assert!(text.stderr.contains("refused"), "{what}: {}", text.stderr);
}

/// An entry that is fine, and the line its `id` stands in once it is appended.
fn entry(place: &Place, lines: &str) -> usize {
    let before = std::fs::read_to_string(place.path(ALLOWLIST)).unwrap().lines().count();
    place.append(ALLOWLIST, &format!("\n[[allow]]\n{lines}\n"));
    before + 3
}

const FINE: [(&str, &str); 5] = [
    ("id", "\"extra\""),
    ("owner", "\"team\""),
    ("reason", "\"a test\""),
    ("expires", "2099-01-01"),
    ("principal", "\"arn:aws:iam::111122223333:role/ci/extra\""),
];

/// The entry with one key set, another way or besides; `""` leaves it out.
fn changed(key: &str, value: &str) -> String {
    let mut lines: Vec<String> =
        FINE.iter().filter(|(name, _)| *name != key).map(|(name, value)| format!("{name} = {value}")).collect();
    if !value.is_empty() {
        lines.push(format!("{key} = {value}"));
    }
    lines.join("\n")
}

#[test]
fn the_shipped_set_is_good() {
    let place = Place::new();
    let run = place.run(&["check"]).ends(0);
    assert!(run.stdout.contains("is good") && !run.stdout.contains("error"), "{}", run.stdout);
    place.run(&["check", "--strict"]).ends(0);
    entry(&place, &changed("owner", "\"team\""));
    place.run(&["check", "--strict"]).ends(0);
}

#[test]
fn entries_that_cannot_be_meant() {
    let arn = |text: &str| format!("\"arn:aws:{text}\"");
    for (key, value, message, suggestion) in [
        ("id", String::new(), "id", ""),
        ("id", "\"orders-pipeline\"".to_owned(), "the id `orders-pipeline` is taken by the entry in line", "one entry"),
        ("id", "\"a b\"".to_owned(), "`a b` is no id", "letters"),
        ("reason", String::new(), "reason", ""),
        ("principal", String::new(), "principal", ""),
        ("expires", String::new(), "expires", ""),
        ("expires", "\"soon\"".to_owned(), "`expires` must be a date", "write expires = "),
        ("principle", "\"x\"".to_owned(), "unknown key `principle`", "principal"),
        ("principal", arn("sts::111122223333:assumed-role/dev/x"), "assumed-role", "role"),
        ("principal", arn("iam::11112222333:role/dev"), "11112222333", ""),
        ("principal", arn("iam::111122223333:rol/dev"), "rol", ""),
        ("principal", "\"dev\"".to_owned(), "dev", "arn:aws:iam"),
        ("principal", arn("iam::111122223333:role/*"), "", ""),
        ("principal", arn("iam::*:role/**"), "is everybody there", ""),
        ("accounts", "[\"11112222333\"]".to_owned(), "11112222333", ""),
        ("accounts", "[\"111122223334\"]".to_owned(), "111122223334 is not in the inventory", "111122223333"),
        ("accounts", "[\"group:workload\"]".to_owned(), "workload", "workloads"),
        ("kinds", "[\"AssumedRol\"]".to_owned(), "AssumedRol", "AssumedRole"),
        ("actions", "[\"creat\"]".to_owned(), "there is no action `creat`", "create"),
        ("sources", "[\"sqss:x\"]".to_owned(), "there is no kind of source `sqss`", "sqs"),
        ("sources", "[\"sqs:\"]".to_owned(), "lacks the source's name", "sqs:NAME"),
        ("addresses", "[\"10.20.3.4/16\"]".to_owned(), "host bits", "10.20.0.0/16"),
        ("addresses", "[\"10.20.0.0/99\"]".to_owned(), "no network", ""),
        ("via", "[\"cloudformation\"]".to_owned(), "is no service", "cloudformation.amazonaws.com"),
        (
            "functions",
            "[\"arn:aws:lambda:eu-west-1:111122223333:function:f\"]".to_owned(),
            "is no function's name",
            "\"f\"",
        ),
        ("mfa", "\"yes\"".to_owned(), "mfa", ""),
    ] {
        if (key, message) == ("principal", "") {
            continue;
        }
        let place = Place::new();
        let text = changed(key, &value);
        let first = entry(&place, &text);
        refused(&place, &Wrong { file: ALLOWLIST, lines: first - 1..=first + 5, message, suggestion, what: &text });
    }
}

#[test]
fn files_that_are_no_toml_or_not_there() {
    for (file, text) in [(ALLOWLIST, "[[allow]\n"), (INVENTORY, "[teams\n"), (ALLOWLIST, "x = = 1\n")] {
        let place = Place::new();
        let lines = std::fs::read_to_string(place.path(file)).unwrap().lines().count();
        place.append(file, text);
        let lines = lines..=lines + 2;
        refused(&place, &Wrong { file, lines, message: "not TOML", suggestion: "", what: text });
    }
    for file in [ALLOWLIST, INVENTORY, "policies/rules.cedar"] {
        let place = Place::new();
        std::fs::remove_file(place.path(file)).unwrap();
        refused(&place, &Wrong { file, lines: 1..=1, message: "cannot be read", suggestion: "holds", what: file });
        place.write(file, b"\xff\xfe\xfd");
        refused(&place, &Wrong { file, lines: 1..=1, message: "is not UTF-8", suggestion: "UTF-8", what: file });
    }
    let run = Place::new().run(&["check", "--policies", "elsewhere"]).ends(2);
    assert!(run.stdout.contains("elsewhere/allowlist.toml"), "{}", run.stdout);
}

#[test]
fn inventories_that_cannot_be_meant() {
    for (text, message, suggestion) in [
        ("[acounts]\n", "unknown key `acounts`", "accounts"),
        ("[people.bob]\nslak = \"U1\"\n", "unknown key `slak`", "slack"),
        ("[functions.tier1]\nname = [\"x\"]\n", "unknown key `name`", "names"),
    ] {
        let place = Place::new();
        let first = std::fs::read_to_string(place.path(INVENTORY)).unwrap().lines().count() + 1;
        place.append(INVENTORY, text);
        refused(&place, &Wrong { file: INVENTORY, lines: first..=first + 2, message, suggestion, what: text });
    }
}

#[test]
fn warnings_let_the_set_load() {
    let soon =
        jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date().saturating_add(jiff::Span::new().days(9));
    for (text, message) in [
        (changed("expires", "2020-01-01"), "entry `extra` expired after 2020-01-01"),
        (changed("expires", &soon.to_string()), "entry `extra` expires after"),
        (changed("owner", "\"TODO\""), "entry `extra` has no owner yet"),
        (
            changed("principal", "\"arn:aws:iam::111122223333:role/ci/orders-deployer\"")
                + "\nvia = [\"cloudformation.amazonaws.com\"]\nfunctions = [\"orders-x\"]\nsources = [\"sqs:orders-in\"]\nregions = [\"eu-west-1\"]",
            "entry `extra` adds nothing: entry `orders-pipeline` covers all of it",
        ),
    ] {
        let place = Place::new();
        let first = entry(&place, &text);
        let run = place.run(&["check"]).ends(0);
        let warning =
            run.stdout.lines().find(|line| line.contains(message)).unwrap_or_else(|| panic!("{text}: {}", run.stdout));
        let at: usize = warning.split(':').nth(1).unwrap().parse().unwrap();
        assert!(warning.contains(": warning: ") && (first - 1..=first + 8).contains(&at), "{warning}");
        assert!(run.stdout.contains("is good (1 warning"), "{}", run.stdout);
        let lines = place.run(&["check", "--format", "json"]).ends(0).lines();
        assert_eq!(lines[0]["severity"], "warning");
        assert!(!lines[0]["suggestion"].as_str().unwrap().is_empty(), "{lines:?}");
        place.run(&["check", "--strict"]).ends(1);
    }
}

#[test]
fn nothing_is_judged_by_a_set_that_is_refused() {
    let place = Place::new();
    place.write("record", crate::records::create(&crate::records::deployer()).to_string());
    place.run(&["explain", "record"]).ends(0);
    place.append(INVENTORY, "[acounts]\n");
    for arguments in [&["explain", "record"][..], &["explain", "--format", "json", "record"], &["test"]] {
        let run = place.run(arguments).ends(2);
        assert!(!run.stdout.contains("allowed") && !run.stdout.contains("passed"), "{arguments:?}: {}", run.stdout);
        assert!(run.stdout.contains("acounts") && run.stderr.contains("are refused"), "{arguments:?}: {}", run.stdout);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let place = Place::new();
    entry(&place, &changed("principle", "1"));
    place.append(INVENTORY, "[acounts]\n");
    place.append("policies/rules.cedar", "permit (principal, action == Action::\"disable\", resource);\n");
    let run = place.run(&["check"]).ends(2);
    for file in [ALLOWLIST, INVENTORY, "policies/rules.cedar"] {
        assert!(run.stdout.contains(&format!("{file}:")), "{file}: {}", run.stdout);
    }
}

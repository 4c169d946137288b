//! `learn`: what it proposes from a history, and what it never proposes.

use crate::harness::Place;
use crate::learn_history::{DAYS, Line, Whose, history};
use jiff::civil::Date;
use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::cloudtrail;
use sluicegate::detection::{Finding, inspect};
use sluicegate::history::Timeline;
use sluicegate::learn::{Lesson, Options, learn};
use sluicegate::policy::{PolicyFiles, PolicySet, SourceFile};

/// The shipped inventory, with the accounts of the histories.
fn inventory() -> String {
    let one = "\"444455556666\" = { name = \"sandbox\" }";
    let two = "\"444455556666\" = { name = \"orders-test\", groups = [\"workloads\"] }\n\"222233334444\" = { name = \"sandbox\" }";
    let shipped = include_str!("../../policies/inventory.toml");
    assert!(shipped.contains(one));
    shipped.replace(one, two)
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn options() -> Options {
    Options { min_times: 3, today: day("2026-11-24"), expires: day("2027-05-23") }
}

fn files(allowlist: &str) -> PolicyFiles {
    PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", allowlist),
        rules: SourceFile::new("rules.cedar", include_str!("../../policies/rules.cedar")),
        inventory: SourceFile::new("inventory.toml", inventory()),
        schema: None,
    }
}

fn finding(record: &Value) -> Option<Finding> {
    let read = cloudtrail::read(record.to_string().as_bytes()).pop()?.ok()?;
    inspect(&read).ok()
}

/// The findings of a half, each with whose it is.
fn half(lines: &[Line], second: bool) -> Vec<(Whose, Finding)> {
    let middle = DAYS / 2 * 86_400;
    let of_half = lines.iter().filter(|line| (line.at >= middle) == second);
    of_half.map(|line| (line.whose, finding(&line.record).unwrap())).collect()
}

fn learnt(findings: &[Finding]) -> (Lesson, String) {
    let lesson = learn(findings, &files(""), &options()).unwrap();
    let text = lesson.to_toml(&options(), &[]);
    (lesson, text)
}

#[test]
fn what_one_half_taught_judges_the_other() {
    for seed in 1..=4 {
        let lines = history(seed);
        let first: Vec<Finding> = half(&lines, false).into_iter().map(|(_, finding)| finding).collect();
        let (_, text) = learnt(&first);
        let loaded =
            PolicySet::load(&files(&text), day("2026-11-24")).unwrap_or_else(|told| panic!("{told:?}\n{text}"));
        let strange: Vec<_> =
            loaded.warnings.iter().filter(|told| !told.message.contains("has no owner yet")).collect();
        assert!(strange.is_empty(), "seed {seed}: {strange:?}\n{text}");
        let mut timeline = Timeline::new(&loaded.set);
        let (mut pipelines, mut allowed, mut missed) = (0, 0, Vec::new());
        for (whose, finding) in half(&lines, true) {
            let verdict = timeline.judge(&finding);
            if whose == Whose::Pipeline {
                pipelines += 1;
                allowed += u32::from(verdict.allowed);
                if !verdict.allowed {
                    missed.push(format!("{}: {:?}", finding.actor.principal_arn, verdict.reasons));
                }
            } else {
                assert!(!verdict.allowed, "seed {seed}: {whose:?} {finding:?} by {:?}\n{text}", verdict.policies);
            }
        }
        assert!(
            pipelines > 80 && allowed * 100 >= pipelines * 99,
            "seed {seed}: {allowed}/{pipelines} {missed:#?}\n{text}"
        );
    }
}

#[test]
fn nothing_left_out_is_allowed_by_what_is_proposed() {
    for seed in [7, 8] {
        let lines = history(seed);
        let all: Vec<(Whose, Finding)> =
            lines.iter().map(|line| (line.whose, finding(&line.record).unwrap())).collect();
        let findings: Vec<Finding> = all.iter().map(|(_, finding)| finding.clone()).collect();
        let (lesson, text) = learnt(&findings);
        let set = PolicySet::load(&files(&text), day("2026-11-24")).unwrap().set;
        let mut timeline = Timeline::new(&set);
        let mut allowed = 0;
        for (whose, finding) in &all {
            let verdict = timeline.judge(finding);
            allowed += usize::from(verdict.allowed);
            assert!(!verdict.allowed || *whose == Whose::Pipeline, "seed {seed}: {finding:?}\n{text}");
        }
        let summary = &lesson.summary;
        assert_eq!((summary.findings, summary.explained), (all.len(), allowed), "{text}");
        assert_eq!(summary.explained + summary.left_out, summary.findings, "every finding has its fate");
        let told: usize = lesson.left_out.iter().map(|left| left.evidence.times).sum();
        assert_eq!(told, summary.left_out);
        assert!(lesson.proposals.windows(2).all(|two| two[0].explains >= two[1].explains));
    }
}

#[test]
fn the_file_reads_as_a_person_would_have_written_it() {
    let lines = history(3);
    let findings: Vec<Finding> = lines.iter().map(|line| finding(&line.record).unwrap()).collect();
    insta::assert_snapshot!(learnt(&findings).1);
}

/// A place whose inventory knows the accounts, with a history in `logs/`.
fn place(seed: u64) -> Place {
    let place = Place::new();
    place.write("policies/inventory.toml", inventory());
    place.write("policies/allowlist.toml", "");
    let records: Vec<Value> = history(seed).into_iter().map(|line| line.record).collect();
    let (one, other) = records.split_at(records.len() / 2);
    place.write("logs/a.json", json!({"Records": other}).to_string());
    place.write("logs/b.json", json!({"Records": one}).to_string());
    place
}

#[test]
fn check_accepts_what_learn_writes() {
    let place = place(3);
    let told = place.run(&["learn", "--output", "new.toml", "logs"]).ends(0);
    assert!(told.stdout.contains("entries for") && told.stdout.contains("Written to new.toml"), "{told:?}");
    let text = std::fs::read_to_string(place.path("new.toml")).unwrap();
    let printed = place.run(&["learn", "logs"]).ends(0);
    assert_eq!(printed.stdout.trim_end(), text.trim_end(), "the same is printed where no file is named");
    place.write("policies/allowlist.toml", &text);
    let only_owners = |place: &Place| {
        let checked = place.run(&["check", "--format", "json"]).ends(0);
        let lines = checked.lines();
        assert!(!lines.is_empty());
        for line in &lines {
            assert!(line["message"].as_str().unwrap().contains("has no owner yet"), "{line}\n{text}");
        }
        lines.len()
    };
    let entries = text.matches("[[allow]]").count();
    assert_eq!(only_owners(&place), entries);
    // What is allowed by now needs no entry, and none is proposed twice.
    let again = place.run(&["learn", "logs"]).ends(0);
    assert!(again.stdout.contains("No entry is proposed") && !again.stdout.contains("[[allow]]"), "{}", again.stdout);
    // Beside other entries the ids are others.
    let (id, fixed) = ("\"orders-deployer\"", "arn:aws:iam::222233334444:role/x/other");
    place.write(
        "policies/allowlist.toml",
        format!("[[allow]]\nid = {id}\nowner = \"a\"\nreason = \"b\"\nexpires = 2099-01-01\nprincipal = \"{fixed}\"\n"),
    );
    let beside = place.run(&["learn", "logs"]).ends(0);
    place.append("policies/allowlist.toml", &beside.stdout);
    assert_eq!(only_owners(&place), entries);
}

#[test]
fn json_tells_the_same() {
    let place = place(3);
    let lines = place.run(&["learn", "--format", "json", "logs"]).ends(0).lines();
    let text = place.run(&["learn", "logs"]).ends(0).stdout;
    let ids: Vec<&str> = lines.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(ids.len(), text.matches("[[allow]]").count());
    for line in lines.iter().filter(|line| line["id"].is_string()) {
        assert_eq!(line["entry"]["owner"], "TODO");
        assert!(line["entry"]["principal"].as_str().unwrap().starts_with("arn:aws:iam::"));
        assert!(line["explains"].as_u64().unwrap() >= 3 && line["share"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["evidence"]["days"].as_u64().unwrap() >= 2);
    }
    let left: Vec<&Value> = lines.iter().filter(|line| line["left_out"].is_string()).collect();
    assert!(left.iter().all(|line| line["why"].is_string()) && left.len() > 5);
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["proposals"], ids.len());
}

#[test]
fn never_for_these() {
    let place = place(3);
    let lines = place.run(&["learn", "--format", "json", "logs"]).ends(0).lines();
    let principals: Vec<&str> = lines.iter().filter_map(|line| line["entry"]["principal"].as_str()).collect();
    for never in [":root", "AWSReservedSSO", "role/Developer", "user/erin", "user/temp", "mallory", "backup-sync"] {
        assert!(principals.iter().all(|principal| !principal.contains(never)), "{never}: {principals:?}");
    }
    let why = |who: &str| -> Vec<&str> {
        let of = lines.iter().filter(|line| line["left_out"].as_str().is_some_and(|left| left.contains(who)));
        of.map(|line| line["why"].as_str().unwrap()).collect()
    };
    for (who, told) in [
        ("role/Developer", "console"),
        ("AWSReservedSSO", "SSO"),
        ("user/erin", "MFA"),
        (":root", "root"),
        ("user/temp", "too seldom"),
    ] {
        let whys = why(who);
        assert!(whys.iter().any(|why| why.contains(told)), "{who}: {whys:?}");
    }
}

#[test]
fn losses_are_told_and_mistakes_refused() {
    let place = place(3);
    place.write("logs/c.json", "{\"Records\": [{\"eventName\"");
    let run = place.run(&["learn", "logs"]).ends(1);
    assert!(run.stderr.contains("c.json") && run.stdout.contains("[[allow]]"), "{}", run.stderr);
    assert!(run.stdout.contains("INCOMPLETE: 1 place could not be read"), "{}", run.stdout);
    let lines = place.run(&["learn", "--format", "json", "logs"]).ends(1).lines();
    assert!(lines[0]["source"].as_str().unwrap().contains("c.json") && lines[0]["error"].is_string());
    for (arguments, told) in [
        (vec!["learn", "nowhere"], "nowhere"),
        (vec!["learn", "--expires", "2020-01-01", "logs"], "is over"),
        (vec!["learn", "--output", "logs/a.json", "logs"], "is there already"),
        (vec!["learn", "--from-cloudtrail", "logs"], "cannot be used with"),
        (vec!["learn", "--min-times", "1", "logs"], "1"),
        (vec!["learn", "--days", "91"], "91"),
        (vec!["learn", "--policies", "elsewhere", "logs"], "elsewhere"),
        (vec!["learn", "--format", "html", "logs"], "html"),
        (vec!["learn", "s3:///x"], "bucket"),
    ] {
        let run = place.run(&arguments).ends(2);
        assert!((run.stderr + &run.stdout).contains(told), "{arguments:?}");
    }
    let before = std::fs::read_to_string(place.path("logs/a.json")).unwrap();
    assert!(before.starts_with("{\"Records\""), "a file that is there is left alone");
}

#[test]
fn nothing_to_propose_says_why() {
    let place = Place::new();
    place.write("empty.json", "{\"Records\": []}");
    let run = place.run(&["learn", "empty.json"]).ends(0);
    assert!(run.stdout.contains("the history holds no finding"), "{}", run.stdout);
    place.write("once.json", crate::records::create(&crate::records::stranger()).to_string());
    let run = place.run(&["learn", "once.json"]).ends(0);
    assert!(run.stdout.contains("nothing in it is a habit") && run.stdout.contains("mallory"), "{}", run.stdout);
    place.write("known.json", crate::records::create(&crate::records::deployer()).to_string());
    let run = place.run(&["learn", "known.json"]).ends(0);
    assert!(run.stdout.contains("the present allowlist allows all of it"), "{}", run.stdout);
}

#[test]
fn a_higher_bar_proposes_less() {
    let place = place(3);
    let many = place.run(&["learn", "logs"]).ends(0).stdout;
    let few = place.run(&["learn", "--min-times", "40", "--expires", "2099-02-03", "logs"]).ends(0).stdout;
    assert!(few.matches("[[allow]]").count() < many.matches("[[allow]]").count());
    assert!(few.contains("expires   = 2099-02-03") || few.contains("expires     = 2099-02-03"), "{few}");
}

/// A text that somebody who wants to be allowed may have chosen.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("orders-a".to_owned()),
        Just("orders-b".to_owned()),
        Just("*".to_owned()),
        Just("\"\n[[allow]]\nid = \"x\"".to_owned()),
        Just("\u{202e}gnp.\u{2066}".to_owned()),
        Just("# '''\"\"\"\\".to_owned()),
        Just("x\r\ny\u{0}\u{7f}\u{85}\u{2028}z".to_owned()),
        "\\PC{0,20}",
        "[a-z0-9*?:/@.-]{1,12}",
    ]
}

prop_compose! {
    fn any_record()(
        days in 0u64..20,
        path in prop_oneof![Just("ci/".to_owned()), Just(String::new()), "[!-~]{0,6}/"],
        name in prop_oneof![Just("deployer".to_owned()), "[a-zA-Z0-9+=,.@_-]{1,10}"],
        session in hostile(),
        function in hostile(),
        source in hostile(),
        agent in hostile(),
        address in prop_oneof![Just("10.20.1.1".to_owned()), Just("203.0.113.9".to_owned()), hostile()],
        via in prop_oneof![Just(String::new()), Just("cloudformation.amazonaws.com".to_owned()), hostile()],
        region in prop_oneof![Just("eu-west-1".to_owned()), hostile()],
    ) -> Value {
        let arn = format!("arn:aws:iam::111122223333:role/{path}{name}");
        json!({
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": format!("AROAX:{session}"),
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}"),
                "accountId": "111122223333",
                "invokedBy": via,
                "sessionContext": {"sessionIssuer": {
                    "type": "Role", "principalId": "AROAX", "arn": arn, "accountId": "111122223333", "userName": name
                }}
            },
            "eventTime": format!("2026-10-{:02}T10:00:00Z", days + 1),
            "eventSource": "lambda.amazonaws.com",
            "eventName": "CreateEventSourceMapping20150331",
            "awsRegion": region,
            "sourceIPAddress": address,
            "userAgent": agent,
            "requestParameters": {
                "functionName": function,
                "eventSourceArn": format!("arn:aws:sqs:eu-west-1:111122223333:{source}"),
            },
            "responseElements": {"uUID": "5f1c8f0e-3c52-4f5e-9a42-6d0e7a3c9b11"},
            "recipientAccountId": "111122223333",
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_history_holds_the_file_loads(records in prop::collection::vec((any_record(), 1usize..4), 1..8)) {
        let mut findings = Vec::new();
        for (number, (record, times)) in records.iter().enumerate() {
            for day in 0..*times {
                let mut record = record.clone();
                record["eventID"] = json!(format!("{number}-{day}"));
                record["eventTime"] = json!(format!("2026-10-{:02}T11:00:00Z", 21 + day));
                findings.extend(finding(&record));
            }
        }
        findings.sort_by_key(|finding| finding.event.time);
        let present = include_str!("../../policies/allowlist.toml");
        for present in if records.len() % 2 == 0 { [""] } else { [present] } {
            let lesson = learn(&findings, &files(present), &options()).map_err(|told| TestCaseError::fail(format!("{told:?}")))?;
            let text = lesson.to_toml(&options(), &["\u{202e}\nx = 1".to_owned()]);
            let loaded = PolicySet::load(&files(&format!("{present}\n{text}")), day("2026-11-24"));
            let loaded = loaded.map_err(|told| TestCaseError::fail(format!("{told:?}\n{text}")))?;
            let strange = loaded.warnings.iter().find(|told| {
                let known = ["has no owner yet", "used by no entry"];
                !known.iter().any(|known| told.message.contains(known))
            });
            prop_assert!(strange.is_none(), "{:?}\n{}", strange, text);
            let document: toml::Table = toml::from_str(&text).unwrap();
            let entries = document.get("allow").and_then(|all| all.as_array()).map_or(0, Vec::len);
            prop_assert_eq!(entries, lesson.proposals.len());
            prop_assert_eq!(
                lesson.summary.explained + lesson.summary.left_out + lesson.summary.already_allowed,
                findings.len()
            );
        }
    }
}

/// What an entry does not bind is said, and a history of strangers makes no endless file.
#[test]
fn what_is_not_bound_is_told_and_what_is_left_out_is_told_in_bounds() {
    let lines = history(5);
    let findings: Vec<Finding> = lines.iter().filter_map(|line| finding(&line.record)).collect();
    let lesson = learn(&findings, &files(""), &options()).unwrap();
    assert!(!lesson.proposals.is_empty());
    for proposal in &lesson.proposals {
        let (entry, told) = (&proposal.entry, proposal.wider.join("; "));
        let direct = entry.via.is_empty();
        assert_eq!(told.contains("from any address"), direct && entry.addresses.is_empty(), "{entry:?}: {told}");
        assert_eq!(told.contains("by any agent"), direct && entry.user_agents.is_empty(), "{entry:?}: {told}");
    }
    let strangers: Vec<Finding> = (0..150)
        .map(|number| {
            let mut stranger = findings[0].clone();
            stranger.actor.principal_arn = format!("arn:aws:iam::111122223333:role/stranger-{number:03}");
            stranger
        })
        .collect();
    let lesson = learn(&strangers, &files(""), &options()).unwrap();
    assert_eq!((lesson.proposals.len(), lesson.left_out.len()), (0, 150));
    let text = lesson.to_toml(&options(), &[]);
    assert_eq!(text.matches("role/stranger-").count(), 100);
    assert!(text.contains("and 50 kinds more with 50 findings"), "{text}");
}

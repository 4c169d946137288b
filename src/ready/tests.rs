#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;
use crate::cloudtrail::{Actor, MappingCall, Mentions, PrincipalKind, Verb};
use crate::detection::{Change, Detection, Event, Finding, Trigger};
use crate::mapping::{FunctionRef, SourceKind, SourceRef, Wiring};
use crate::policy::{PolicyFiles, PolicySet, Response, SourceFile, Verdict};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

const RULES: &str = include_str!("../../policies/rules.cedar");
const INVENTORY: &str = "[accounts]\n\"111122223333\" = { name = \"p\", groups = [\"production\"] }\n\"444455556666\" = { name = \"s\" }\n\
                         [functions.tier0]\nnames = [\"x\"]\n[teams]\noncall = [\"S0ONCALL\"]\nsecurity = [\"S0SECURITY\"]\n";
const ENTRY: &str = "[[allow]]\nid = \"apps\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-06-30\n\
                     principal = \"arn:aws:iam::*:role/app/*\"\n";

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn try_set(allowlist: &str, rules: &str) -> Result<PolicySet, Vec<crate::policy::Problem>> {
    let files = PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", allowlist),
        rules: SourceFile::new("rules.cedar", rules),
        inventory: SourceFile::new("inventory.toml", INVENTORY),
        schema: None,
    };
    PolicySet::load(&files, Date::new(2026, 11, 24).unwrap()).map(|loaded| loaded.set)
}

fn set(allowlist: &str) -> PolicySet {
    try_set(allowlist, RULES).unwrap()
}

fn finding(account: &str, role: &str, kind: SourceKind, days_ago: i64) -> Finding {
    let time = now() - SignedDuration::from_hours(24 * days_ago);
    Finding {
        detection: Detection::MappingCreated,
        changes: vec![Change::Create],
        trigger: Trigger::Event,
        event: Event { id: format!("e-{days_ago}"), name: "n".into(), time, request_id: String::new() },
        account: account.into(),
        region: "eu-west-1".into(),
        actor: Actor {
            kind: PrincipalKind::AssumedRole,
            principal_arn: format!("arn:aws:iam::{account}:role/{role}"),
            account: account.into(),
            ..Actor::default()
        },
        call: MappingCall {
            verb: Verb::Create,
            uuid: String::new(),
            mapping_arn: String::new(),
            function: FunctionRef { name: "sink".into(), ..FunctionRef::default() },
            names_function: true,
            source: SourceRef { kind, name: "orders".into(), account: account.into(), arn: String::new() },
            enabled: None,
            wiring: Wiring::default(),
            state: String::new(),
            last_modified: None,
            mentions: Mentions::default(),
            withheld: false,
            disagrees: String::new(),
            asked: None,
        },
    }
}

fn verdict(reason: &str) -> Verdict {
    Verdict {
        allowed: false,
        response: Response::Disable,
        restrict: false,
        policies: Vec::new(),
        reasons: vec![reason.into()],
        errors: Vec::new(),
        policy_digest: String::new(),
    }
}

fn seen(finding: Finding, label: Option<Label>) -> Seen {
    let observed = !matches!(label, Some(Label::Upheld | Label::Restored));
    let verdict = verdict(&format!("no entry is for {}", finding.actor.principal_arn));
    Seen {
        case_id: "sg-x".into(),
        observed,
        label,
        people: vec!["alice".into()],
        opened_at: finding.event.time,
        finding,
        verdict,
    }
}

fn told(cases: impl IntoIterator<Item = Seen>, allowlist: &str) -> Vec<Segment> {
    let set = set(allowlist);
    let mut report = Report::new(&set, now(), None);
    cases.into_iter().for_each(|case| report.case(&case));
    report.finish().0
}

const PROD: &str = "111122223333";
const OTHER: &str = "444455556666";

#[test]
fn two_right_ones_are_no_certainty() {
    let case = |day| seen(finding(PROD, "x", SourceKind::Sqs, day), Some(Label::Right));
    let segments = told([case(1), case(2)], "");
    let [segment] = segments.as_slice() else { panic!("{segments:#?}") };
    assert_eq!((segment.group.as_str(), segment.source_kind), ("production", SourceKind::Sqs));
    let precision = segment.precision.unwrap();
    assert!(precision.at_least < 0.35 && (precision.counted - 1.0).abs() < 1e-9);
    assert_eq!(segment.labels_missing, 14);
    let all = Recommendation::all(&segments);
    assert_eq!(all[0].advice, Advice::Wait);
    assert!(all[0].why.iter().any(|why| why.contains("14 more labelled cases")), "{all:?}");
    assert!(!format!("{all:?}").contains("100 %"));
}

#[test]
fn enough_right_ones_are_recommended_and_segments_stand_apart() {
    let right = (0..20).map(|day| seen(finding(PROD, "x", SourceKind::Sqs, day), Some(Label::Right)));
    let few = (0..3).map(|day| seen(finding(PROD, "x", SourceKind::Kinesis, day), Some(Label::Right)));
    let none = (0..2).map(|day| seen(finding(OTHER, "x", SourceKind::Sqs, day), None));
    let segments = told(right.chain(few).chain(none), "");
    let all = Recommendation::all(&segments);
    let told: Vec<(&str, &str, Advice)> =
        all.iter().map(|one| (one.group.as_str(), one.source_kind, one.advice)).collect();
    assert_eq!(
        told,
        [("production", "sqs", Advice::Enforce), ("production", "kinesis", Advice::Wait), (OTHER, "sqs", Advice::Wait)]
    );
    assert!(all[2].why.iter().any(|why| why.contains("2 cases are without a label")), "{all:?}");
}

#[test]
fn the_rule_that_is_recommended_loads() {
    let right = |account: &'static str| {
        (0..20).map(move |day| seen(finding(account, "x", SourceKind::Sqs, day), Some(Label::Right)))
    };
    for one in Recommendation::all(&told(right(PROD).chain(right(OTHER)), "")) {
        let rules = format!("{RULES}\n{}\n", first_rule(&one));
        let set = try_set("", &rules);
        assert!(set.is_ok(), "{set:#?}");
    }
}

#[test]
fn wrong_ones_are_told_with_their_cause_until_an_entry_covers_them() {
    let wrong = (0..3).map(|day| seen(finding(PROD, "app/deployer", SourceKind::Sqs, day), Some(Label::Wrong)));
    let other = [seen(finding(PROD, "y", SourceKind::Sqs, 4), Some(Label::Restored))];
    let right = (5..25).map(|day| seen(finding(PROD, "x", SourceKind::Sqs, day), Some(Label::Right)));
    let cases: Vec<Seen> = wrong.chain(other).chain(right).collect();
    let before = &told(cases.clone(), "")[0];
    assert_eq!((before.wrong, before.restored, before.allowed_since), (3, 1, 0));
    let cause = &before.wrong_causes[0];
    assert_eq!((cause.times, cause.of), (3, 4));
    assert_eq!(cause.principal_arn, "arn:aws:iam::111122223333:role/app/deployer");
    assert_eq!((cause.functions.len(), cause.sources.iter().next().unwrap().as_str()), (1, "sqs:orders"));
    let advice = &Recommendation::all(std::slice::from_ref(before))[0];
    assert!(
        advice.why.iter().any(|why| why.contains("role/app/deployer") && why.contains("sluicegate learn")),
        "{advice:?}"
    );
    let after = &told(cases, ENTRY)[0];
    assert_eq!((after.allowed_since, after.wrong_causes.len()), (3, 1));
    assert!(after.precision.unwrap().at_least > before.precision.unwrap().at_least);
}

#[test]
fn what_people_called_right_must_not_be_allowed_now() {
    let right = (0..30).map(|day| seen(finding(PROD, "app/mallory", SourceKind::Sqs, day), Some(Label::Right)));
    let other = (0..30).map(|day| seen(finding(PROD, "x", SourceKind::Sqs, day), Some(Label::Right)));
    let segments = told(right.chain(other), ENTRY);
    assert_eq!(segments[0].right_but_allowed_now.len(), 30);
    let advice = &Recommendation::all(&segments)[0];
    assert_eq!(advice.advice, Advice::Wait);
    assert!(advice.why[0].contains("allowlist now allows 30 cases"), "{advice:?}");
}

#[test]
fn cards_are_counted_by_the_week() {
    let set = set(ENTRY);
    let mut report = Report::new(&set, now(), Some(now() - SignedDuration::from_hours(24 * 28)));
    report.has_archive();
    for day in (0..60).rev() {
        let found = finding(PROD, if day % 2 == 0 { "x" } else { "app/a" }, SourceKind::Sqs, day);
        let allowed = day % 2 == 1;
        report.finding(&found, &Verdict { allowed, ..verdict("r") });
    }
    let (segments, summary) = report.finish();
    assert_eq!((summary.findings, summary.not_allowed), (Some(29), Some(15)));
    let archive = segments[0].cards_per_week.archive.unwrap();
    assert!((archive - 15.0 / 4.0).abs() < 1e-9, "{archive}");
    assert_eq!(segments[0].cards_per_week.journal, None);
    let most = segments[0].most_by.as_ref().unwrap();
    assert_eq!((most.principal_arn.as_str(), most.times, most.of), ("arn:aws:iam::111122223333:role/x", 15, 15));
    assert!(Recommendation::all(&segments)[0].why[0].starts_with("15 of 15 cards"));
    assert_eq!(Recommendation::all(&segments)[0].advice, Advice::Observe);
}

#[test]
fn shares_are_never_rounded_up() {
    assert_eq!(advice::percent(0.997), "99 %");
    assert_eq!(advice::percent(0.8), "80 %");
}

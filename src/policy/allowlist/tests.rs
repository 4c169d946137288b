#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use crate::cloudtrail::PrincipalKind;
use crate::detection::{Change, Finding};
use crate::mapping::SourceKind;
use crate::policy::fixtures::{at, facts, finding, load, problems, with_allowlist};
use crate::policy::{Facts, PolicySet};

/// An entry for the orders pipeline, with more lines.
fn entry(more: &str) -> String {
    format!(
        "[[allow]]\nid = \"e\"\nowner = \"team\"\nreason = \"tested\"\nexpires = 2027-06-30\n\
         principal = \"arn:aws:iam::111122223333:role/ci/orders-deployer\"\n{more}\n"
    )
}

/// The problems of an allowlist, without what the rest of the shipped set has to say about its groups.
fn told(text: &str) -> Vec<String> {
    problems(&with_allowlist(text), "allowlist.toml")
}

fn set(text: &str) -> PolicySet {
    load(&with_allowlist(text))
}

fn allows(set: &PolicySet, change: impl FnOnce(&mut Finding)) -> bool {
    let mut finding = finding();
    change(&mut finding);
    set.judge(&finding, &facts()).allowed
}

#[test]
fn all_that_an_entry_names_must_match() {
    type Spoil = fn(&mut Finding);
    let cases: [(&str, Spoil); 12] = [
        ("sessions = [\"run-*\"]", |f| f.actor.session_name = "other".to_owned()),
        ("sessions = [\"*\"]", |f| f.actor.session_name.clear()),
        ("via = [\"cloudformation.amazonaws.com\"]", |f| {
            f.actor.invoked_by.clear();
        }),
        ("accounts = [\"111122223333\"]", |f| {
            f.account = "444455556666".to_owned();
        }),
        ("regions = [\"eu-west-1\"]", |f| f.region = "eu-west-2".to_owned()),
        ("functions = [\"orders-*\"]", |f| {
            f.call.function.name = "billing".to_owned();
        }),
        ("functions = [\"*\"]", |f| f.call.function.name.clear()),
        ("sources = [\"sqs:orders-*\"]", |f| f.call.source.name = "x".to_owned()),
        ("sources = [\"sqs:*\"]", |f| f.call.source.name.clear()),
        ("sources = [\"sqs\"]", |f| f.call.source.kind = SourceKind::Kinesis),
        ("user_agents = [\"cloudformation*\"]", |f| {
            f.actor.user_agent = "curl".to_owned();
        }),
        ("kinds = [\"AssumedRole\"]", |f| f.actor.kind = PrincipalKind::IamUser),
    ];
    for (line, change) in cases {
        let set = set(&entry(line));
        assert!(allows(&set, |_| {}), "{line}");
        assert!(!allows(&set, change), "{line}");
    }
}

#[test]
fn addresses_are_networks_and_never_host_names() {
    let set = set(&entry("addresses = [\"10.20.0.0/16\", \"2001:db8:20::/48\"]"));
    let from = |address: &str| allows(&set, |f| f.actor.source_ip = address.to_owned());
    assert!(from("10.20.255.1") && from("2001:db8:20:1::1"));
    for address in ["10.21.0.1", "cloudformation.amazonaws.com", "", "10.20.0.1 ", "2001:db8:21::1"] {
        assert!(!from(address), "{address:?}");
    }
}

#[test]
fn mfa_and_actions() {
    let set_mfa = set(&entry("mfa = true"));
    assert!(!allows(&set_mfa, |_| {}));
    assert!(allows(&set_mfa, |f| f.actor.mfa = true));
    let plain = set(&entry(""));
    let doing = |set: &PolicySet, changes: &[Change]| allows(set, |f| f.changes = changes.to_vec());
    assert!(doing(&plain, &[Change::Create]) && doing(&plain, &[Change::Enable]));
    assert!(!doing(&plain, &[Change::Repoint]) && !doing(&plain, &[Change::Rewire]));
    assert!(!doing(&plain, &[Change::Repoint, Change::Enable]), "all of them, not one of them");
    let both = set(&entry("actions = [\"repoint\", \"enable\"]"));
    assert!(doing(&both, &[Change::Repoint, Change::Enable]) && !doing(&both, &[Change::Create]));
}

#[test]
fn an_entry_ends_with_its_last_day_in_utc() {
    let set = set(&entry("").replace("2027-06-30", "2026-12-31"));
    let on = |time: &str| {
        let facts = Facts { now: at(time), ..facts() };
        set.judge(&finding(), &facts)
    };
    assert!(on("2026-12-31T23:59:59.999999999Z").allowed);
    assert!(on("2027-01-01T00:59:59+01:00").allowed);
    let after = on("2027-01-01T00:00:00Z");
    assert!(!after.allowed);
    assert!(after.reasons[0].contains("e, expired after 2026-12-31"), "{:?}", after.reasons);
}

#[test]
fn a_principal_is_never_guessed() {
    let set = set(&entry("").replace("role/ci/orders-deployer", "role/**orders-deployer"));
    let by = |arn: &str| allows(&set, |f| f.actor.principal_arn = arn.to_owned());
    assert!(by("arn:aws:iam::111122223333:role/a/b/orders-deployer"));
    for arn in [
        "",
        "arn:aws:sts::111122223333:assumed-role/orders-deployer/run-1",
        "arn:aws:iam::444455556666:role/orders-deployer",
        "arn:aws:iam::111122223333:user/orders-deployer",
        "arn:aws:iam::111122223333:role/orders-deployer/x",
    ] {
        assert!(!by(arn), "{arn}");
    }
    assert!(!allows(&set, |f| f.actor.kind = PrincipalKind::Unknown));
}

#[test]
fn a_miss_is_explained_by_the_nearest_entry() {
    let text = entry("functions = [\"billing-*\"]\nregions = [\"us-east-1\"]")
        + &entry("functions = [\"orders-*\"]\nregions = [\"us-east-1\"]").replace("\"e\"", "\"near\"");
    let verdict = set(&text).judge(&finding(), &facts());
    assert_eq!(
        verdict.reasons[0],
        "no entry of allowlist.toml covers `create` by arn:aws:iam::111122223333:role/ci/orders-deployer: \
         the nearest entry, near, does not cover the region `eu-west-1`"
    );
}

#[test]
fn each_mistake_is_told_where_it_stands() {
    let cases = [
        ("functons = [\"x\"]", "7:1: error: unknown key `functons`; did you mean `functions`?"),
        (
            "functions = []",
            "7:13: error: `functions` is an empty list, which nothing can match; leave it out for any value",
        ),
        (
            "functions = \"x\"",
            "7:13: error: `functions` must be a list of strings, not a string; write functions = [\"x\"]",
        ),
        ("functions = [\"\"]", "7:14: error: an item of `functions` is empty"),
        (
            "functions = [\"arn:aws:lambda:eu-west-1:1:function:f:live\"]",
            "7:14: error: `arn:aws:lambda:eu-west-1:1:function:f:live` is no function's name; write the bare name, without ARN and qualifier: \"f\"",
        ),
        (
            "kinds = [\"AsumedRole\"]",
            "7:10: error: there is no kind of principal `AsumedRole`; did you mean `AssumedRole`?",
        ),
        ("kinds = [\"Unknown\"]", "7:10: error: an unknown principal is nobody's, so it cannot be allowed"),
        ("actions = [\"creat\"]", "7:12: error: there is no action `creat`; did you mean `create`?"),
        (
            "accounts = [\"111122223334\"]",
            "7:13: error: account 111122223334 is not in the inventory; did you mean `111122223333`?",
        ),
        ("accounts = [\"1111\"]", "7:13: error: `1111` is no account; write twelve digits, or group:NAME"),
        ("accounts = [\"workloads\"]", "7:13: error: `workloads` is no account; write group:workloads"),
        (
            "accounts = [\"group:workload\"]",
            "7:13: error: the account group `workload` is not in the inventory; did you mean `workloads`?",
        ),
        ("sources = [\"sqqs:x\"]", "7:12: error: there is no kind of source `sqqs`; did you mean `sqs`?"),
        ("sources = [\"sqs:\"]", "7:12: error: `sqs:` lacks the source's name; write sqs:NAME, or sqs for any"),
        (
            "addresses = [\"10.20.0.0/33\"]",
            "7:14: error: `10.20.0.0/33` is no network in CIDR notation; write 10.20.0.0/16 or 2001:db8:20::/48",
        ),
        (
            "addresses = [\"10.20.0.1\"]",
            "7:14: error: `10.20.0.1` is no network in CIDR notation; for this address alone write 10.20.0.1/32",
        ),
        (
            "addresses = [\"10.20.0.1/16\"]",
            "7:14: error: `10.20.0.1/16` has host bits set: it is unclear which network is meant; write 10.20.0.0/16",
        ),
        (
            "regions = [\"eu-west1\"]",
            "7:12: error: `eu-west1` is no region; write each region in full, for example eu-west-1",
        ),
        (
            "via = [\"cloudformation\"]",
            "7:8: error: `cloudformation` is no service as CloudTrail's `invokedBy` names it; write cloudformation.amazonaws.com",
        ),
        ("mfa = false", "7:7: error: `mfa` can only be true; leave it out for any value"),
        ("sessions = [7]", "7:13: error: `sessions` must hold strings, not an integer"),
    ];
    for (line, expected) in cases {
        let told = told(&entry(line));
        assert!(told.iter().any(|told| told.starts_with(&format!("allowlist.toml:{expected}"))), "{line}: {told:#?}");
    }
}

#[test]
fn what_every_entry_needs() {
    for (line, expected) in [
        ("id = \"e\"\n", "1:1: error: the entry has no `id`; add id = \"…\""),
        ("owner = \"team\"\n", "1:1: error: entry `e` has no `owner`; add owner = \"…\""),
        ("reason = \"tested\"\n", "1:1: error: entry `e` has no `reason`; add reason = \"…\""),
        (
            "expires = 2027-06-30\n",
            "1:1: error: entry `e` has no `expires`; write expires = 2027-06-30, without quotes",
        ),
        (
            "principal = \"arn:aws:iam::111122223333:role/ci/orders-deployer\"\n",
            "1:1: error: entry `e` has no `principal`; add principal = \"…\"",
        ),
    ] {
        let text = entry("").replace(line, "");
        assert_eq!(told(&text), [format!("allowlist.toml:{expected}")]);
    }
    for (from, to, expected) in [
        ("\"e\"", "\"a b\"", "2:6: error: `a b` is no id"),
        ("\"team\"", "\" \"", "3:9: error: `owner` is empty"),
        (
            "2027-06-30",
            "\"2027-06-30\"",
            "5:11: error: `expires` must be a date; write expires = 2027-06-30, without quotes",
        ),
        ("2027-06-30", "2027-06-30T00:00:00Z", "5:11: error: `expires` must be a date"),
        (
            "111122223333:role/ci/orders-deployer",
            "111122223333:role/*",
            "6:13: error: principal `arn:aws:iam::111122223333:role/*` names no role or user",
        ),
        (
            "iam::111122223333:role/ci/orders-deployer",
            "sts::111122223333:assumed-role/ci/s",
            "6:13: error: `arn:aws:sts::111122223333:assumed-role/ci/s` is a session's ARN",
        ),
    ] {
        let told = told(&entry("").replace(from, to));
        assert!(
            told.iter().any(|told| told.starts_with(&format!("allowlist.toml:{expected}"))),
            "{expected}: {told:#?}"
        );
    }
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let text = entry("functions = []") + &entry("mfa = 1") + "[[alow]]\n";
    let told = told(&text);
    assert!(told.len() >= 4, "{told:#?}");
    assert!(told.iter().any(|told| told.contains("the id `e` is taken by the entry in line 2")));
    assert!(told.iter().any(|told| told.contains("unknown key `alow`; did you mean `allow`?")));
    let syntax = self::told("[[allow]\nid = \"x\"\n");
    assert!(
        syntax.iter().any(|told| told.starts_with("allowlist.toml:1:") && told.contains("this is not TOML")),
        "{syntax:#?}"
    );
}

#[test]
fn what_loads_but_is_worth_a_word() {
    for (text, expected) in [
        (entry("").replace("2027-06-30", "2026-11-23"), "5:11: warning: entry `e` expired after 2026-11-23"),
        (entry("").replace("2027-06-30", "2026-12-08"), "5:11: warning: entry `e` expires after 2026-12-08"),
        (entry("").replace("\"team\"", "\"TODO\""), "1:1: warning: entry `e` has no owner yet"),
        (
            entry("").replace("ci/orders-deployer", "x*"),
            "6:13: warning: principal `arn:aws:iam::111122223333:role/x*` is very wide",
        ),
        (
            entry("").replace("role/ci/orders-deployer", "root"),
            "6:13: warning: principal `arn:aws:iam::111122223333:root` is a root user",
        ),
        (entry("addresses = [\"0.0.0.0/0\"]"), "7:14: warning: `0.0.0.0/0` is every address"),
    ] {
        let told = told(&text);
        assert!(told.len() == 1 && told[0].starts_with(&format!("allowlist.toml:{expected}")), "{expected}: {told:#?}");
    }
    assert!(told(&entry("").replace("2027-06-30", "2026-12-09")).is_empty());
}

#[test]
fn an_entry_that_another_covers_is_told_once() {
    let wide = entry("functions = [\"orders-*\"]").replace("ci/orders-deployer", "ci/*").replace("\"e\"", "\"wide\"");
    let narrow = entry("functions = [\"orders-new\"]\nregions = [\"eu-west-1\"]");
    for text in [wide.clone() + &narrow, narrow.clone() + &wide] {
        let told = told(&text);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("entry `e` adds nothing: entry `wide` covers all of it"));
    }
    let twice = narrow.clone() + &narrow.replace("\"e\"", "\"f\"");
    let told_twice = told(&twice);
    assert_eq!(told_twice.len(), 1, "{told_twice:#?}");
    assert!(told_twice[0].contains("entry `f` adds nothing: entry `e`"));
    for other in [
        narrow.replace("orders-new", "billing").replace("\"e\"", "\"f\""),
        narrow.replace("2027-06-30", "2027-07-30").replace("\"e\"", "\"f\"").replace("eu-west-1", "eu-west-2"),
        narrow.replace("\"e\"", "\"f\"").replace("regions", "actions = [\"repoint\"]\nregions"),
    ] {
        assert!(told(&(narrow.clone() + &other)).is_empty(), "{other}");
    }
}

#[test]
fn twenty_thousand_entries_are_found_by_principal() {
    let mut text = String::new();
    for n in 0..20_000 {
        text += &entry(&format!("functions = [\"orders-new\", \"f{n}\"]"))
            .replace("\"e\"", &format!("\"e{n}\""))
            .replace("ci/orders-deployer", &format!("team-{n}/*"));
    }
    let set = set(&text);
    let mut finding = finding();
    finding.actor.principal_arn = "arn:aws:iam::111122223333:role/team-19999/x".to_owned();
    assert_eq!(set.allowlist.of_principal(&finding.actor.principal_arn).count(), 1);
    assert_eq!(set.judge(&finding, &facts()).policies, ["e19999", "allowlisted"]);
}

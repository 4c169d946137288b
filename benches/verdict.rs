//! How fast a finding is judged. `cargo bench --bench verdict` prints verdicts a second as `item/s`, on one core.
//!
//! The rules and the inventory are the shipped ones. The allowlist is the shipped one and as many entries more as the
//! argument says, of every form that an entry's principal can have: the target is met at 2,000, and the speed must not
//! depend on the number.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sluicegate::cloudtrail::read;
use sluicegate::detection::{Finding, Trigger, inspect};
use sluicegate::policy::{Facts, PolicyFiles, PolicySet, SourceFile};
use std::fmt::Write as _;

const RECORD: &str = include_str!("../tests/fixtures/cloudtrail/create-sqs.json");
const ALLOWLIST: &str = include_str!("../policies/allowlist.toml");
const ENTRIES: [usize; 3] = [20, 2_000, 20_000];

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// The shipped set with `entries` more in its allowlist.
fn policies(entries: usize) -> PolicySet {
    let mut allowlist = ALLOWLIST.to_owned();
    for n in 0..entries {
        let principal = match n % 5 {
            0 => format!("111122223333:role/ci/deployer-{n}"),
            1 => format!("*:role/team-{n}/*"),
            2 => format!("111122223333:role/app-{n}-*"),
            3 => format!("*:role/*-runner-{n}"),
            _ => format!("444455556666:user/**/robot-{n}"),
        };
        writeln!(
            allowlist,
            "[[allow]]\nid = \"e{n}\"\nowner = \"team-{n}\"\nreason = \"a bench\"\nexpires = 2027-06-30\n\
             principal = \"arn:aws:iam::{principal}\"\nfunctions = [\"f{n}-*\"]\nsources = [\"sqs:q{n}-*\"]"
        )
        .unwrap();
    }
    let files = PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", allowlist),
        rules: SourceFile::new("rules.cedar", include_str!("../policies/rules.cedar")),
        inventory: SourceFile::new("inventory.toml", include_str!("../policies/inventory.toml")),
        schema: None,
    };
    let loaded = PolicySet::load(&files, now().to_zoned_datetime(TimeZone::UTC).date()).unwrap();
    assert_eq!(loaded.set.counts().0, entries + 2);
    loaded.set
}

/// The finding of a genuine record, its actor a role of this name.
fn finding(role: &str, function: &str, via: Option<&str>) -> Finding {
    let mut record: serde_json::Value = serde_json::from_str(RECORD).unwrap();
    let identity = &mut record["userIdentity"];
    let name = role.rsplit('/').next().unwrap();
    identity["arn"] = format!("arn:aws:sts::111122223333:assumed-role/{name}/session").into();
    identity["sessionContext"]["sessionIssuer"]["arn"] = format!("arn:aws:iam::111122223333:role/{role}").into();
    identity["sessionContext"]["sessionIssuer"]["userName"] = name.into();
    if let Some(service) = via {
        identity["invokedBy"] = service.into();
    }
    record["requestParameters"]["functionName"] = function.into();
    record["responseElements"]["functionArn"] =
        format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}").into();
    let records = read(record.to_string().as_bytes());
    records.into_iter().flatten().find_map(|record| inspect(&record).ok()).unwrap()
}

fn facts() -> Facts {
    Facts {
        now: now(),
        trigger: Trigger::Event,
        confirmed: false,
        findings_by_actor: 1,
        wrong_of_last_ten: 0,
        case_open: false,
        baseline_known: false,
    }
}

fn bench(bencher: Bencher<'_, '_>, entries: usize, finding: &Finding, allowed: bool) {
    let (set, facts) = (policies(entries), facts());
    assert_eq!(set.judge(finding, &facts).allowed, allowed);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| set.judge(black_box(finding), &facts));
}

/// What an attack costs: both questions are asked.
#[divan::bench(args = ENTRIES, sample_count = 200, sample_size = 50)]
fn not_allowed(bencher: Bencher<'_, '_>, entries: usize) {
    bench(bencher, entries, &finding("cicd/deploy-payments", "orders", None), false);
}

/// What most findings cost: an entry covers them.
#[divan::bench(args = ENTRIES, sample_count = 200, sample_size = 50)]
fn allowed(bencher: Bencher<'_, '_>, entries: usize) {
    let finding = finding("ci/orders-deployer", "orders-ship", Some("cloudformation.amazonaws.com"));
    bench(bencher, entries, &finding, true);
}

//! What the tests of this module share: the shipped set, and findings to judge.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::{Facts, Loaded, PolicyFiles, PolicySet, Problem, SourceFile};
use crate::cloudtrail::{Actor, MappingCall, Mentions, PrincipalKind, Verb};
use crate::detection::{Change, Detection, Event, Finding, Trigger};
use crate::mapping::{FunctionRef, SourceKind, SourceRef, Wiring};
use jiff::Timestamp;
use jiff::civil::Date;

pub(super) const ALLOWLIST: &str = include_str!("../../policies/allowlist.toml");
pub(super) const RULES: &str = include_str!("../../policies/rules.cedar");
pub(super) const INVENTORY: &str = include_str!("../../policies/inventory.toml");

pub(super) const DEPLOYER: &str = "arn:aws:iam::111122223333:role/ci/orders-deployer";

pub(super) fn today() -> Date {
    Date::new(2026, 11, 24).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The shipped set.
pub(super) fn shipped() -> PolicyFiles {
    PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", ALLOWLIST),
        rules: SourceFile::new("rules.cedar", RULES),
        inventory: SourceFile::new("inventory.toml", INVENTORY),
        schema: Some(SourceFile::new("sluicegate.cedarschema", PolicySet::schema_text())),
    }
}

/// The shipped set with another allowlist.
pub(super) fn with_allowlist(text: &str) -> PolicyFiles {
    PolicyFiles { allowlist: SourceFile::new("allowlist.toml", text), ..shipped() }
}

/// The shipped set with other rules.
pub(super) fn with_rules(text: &str) -> PolicyFiles {
    PolicyFiles { rules: SourceFile::new("rules.cedar", text), ..shipped() }
}

/// The shipped set with another inventory.
pub(super) fn with_inventory(text: &str) -> PolicyFiles {
    PolicyFiles { inventory: SourceFile::new("inventory.toml", text), ..shipped() }
}

pub(super) fn load(files: &PolicyFiles) -> PolicySet {
    try_load(files).expect("the set loads").set
}

pub(super) fn try_load(files: &PolicyFiles) -> Result<Loaded, Vec<Problem>> {
    PolicySet::load(files, today())
}

/// All problems of one file, warnings too, as they are printed.
pub(super) fn problems(files: &PolicyFiles, file: &str) -> Vec<String> {
    let problems = match try_load(files) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let own = problems.iter().filter(|problem| problem.file == file);
    own.map(ToString::to_string).collect()
}

/// The orders pipeline's own doing: allowed by the shipped set.
pub(super) fn finding() -> Finding {
    Finding {
        detection: Detection::MappingCreated,
        changes: vec![Change::Create],
        trigger: Trigger::Event,
        event: Event {
            id: "e-1".to_owned(),
            name: "CreateEventSourceMapping20150331".to_owned(),
            time: at("2026-11-24T11:59:58.123456Z"),
            request_id: "r-1".to_owned(),
        },
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        actor: Actor {
            kind: PrincipalKind::AssumedRole,
            arn: "arn:aws:sts::111122223333:assumed-role/orders-deployer/run-1".to_owned(),
            principal_arn: DEPLOYER.to_owned(),
            session_name: "run-1".to_owned(),
            account: "111122223333".to_owned(),
            invoked_by: "cloudformation.amazonaws.com".to_owned(),
            source_ip: "cloudformation.amazonaws.com".to_owned(),
            user_agent: "cloudformation.amazonaws.com".to_owned(),
            ..Actor::default()
        },
        call: MappingCall {
            verb: Verb::Create,
            uuid: "11111111-2222-3333-4444-555555555555".to_owned(),
            mapping_arn: String::new(),
            function: FunctionRef {
                arn: "arn:aws:lambda:eu-west-1:111122223333:function:orders-new".to_owned(),
                name: "orders-new".to_owned(),
                qualifier: String::new(),
                account: "111122223333".to_owned(),
            },
            names_function: true,
            source: SourceRef {
                kind: SourceKind::Sqs,
                arn: "arn:aws:sqs:eu-west-1:111122223333:orders-in".to_owned(),
                name: "orders-in".to_owned(),
                account: "111122223333".to_owned(),
            },
            enabled: None,
            wiring: Wiring::default(),
            state: "Creating".to_owned(),
            last_modified: None,
            mentions: Mentions::default(),
            withheld: false,
            disagrees: String::new(),
            asked: None,
        },
    }
}

/// Somebody whom no entry is for, from a laptop.
pub(super) fn rogue() -> Finding {
    let mut finding = finding();
    finding.actor = Actor {
        kind: PrincipalKind::AssumedRole,
        arn: "arn:aws:sts::111122223333:assumed-role/dev/mallory".to_owned(),
        principal_arn: "arn:aws:iam::111122223333:role/dev".to_owned(),
        session_name: "mallory".to_owned(),
        account: "111122223333".to_owned(),
        source_ip: "203.0.113.7".to_owned(),
        user_agent: "aws-cli/2.17".to_owned(),
        ..Actor::default()
    };
    finding
}

pub(super) fn facts() -> Facts {
    Facts {
        now: at("2026-11-24T12:00:00.987654321Z"),
        trigger: Trigger::Event,
        confirmed: true,
        findings_by_actor: 1,
        wrong_of_last_ten: 0,
        case_open: false,
        baseline_known: true,
    }
}

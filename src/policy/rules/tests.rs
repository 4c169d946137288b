#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use crate::policy::fixtures::{RULES, facts, load, problems, rogue, shipped, try_load, with_inventory, with_rules};
use crate::policy::{PolicyFiles, SourceFile};

/// The problems of the shipped rules with one more, as `line:column` from that rule's first line.
fn told(rule: &str) -> Vec<String> {
    let rules = format!("{RULES}\n{rule}");
    let first = RULES.lines().count() + 1;
    let own = |told: String| -> String {
        let mut parts = told.splitn(4, ':');
        let (_, line, column) = (parts.next(), parts.next().unwrap(), parts.next().unwrap());
        let line = line.parse::<usize>().unwrap() - first;
        format!("{line}:{column}:{}", parts.next().unwrap())
    };
    problems(&with_rules(&rules), "rules.cedar").into_iter().map(own).collect()
}

fn assert_told(rule: &str, expected: &str) {
    let told = told(rule);
    assert!(told.iter().any(|told| told.starts_with(expected)), "{rule}\nexpected {expected}\ngot {told:#?}");
}

fn forbid(condition: &str) -> String {
    format!(
        "@id(\"x\") @reason(\"y\")\nforbid (principal, action in Action::\"change\", resource)\nwhen {{ {condition} }};"
    )
}

#[test]
fn a_rule_that_is_right_is_not_told() {
    assert_eq!(told(&forbid("principal.path == \"/x/\"")), [] as [String; 0]);
}

#[test]
fn annotations() {
    assert_told("@reason(\"y\")\nforbid (principal, action, resource);", "1:1: error: the rule has no @id");
    assert_told("@id(\"x\")\nforbid (principal, action, resource);", "1:1: error: the rule has no @reason");
    assert_told(
        "@id(\"x\") @reason(\" \")\nforbid (principal, action, resource);",
        "1:1: error: the rule has no @reason",
    );
    assert_told(
        "@id(\"x\")\n@reson(\"y\")\nforbid (principal, action, resource);",
        "2:1: error: unknown annotation `@reson`; did you mean `reason`?",
    );
    assert_told(
        "@id(\"breaker\")\n@reason(\"y\")\nforbid (principal, action, resource);",
        "1:1: error: the id `breaker` is taken by the rule in line ",
    );
    assert_told("@id(\"a b\") @reason(\"y\")\nforbid (principal, action, resource);", "1:1: error: `a b` is no id");
    let permit = "permit (principal in Team::\"oncall\", action == Action::\"approve.leave\", resource);";
    for count in ["0", "two", "", "+2", "-1", "99"] {
        assert_told(
            &format!("@id(\"x\") @reason(\"y\")\n@approvals(\"{count}\")\n{permit}"),
            &format!("2:1: error: @approvals(\"{count}\") is no number of people"),
        );
    }
    assert_told(
        &format!("@id(\"x\") @reason(\"y\")\n@confirm(\"slack\")\n{permit}"),
        "2:1: error: @confirm(\"slack\") is unknown; write @confirm(\"aws\")",
    );
    assert_told(
        "@id(\"x\") @reason(\"y\") @approvals(\"2\")\nforbid (principal, action in Action::\"approve\", resource);",
        "1:23: error: @approvals means nothing on a forbid",
    );
}

#[test]
fn a_quorum_is_for_votes_only() {
    assert_told(
        "@id(\"x\") @reason(\"y\")\n@approvals(\"2\")\npermit (principal, action == Action::\"disable\", resource);",
        "2:1: error: @approvals means nothing here: nobody votes on what an actor may do",
    );
}

#[test]
fn a_rule_for_several_actions_is_told_once() {
    let told = told(&forbid("context.sourceIp.isLoopback()"));
    assert_eq!(told.len(), 1, "{told:#?}");
    let told = self::told(&forbid("principal.kind == PrincipalKind::\"Rot\""));
    assert!(told.len() == 1 && told[0].contains("not valid here: entity `PrincipalKind::\"Rot\"`"), "{told:#?}");
}

#[test]
fn a_broken_inventory_makes_no_rule_wrong() {
    let mut files = with_inventory("[accounts\n");
    files.rules.text.push_str("permit (");
    let problems = try_load(&files).unwrap_err();
    let places: Vec<(&str, usize)> = problems.iter().map(|problem| (problem.file.as_str(), problem.line)).collect();
    assert_eq!(places, [("inventory.toml", 1), ("rules.cedar", RULES.lines().count() + 1)], "{problems:#?}");
}

#[test]
fn names_that_nothing_stands_behind() {
    for (condition, expected) in [
        (
            "principal in AccountGroup::\"workload\"",
            "3:21: error: there is no account group `workload`, so this never matches; did you mean `workloads`?",
        ),
        (
            "resource in FunctionGroup::\"tier-0\"",
            "3:20: error: there is no function group `tier-0`, so this never matches; did you mean `tier0`?",
        ),
        (
            "principal in Account::\"111122223334\"",
            "3:21: error: account 111122223334 is not in the inventory; did you mean `111122223333`?",
        ),
        (
            "principal in Account::\"workloads\"",
            "3:21: error: `workloads` is no account, so this never matches; write AccountGroup::\"workloads\"",
        ),
        (
            "principal == Actor::\"arn:aws:iam::*:role/x\"",
            "3:21: error: Actor::\"arn:aws:iam::*:role/x\" never matches: an entity's id has no wildcards",
        ),
        ("principal == Actor::\"bob\"", "3:21: error: `bob` is no ARN"),
    ] {
        assert_told(&forbid(condition), expected);
    }
    assert_told(
        "@id(\"x\") @reason(\"y\")\npermit (principal in Team::\"on-call\", action == Action::\"approve.leave\", resource);",
        "2:22: error: there is no team `on-call`, so this never matches; did you mean `oncall`?",
    );
    assert_told(
        "@id(\"x\") @reason(\"y\")\npermit (principal == Approver::\"alise\", action == Action::\"approve.leave\", resource);",
        "2:22: error: `alise` is nobody in [people]; did you mean `alice`?",
    );
    assert_told(
        "@id(\"x\") @reason(\"y\")\nforbid (principal, action == Action::\"disabel\", resource);",
        "2:30: error: there is no action `disabel`, so this never matches; did you mean `disable`?",
    );
}

#[test]
fn misspelt_attributes_behind_has() {
    for condition in [
        "!(principal has nmae) || principal.name == \"x\"",
        "context.mfa || principal has nmae",
        "if principal has nmae then context.mfa else false",
    ] {
        let told = told(&forbid(condition));
        let expected = "error: `has nmae` is never true: principal has no such attribute; did you mean `name`?";
        assert!(told.iter().any(|told| told.contains(expected)), "{condition}: {told:#?}");
    }
    assert_told(
        "@id(\"x\") @reason(\"y\")\nforbid (principal, action in Action::\"change\", resource)\nunless { context has sourceIP };",
        "3:22: error: `has sourceIP` is never true: context has no such attribute; did you mean `sourceIp`?",
    );
    assert_eq!(told(&forbid("context has sourceIp && context.sourceIp.isLoopback()")), [] as [String; 0]);
}

#[test]
fn session_arns_never_match() {
    for condition in [
        "principal.arn == \"arn:aws:sts::111122223333:assumed-role/x/y\"",
        "principal.arn like \"arn:aws:sts::*:assumed-role/x/*\"",
        "[\"arn:aws:sts::111122223333:assumed-role/x/y\"].contains(principal.arn)",
        "principal == Actor::\"arn:aws:sts::111122223333:assumed-role/x/y\"",
    ] {
        let told = told(&forbid(condition));
        assert!(
            told.iter().any(|told| told.starts_with("3:") && told.contains("is a session's ARN, which never matches")),
            "{condition}: {told:#?}"
        );
    }
}

#[test]
fn arns_that_no_principal_has() {
    assert_told(
        &forbid("principal.arn == \"arn:aws:iam::1111:role/x\""),
        "3:25: error: `arn:aws:iam::1111:role/x`: `1111` is no account",
    );
    assert_told(
        &forbid("\"arn:aws:iam::*:role/x\" == principal.arn"),
        "3:8: error: == \"arn:aws:iam::*:role/x\" never matches",
    );
    assert_eq!(
        told(&forbid("principal.arn == \"arn:aws:iam::111122223333:role/x\" || principal.arn == \"\"")),
        [] as [String; 0]
    );
    assert_eq!(told(&forbid("resource.source.arn == \"arn:aws:sqs:eu-west-1:111122223333:q\"")), [] as [String; 0]);
}

#[test]
fn patterns_that_say_too_little() {
    assert_told(&forbid("principal.name like \"*\""), "3:28: error: like \"*\" matches everything");
    assert_told(&forbid("principal.name like \"**\""), "3:28: error: like \"**\" matches everything");
    assert_told(
        &forbid("principal.arn like \"*:role/ci-*\""),
        "3:27: warning: the `*` of like \"*:role/ci-*\" crosses",
    );
    assert_eq!(told(&forbid("principal.name like \"ci-*\"")), [] as [String; 0]);
}

#[test]
fn a_permit_for_everybody() {
    let permit = |rest: &str| {
        format!("@id(\"x\") @reason(\"y\")\npermit (principal, action == Action::\"create\", resource{rest};")
    };
    assert_told(&permit(")"), "1:1: error: this allows everybody everywhere");
    assert_told(&permit(") when { context.mfa }"), "1:1: error: this allows everybody everywhere");
    assert_told(&permit(") when { true }"), "1:1: error: this allows everybody everywhere");
    assert_told(&permit(" in Account::\"444455556666\")"), "1:1: warning: this allows everybody there");
    assert_eq!(told(&permit(") when { principal.path == \"/ci/\" }")), [] as [String; 0]);
}

#[test]
fn what_the_validator_finds_is_placed() {
    assert_told(&forbid("principal.nmae == \"x\""), "3:8: error: not valid here: attribute `nmae`");
    assert_told(&forbid("principal.kind == PrincipalKind::\"Rot\""), "3:");
    assert_told(&forbid("1 == 2"), "1:");
    assert_told(
        "@id(\"x\") @reason(\"y\")\npermit (principal, action == Action::\"create\" resource);",
        "2:47: error: this is not Cedar",
    );
    assert_told("@id(\"x\") @reason(\"y\")\npermit (principal == ?principal, action, resource);", "2:");
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let told = told(
        "@id(\"x\") permit (principal, action, resource;\n@id(\"y\") forbid (principal, action, resource);\nnonsense",
    );
    assert!(told.len() >= 3, "{told:#?}");
}

#[test]
fn an_empty_file_replaces_nothing() {
    for text in ["", "// nothing\n"] {
        let told = problems(&with_rules(text), "rules.cedar");
        assert_eq!(
            told,
            [
                "rules.cedar:1:1: error: the file holds no rule, so nobody could be allowed; start from the shipped rules.cedar"
            ]
        );
    }
}

#[test]
fn an_id_of_both_files_is_refused() {
    let mut files = shipped();
    files.allowlist.text = files.allowlist.text.replace("\"orders-pipeline\"", "\"breaker\"");
    let told = problems(&files, "allowlist.toml");
    assert!(told[0].contains("error: the id `breaker` is also a rule's in rules.cedar"), "{told:#?}");
}

#[test]
fn groups_that_nothing_uses_are_told() {
    let files =
        with_inventory(&crate::policy::fixtures::INVENTORY.replace("[\"workloads\"]", "[\"workloads\", \"spare\"]"));
    let told = problems(&files, "inventory.toml");
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("warning: the account group `spare` is used by no entry and no rule"), "{told:#?}");
}

#[test]
fn another_vocabulary_is_told_and_does_not_count() {
    let files = PolicyFiles { schema: Some(SourceFile::new("sluicegate.cedarschema", "entity Nobody;")), ..shipped() };
    let loaded = try_load(&files).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!(loaded.set.digest(), load(&shipped()).digest());
    assert!(!loaded.set.judge(&rogue(), &facts()).allowed);
}

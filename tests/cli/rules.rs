//! `check` on `rules.cedar`: what Cedar itself refuses, and what it lets through and cannot be meant.

use crate::check::{Wrong, refused};
use crate::harness::Place;

const RULES: &str = "policies/rules.cedar";

/// A set whose rules end with one more, whose first line is the returned number.
fn rule_at_the_end(text: &str) -> (Place, usize) {
    let place = Place::new();
    let before = std::fs::read_to_string(place.path(RULES)).unwrap();
    place.append(RULES, &format!("\n{text}\n"));
    (place, before.lines().count() + 2)
}

fn head(id: &str) -> String {
    format!("@id(\"{id}\")\n@reason(\"a test\")\n")
}

#[test]
fn broken_rules_are_refused_in_their_place() {
    let forbid = "forbid (principal, action in Action::\"change\", resource)\nwhen { ";
    let permit = "permit (principal, action == Action::\"disable\", resource)\nwhen { ";
    // Each is two lines of annotations, one of scope, and the condition in the fourth.
    for (body, line, message, suggestion) in [
        (format!("{forbid}principal.kindd == PrincipalKind::\"Root\" }};"), 3, "kindd", "kind"),
        (
            format!("{forbid}context has sessionNam || principal.kind == PrincipalKind::\"Root\" }};"),
            3,
            "has sessionNam",
            "",
        ),
        (format!("{permit}!(context has invokdBy) }};"), 3, "has invokdBy", "invokedBy"),
        (format!("{permit}true }} unless {{ context has mffa }};"), 3, "has mffa", "mfa"),
        (
            format!("{permit}principal.arn == \"arn:aws:sts::111122223333:assumed-role/dev/x\" }};"),
            3,
            "never matches",
            "role",
        ),
        (format!("{permit}principal.arn like \"arn:aws:sts::*:assumed-role/*\" }};"), 3, "never matches", "role"),
        (format!("{permit}principal in Account::\"111122223334\" }};"), 3, "111122223334", "111122223333"),
        (format!("{permit}principal in Account::\"workloads\" }};"), 3, "workloads", "AccountGroup"),
        (format!("{permit}resource in AccountGroup::\"workload\" }};"), 3, "workload", "workloads"),
        (format!("{permit}resource in FunctionGroup::\"tier1\" }};"), 3, "tier1", "tier0"),
        (format!("{permit}principal.kind == PrincipalKind::\"Rooot\" }};"), 3, "Rooot", "Root"),
        (format!("{permit}context.findingsByActor >= \"ten\" }};"), 3, "Long", ""),
        (format!("{permit}principal.arn = \"x\" }};"), 3, "=", ""),
        (format!("{permit}ip(\"10.0.0.0/99\").isLoopback() }};"), 3, "10.0.0.0/99", ""),
    ] {
        let (place, first) = rule_at_the_end(&(head("extra") + &body));
        refused(&place, &Wrong { file: RULES, lines: first..=first + line, message, suggestion, what: &body });
    }
}

#[test]
fn scopes_that_name_nothing() {
    for (scope, message, suggestion) in [
        ("permit (principal, action == Action::\"disabel\", resource);", "disabel", "disable"),
        (
            "permit (principal in Team::\"securtiy\", action == Action::\"approve.keep\", resource);",
            "securtiy",
            "security",
        ),
        (
            "permit (principal == Actor::\"arn:aws:sts::111122223333:assumed-role/dev/x\", action == Action::\"disable\", resource);",
            "never matches",
            "role",
        ),
        (
            "permit (principal == Actor::\"arn:aws:iam::*:role/dev\", action == Action::\"disable\", resource);",
            "has no wildcards",
            "principal.path",
        ),
        (
            "permit (principal == Approver::\"alicia\", action == Action::\"approve.keep\", resource);",
            "alicia",
            "alice",
        ),
        ("permit (principal in Teem::\"security\", action == Action::\"approve.keep\", resource);", "Teem", "Team"),
        (
            "permit (principal, action in Action::\"change\", resource);",
            "this allows everybody everywhere",
            "context.allowlisted",
        ),
    ] {
        let (place, first) = rule_at_the_end(&(head("extra") + scope));
        refused(&place, &Wrong { file: RULES, lines: first..=first + 2, message, suggestion, what: scope });
    }
}

#[test]
fn annotations_that_are_missing_twice_or_unknown() {
    let rule = "permit (principal, action == Action::\"disable\", resource);";
    let vote = "permit (principal in Team::\"security\", action == Action::\"approve.keep\", resource);";
    for (text, message, suggestion) in [
        (format!("@reason(\"x\")\n{rule}"), "the rule has no @id", "add @id"),
        (format!("@id(\"extra\")\n{rule}"), "the rule has no @reason", "say why"),
        (format!("@id(\"extra\")\n@reason(\" \")\n{rule}"), "the rule has no @reason", "say why"),
        (
            format!("@id(\"never-root\")\n@reason(\"x\")\n{rule}"),
            "the id `never-root` is taken by the rule in line",
            "one rule",
        ),
        (format!("@id(\"a b\")\n@reason(\"x\")\n{rule}"), "`a b` is no id", "letters"),
        (format!("{}@aprovals(\"2\")\n{vote}", head("extra")), "unknown annotation `@aprovals`", "approvals"),
        (
            format!("{}@approvals(\"two\")\n{vote}", head("extra")),
            "@approvals(\"two\") is no number",
            "@approvals(\"2\")",
        ),
        (format!("{}@approvals(\"0\")\n{vote}", head("extra")), "@approvals(\"0\") is no number", "@approvals(\"2\")"),
        (
            format!("{}@confirm(\"slack\")\n{vote}", head("extra")),
            "@confirm(\"slack\") is unknown",
            "@confirm(\"aws\")",
        ),
        (format!("@id(\"extra\")\n@id(\"other\")\n@reason(\"x\")\n{rule}"), "id", ""),
    ] {
        let (place, first) = rule_at_the_end(&text);
        refused(&place, &Wrong { file: RULES, lines: first..=first + 3, message, suggestion, what: &text });
    }
}

#[test]
fn syntax_errors_stand_where_they_are() {
    for text in [
        "permit (principal, action, resource)",
        "permit (principal action, resource);",
        "allow (principal, action, resource);",
        "}",
        "@id(\"x\"",
        "\"never closed",
    ] {
        let (place, first) = rule_at_the_end(text);
        refused(&place, &Wrong { file: RULES, lines: first..=first + 1, message: "", suggestion: "", what: text });
    }
}

//! `@id`, `@reason`, `@owner`, `@approvals`, `@confirm`: what a rule says of itself. Cedar takes any; we take these.

use super::{Parsed, RuleInfo};
use crate::policy::files::Notes;
use crate::policy::suggest;
use cedar_policy::{ActionConstraint, Effect, EntityUid};
use std::collections::BTreeMap;

const KNOWN: [&str; 5] = ["id", "reason", "owner", "approvals", "confirm"];

/// What each rule says of itself, by id.
pub(super) fn read(parsed: &[Parsed], notes: &mut Notes<'_>) -> BTreeMap<String, RuleInfo> {
    let mut rules: BTreeMap<String, RuleInfo> = BTreeMap::new();
    for rule in parsed {
        let at = rule.statement.at;
        for (key, _) in rule.policy.annotations().filter(|(key, _)| !KNOWN.contains(key)) {
            let place = rule.statement.find(&format!("@{key}"));
            notes.error(place, format!("unknown annotation `@{key}`"), suggest::instead_of(key, KNOWN));
        }
        let info = RuleInfo {
            reason: required(rule, "reason", "say why, for the person who is woken by it", notes),
            approvals: approvals(rule, notes),
            confirm_aws: confirm(rule, notes),
            at,
        };
        let id = required(rule, "id", "verdicts name rules by it", notes);
        if id.is_empty() {
            continue;
        }
        let place = rule.statement.find("@id");
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !id.chars().all(fine) {
            notes.error(place, format!("`{id}` is no id"), "use letters, digits, `-`, `_` and `.`");
        }
        if let Some(first) = rules.get(&id) {
            let line = notes.place(first.at).0;
            notes.error(place, format!("the id `{id}` is taken by the rule in line {line}"), "an id names one rule");
            continue;
        }
        rules.insert(id, info);
    }
    rules
}

fn required(rule: &Parsed, key: &str, why: &str, notes: &mut Notes<'_>) -> String {
    let value = rule.policy.annotation(key).unwrap_or("");
    if value.trim().is_empty() {
        notes.error(rule.statement.at, format!("the rule has no @{key}"), format!("add @{key}(\"…\"): {why}"));
    }
    value.to_owned()
}

fn approvals(rule: &Parsed, notes: &mut Notes<'_>) -> u32 {
    let Some(value) = rule.policy.annotation("approvals") else {
        return 1;
    };
    only_on_approvals(rule, "approvals", notes);
    match value.parse::<u32>() {
        Ok(count) if (1..=20).contains(&count) && !value.starts_with('+') => count,
        _ => {
            let place = rule.statement.find("@approvals");
            notes.error(place, format!("@approvals(\"{value}\") is no number of people"), "write @approvals(\"2\")");
            1
        }
    }
}

fn confirm(rule: &Parsed, notes: &mut Notes<'_>) -> bool {
    let Some(value) = rule.policy.annotation("confirm") else {
        return false;
    };
    only_on_approvals(rule, "confirm", notes);
    if value != "aws" {
        let place = rule.statement.find("@confirm");
        notes.error(place, format!("@confirm(\"{value}\") is unknown"), "write @confirm(\"aws\")");
    }
    true
}

fn only_on_approvals(rule: &Parsed, key: &str, notes: &mut Notes<'_>) {
    let approves = |action: &EntityUid| action.id().unescaped().starts_with("approve");
    let decides = match rule.policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(actions) => actions.iter().any(approves),
        ActionConstraint::Eq(action) => approves(&action),
    };
    let place = rule.statement.find(&format!("@{key}"));
    if rule.policy.effect() == Effect::Forbid {
        notes.error(place, format!("@{key} means nothing on a forbid"), "put it on the permit");
    } else if !decides {
        notes.error(
            place,
            format!("@{key} means nothing here: nobody votes on what an actor may do"),
            "put it on a permit of approve.… actions",
        );
    }
}

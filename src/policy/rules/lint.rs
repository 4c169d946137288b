//! What strict validation lets through and yet cannot be meant.

use super::literals::is_session;
use super::{Parsed, Vocabulary};
use crate::policy::files::Notes;
use crate::policy::principal::PrincipalPattern;
use crate::policy::suggest;
use cedar_policy::{ActionConstraint, Effect, PrincipalConstraint, ResourceConstraint};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn check(rule: &Parsed, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let json = match rule.policy.to_json() {
        Ok(json) => json,
        Err(error) => {
            notes.error(rule.statement.at, format!("the rule cannot be examined: {error}"), "");
            return;
        }
    };
    let mut texts = BTreeSet::new();
    visit(&json, &mut |node| {
        if let Some(has) = node.get("has") {
            misspelt(rule, has, vocabulary, notes);
        }
        if let Some(like) = node.get("like") {
            pattern(rule, like, &mut texts, notes);
        }
        if let Some(text) = node.get("Value").and_then(Value::as_str) {
            texts.insert(text.to_owned());
        }
    });
    texts.extend(rule.policy.entity_literals().iter().map(|uid| uid.id().unescaped().to_owned()));
    for text in texts.iter().filter(|text| is_session(text)) {
        notes.error(
            rule.statement.find(text),
            format!("`{text}` is a session's ARN, which never matches: policy looks at the role behind it"),
            "compare with the role, arn:aws:iam::ACCOUNT:role/PATH/NAME, and with principal.sessionName",
        );
    }
    visit(&json, &mut |node| {
        if let Some(comparison) = node.get("==") {
            never_an_actor(rule, comparison, notes);
        }
    });
    everybody(rule, &json, notes);
}

/// `principal.arn == "…"` with what is no role's, user's or root's ARN.
fn never_an_actor(rule: &Parsed, comparison: &Value, notes: &mut Notes<'_>) {
    let sides = [comparison.get("left"), comparison.get("right")];
    let is_arn = |side: &&Value| path(side).is_some_and(|path| path == ["principal", "arn"]);
    let text = |side: &Value| side.get("Value").and_then(Value::as_str).map(str::to_owned);
    if !sides.iter().flatten().any(is_arn) {
        return;
    }
    // `""` is what the ARN of somebody unidentified holds.
    for text in sides.into_iter().flatten().filter_map(text) {
        if text.is_empty() || is_session(&text) {
            continue;
        }
        let place = rule.statement.find(&format!("\"{text}\""));
        match PrincipalPattern::parse(&text) {
            Err(wrong) => notes.error(place, wrong.message, wrong.suggestion),
            Ok(pattern) if !pattern.glob.is_literal() => notes.error(
                place,
                format!("== \"{text}\" never matches: only `like` has wildcards"),
                "compare principal.path and principal.name",
            ),
            Ok(_) => {}
        }
    }
}

/// Every object in a JSON value, outermost first.
fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(fields) => {
            see(value);
            fields.values().for_each(|field| visit(field, see));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `["resource", "source"]` for `resource.source`.
fn path(expression: &Value) -> Option<Vec<String>> {
    if let Some(variable) = expression.get("Var").and_then(Value::as_str) {
        return Some(vec![variable.to_owned()]);
    }
    let access = expression.get(".")?;
    let mut path = path(access.get("left")?)?;
    path.push(access.get("attr")?.as_str()?.to_owned());
    Some(path)
}

fn misspelt(rule: &Parsed, has: &Value, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let Some(attribute) = has.get("attr").and_then(Value::as_str) else {
        return;
    };
    let path = has.get("left").and_then(path);
    let known = path
        .as_ref()
        .and_then(|path| vocabulary.attributes_behind(path))
        .unwrap_or_else(|| vocabulary.all_attributes());
    if known.contains(attribute) {
        return;
    }
    let owner = path.map_or_else(|| "it".to_owned(), |path| path.join("."));
    notes.error(
        rule.statement.find(attribute),
        format!("`has {attribute}` is never true: {owner} has no such attribute"),
        suggest::instead_of(attribute, known),
    );
}

fn pattern(rule: &Parsed, like: &Value, texts: &mut BTreeSet<String>, notes: &mut Notes<'_>) {
    let parts = like.get("pattern").and_then(Value::as_array);
    let parts: Vec<&Value> = parts.into_iter().flatten().collect();
    let literals: Vec<&str> = parts.iter().filter_map(|part| part.get("Literal").and_then(Value::as_str)).collect();
    let wildcards = parts.len() - literals.len();
    let text: String = parts.iter().map(|part| part.get("Literal").and_then(Value::as_str).unwrap_or("*")).collect();
    let place = match rule.statement.find(&format!("\"{text}\"")) {
        at if at == rule.statement.at => rule.statement.find("like"),
        at => at,
    };
    let left = like.get("left").and_then(path).unwrap_or_default();
    let attribute = left.last().map_or("", String::as_str);
    if wildcards > 0 && literals.concat().trim().is_empty() {
        notes.error(
            place,
            format!("like \"{text}\" matches everything"),
            "leave it out, or write some text that tells",
        );
    } else if wildcards > 0 && attribute == "arn" {
        notes.warning(
            place,
            format!("the `*` of like \"{text}\" crosses `/` and `:`, so it also matches deeper paths"),
            "compare principal.path and principal.name, or resource.source.name, instead",
        );
    }
    texts.insert(text);
}

/// A permit for a change that nothing about the actor narrows.
fn everybody(rule: &Parsed, json: &Value, notes: &mut Notes<'_>) {
    const CHANGES: [&str; 5] = ["change", "create", "enable", "repoint", "rewire"];
    let policy = &rule.policy;
    let change = |action: &cedar_policy::EntityUid| CHANGES.contains(&action.id().unescaped());
    let permits_change = match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(actions) => actions.iter().any(change),
        ActionConstraint::Eq(action) => change(&action),
    };
    if policy.effect() != Effect::Permit || !permits_change {
        return;
    }
    let scoped = !matches!(policy.principal_constraint(), PrincipalConstraint::Any | PrincipalConstraint::Is(_));
    let mut narrowing = BTreeSet::new();
    visit(json.get("conditions").unwrap_or(&Value::Null), &mut |node| {
        if let Some(path) = path(node) {
            narrowing.insert(path.join("."));
        }
    });
    let by_actor =
        |path: &String| path.starts_with("principal.") || path == "principal" || path == "context.allowlisted";
    if scoped || narrowing.iter().any(by_actor) {
        return;
    }
    let anywhere = matches!(policy.resource_constraint(), ResourceConstraint::Any | ResourceConstraint::Is(_))
        && !narrowing.iter().any(|path| path.starts_with("resource"));
    if anywhere {
        notes.error(
            rule.statement.at,
            "this allows everybody everywhere: nothing in it says who",
            "add a condition on the principal, or `when { context.allowlisted }`",
        );
    } else {
        notes.warning(
            rule.statement.at,
            "this allows everybody there: nothing in it says who",
            "add a condition on the principal, or `when { context.allowlisted }`",
        );
    }
}

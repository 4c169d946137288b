//! Names that a rule uses and nothing stands behind: Cedar finds them fine, and the rule then never matches.

use super::{Parsed, Vocabulary};
use crate::policy::files::Notes;
use crate::policy::inventory::{Inventory, is_account};
use crate::policy::principal::PrincipalPattern;
use crate::policy::suggest;
use std::collections::BTreeSet;

pub(super) fn check(rule: &Parsed, vocabulary: &Vocabulary, inventory: &Inventory, notes: &mut Notes<'_>) {
    let literals: BTreeSet<(String, String)> = rule
        .policy
        .entity_literals()
        .into_iter()
        .map(|uid| (uid.type_name().to_string(), uid.id().unescaped().to_owned()))
        .collect();
    for (kind, id) in literals {
        let at = rule.statement.find(&format!("{kind}::\"{id}\""));
        match kind.as_str() {
            "Account" => account(&id, at, inventory, notes),
            "AccountGroup" => {
                let known = inventory.account_groups();
                known_name("account group", &id, at, known.keys().copied(), notes);
            }
            "FunctionGroup" => {
                let known = inventory.functions.keys().map(String::as_str);
                known_name("function group", &id, at, known, notes);
            }
            "Team" => {
                let known = inventory.teams.keys().map(String::as_str);
                known_name("team", &id, at, known, notes);
            }
            "Action" => {
                let known = vocabulary.actions();
                known_name("action", &id, at, known.iter().map(String::as_str), notes);
            }
            "Actor" => actor(&id, at, notes),
            "Approver" => approver(&id, at, inventory, notes),
            _ => {}
        }
    }
}

fn known_name<'a>(what: &str, id: &str, at: usize, known: impl Iterator<Item = &'a str>, notes: &mut Notes<'_>) {
    let known: Vec<&str> = known.collect();
    if known.contains(&id) {
        return;
    }
    let suggestion = match suggest::instead_of(id, known) {
        none if none.is_empty() => "the inventory has none: add it there".to_owned(),
        suggestion => suggestion,
    };
    notes.error(at, format!("there is no {what} `{id}`, so this never matches"), suggestion);
}

fn account(id: &str, at: usize, inventory: &Inventory, notes: &mut Notes<'_>) {
    if !is_account(id) {
        let suggestion = if inventory.account_groups().contains_key(id) {
            format!("write AccountGroup::\"{id}\"")
        } else {
            "an account has twelve digits".to_owned()
        };
        notes.error(at, format!("`{id}` is no account, so this never matches"), suggestion);
    } else if inventory.lists(id) == Some(false) {
        let suggestion = match suggest::nearest(id, inventory.account_ids()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to [accounts]".to_owned(),
        };
        notes.error(at, format!("account {id} is not in the inventory"), suggestion);
    }
}

fn actor(id: &str, at: usize, notes: &mut Notes<'_>) {
    // Session ARNs are told for every text of a rule, wherever they stand.
    if is_session(id) {
        return;
    }
    match PrincipalPattern::parse(id) {
        Err(wrong) => notes.error(at, wrong.message, wrong.suggestion),
        Ok(pattern) if !pattern.glob.is_literal() => notes.error(
            at,
            format!("Actor::\"{id}\" never matches: an entity's id has no wildcards"),
            "compare principal.path and principal.name, or write principal.arn like \"…\"",
        ),
        Ok(_) => {}
    }
}

fn approver(id: &str, at: usize, inventory: &Inventory, notes: &mut Notes<'_>) {
    let slack = id.starts_with(['U', 'W']) && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if slack || id.starts_with("arn:") || inventory.people.contains_key(id) {
        return;
    }
    let suggestion = match suggest::nearest(id, inventory.people.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "an approver is a name of [people], a Slack user id or an IAM ARN".to_owned(),
    };
    notes.error(at, format!("`{id}` is nobody in [people]"), suggestion);
}

/// Whether a text is, or is to match, a session's ARN.
pub(super) fn is_session(text: &str) -> bool {
    text.contains(":assumed-role/") || (text.starts_with("arn:") && text.split(':').nth(2) == Some("sts"))
}

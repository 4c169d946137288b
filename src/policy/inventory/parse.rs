//! Reads `inventory.toml`, telling everything that is wrong with it.

use super::{Account, FunctionGroup, Identity, Inventory, Member, PersonEntry, Team};
use crate::policy::files::Notes;
use crate::policy::glob::Glob;
use crate::policy::principal::PrincipalPattern;
use crate::policy::suggest;
use crate::policy::toml_doc::{self, Row, Text};
use std::collections::{BTreeMap, HashMap};

const SECTIONS: [&str; 5] = ["accounts", "functions", "protected", "people", "teams"];

/// The inventory, as far as it is right; `None` where it is no TOML.
pub(in crate::policy) fn parse(notes: &mut Notes<'_>) -> Option<Inventory> {
    let table = toml_doc::parse(notes)?;
    let document = Row::new(&table, 0);
    document.allow_only(&SECTIONS, notes);
    let mut inventory = Inventory {
        accounts: section(&document, "accounts", notes).map(|row| accounts(&row, notes)),
        ..Inventory::default()
    };
    if let Some(row) = section(&document, "functions", notes) {
        inventory.functions = functions(&row, notes);
    }
    if let Some(row) = section(&document, "protected", notes) {
        row.allow_only(&["principals"], notes);
        inventory.protected = protected(&row, notes);
    }
    if let Some(row) = section(&document, "people", notes) {
        inventory.people = people(&row, notes);
    }
    if let Some(row) = section(&document, "teams", notes) {
        inventory.teams = teams(&row, &inventory.people, notes);
    }
    Some(inventory)
}

fn section<'t>(document: &Row<'t>, key: &str, notes: &mut Notes<'_>) -> Option<Row<'t>> {
    Row::of(document.get(key)?, &format!("`{key}`"), notes)
}

fn accounts(row: &Row<'_>, notes: &mut Notes<'_>) -> BTreeMap<String, Account> {
    let mut accounts = BTreeMap::new();
    if row.entries().is_empty() {
        notes.error(
            row.at,
            "`[accounts]` lists no account, which would make every account foreign",
            "list your accounts, or leave the section out",
        );
    }
    for (id, value) in row.entries() {
        if !is_account(&id.value) {
            notes.error(id.at, format!("`{}` is no account", id.value), "an account has twelve digits");
        }
        let Some(entry) = Row::of(value, &format!("account {}", id.value), notes) else {
            continue;
        };
        entry.allow_only(&["name", "groups"], notes);
        entry.text("name", notes);
        let groups = entry.texts("groups", notes).unwrap_or_default();
        for group in &groups {
            check_name(group, "account group", notes);
        }
        let groups = groups.into_iter().map(|group| (group.value, group.at)).collect();
        accounts.insert(id.value, Account { groups });
    }
    accounts
}

fn functions(row: &Row<'_>, notes: &mut Notes<'_>) -> BTreeMap<String, FunctionGroup> {
    let mut groups = BTreeMap::new();
    for (name, value) in row.entries() {
        check_name(&name, "function group", notes);
        let Some(entry) = Row::of(value, &format!("function group `{}`", name.value), notes) else {
            continue;
        };
        entry.allow_only(&["names"], notes);
        if !entry.has("names") {
            let message = format!("function group `{}` has no `names`", name.value);
            notes.error(name.at, message, "add names = [\"payments-*\"]");
        }
        let names = entry.texts("names", notes).unwrap_or_default();
        for pattern in names.iter().filter(|pattern| pattern.value.contains([':', '/'])) {
            let message = format!("`{}` is no function's name", pattern.value);
            notes.error(pattern.at, message, "write the bare name, without ARN and qualifier");
        }
        let names = names.iter().map(|pattern| Glob::name(&pattern.value)).collect();
        groups.insert(name.value, FunctionGroup { names, at: name.at });
    }
    groups
}

fn protected(row: &Row<'_>, notes: &mut Notes<'_>) -> Vec<PrincipalPattern> {
    let texts = row.texts("principals", notes).unwrap_or_default();
    let mut patterns = Vec::new();
    for text in texts {
        match PrincipalPattern::parse(&text.value) {
            Ok(pattern) => patterns.push(pattern),
            Err(wrong) => notes.error(text.at, wrong.message, wrong.suggestion),
        }
    }
    patterns
}

fn people(row: &Row<'_>, notes: &mut Notes<'_>) -> BTreeMap<String, PersonEntry> {
    let mut people = BTreeMap::new();
    let mut taken: HashMap<String, String> = HashMap::new();
    for (name, value) in row.entries() {
        check_name(&name, "person", notes);
        if is_slack(&name.value) {
            let message = format!("the person `{}` is named like a Slack id", name.value);
            notes.error(name.at, message, "choose a name in small letters");
        }
        let Some(entry) = Row::of(value, &format!("person `{}`", name.value), notes) else {
            continue;
        };
        entry.allow_only(&["slack", "aws", "email"], notes);
        let slack = entry.text("slack", notes);
        if let Some(slack) = slack.as_ref().filter(|slack| !is_slack_user(&slack.value)) {
            let message = format!("`{}` is no Slack user id", slack.value);
            notes.error(slack.at, message, "it begins with U or W and stands in the user's Slack profile");
        }
        let email = entry.text("email", notes);
        if let Some(email) = email.as_ref().filter(|email| !email.value.contains('@')) {
            notes.error(email.at, format!("`{}` is no e-mail address", email.value), "");
        }
        let aws = entry.texts("aws", notes).unwrap_or_default();
        for text in slack.iter().chain(&email).chain(&aws) {
            let holder = taken.entry(text.value.to_lowercase()).or_insert_with(|| name.value.clone());
            if *holder != name.value {
                let message = format!("`{}` is already `{holder}`'s", text.value);
                notes.error(text.at, message, "two people would count as one: give it to one of them");
            }
        }
        let person = PersonEntry {
            slack: slack.map(|text| text.value).unwrap_or_default(),
            email: email.map(|text| text.value).unwrap_or_default(),
            aws: aws.iter().filter_map(|text| identity(text, notes)).collect(),
            at: name.at,
        };
        people.insert(name.value, person);
    }
    people
}

fn identity(text: &Text, notes: &mut Notes<'_>) -> Option<Identity> {
    let identity = Identity::parse(&text.value, text.at);
    match identity.as_ref().map(Identity::ambiguity) {
        None => notes.error(
            text.at,
            format!("`{}` names no role, session or user", text.value),
            "write arn:aws:iam::ACCOUNT:user/NAME, arn:aws:iam::ACCOUNT:role/NAME, \
             or arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION",
        ),
        Some(Some(both)) => notes.warning(
            text.at,
            format!("`{}` may be a role with a path or a role's session; both are taken", text.value),
            both,
        ),
        Some(None) => {}
    }
    identity
}

fn teams(row: &Row<'_>, people: &BTreeMap<String, PersonEntry>, notes: &mut Notes<'_>) -> BTreeMap<String, Team> {
    let mut teams = BTreeMap::new();
    for (name, _) in row.entries() {
        check_name(&name, "team", notes);
        let texts = row.texts(&name.value, notes).unwrap_or_default();
        let members = texts.iter().filter_map(|text| member(text, people, notes)).collect();
        teams.insert(name.value, Team { members, at: name.at });
    }
    teams
}

fn member(text: &Text, people: &BTreeMap<String, PersonEntry>, notes: &mut Notes<'_>) -> Option<Member> {
    let value = text.value.as_str();
    if people.contains_key(value) {
        return Some(Member::Person(value.to_owned()));
    }
    if value.starts_with("arn:") {
        let identity = Identity::parse(value, text.at);
        if identity.is_none() {
            let message = format!("`{value}` names no role or user");
            notes.error(text.at, message, "write arn:aws:iam::ACCOUNT:role/NAME or …:user/NAME");
        }
        return identity.map(|identity| Member::Identity(Box::new(identity.without_guess())));
    }
    if is_slack(value) {
        return Some(Member::Slack(value.to_owned()));
    }
    let suggestion = match suggest::nearest(value, people.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a member is a name of [people], a Slack user (U…) or user group (S…), or an IAM ARN".to_owned(),
    };
    notes.error(text.at, format!("`{value}` is nobody in [people]"), suggestion);
    None
}

fn check_name(name: &Text, what: &str, notes: &mut Notes<'_>) {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.is_empty() || !name.value.chars().all(fine) {
        let message = format!("`{}` cannot name a {what}", name.value);
        notes.error(name.at, message, "use letters, digits, `-`, `_` and `.`");
    }
}

/// Twelve digits.
pub(in crate::policy) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_slack_user(text: &str) -> bool {
    text.starts_with(['U', 'W']) && is_slack(text)
}

fn is_slack(text: &str) -> bool {
    text.len() > 2
        && text.starts_with(['U', 'W', 'S'])
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

//! The values of an entry's keys: each is read for what it can match, and refused where that is nothing.

use super::entry::SourcePattern;
use crate::cloudtrail::PrincipalKind;
use crate::detection::Change;
use crate::mapping::SourceKind;
use crate::policy::files::Notes;
use crate::policy::glob::Glob;
use crate::policy::inventory::{Inventory, is_account};
use crate::policy::names::{self, CHANGES, PRINCIPAL_KINDS, SOURCE_KINDS};
use crate::policy::principal::PrincipalPattern;
use crate::policy::suggest;
use crate::policy::toml_doc::{Row, Text};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) fn principal(text: &Text, notes: &mut Notes<'_>) -> Option<PrincipalPattern> {
    let pattern = match PrincipalPattern::parse(&text.value) {
        Ok(pattern) => pattern,
        Err(wrong) => {
            notes.error(text.at, wrong.message, wrong.suggestion);
            return None;
        }
    };
    if !pattern.names_somebody() {
        notes.error(
            text.at,
            format!("principal `{}` names no role or user: it is everybody there", text.value),
            "name a path or a name at least in part; sessions, addresses and user agents identify nobody",
        );
    } else if pattern.is_root() {
        notes.warning(
            text.at,
            format!("principal `{}` is a root user", text.value),
            "the shipped rules forbid root whatever the allowlist says; use a role",
        );
    } else if !pattern.glob.is_literal() && pattern.literal_length() < 2 {
        notes.warning(text.at, format!("principal `{}` is very wide", text.value), "name more of the path or the name");
    }
    Some(pattern)
}

pub(super) fn kind(text: &Text, notes: &mut Notes<'_>) -> Option<PrincipalKind> {
    let kind = names::value(&PRINCIPAL_KINDS, &text.value);
    if kind.is_none() || kind == Some(PrincipalKind::Unknown) {
        let known = names::words(&PRINCIPAL_KINDS).filter(|known| *known != "Unknown");
        let message = match kind {
            None => format!("there is no kind of principal `{}`", text.value),
            Some(_) => "an unknown principal is nobody's, so it cannot be allowed".to_owned(),
        };
        notes.error(text.at, message, suggest::instead_of(&text.value, known));
        return None;
    }
    kind
}

pub(super) fn service(text: &Text, notes: &mut Notes<'_>) -> Option<String> {
    let value = &text.value;
    if !value.contains('.') || value.contains('*') {
        notes.error(
            text.at,
            format!("`{value}` is no service as CloudTrail's `invokedBy` names it"),
            format!("write {}.amazonaws.com", value.trim_end_matches(['*', '.'])),
        );
        return None;
    }
    Some(value.clone())
}

pub(super) fn region(text: &Text, notes: &mut Notes<'_>) -> Option<String> {
    let parts: Vec<&str> = text.value.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fine = match parts.as_slice() {
        [place, .., last] if parts.len() >= 3 => {
            place.len() >= 2 && number(last) && parts[..parts.len() - 1].iter().all(word)
        }
        _ => false,
    };
    if !fine {
        notes.error(
            text.at,
            format!("`{}` is no region", text.value),
            "write each region in full, for example eu-west-1",
        );
        return None;
    }
    Some(text.value.clone())
}

pub(super) fn function(text: &Text, notes: &mut Notes<'_>) -> Option<Glob> {
    if text.value.contains([':', '/']) {
        let bare = text.value.split_once(":function:").map_or("", |(_, rest)| rest);
        let bare = bare.split(':').next().filter(|name| !name.is_empty()).unwrap_or("orders-*");
        notes.error(
            text.at,
            format!("`{}` is no function's name", text.value),
            format!("write the bare name, without ARN and qualifier: \"{bare}\""),
        );
        return None;
    }
    Some(Glob::name(&text.value))
}

pub(super) fn source(text: &Text, notes: &mut Notes<'_>) -> Option<SourcePattern> {
    let (word, name) = match text.value.split_once(':') {
        Some((word, name)) => (word, Some(name)),
        None => (text.value.as_str(), None),
    };
    let kind = names::value(&SOURCE_KINDS, word).filter(|kind| *kind != SourceKind::Unknown);
    let Some(kind) = kind else {
        let known = names::words(&SOURCE_KINDS).filter(|known| *known != "unknown");
        let suggestion = if text.value.starts_with("arn:") {
            "write kind:name, for example sqs:orders-*".to_owned()
        } else {
            suggest::instead_of(word, known)
        };
        notes.error(text.at, format!("there is no kind of source `{word}`"), suggestion);
        return None;
    };
    if name == Some("") {
        notes.error(
            text.at,
            format!("`{}` lacks the source's name", text.value),
            format!("write {word}:NAME, or {word} for any"),
        );
        return None;
    }
    Some(SourcePattern { kind, name: name.map(Glob::name) })
}

pub(super) fn network(text: &Text, notes: &mut Notes<'_>) -> Option<IpNet> {
    let value = text.value.as_str();
    let Ok(net) = value.parse::<IpNet>() else {
        let suggestion = match value.parse::<IpAddr>() {
            Ok(address) => format!("for this address alone write {}", IpNet::from(address)),
            Err(_) => "write 10.20.0.0/16 or 2001:db8:20::/48".to_owned(),
        };
        notes.error(text.at, format!("`{value}` is no network in CIDR notation"), suggestion);
        return None;
    };
    if net.trunc() != net {
        notes.error(
            text.at,
            format!("`{value}` has host bits set: it is unclear which network is meant"),
            format!("write {}", net.trunc()),
        );
    } else if net.prefix_len() == 0 {
        notes.warning(text.at, format!("`{value}` is every address"), "leave `addresses` out for any");
    }
    Some(net.trunc())
}

pub(super) fn action(text: &Text, notes: &mut Notes<'_>) -> Option<Change> {
    names::read(&CHANGES, text, "action", notes)
}

pub(super) fn accounts(
    row: &Row<'_>,
    inventory: &Inventory,
    notes: &mut Notes<'_>,
) -> (Option<BTreeSet<String>>, Vec<String>) {
    let Some(texts) = row.texts("accounts", notes) else {
        return (None, Vec::new());
    };
    let mut accounts = BTreeSet::new();
    let mut groups = Vec::new();
    for text in texts {
        let value = text.value.as_str();
        if let Some(group) = value.strip_prefix("group:") {
            let known = inventory.account_groups();
            if !known.contains_key(group) {
                let suggestion = suggest::instead_of(group, known.keys().copied());
                let message = format!("the account group `{group}` is not in the inventory");
                notes.error(text.at, message, suggestion);
            }
            accounts.extend(inventory.accounts_in(group));
            groups.push(group.to_owned());
        } else if !is_account(value) {
            let message = format!("`{value}` is no account");
            let suggestion = if inventory.account_groups().contains_key(value) {
                format!("write group:{value}")
            } else {
                "write twelve digits, or group:NAME".to_owned()
            };
            notes.error(text.at, message, suggestion);
        } else {
            if inventory.lists(value) == Some(false) {
                let suggestion = match suggest::nearest(value, inventory.account_ids()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "add it to [accounts]".to_owned(),
                };
                notes.error(text.at, format!("account {value} is not in the inventory"), suggestion);
            }
            accounts.insert(value.to_owned());
        }
    }
    (Some(accounts), groups)
}

//! Reads `allowlist.toml`, telling everything that is wrong with it.

use super::values::{accounts, action, function, kind, network, principal, region, service, source};
use super::{Allowlist, Entry, lint};
use crate::detection::Change;
use crate::policy::files::Notes;
use crate::policy::glob::Glob;
use crate::policy::inventory::Inventory;
use crate::policy::toml_doc::{self, Row, Text};
use jiff::civil::Date;
use std::collections::HashMap;
use toml::de::DeValue;

const KEYS: [&str; 16] = [
    "id",
    "owner",
    "reason",
    "expires",
    "principal",
    "kinds",
    "sessions",
    "via",
    "accounts",
    "regions",
    "functions",
    "sources",
    "addresses",
    "user_agents",
    "mfa",
    "actions",
];

/// The entries, as far as they could be read.
pub(in crate::policy) fn parse(notes: &mut Notes<'_>, inventory: &Inventory, today: Date) -> Allowlist {
    let Some(table) = toml_doc::parse(notes) else {
        return Allowlist::default();
    };
    let document = Row::new(&table, 0);
    document.allow_only(&["allow"], notes);
    let mut entries = Vec::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    let rows = document.get("allow");
    if let Some(rows) = rows
        && !matches!(rows.get_ref(), DeValue::Array(_))
    {
        notes.error(rows.span().start, "`allow` must be a list of entries", "write each as [[allow]]");
    }
    for value in rows.and_then(|rows| rows.get_ref().as_array()).into_iter().flat_map(|rows| rows.iter()) {
        let Some(row) = Row::of(value, "an entry", notes) else {
            continue;
        };
        row.allow_only(&KEYS, notes);
        if let Some(id) = row.required_text("id", "the entry", notes) {
            check_id(&id, &mut ids, notes);
        }
        entries.extend(entry(&row, inventory, notes));
    }
    let allowlist = Allowlist::new(entries);
    lint::check(&allowlist, today, notes);
    allowlist
}

fn check_id(id: &Text, ids: &mut HashMap<String, usize>, notes: &mut Notes<'_>) {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.value.chars().all(fine) {
        notes.error(id.at, format!("`{}` is no id", id.value), "use letters, digits, `-`, `_` and `.`");
    }
    if let Some(first) = ids.get(&id.value) {
        let line = notes.place(*first).0;
        notes.error(
            id.at,
            format!("the id `{}` is taken by the entry in line {line}", id.value),
            "an id names one entry",
        );
        return;
    }
    ids.insert(id.value.clone(), id.at);
}

fn entry(row: &Row<'_>, inventory: &Inventory, notes: &mut Notes<'_>) -> Option<Entry> {
    let id = row.get("id").and_then(|id| id.get_ref().as_str()).unwrap_or("").to_owned();
    let what = if id.is_empty() { "the entry".to_owned() } else { format!("entry `{id}`") };
    let owner = row.required_text("owner", &what, notes);
    let reason = row.required_text("reason", &what, notes);
    let expires = row.required_date("expires", &what, notes);
    let principal = row.required_text("principal", &what, notes).and_then(|text| principal(&text, notes));
    let (accounts, account_groups) = accounts(row, inventory, notes);
    let kinds = list(row, "kinds", notes, kind);
    let sessions = list(row, "sessions", notes, |text, _| Some(Glob::name(&text.value)));
    let via = list(row, "via", notes, service);
    let regions = list(row, "regions", notes, region);
    let functions = list(row, "functions", notes, function);
    let sources = list(row, "sources", notes, source);
    let addresses = list(row, "addresses", notes, network);
    let user_agents = list(row, "user_agents", notes, |text, _| Some(Glob::name(&text.value)));
    let mfa = row.flag("mfa", notes);
    let actions = list(row, "actions", notes, action);
    let (expires, expires_at) = expires?;
    Some(Entry {
        id_at: row.get("id")?.span().start,
        id: Some(id).filter(|id| !id.is_empty())?,
        owner: owner?.value,
        reason: reason?.value,
        expires,
        principal: principal?,
        kinds,
        sessions,
        via,
        accounts,
        account_groups,
        regions,
        functions,
        sources,
        addresses,
        user_agents,
        mfa,
        actions: actions.unwrap_or_else(|| vec![Change::Create, Change::Enable]),
        at: row.at,
        expires_at,
    })
}

/// A list whose items are read by `read`, which notes what it refuses.
fn list<T>(
    row: &Row<'_>,
    key: &str,
    notes: &mut Notes<'_>,
    read: impl Fn(&Text, &mut Notes<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let texts = row.texts(key, notes)?;
    Some(texts.iter().filter_map(|text| read(text, notes)).collect())
}

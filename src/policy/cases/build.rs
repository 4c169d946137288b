//! A case's text as a finding and facts.

use crate::cloudtrail::{Actor, MappingCall, Mentions, PrincipalKind, Verb};
use crate::detection::{Change, Detection, Event, Finding, Trigger};
use crate::mapping::{FunctionRef, SourceKind, SourceRef, Wiring};
use crate::policy::files::Notes;
use crate::policy::names::{self, CHANGES, PRINCIPAL_KINDS, SOURCE_KINDS};
use crate::policy::toml_doc::Row;
use crate::policy::{Facts, suggest};
use jiff::Timestamp;

/// The keys that say what happened.
pub(super) const KEYS: [&str; 19] = [
    "actor",
    "kind",
    "session",
    "via",
    "address",
    "user_agent",
    "mfa",
    "console",
    "actions",
    "account",
    "region",
    "function",
    "source",
    "source_account",
    "confirmed",
    "case_open",
    "baseline_known",
    "findings_by_actor",
    "wrong_of_last_ten",
];

pub(super) fn facts(row: &Row<'_>, now: Timestamp, notes: &mut Notes<'_>) -> Facts {
    Facts {
        now: time(row, notes).unwrap_or(now),
        trigger: Trigger::Event,
        confirmed: row.boolean("confirmed", notes).unwrap_or(true),
        findings_by_actor: row.count("findings_by_actor", notes).unwrap_or(1),
        wrong_of_last_ten: row.count("wrong_of_last_ten", notes).unwrap_or(0),
        case_open: row.boolean("case_open", notes).unwrap_or(false),
        baseline_known: row.boolean("baseline_known", notes).unwrap_or(true),
    }
}

fn time(row: &Row<'_>, notes: &mut Notes<'_>) -> Option<Timestamp> {
    let value = row.get("now")?;
    let read = value.get_ref().as_datetime().and_then(|read| read.to_string().parse().ok());
    if read.is_none() {
        notes.error(value.span().start, "`now` must be a time", "write now = 2026-11-24T12:00:00Z");
    }
    read
}

pub(super) fn finding(row: &Row<'_>, now: Timestamp, notes: &mut Notes<'_>) -> Finding {
    let actor = actor(row, notes);
    let changes = changes(row, notes);
    let own = if actor.account.is_empty() { "111122223333" } else { &actor.account };
    let account = row.maybe("account", notes).unwrap_or_else(|| own.to_owned());
    let region = row.maybe("region", notes).unwrap_or_else(|| "eu-west-1".to_owned());
    let created = changes.contains(&Change::Create);
    let name = row.maybe("function", notes).unwrap_or_default();
    let function = match name.as_str() {
        "" => FunctionRef::default(),
        _ => FunctionRef {
            arn: format!("arn:aws:lambda:{region}:{account}:function:{name}"),
            name,
            qualifier: String::new(),
            account: account.clone(),
        },
    };
    Finding {
        detection: detection(&changes),
        trigger: Trigger::Event,
        event: Event {
            id: "policy-case".to_owned(),
            name: if created { "CreateEventSourceMapping20150331" } else { "UpdateEventSourceMapping20150331" }
                .to_owned(),
            time: now,
            request_id: String::new(),
        },
        call: MappingCall {
            verb: if created { Verb::Create } else { Verb::Update },
            uuid: "00000000-0000-0000-0000-000000000000".to_owned(),
            mapping_arn: String::new(),
            names_function: !function.name.is_empty(),
            function,
            source: source(row, &account, &region, notes),
            enabled: changes.contains(&Change::Enable).then_some(true),
            wiring: Wiring::default(),
            state: String::new(),
            last_modified: None,
            mentions: Mentions::default(),
            withheld: false,
            disagrees: String::new(),
            asked: None,
        },
        changes,
        account,
        region,
        actor,
    }
}

fn actor(row: &Row<'_>, notes: &mut Notes<'_>) -> Actor {
    let principal_arn = row.maybe("actor", notes).unwrap_or_default();
    let resource = principal_arn.splitn(6, ':').nth(5).unwrap_or("");
    let by_arn = match resource.split('/').next() {
        Some("role") => PrincipalKind::AssumedRole,
        Some("user") => PrincipalKind::IamUser,
        Some("root") => PrincipalKind::Root,
        _ => PrincipalKind::Unknown,
    };
    let named = row.text("kind", notes);
    let named = named.and_then(|word| names::read(&PRINCIPAL_KINDS, &word, "kind of principal", notes));
    Actor {
        kind: named.unwrap_or(by_arn),
        arn: principal_arn.clone(),
        unidentified: if principal_arn.is_empty() { "the case names no principal" } else { "" }.to_owned(),
        session_name: row.maybe("session", notes).unwrap_or_default(),
        account: principal_arn.split(':').nth(4).unwrap_or("").to_owned(),
        principal_arn,
        invoked_by: row.maybe("via", notes).unwrap_or_default(),
        source_ip: row.maybe("address", notes).unwrap_or_default(),
        user_agent: row.maybe("user_agent", notes).unwrap_or_default(),
        mfa: row.boolean("mfa", notes).unwrap_or(false),
        console: row.boolean("console", notes).unwrap_or(false),
        ..Actor::default()
    }
}

fn changes(row: &Row<'_>, notes: &mut Notes<'_>) -> Vec<Change> {
    let words = row.texts("actions", notes).unwrap_or_default();
    let mut changes: Vec<Change> =
        words.iter().filter_map(|word| names::read(&CHANGES, word, "action", notes)).collect();
    // The order of the type is the order in which a finding is named.
    changes.sort_unstable();
    if changes.is_empty() { vec![Change::Create] } else { changes }
}

fn detection(changes: &[Change]) -> Detection {
    match changes.first() {
        Some(Change::Repoint) => Detection::MappingRepointed,
        Some(Change::Rewire) => Detection::MappingRewired,
        Some(Change::Enable) => Detection::MappingEnabled,
        Some(Change::Create) | None => Detection::MappingCreated,
    }
}

fn source(row: &Row<'_>, account: &str, region: &str, notes: &mut Notes<'_>) -> SourceRef {
    let Some(text) = row.text("source", notes) else {
        return SourceRef::default();
    };
    let (word, name) = text.value.split_once(':').unwrap_or((&text.value, ""));
    let kind = names::value(&SOURCE_KINDS, word).unwrap_or_else(|| {
        let suggestion = suggest::instead_of(word, names::words(&SOURCE_KINDS));
        notes.error(text.at, format!("there is no kind of source `{word}`"), suggestion);
        SourceKind::Unknown
    });
    let owner = row.maybe("source_account", notes).unwrap_or_else(|| account.to_owned());
    SourceRef { kind, arn: format!("arn:aws:{word}:{region}:{owner}:{name}"), name: name.to_owned(), account: owner }
}

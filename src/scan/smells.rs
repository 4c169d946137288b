//! What about a mapping smells, whoever made it: structure that an attack has and a pipeline seldom needs. A smell is a
//! reason to look, and no verdict.

use super::births::Births;
use super::filter::Filtering;
use super::tags::{Tags, says_sensitive};
use super::{Deed, Place};
use crate::detection::Change;
use crate::mapping::{Arn, Snapshot, SourceKind, is_account};
use crate::policy::PolicySet;
use serde::Serialize;
use std::fmt::Write as _;

/// One smell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smell {
    /// Its name: one of those that [`smells`] lists.
    pub smell: &'static str,
    /// Why, in plain words, with the facts it rests on.
    pub reason: String,
}

/// What is known about a mapping.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Where it is.
    pub place: &'a Place,
    /// The mapping as it was read.
    pub mapping: &'a Snapshot,
    /// The call that made it.
    pub created: Option<&'a Deed>,
    /// The change that counts most.
    pub changed: Option<&'a Deed>,
    /// The functions that were made meanwhile.
    pub births: &'a Births,
    /// Why those are not all known.
    pub births_unread: Option<&'a str>,
    /// The source's tags.
    pub tags: &'a Tags,
    /// The inventory tells which accounts are the organisation's.
    pub set: &'a PolicySet,
}

/// The smells of a mapping, and what could not be told:
///
/// | smell | is |
/// |---|---|
/// | `source-in-another-account` | function and source are in different accounts |
/// | `function-made-for-it` | who made or repointed it made its function within ten minutes |
/// | `drains-one-by-one` | besides, it takes records one by one and only new ones |
/// | `destination-in-another-account` | failed or successful records go to another account |
/// | `reads-all-of-a-sensitive-source` | everything of a source whose tags say that it is sensitive |
/// | `dormant-since-creation` | made disabled and never enabled: one call wakes it |
/// | `function-gone` | its function is gone: whoever makes one of that name gets the records |
pub fn smells(about: &About<'_>) -> (Vec<Smell>, Vec<String>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    found.extend(foreign_source(about));
    fresh_function(about, &mut found, &mut unknown);
    destinations(about, &mut found, &mut unknown);
    sensitive_source(about, &mut found, &mut unknown);
    found.extend(dormant(about));
    found.extend(orphaned(about));
    (found, unknown)
}

fn smell(smell: &'static str, reason: String) -> Smell {
    Smell { smell, reason }
}

/// Whose an account is, for people.
fn whose(set: &PolicySet, account: &str) -> &'static str {
    match set.lists_account(account) {
        Some(true) => "an account of the organisation",
        Some(false) => "foreign: the inventory does not list it",
        None => "of unknown origin: the inventory lists no accounts",
    }
}

fn function_account<'a>(about: &About<'a>) -> &'a str {
    match about.mapping.function.account.as_str() {
        "" => &about.place.account,
        account => account,
    }
}

/// The account that a source is really in: a VPC connection to an MSK cluster names the cluster's owner.
fn source_account(mapping: &Snapshot) -> &str {
    let resource = Arn::parse(&mapping.source.arn).map_or("", |arn| arn.resource);
    let owner = resource.strip_prefix("vpc-connection/").and_then(|rest| rest.split('/').next());
    match owner.filter(|owner| mapping.source.kind == SourceKind::Msk && is_account(owner)) {
        Some(owner) => owner,
        None => &mapping.source.account,
    }
}

fn foreign_source(about: &About<'_>) -> Option<Smell> {
    let (function, source) = (function_account(about), source_account(about.mapping));
    let differ = !source.is_empty() && source != function;
    differ.then(|| {
        let whose = whose(about.set, source);
        smell(
            "source-in-another-account",
            format!("the function is in account {function}, the source in account {source} ({whose})"),
        )
    })
}

fn fresh_function(about: &About<'_>, found: &mut Vec<Smell>, unknown: &mut Vec<String>) {
    let repointed = about.changed.filter(|deed| deed.finding.changes.contains(&Change::Repoint));
    let deeds = about.created.into_iter().chain(repointed);
    let mut asked = false;
    for deed in deeds {
        asked = true;
        let finding = &deed.finding;
        let (who, when) = (finding.actor.principal_arn.as_str(), finding.event.time);
        let Some(birth) = about.births.near(&finding.call.function, who, when) else { continue };
        let name = &finding.call.function.name;
        let what = if finding.changes.contains(&Change::Create) { "made" } else { "repointed" };
        let facts = format!("{who} made the function {name} at {} and {what} the mapping at {when}", birth.at);
        let whole = &about.mapping.whole;
        if whole["BatchSize"] == 1 && whole["StartingPosition"] == "LATEST" {
            let how = "it takes records one by one, and only those that come from now on (BatchSize 1, LATEST)";
            found.push(smell("drains-one-by-one", format!("{facts}; {how}")));
        }
        found.push(smell("function-made-for-it", facts));
        return;
    }
    if let Some(why) = about.births_unread.filter(|_| asked) {
        unknown.push(format!("whether its function was made together with it: {why}"));
    }
}

fn destinations(about: &About<'_>, found: &mut Vec<Smell>, unknown: &mut Vec<String>) {
    let wiring = &about.mapping.wiring;
    for (what, told) in [("failed", &wiring.on_failure), ("successful", &wiring.on_success)] {
        let Some(told) = told.as_deref().filter(|told| !told.is_empty()) else { continue };
        // A topic of the cluster that the mapping reads.
        if told.starts_with("kafka://") {
            continue;
        }
        match Arn::parse(told).map(|arn| arn.account) {
            Some(account) if account == about.place.account => {}
            Some(account) if !account.is_empty() => {
                let whose = whose(about.set, account);
                found.push(smell(
                    "destination-in-another-account",
                    format!("{what} records go to {told}, in account {account} ({whose})"),
                ));
            }
            _ => unknown.push(format!("whose {told} is, where {what} records go: it names no account")),
        }
    }
}

fn sensitive_source(about: &About<'_>, found: &mut Vec<Smell>, unknown: &mut Vec<String>) {
    let filtering = Filtering::of(about.mapping);
    let source = &about.mapping.source;
    let tags = match about.tags {
        Tags::Read(tags) => tags,
        Tags::Unread(why) => {
            unknown.push(format!("whether {source} is tagged as sensitive: {why}"));
            return;
        }
        Tags::NotAsked => return,
    };
    let Some((key, value)) = says_sensitive(tags) else { return };
    let mut reason = format!("{source} is tagged {key} = {value}, and ");
    let written = match filtering {
        Filtering::Narrow => return,
        Filtering::Unknown => {
            unknown.push(format!(
                "whether the filter lets everything of {source} through, which is tagged {key} = {value}: the filter \
                 cannot be read (it is encrypted, or Lambda did not tell it)"
            ));
            return;
        }
        Filtering::Absent => reason.write_str("no filter keeps any of it from the function"),
        Filtering::Open(pattern) => write!(reason, "the filter {pattern} lets everything through"),
    };
    if written.is_ok() {
        found.push(smell("reads-all-of-a-sensitive-source", reason));
    }
}

fn dormant(about: &About<'_>) -> Option<Smell> {
    let made_disabled = about.created.filter(|deed| deed.finding.call.enabled == Some(false))?;
    // `Disabled` after it ran for a while is somebody's pause, and no smell.
    let woken = about.changed.is_some_and(|deed| deed.finding.changes.contains(&Change::Enable));
    let asleep = about.mapping.state == "Disabled" && !woken;
    asleep.then(|| {
        let when = made_disabled.finding.event.time;
        smell("dormant-since-creation", format!("it was made disabled at {when}, and still is: one call wakes it"))
    })
}

fn orphaned(about: &About<'_>) -> Option<Smell> {
    let result = about.mapping.whole["LastProcessingResult"].as_str()?;
    let gone = result.to_ascii_lowercase().contains("function not found");
    gone.then(|| {
        let function = &about.mapping.function;
        smell(
            "function-gone",
            format!("Lambda finds no function {function}: whoever makes one of that name gets the records"),
        )
    })
}

#[cfg(test)]
#[path = "smells_tests.rs"]
mod tests;

//! `guardrail`: the service control policy that the allowlist amounts to, and what it cannot express.
//!
//! It denies the making and updating of mappings to everybody but the principals of the allowlist's live entries and the
//! responder, and narrows those to their accounts, regions and functions. What IAM cannot tell is left to the responder
//! and told. Nothing that the allowlist allows is ever denied by it, which [`Backtest`] shows on history.

mod backtest;
mod grant;
mod listed;
mod pack;
mod pattern;
mod scope;
mod statement;

pub use backtest::{Backtest, Counts, Example, Fate, Line};
pub use grant::NotExpressed;

use crate::detection::Finding;
use crate::policy::PolicySet;
use jiff::civil::Date;
use statement::{Document, Request, Statement};
use std::collections::BTreeSet;

/// How much there may be of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The characters of one policy, written without white space.
    pub size: usize,
    /// How many policies, beside `FullAWSAccess`.
    pub policies: usize,
}

impl Limits {
    /// What AWS took of any organisation before 2026-05-15, and takes since.
    pub const SAFE: Self = Self { size: 5_120, policies: 4 };
    /// What it takes since 2026-05-15.
    pub const NEWER: Self = Self { size: 10_240, policies: 9 };

    /// With policies of this size; as many as AWS allows with it.
    pub fn of_size(size: usize) -> Self {
        let policies = if size > Self::SAFE.size { Self::NEWER.policies } else { Self::SAFE.policies };
        Self { size, policies }
    }
}

/// Why there is no guardrail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Without the responder in it, a guardrail would lock it out.
    #[error("{0}")]
    Responder(String),
    /// The list of principals does not fit.
    #[error(
        "the list of principals for {whose} does not fit into a policy: {patterns} patterns take {size} characters of {most}. \
         Such a list cannot be cut in two, for each half would deny the other. Give roles that belong together one path and \
         allow that (role/deploy/*), or read only the entries of some accounts for each organisational unit"
    )]
    TooLong {
        /// Whom the list is for.
        whose: String,
        /// How many patterns are on it.
        patterns: usize,
        /// The characters that it takes.
        size: usize,
        /// Those that a policy may have.
        most: usize,
    },
    /// It takes more policies than a node may have.
    #[error(
        "the lists of principals take {needed} policies of {size} characters, and only {most} may be attached beside \
         FullAWSAccess. Give roles that belong together one path and allow that (role/deploy/*)"
    )]
    TooMany {
        /// How many it takes.
        needed: usize,
        /// How many there may be.
        most: usize,
        /// The characters that each may have.
        size: usize,
    },
}

/// The guardrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    policies: Vec<Vec<Statement>>,
    /// What is left to the responder, by entry.
    pub not_expressed: Vec<NotExpressed>,
    /// Entries left out: their last day is over.
    pub expired: Vec<String>,
    /// Whom it spares, beside the allowlist's principals.
    pub responder: Vec<String>,
    /// What holds for the whole of it, for people.
    pub notes: Vec<String>,
}

/// The guardrail of the entries that are live today (UTC). `responder` are ARN patterns as IAM reads them.
pub fn generate(set: &PolicySet, today: Date, responder: &[String], limits: Limits) -> Result<Guardrail, Refused> {
    if responder.is_empty() {
        let told =
            "the responder's role is not known, and a guardrail without it would lock it out: name it by --responder";
        return Err(Refused::Responder(told.to_owned()));
    }
    responder.iter().try_for_each(|one| check_responder(one).map_err(Refused::Responder))?;
    let mut not_expressed = Vec::new();
    let (live, over): (Vec<_>, Vec<_>) = set.entries().iter().partition(|entry| today <= entry.expires);
    let grants: Vec<_> = live.iter().flat_map(|entry| grant::grants(entry, &mut not_expressed)).collect();
    let patterns = grants.iter().map(|grant| grant.subject.arn.clone()).chain(responder.iter().cloned());
    let patterns: BTreeSet<String> = patterns.collect();
    let mut statements = listed::listed(&patterns, limits.size).map_err(|long| Refused::TooLong {
        whose: long.whose,
        patterns: long.patterns,
        size: long.size,
        most: limits.size,
    })?;
    if statements.len() > limits.policies {
        return Err(Refused::TooMany { needed: statements.len(), most: limits.policies, size: limits.size });
    }
    statements.extend(scope::scopes(&grants, responder, &mut not_expressed));
    let (policies, left_out) = pack::pack(statements, limits.size, limits.policies);
    not_expressed.extend(left_out.iter().flat_map(|statement| without_room(statement, &grants)));
    not_expressed.sort();
    not_expressed.dedup();
    Ok(Guardrail {
        policies,
        not_expressed,
        expired: over.iter().map(|entry| entry.id.clone()).collect(),
        responder: responder.to_vec(),
        notes: notes(grants.is_empty()),
    })
}

/// A narrowing that found no room: said of the entries that it would have narrowed.
fn without_room(statement: &Statement, grants: &[grant::Grant]) -> Vec<NotExpressed> {
    let principals = statement.narrows().map(|principals| principals.values.as_slice()).unwrap_or_default();
    let entries = grants.iter().filter(|grant| principals.contains(&grant.subject.arn)).map(|grant| &grant.entry);
    let why = format!("no room was left in the policies for the {} characters that narrow it", statement.size());
    let told = |entry: &String| NotExpressed { entry: entry.clone(), what: statement.sid.clone(), why: why.clone() };
    entries.map(told).collect()
}

fn notes(nobody: bool) -> Vec<String> {
    let nobody = nobody.then_some("no entry is live: it denies mappings to everybody but the responder");
    let always = [
        "it has no effect on the organisation's management account, nor on service-linked roles",
        "it only denies: keep FullAWSAccess, or what you have in its place, attached",
        "an update by a principal that is not listed is denied even where sluicegate would not mind it (a batch size, say)",
        "rules.cedar is not in it: what its rules forbid beyond the allowlist is left to the responder, and what they permit \
         without an entry would be denied",
        "it does not expire with the entries: write it anew whenever the allowlist changes",
        "the responder's roles are as free as the listed ones: let nobody make or assume a role of such a name",
    ];
    nobody.into_iter().chain(always).map(str::to_owned).collect()
}

/// Whether this is a pattern for the responder's role, or what is wrong with it.
pub fn check_responder(text: &str) -> Result<(), String> {
    let help = "write its role's ARN: arn:aws:iam::*:role/sluicegate-responder";
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts.as_slice() else {
        return Err(format!("the responder `{text}` is no role's ARN: {help}"));
    };
    let name = resource.strip_prefix("role/").or_else(|| resource.strip_prefix("user/")).unwrap_or_default();
    let names_it = name.chars().any(|char| !matches!(char, '*' | '?' | '/'));
    let fine = |char: char| char.is_ascii_graphic() && !matches!(char, '"' | '\\' | '$' | '{' | '}' | ':');
    if account.is_empty() || !names_it || !name.chars().all(fine) {
        return Err(format!("the responder `{text}` names no role, or everybody's: {help}"));
    }
    Ok(())
}

impl Guardrail {
    /// The policies as they are to be saved: every character counts, so there is no white space.
    pub fn documents(&self) -> Vec<String> {
        self.policies.iter().filter_map(|policy| serde_json::to_string(&Document::of(policy)).ok()).collect()
    }

    /// The policies for people.
    pub fn readable(&self) -> Vec<String> {
        self.policies.iter().filter_map(|policy| serde_json::to_string_pretty(&Document::of(policy)).ok()).collect()
    }

    /// The `Sid` of the first statement that would have denied the call behind a finding.
    pub fn denied_by(&self, finding: &Finding) -> Option<&str> {
        let request = Request::of(finding);
        let denies = |statement: &&Statement| statement.denies(&request);
        self.policies.iter().flatten().find(denies).map(|statement| statement.sid.as_str())
    }

    /// Whether the responder made the call.
    fn is_own(&self, finding: &Finding) -> bool {
        self.responder.iter().any(|own| pattern::arn_like(own, &finding.actor.principal_arn))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

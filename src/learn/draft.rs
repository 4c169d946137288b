//! A proposed entry, made of the findings that it is to allow.

use super::names;
use super::seen::{self, is_steady, network};
use crate::cloudtrail::PrincipalKind;
use crate::detection::{Change, Finding};
use crate::policy::{PolicySet, source_kind_word};
use ipnet::IpNet;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// In so many networks a pipeline may be at home.
const NETWORKS: usize = 3;
/// In so many at most, where nothing else keeps an intruder out.
const MOST_NETWORKS: usize = 8;

/// An entry of the allowlist, in its own words. What is empty is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the allowlist's own keys")]
pub struct Draft {
    pub id: String,
    pub owner: String,
    pub reason: String,
    pub expires: Date,
    pub principal: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<PrincipalKind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    pub regions: Vec<String>,
    pub functions: Vec<String>,
    pub sources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_agents: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Change>,
}

/// How much narrower than usual an entry has to be, so that it does not allow what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Narrow {
    /// By the networks.
    pub(super) addresses: bool,
    /// By the agents.
    pub(super) agents: bool,
    /// By each function and source as it was seen.
    pub(super) literal: bool,
}

/// What is to become one entry: one principal's habit, or several principals' alike.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) principals: BTreeSet<String>,
    pub(super) via: String,
    /// Positions of findings.
    pub(super) of: Vec<usize>,
    pub(super) narrow: Narrow,
    pub(super) doubts: Vec<String>,
}

/// Everything that a plan's entry says but its id, owner, reason and date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) principal: String,
    pub(super) kinds: Vec<PrincipalKind>,
    pub(super) sessions: Vec<String>,
    pub(super) accounts: Vec<String>,
    pub(super) regions: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) addresses: Vec<String>,
    pub(super) user_agents: Vec<String>,
    pub(super) actions: Vec<Change>,
}

impl Plan {
    pub(super) fn findings<'f>(&self, findings: &'f [Finding]) -> impl Iterator<Item = &'f Finding> + Clone {
        self.of.iter().map(|at| &findings[*at])
    }

    /// Keeps only some findings, and the principals of those.
    pub(super) fn keep(&mut self, findings: &[Finding], keep: impl Fn(usize) -> bool) {
        self.of.retain(|at| keep(*at));
        self.principals = self.findings(findings).map(|finding| finding.actor.principal_arn.clone()).collect();
    }

    pub(super) fn conditions(&self, findings: &[Finding], set: &PolicySet) -> Conditions {
        let all: Vec<&Finding> = self.findings(findings).collect();
        let principal = one_pattern(&self.principals);
        let accounts: BTreeSet<&str> = all.iter().map(|finding| finding.account.as_str()).collect();
        let own = principal.split(':').nth(4).unwrap_or("");
        let own_only = accounts.iter().all(|account| *account == own);
        let literal = self.narrow.literal;
        let (addresses, user_agents) = self.whereabouts(&all);
        Conditions {
            kinds: kinds(&all, &principal),
            sessions: session_patterns(&all),
            accounts: if own_only { Vec::new() } else { grouped(&accounts, set) },
            regions: unique(all.iter().map(|finding| finding.region.clone())),
            functions: patterns(&all, literal, |finding| finding.call.function.name.clone()),
            sources: source_patterns(&all, literal),
            addresses,
            user_agents,
            actions: actions(&all),
            principal,
        }
    }

    /// Direct calls that steadily come from a few places, or by one agent, are bound to them: this keeps out whoever
    /// has the role's credentials elsewhere.
    fn whereabouts(&self, all: &[&Finding]) -> (Vec<String>, Vec<String>) {
        let networks: Option<BTreeSet<IpNet>> = all.iter().map(|finding| network(&finding.actor.source_ip)).collect();
        let networks = networks.unwrap_or_default();
        let agents: BTreeSet<&str> = all.iter().map(|finding| names::agent_family(&finding.actor.user_agent)).collect();
        let nameable = agents.iter().all(|agent| is_agent(agent));
        let days = seen::days(all.iter().copied());
        let steady = self.via.is_empty() && is_steady(all.len(), days);
        let by_place = steady && (1..=NETWORKS).contains(&networks.len()) && recurring(all);
        let by_agent = steady && !by_place && agents.len() == 1;
        let addresses = by_place || (self.narrow.addresses && (1..=MOST_NETWORKS).contains(&networks.len()));
        let agents_too = nameable && (by_agent || self.narrow.agents);
        let nets = hosts(all).into_iter().filter(|_| addresses).map(|net| net.to_string());
        let agents = agents.iter().filter(|_| agents_too).map(|agent| names::agent_pattern(agent));
        (nets.collect(), agents.collect())
    }
}

impl Conditions {
    pub(super) fn draft(self, id: String, reason: String, via: &str, expires: Date) -> Draft {
        Draft {
            id,
            owner: "TODO".to_owned(),
            reason,
            expires,
            principal: self.principal,
            kinds: self.kinds,
            sessions: self.sessions,
            via: Some(via).filter(|via| !via.is_empty()).map(str::to_owned).into_iter().collect(),
            accounts: self.accounts,
            regions: self.regions,
            functions: self.functions,
            sources: self.sources,
            addresses: self.addresses,
            user_agents: self.user_agents,
            actions: self.actions,
        }
    }
}

/// Whether an agent's family can be a pattern that means it and nothing else.
fn is_agent(family: &str) -> bool {
    let readable = family.chars().all(|c| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '*' | '"' | '\'' | '\\'));
    readable && !family.trim().is_empty()
}

/// The networks, each as its one address where only one was seen.
fn hosts(all: &[&Finding]) -> BTreeSet<IpNet> {
    let mut seen: BTreeMap<IpNet, BTreeSet<IpAddr>> = BTreeMap::new();
    for finding in all {
        if let (Some(network), Ok(address)) = (network(&finding.actor.source_ip), finding.actor.source_ip.parse()) {
            seen.entry(network).or_default().insert(address);
        }
    }
    let one = |(network, addresses): (IpNet, BTreeSet<IpAddr>)| match addresses.first() {
        Some(address) if addresses.len() == 1 => IpNet::from(*address),
        _ => network,
    };
    seen.into_iter().map(one).collect()
}

/// Each network was seen on more than one day: none is where somebody was once.
fn recurring(all: &[&Finding]) -> bool {
    let mut days: BTreeMap<Option<IpNet>, BTreeSet<Date>> = BTreeMap::new();
    for finding in all {
        days.entry(network(&finding.actor.source_ip)).or_default().insert(seen::day(finding));
    }
    days.values().all(|days| days.len() >= 2)
}

/// A user's entry says so: a federated session of the user is another thing than its own key.
fn kinds(all: &[&Finding], principal: &str) -> Vec<PrincipalKind> {
    let mut kinds: Vec<PrincipalKind> = Vec::new();
    for finding in all {
        if !kinds.contains(&finding.actor.kind) {
            kinds.push(finding.actor.kind);
        }
    }
    let usual = principal.contains(":role/") && kinds == [PrincipalKind::AssumedRole];
    if usual { Vec::new() } else { kinds }
}

/// None where a session has no name, or names that nothing is common to.
fn session_patterns(all: &[&Finding]) -> Vec<String> {
    let names: BTreeSet<&str> = all.iter().map(|finding| finding.actor.session_name.as_str()).collect();
    let patterns: BTreeSet<String> = names::sessions(&names).into_values().collect();
    if names.contains("") || patterns.contains("") { Vec::new() } else { patterns.into_iter().collect() }
}

fn patterns(all: &[&Finding], literal: bool, name: impl Fn(&Finding) -> String) -> Vec<String> {
    let names: BTreeSet<String> = all.iter().map(|finding| name(finding)).collect();
    if literal {
        return names.into_iter().collect();
    }
    let patterns = names::by_prefix(&names.iter().map(String::as_str).collect(), 2);
    patterns.into_values().collect::<BTreeSet<_>>().into_iter().collect()
}

/// `kind:pattern`, each kind's names by themselves.
fn source_patterns(all: &[&Finding], literal: bool) -> Vec<String> {
    let mut by_kind: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in all {
        by_kind.entry(source_kind_word(finding.call.source.kind)).or_default().push(finding);
    }
    let of = |(kind, all): (&str, Vec<&Finding>)| {
        let names = patterns(&all, literal, |finding| finding.call.source.name.clone());
        names.into_iter().map(|name| format!("{kind}:{name}")).collect::<Vec<_>>()
    };
    by_kind.into_iter().flat_map(of).collect()
}

/// Those seen; none where they are what an entry means without the key.
fn actions(all: &[&Finding]) -> Vec<Change> {
    let seen: BTreeSet<Change> = all.iter().flat_map(|finding| &finding.changes).copied().collect();
    let order = [Change::Create, Change::Enable, Change::Repoint, Change::Rewire];
    let seen: Vec<Change> = order.into_iter().filter(|change| seen.contains(change)).collect();
    if seen == [Change::Create, Change::Enable] { Vec::new() } else { seen }
}

/// The accounts, or the inventory's group of exactly these.
fn grouped(accounts: &BTreeSet<&str>, set: &PolicySet) -> Vec<String> {
    let groups: BTreeSet<&str> = accounts.iter().flat_map(|account| set.groups_of(account)).collect();
    let same = |group: &&str| {
        let members = set.accounts().filter(|account| set.groups_of(account).any(|name| name == *group));
        members.collect::<BTreeSet<_>>() == *accounts
    };
    match groups.into_iter().find(same) {
        Some(group) => vec![format!("group:{group}")],
        None => accounts.iter().map(|account| (*account).to_owned()).collect(),
    }
}

/// One pattern for principals that differ in account, in name, or in both.
fn one_pattern(principals: &BTreeSet<String>) -> String {
    let parts: Vec<Vec<&str>> = principals.iter().map(|arn| arn.splitn(6, ':').collect()).collect();
    let same = |at: usize| {
        let values: BTreeSet<&str> = parts.iter().filter_map(|parts| parts.get(at)).copied().collect();
        if values.len() == 1 { values.into_iter().next() } else { None }
    };
    let account = same(4).unwrap_or("*");
    let resource = same(5).map_or_else(
        || {
            let first = parts.first().and_then(|parts| parts.get(5)).copied().unwrap_or("");
            let path = first.rfind('/').and_then(|end| first.get(..=end)).unwrap_or(first);
            format!("{path}*")
        },
        str::to_owned,
    );
    format!("arn:{}:iam::{account}:{resource}", same(1).unwrap_or("aws"))
}

fn unique(values: impl Iterator<Item = String>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(arns: &[&str]) -> String {
        one_pattern(&arns.iter().map(|arn| (*arn).to_owned()).collect())
    }

    #[test]
    fn principals_are_named_as_narrowly_as_one_pattern_can() {
        let (a, b) = ("arn:aws:iam::111122223333:role/ci/a", "arn:aws:iam::111122223333:role/ci/b");
        assert_eq!(pattern(&[a]), a);
        assert_eq!(pattern(&[a, b]), "arn:aws:iam::111122223333:role/ci/*");
        assert_eq!(pattern(&[a, "arn:aws:iam::444455556666:role/ci/a"]), "arn:aws:iam::*:role/ci/a");
        assert_eq!(pattern(&[a, "arn:aws:iam::444455556666:role/ci/b"]), "arn:aws:iam::*:role/ci/*");
    }
}

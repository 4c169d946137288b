//! What was seen, counted.

use super::names;
use crate::detection::Finding;
use crate::policy::source_kind_word;
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// So many values of a kind are kept, most frequent first.
const MOST: usize = 20;

/// A value, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value, as it came.
    pub value: String,
    /// How often.
    pub times: usize,
}

/// Values of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// The most frequent ones first; at most twenty.
    pub top: Vec<Count>,
    /// How many different ones there are in all.
    pub different: usize,
}

/// What some findings have in common, and in what they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// How many findings.
    pub times: usize,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// On how many days, UTC.
    pub days: usize,
    /// The roles and users.
    pub principals: Counts,
    /// The sessions' names, those of one shape together: `runner-*`.
    pub sessions: Counts,
    /// The networks that calls came from, or the service's host name.
    pub addresses: Counts,
    /// What made the calls, without versions.
    pub user_agents: Counts,
    /// The functions' bare names, those of one shape together.
    pub functions: Counts,
    /// The sources, `kind:name`.
    pub sources: Counts,
}

impl Evidence {
    /// Of these findings; there must be at least one.
    pub(super) fn of<'f>(findings: impl Iterator<Item = &'f Finding> + Clone) -> Self {
        let times = findings.clone().map(|finding| finding.event.time);
        Self {
            times: times.clone().count(),
            first: times.clone().min().unwrap_or_default(),
            last: times.max().unwrap_or_default(),
            days: days(findings.clone()),
            principals: counts(findings.clone().map(|finding| finding.actor.principal_arn.clone())),
            sessions: shaped(findings.clone().map(|finding| finding.actor.session_name.as_str())),
            addresses: counts(findings.clone().map(address)),
            user_agents: counts(findings.clone().map(|finding| names::agent_family(&finding.actor.user_agent).into())),
            functions: shaped(findings.clone().map(|finding| finding.call.function.name.as_str())),
            sources: counts(findings.map(source)),
        }
    }
}

/// The same, with names together that differ only in what counts up or is drawn by lot.
fn shaped<'f>(values: impl Iterator<Item = &'f str> + Clone) -> Counts {
    let shapes = names::shapes(&values.clone().collect());
    counts(values.map(|value| shapes.get(value).cloned().unwrap_or_default()))
}

/// Most frequent first; what is not known is not counted.
fn counts(values: impl Iterator<Item = String>) -> Counts {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for value in values.filter(|value| !value.is_empty()) {
        *times.entry(value).or_default() += 1;
    }
    let different = times.len();
    let mut top: Vec<Count> = times.into_iter().map(|(value, times)| Count { value, times }).collect();
    top.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.value.cmp(&b.value)));
    top.truncate(MOST);
    Counts { top, different }
}

/// The network that the call came from, else what CloudTrail says in place of an address.
fn address(finding: &Finding) -> String {
    network(&finding.actor.source_ip).map_or_else(|| finding.actor.source_ip.clone(), |network| network.to_string())
}

/// The day, UTC.
pub(super) fn day(finding: &Finding) -> Date {
    Offset::UTC.to_datetime(finding.event.time).date()
}

/// Seen so often, on so many days, that it is beyond doubt what it usually looks like.
pub(super) fn is_steady(times: usize, days: usize) -> bool {
    times >= 10 && days >= 5
}

/// On how many days.
pub(super) fn days<'f>(findings: impl Iterator<Item = &'f Finding>) -> usize {
    findings.map(day).collect::<BTreeSet<_>>().len()
}

/// `kind:name`
pub(super) fn source(finding: &Finding) -> String {
    let source = &finding.call.source;
    format!("{}:{}", source_kind_word(source.kind), source.name)
}

/// The network around an address: what one site's calls have in common. Public: /24 or /48; private: /16, since runners
/// move about in their subnets.
pub(super) fn network(address: &str) -> Option<IpNet> {
    let address: IpAddr = address.parse().ok()?;
    let length = match address {
        IpAddr::V4(address) if address.is_private() => 16,
        IpAddr::V4(_) => 24,
        IpAddr::V6(_) => 48,
    };
    IpNet::new(address, length).ok().map(|network| network.trunc())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn networks_have_the_size_of_a_site() {
        let of = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(of("203.0.113.7").unwrap(), "203.0.113.0/24");
        assert_eq!(of("10.20.3.4").unwrap(), "10.20.0.0/16");
        assert_eq!(of("2001:db8:20:1::7").unwrap(), "2001:db8:20::/48");
        assert_eq!(of("cloudformation.amazonaws.com"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn the_frequent_come_first() {
        let counted = counts(["b", "a", "b", "", "c"].into_iter().map(str::to_owned));
        let values: Vec<(&str, usize)> = counted.top.iter().map(|count| (count.value.as_str(), count.times)).collect();
        assert_eq!(values, [("b", 2), ("a", 1), ("c", 1)]);
        assert_eq!(counted.different, 3);
    }
}

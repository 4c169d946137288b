//! Signs of an attack, as the whole history shows them.

use super::seen::{self, network};
use super::{Options, is_habit};
use crate::detection::Finding;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// So many findings within so long are a spree.
const SPREE: (usize, SignedDuration) = (5, SignedDuration::from_mins(10));
/// A history shorter than this has no end of its own.
const LONG: SignedDuration = SignedDuration::from_hours(14 * 24);
/// What is seen so often on so many days is hardly an attack, whatever it looks like; people look at it all the same.
const OLD_HABIT: usize = 10;

/// Who touches what, in the whole history.
pub(super) struct World<'f> {
    findings: &'f [Finding],
    first: Timestamp,
    last: Timestamp,
    functions: HashMap<&'f str, BTreeSet<&'f str>>,
    /// Who wired a source, since when, and how often.
    sources: HashMap<String, HashMap<&'f str, (Timestamp, usize)>>,
    /// Who calls from where: the positions of the findings.
    networks: HashMap<IpNet, HashMap<&'f str, Vec<usize>>>,
}

/// What speaks for an attack.
#[derive(Debug, Clone, Default)]
pub(super) struct Signs {
    told: Vec<String>,
    /// Whether the only one is that nobody else calls from there, which many a team's own runners show.
    harmless: bool,
}

impl Signs {
    pub(super) fn told(&self) -> Vec<String> {
        self.told.clone()
    }

    /// What a reviewer should look at, though it is proposed.
    pub(super) fn doubts(&self) -> Vec<String> {
        if self.harmless { Vec::new() } else { self.told.clone() }
    }

    /// Too many to be proposed.
    pub(super) fn are_too_many(&self, times: usize, days: usize) -> bool {
        let old = times >= OLD_HABIT && days >= OLD_HABIT;
        self.told.len() >= if old { 3 } else { 2 }
    }

    /// For what is left out anyway: worth a louder word.
    pub(super) fn are_alarming(&self) -> bool {
        self.told.len() >= 2
    }
}

impl<'f> World<'f> {
    pub(super) fn new(findings: &'f [Finding]) -> Self {
        let mut world = Self {
            findings,
            first: findings.iter().map(|finding| finding.event.time).min().unwrap_or_default(),
            last: findings.iter().map(|finding| finding.event.time).max().unwrap_or_default(),
            functions: HashMap::new(),
            sources: HashMap::new(),
            networks: HashMap::new(),
        };
        for (at, finding) in findings.iter().enumerate() {
            let who = finding.actor.principal_arn.as_str();
            world.functions.entry(&finding.call.function.name).or_default().insert(who);
            let by = world.sources.entry(seen::source(finding)).or_default();
            let (first, times) = by.entry(who).or_insert((finding.event.time, 0));
            *first = finding.event.time.min(*first);
            *times += 1;
            if let Some(network) = network(&finding.actor.source_ip) {
                world.networks.entry(network).or_default().entry(who).or_default().push(at);
            }
        }
        world
    }

    /// Whether several principals are at home in a network.
    pub(super) fn is_shared(&self, network: &IpNet, options: &Options) -> bool {
        let by = self.networks.get(network).into_iter().flat_map(HashMap::values);
        by.filter(|of| is_habit(self.findings, of, options)).count() >= 2
    }

    /// Of a principal's findings.
    pub(super) fn signs(&self, of: &[usize]) -> Signs {
        let stranger = self.stranger(of);
        let mut told: Vec<String> = [self.late(of), self.spree(of), self.siphon(of)].into_iter().flatten().collect();
        let harmless = told.is_empty();
        told.extend(stranger);
        Signs { told, harmless }
    }

    /// First seen in the last tenth of a history that is long enough.
    pub(super) fn late(&self, of: &[usize]) -> Option<String> {
        let span = self.last.duration_since(self.first);
        let first = of.iter().map(|at| self.findings[*at].event.time).min()?;
        let late = span >= LONG && self.last.duration_since(first) * 10 <= span;
        late.then(|| format!("first seen on {}, near the end of this history", first.strftime("%F")))
    }

    /// Nearly all of it within minutes.
    pub(super) fn spree(&self, of: &[usize]) -> Option<String> {
        let (least, within) = SPREE;
        let mut times: Vec<Timestamp> = of.iter().map(|at| self.findings[*at].event.time).collect();
        times.sort_unstable();
        let most = times.iter().enumerate().map(|(from, start)| {
            let rest = times.get(from..).unwrap_or_default();
            rest.iter().take_while(|time| time.duration_since(*start) <= within).count()
        });
        let most = most.max().unwrap_or(0);
        let spree = most >= least && most * 10 >= times.len() * 8;
        spree.then(|| format!("{most} within ten minutes"))
    }

    /// Functions that nobody else touches, on sources that others wired before, or wire more: this is how data is
    /// carried off.
    fn siphon(&self, of: &[usize]) -> Option<String> {
        let alone =
            |finding: &Finding| self.functions.get(finding.call.function.name.as_str()).is_some_and(|by| by.len() == 1);
        let taken = |finding: &Finding| {
            let by = self.sources.get(&seen::source(finding));
            let own = by.and_then(|by| by.get(finding.actor.principal_arn.as_str()));
            by.zip(own).is_some_and(|(by, own)| by.values().any(|other| other.0 < own.0 || other.1 > own.1))
        };
        let siphon = of.iter().filter(|at| alone(&self.findings[**at]) && taken(&self.findings[**at])).count();
        let nearly_all = siphon > 0 && siphon * 10 >= of.len() * 8;
        nearly_all.then(|| "its own functions on sources that are others'".to_owned())
    }

    /// From networks that nobody else calls from.
    fn stranger(&self, of: &[usize]) -> Option<String> {
        let networks: BTreeSet<IpNet> =
            of.iter().filter_map(|at| network(&self.findings[*at].actor.source_ip)).collect();
        let alone = |network: &IpNet| self.networks.get(network).is_some_and(|by| by.len() == 1);
        let anybody = self.networks.values().any(|by| by.len() > 1);
        let strange = anybody && !networks.is_empty() && networks.iter().all(alone);
        strange.then(|| "from networks that nobody else calls from".to_owned())
    }
}

//! A principal's findings → what it does as a habit, and what is unlike that.
//!
//! Whoever took over a deployer's role acts under its name, so a name alone is no habit. What a principal does is taken
//! apart by session pattern, service, agent and network, and each part must be a habit by itself: seen often enough, on
//! more than one day.

use super::names;
use super::reason::Reason;
use super::seen::{self, is_steady, network};
use super::signs::World;
use super::{Options, is_habit};
use crate::detection::Finding;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// In how many networks somebody may be at home; more are a cloud's, and say nothing.
const HOMES: usize = 4;

/// What one principal does through one service (`""`: by itself), by habit.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    pub(super) principal: String,
    pub(super) via: String,
    /// Positions of findings.
    pub(super) of: Vec<usize>,
    /// What a reviewer should look at twice.
    pub(super) doubts: Vec<String>,
}

/// The habits found, and why each of the other findings is none.
#[derive(Debug, Default)]
pub(super) struct Habits {
    pub(super) habits: Vec<Habit>,
    pub(super) left_out: Vec<(usize, Reason)>,
}

/// What distinguishes one part of a principal's doing from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Manner {
    via: String,
    session: String,
    agent: String,
    /// From none of the networks where the principal is at home.
    away: bool,
}

/// Finds the habits among the findings at these positions.
pub(super) fn find(findings: &[Finding], of: &[usize], options: &Options) -> Habits {
    let world = World::new(findings);
    let mut by_principal: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &at in of {
        by_principal.entry(&findings[at].actor.principal_arn).or_default().push(at);
    }
    let mut found = Habits::default();
    for (principal, of) in by_principal {
        Principal { findings, world: &world, options, arn: principal }.find(&of, &mut found);
    }
    found
}

struct Principal<'f> {
    findings: &'f [Finding],
    world: &'f World<'f>,
    options: &'f Options,
    arn: &'f str,
}

impl Principal<'_> {
    fn find(&self, of: &[usize], found: &mut Habits) {
        let mut manners: BTreeMap<Manner, Vec<usize>> = BTreeMap::new();
        for (at, manner) in self.manners(of) {
            manners.entry(manner).or_default().push(at);
        }
        let main = manners.iter().filter(|(_, of)| self.is_habit(of)).max_by_key(|(_, of)| of.len());
        let Some((main, main_of)) = main.map(|(manner, of)| (manner.clone(), of.clone())) else {
            let signs = self.world.signs(of);
            let reason = if signs.are_alarming() { Reason::Suspicious(signs.told()) } else { Reason::Seldom };
            found.left_out.extend(of.iter().map(|at| (*at, reason.clone())));
            return;
        };
        let mut kept: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (manner, of) in manners {
            if let Some(reason) = self.unlike(&main, &main_of, &manner, &of) {
                found.left_out.extend(of.iter().map(|at| (*at, reason.clone())));
            } else {
                kept.entry(manner.via).or_default().extend(of);
            }
        }
        for (via, of) in kept {
            self.habit(via, of, found);
        }
    }

    /// Why a manner is none of the principal's habits.
    fn unlike(&self, main: &Manner, main_of: &[usize], manner: &Manner, of: &[usize]) -> Option<Reason> {
        if manner == main {
            return None;
        }
        let mut how = self.differences(main, main_of, manner, of);
        if !self.is_habit(of) {
            if how.len() >= 3 {
                return Some(Reason::Suspicious(how));
            }
            return Some(Reason::Outlier(how));
        }
        // As often as the rest, it is the principal's other half; seldom beside it, it has to be like it.
        if of.len() * 3 > main_of.len() {
            return None;
        }
        let strange = manner.via == main.via && (manner.agent != main.agent || manner.away);
        if strange && !self.is_steady(of) {
            return Some(if how.len() >= 3 { Reason::Suspicious(how) } else { Reason::Outlier(how) });
        }
        how.extend(self.world.late(of));
        how.extend(self.world.spree(of));
        (how.len() >= 3).then_some(Reason::Suspicious(how))
    }

    fn differences(&self, main: &Manner, main_of: &[usize], manner: &Manner, of: &[usize]) -> Vec<String> {
        let mut how = Vec::new();
        let via = |via: &str| if via.is_empty() { "made directly".to_owned() } else { format!("made by {via}") };
        if manner.via != main.via {
            how.push(format!("{} instead of {}", via(&manner.via), via(&main.via)));
        }
        if manner.session != main.session {
            let name = of.first().map_or("", |at| &self.findings[*at].actor.session_name);
            how.push(format!("another session (`{name}`)"));
        }
        // A service's agent and address are the service's own.
        let direct = manner.via == main.via;
        if manner.agent != main.agent && direct {
            how.push(format!("another agent ({})", manner.agent.trim_end_matches('/')));
        }
        if manner.away && direct {
            let from: BTreeSet<&str> = of.iter().map(|at| self.findings[*at].actor.source_ip.as_str()).collect();
            how.push(format!("from elsewhere ({})", from.into_iter().take(3).collect::<Vec<_>>().join(", ")));
        }
        let functions = |of: &[usize]| -> BTreeSet<&str> {
            of.iter().map(|at| self.findings[*at].call.function.name.as_str()).collect()
        };
        let theirs = functions(of);
        let both: BTreeSet<&str> = functions(main_of).union(&theirs).copied().collect();
        let patterns = names::by_prefix(&both, 2);
        let usual: BTreeSet<&String> = functions(main_of).iter().filter_map(|name| patterns.get(name)).collect();
        if theirs.iter().all(|name| patterns.get(name).is_none_or(|pattern| !usual.contains(pattern))) {
            let named: Vec<&str> = theirs.into_iter().take(3).collect();
            how.push(format!("functions that it does not otherwise touch ({})", named.join(", ")));
        }
        how
    }

    /// Keeps it where it is a habit, and does not look like an attack.
    fn habit(&self, via: String, of: Vec<usize>, found: &mut Habits) {
        if !self.is_habit(&of) {
            found.left_out.extend(of.iter().map(|at| (*at, Reason::Seldom)));
            return;
        }
        let signs = self.world.signs(&of);
        if signs.are_too_many(of.len(), seen::days(of.iter().map(|at| &self.findings[*at]))) {
            found.left_out.extend(of.iter().map(|at| (*at, Reason::Suspicious(signs.told()))));
            return;
        }
        let mut doubts = signs.doubts();
        doubts.extend(self.maybe_people(&via, &of));
        found.habits.push(Habit { principal: self.arn.to_owned(), via, of, doubts });
    }

    /// Sessions named as people are: nothing else tells somebody at a terminal from a pipeline.
    fn maybe_people(&self, via: &str, of: &[usize]) -> Option<String> {
        let human =
            |name: &&str| (3..=12).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.');
        let names: BTreeSet<&str> = of.iter().map(|at| self.findings[*at].actor.session_name.as_str()).collect();
        let people: Vec<&str> = names.into_iter().filter(human).take(3).collect();
        let told = || format!("sessions named {} may be people's", people.join(", "));
        (via.is_empty() && !people.is_empty()).then(told)
    }

    fn manners(&self, of: &[usize]) -> Vec<(usize, Manner)> {
        let home = self.home(of);
        let mut sessions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for &at in of {
            let actor = &self.findings[at].actor;
            sessions.entry(&actor.invoked_by).or_default().insert(&actor.session_name);
        }
        let patterns: BTreeMap<&str, BTreeMap<&str, String>> =
            sessions.into_iter().map(|(via, names)| (via, names::sessions(&names))).collect();
        let manner = |at: usize| {
            let actor = &self.findings[at].actor;
            let session = patterns.get(actor.invoked_by.as_str()).and_then(|all| all.get(actor.session_name.as_str()));
            Manner {
                via: actor.invoked_by.clone(),
                session: session.cloned().unwrap_or_default(),
                agent: names::agent_family(&actor.user_agent).to_owned(),
                away: home.as_ref().is_some_and(|home| {
                    actor.invoked_by.is_empty()
                        && network(&actor.source_ip).is_none_or(|network| !home.contains(&network))
                }),
            }
        };
        of.iter().map(|at| (*at, manner(*at))).collect()
    }

    /// The few networks that the principal's direct calls come from by habit; `None`: they come from all over.
    fn home(&self, of: &[usize]) -> Option<BTreeSet<IpNet>> {
        let mut networks: BTreeMap<IpNet, Vec<usize>> = BTreeMap::new();
        let direct: Vec<usize> =
            of.iter().copied().filter(|at| self.findings[*at].actor.invoked_by.is_empty()).collect();
        for &at in &direct {
            if let Some(network) = network(&self.findings[at].actor.source_ip) {
                networks.entry(network).or_default().push(at);
            }
        }
        let most = networks.values().map(Vec::len).max().unwrap_or(0);
        networks.retain(|network, of| {
            let own = self.is_habit(of) && (of.len() * 3 > most || self.is_steady(of));
            own || self.world.is_shared(network, self.options)
        });
        let home: usize = networks.values().map(Vec::len).sum();
        let few = !networks.is_empty() && networks.len() <= HOMES && home * 100 >= direct.len() * 60;
        few.then(|| networks.into_keys().collect())
    }

    fn is_steady(&self, of: &[usize]) -> bool {
        is_steady(of.len(), seen::days(of.iter().map(|at| &self.findings[*at])))
    }

    fn is_habit(&self, of: &[usize]) -> bool {
        is_habit(self.findings, of, self.options)
    }
}

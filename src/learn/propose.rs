//! Plans → entries that allow what they are meant to and nothing that is left out.

use super::draft::{Draft, Narrow, Plan};
use super::reason::{Reason, path_and_name};
use super::seen::{self, network};
use super::trial::{Outcome, Trial};
use super::{Options, is_habit, names, siblings};
use crate::detection::Finding;
use crate::policy::{PolicySet, Problem, source_kind_word};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Entries with the plans behind them, and what had to be left out after all.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    pub(super) entries: Vec<(Draft, Plan)>,
    pub(super) left_out: Vec<(usize, Reason)>,
    /// What the entries say of each finding.
    pub(super) outcomes: Vec<Outcome>,
}

/// Narrows, takes apart or gives up plans until the history, judged by the entries, says that each allows what it is
/// meant to and nothing else. Every round makes at least one plan smaller, so it comes to an end.
pub(super) fn prove(
    trial: &Trial<'_>,
    set: &PolicySet,
    already: &[bool],
    mut plans: Vec<Plan>,
    options: &Options,
) -> Result<Proposals, Vec<Problem>> {
    let mut left_out: Vec<(usize, Reason)> = Vec::new();
    loop {
        plans.retain(|plan| {
            let habit = is_habit(trial.findings, &plan.of, options);
            if !habit {
                left_out.extend(plan.of.iter().map(|at| (*at, Reason::Seldom)));
            }
            habit
        });
        plans.sort_by_key(|plan| (std::cmp::Reverse(plan.of.len()), plan.principals.clone(), plan.via.clone()));
        let drafts = drafts(trial.findings, set, &plans, options);
        let (outcomes, idle) = trial.judge(&drafts)?;
        let meant: HashSet<usize> = plans.iter().flat_map(|plan| plan.of.iter().copied()).collect();
        if forget(trial.findings, &mut plans, &outcomes, &mut left_out)
            || fold_in(&mut plans, &drafts, &outcomes, &idle)
        {
            continue;
        }
        let wrong = |at: &usize| !meant.contains(at) && !already.get(*at).is_some_and(|allowed| *allowed);
        let unmeant: Vec<usize> = (0..outcomes.len()).filter(|at| wrong(at) && outcomes[*at].allowed).collect();
        if unmeant.is_empty() {
            return Ok(Proposals { entries: drafts.into_iter().zip(plans).collect(), left_out, outcomes });
        }
        let mut next = Vec::new();
        for (plan, draft) in plans.into_iter().zip(&drafts) {
            let too_much =
                unmeant.iter().copied().filter(|at| outcomes[*at].by.contains(&draft.id)).collect::<Vec<_>>();
            match too_much.as_slice() {
                [] => next.push(plan),
                [first, ..] => {
                    if let Some(plans) = narrower(trial.findings, &plan, draft, &too_much) {
                        next.extend(plans);
                        continue;
                    }
                    let what = described(&trial.findings[*first]);
                    left_out.extend(plan.of.iter().map(|at| (*at, Reason::Inseparable(what.clone()))));
                }
            }
        }
        plans = next;
    }
}

/// Drops from the plans what their entries do not allow: then a rule stands against it.
fn forget(findings: &[Finding], plans: &mut [Plan], outcomes: &[Outcome], left_out: &mut Vec<(usize, Reason)>) -> bool {
    let mut any = false;
    for plan in plans {
        plan.of.retain(|at| {
            let allowed = outcomes.get(*at).is_some_and(|outcome| outcome.allowed);
            if !allowed {
                any = true;
                let why = outcomes.get(*at).map_or("", |outcome| &outcome.why);
                left_out.push((*at, Reason::Forbidden(why.to_owned())));
            }
            allowed
        });
        plan.keep(findings, |_| true);
    }
    any
}

/// An entry that another makes needless gives its findings to that one.
fn fold_in(plans: &mut Vec<Plan>, drafts: &[Draft], outcomes: &[Outcome], idle: &HashSet<String>) -> bool {
    let Some(gone) = drafts.iter().position(|draft| idle.contains(&draft.id)) else { return false };
    let plan = plans.remove(gone);
    let id = &drafts[gone].id;
    // Where it is a present entry that covers all, nothing is left to propose.
    let covering = |draft: &Draft| {
        draft.id != *id && plan.of.iter().all(|at| outcomes.get(*at).is_some_and(|told| told.by.contains(&draft.id)))
    };
    if let Some(wider) = drafts.iter().position(covering)
        && let Some(wider) = plans.get_mut(if wider > gone { wider - 1 } else { wider })
    {
        wider.of.extend(&plan.of);
        wider.of.sort_unstable();
        wider.principals.extend(plan.principals);
    }
    true
}

/// The plan, narrowed so that it no longer covers at least one of these findings; nothing where no key can.
fn narrower(findings: &[Finding], plan: &Plan, draft: &Draft, too_much: &[usize]) -> Option<Vec<Plan>> {
    let several = plan.principals.len() > 1;
    if several && too_much.iter().any(|at| !plan.principals.contains(&findings[*at].actor.principal_arn)) {
        return Some(siblings::split(findings, plan));
    }
    let too_much: Vec<&Finding> = too_much.iter().map(|at| &findings[*at]).collect();
    let own: Vec<&Finding> = plan.findings(findings).collect();
    let narrow = plan.narrow;
    let apart = |key: &dyn Fn(&Finding) -> String| {
        let ours: BTreeSet<String> = own.iter().map(|finding| key(finding)).collect();
        too_much.iter().any(|finding| !ours.contains(&key(finding)))
    };
    let with = |narrow: Narrow| Some(vec![Plan { narrow, ..plan.clone() }]);
    let placed = own.iter().all(|finding| network(&finding.actor.source_ip).is_some());
    let nets: BTreeSet<_> = own.iter().filter_map(|finding| network(&finding.actor.source_ip)).collect();
    if !narrow.addresses && draft.addresses.is_empty() && placed && nets.len() <= 8 {
        let place =
            |finding: &Finding| network(&finding.actor.source_ip).map(|net| net.to_string()).unwrap_or_default();
        if apart(&place) {
            return with(Narrow { addresses: true, ..narrow });
        }
    }
    if !narrow.agents && draft.user_agents.is_empty() {
        let agent = |finding: &Finding| names::agent_family(&finding.actor.user_agent).to_owned();
        if apart(&agent) {
            return with(Narrow { agents: true, ..narrow });
        }
    }
    if several {
        return Some(siblings::split(findings, plan));
    }
    let name = |finding: &Finding| finding.call.function.name.clone();
    if !narrow.literal && (apart(&name) || apart(&seen::source)) {
        return with(Narrow { literal: true, ..narrow });
    }
    None
}

/// One finding, in a few words.
fn described(finding: &Finding) -> String {
    let who = &finding.actor.principal_arn;
    format!(
        "`{}` wired to {} by {who} on {}, which is left out",
        finding.call.function.name,
        seen::source(finding),
        seen::day(finding)
    )
}

/// The plans as entries, each with an id of its own.
fn drafts(findings: &[Finding], set: &PolicySet, plans: &[Plan], options: &Options) -> Vec<Draft> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut bases: BTreeMap<String, usize> = BTreeMap::new();
    for plan in plans {
        *bases.entry(base_id(plan)).or_default() += 1;
    }
    let mut drafts = Vec::new();
    for plan in plans {
        let base = base_id(plan);
        let alone = bases.get(&base).is_none_or(|number| *number == 1);
        let id = free_id(&base, plan, alone, |id| taken.contains(id) || set.has_id(id));
        taken.insert(id.clone());
        let conditions = plan.conditions(findings, set);
        let reason = reason(findings, plan, &conditions.functions);
        drafts.push(conditions.draft(id, reason, &plan.via, options.expires));
    }
    drafts
}

/// The role's name, with its path where that is one bare word; the path's where several roles are meant.
fn base_id(plan: &Plan) -> String {
    let names: BTreeSet<&str> = plan.principals.iter().map(|arn| path_and_name(arn).1).collect();
    let path = plan.principals.iter().next().map_or("", |arn| path_and_name(arn).0).trim_matches('/');
    let name = match names.iter().next() {
        Some(name) if names.len() == 1 && (path.is_empty() || name.contains(['-', '_', '.'])) => (*name).to_owned(),
        Some(name) if names.len() == 1 => format!("{}-{name}", path.rsplit('/').next().unwrap_or("")),
        _ => format!("{}-roles", path.replace('/', "-")),
    };
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let id: String = name.chars().map(fine).collect();
    let id = id.trim_matches('-');
    if id.is_empty() { "learned".to_owned() } else { id.to_owned() }
}

fn free_id(base: &str, plan: &Plan, alone: bool, taken: impl Fn(&str) -> bool) -> String {
    let service = plan.via.split('.').next().unwrap_or("");
    let way = if service.is_empty() { "direct" } else { service };
    let way: String = way.chars().filter(char::is_ascii_alphanumeric).collect();
    let account = plan.principals.iter().next().and_then(|arn| arn.split(':').nth(4)).unwrap_or("");
    let names =
        [base.to_owned(), format!("{base}-{way}"), format!("{base}-{way}-{account}"), format!("{base}-{account}")];
    let first = names.into_iter().skip(usize::from(!alone)).find(|id| !taken(id));
    let numbered = || (2..=usize::MAX).map(|number| format!("{base}-{number}")).find(|id| !taken(id));
    first.or_else(numbered).unwrap_or_default()
}

/// What an entry is for and rests on, as a sentence.
fn reason(findings: &[Finding], plan: &Plan, functions: &[String]) -> String {
    let all = plan.findings(findings);
    let (times, days) = (all.clone().count(), seen::days(all.clone()));
    let first = all.clone().map(seen::day).min().unwrap_or_default();
    let last = all.clone().map(seen::day).max().unwrap_or_default();
    let kinds: BTreeSet<&str> = all.map(|finding| source_kind_word(finding.call.source.kind)).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    let named = functions.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = match functions.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let via = if plan.via.is_empty() { String::new() } else { format!(" through {}", plan.via) };
    let roles = match plan.principals.len() {
        1 => String::new(),
        number => format!(" from {number} roles"),
    };
    format!(
        "wires {named}{more} to {}{via}{roles}: {times} times on {days} days, {first} to {last}",
        kinds.join(" and ")
    )
}

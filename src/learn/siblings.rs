//! Habits that are one thing done in several places: the same role in several accounts, or roles under one path.

use super::draft::{Narrow, Plan};
use super::habit::Habit;
use super::names;
use super::reason::path_and_name;
use super::seen;
use crate::detection::{Change, Finding};
use std::collections::{BTreeMap, BTreeSet};

/// So many accounts with the same role make one entry of it.
const ACCOUNTS: usize = 2;
/// So many roles under one path make one entry of them.
const ROLES: usize = 3;

/// Plans for the habits, those alike joined.
pub(super) fn join(findings: &[Finding], habits: Vec<Habit>) -> Vec<Plan> {
    let plans = habits.into_iter().map(|habit| Plan {
        principals: BTreeSet::from([habit.principal]),
        via: habit.via,
        of: habit.of,
        narrow: Narrow::default(),
        doubts: habit.doubts,
    });
    let plans = joined(findings, plans.collect(), ACCOUNTS, |arn| {
        let (account, resource) = parts(arn);
        (if is_role(resource) { resource } else { arn }.to_owned(), account.to_owned())
    });
    joined(findings, plans, ROLES, |arn| {
        let (_, resource) = parts(arn);
        let (path, name) = path_and_name(arn);
        // Roles without a path have nothing in common.
        let family = if is_role(resource) && path != "/" { path } else { arn };
        (family.to_owned(), name.to_owned())
    })
}

/// Takes a joined plan apart again.
pub(super) fn split(findings: &[Finding], plan: &Plan) -> Vec<Plan> {
    let mut by_principal: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &at in &plan.of {
        by_principal.entry(&findings[at].actor.principal_arn).or_default().push(at);
    }
    let one = |(principal, of): (&str, Vec<usize>)| Plan {
        principals: BTreeSet::from([principal.to_owned()]),
        of,
        ..plan.clone()
    };
    by_principal.into_iter().map(one).collect()
}

/// Joins plans of one family that differ in `member` only and do alike; `family_of` says family and member.
fn joined(
    findings: &[Finding],
    plans: Vec<Plan>,
    least: usize,
    family_of: impl Fn(&str) -> (String, String),
) -> Vec<Plan> {
    let mut families: BTreeMap<(String, String, String), Vec<Plan>> = BTreeMap::new();
    for plan in plans {
        let first = plan.principals.iter().next().map_or("", String::as_str);
        let partition = first.split(':').nth(1).unwrap_or("").to_owned();
        let family = family_of(first).0;
        families.entry((partition, plan.via.clone(), family)).or_default().push(plan);
    }
    let mut done = Vec::new();
    for mut family in families.into_values() {
        family.sort_by_key(|plan| std::cmp::Reverse(plan.of.len()));
        while !family.is_empty() {
            let first = family.remove(0);
            let like = |plan: &mut Plan| alike(findings, &first, plan);
            let others: Vec<Plan> = family.extract_if(.., like).collect();
            let all: Vec<&Plan> = std::iter::once(&first).chain(&others).collect();
            let members: BTreeSet<String> =
                all.iter().flat_map(|plan| &plan.principals).map(|arn| family_of(arn).1).collect();
            if members.len() < least {
                done.push(first);
                done.extend(others);
                continue;
            }
            done.push(others.into_iter().fold(first, |mut plan, other| {
                plan.principals.extend(other.principals);
                plan.of.extend(other.of);
                plan.doubts.extend(other.doubts);
                plan
            }));
        }
    }
    for plan in &mut done {
        plan.of.sort_unstable();
        plan.doubts.sort();
        plan.doubts.dedup();
    }
    done
}

/// Whether two do the same kind of thing: sessions of the same shape, no changes of different kinds, and at least half of the
/// function and source families in common.
fn alike(findings: &[Finding], one: &Plan, other: &Plan) -> bool {
    let shapes = |plan: &Plan| -> BTreeSet<String> {
        plan.findings(findings).map(|finding| names::shape(&finding.actor.session_name)).collect()
    };
    let changes = |plan: &Plan| -> BTreeSet<Change> {
        plan.findings(findings).flat_map(|finding| finding.changes.iter().copied()).collect()
    };
    let (changed, also) = (changes(one), changes(other));
    if shapes(one) != shapes(other) || !(changed.is_subset(&also) || also.is_subset(&changed)) {
        return false;
    }
    let common = |name: &dyn Fn(&Finding) -> String| {
        let names = |plan: &Plan| plan.findings(findings).map(name).collect::<BTreeSet<String>>();
        let (one, other) = (names(one), names(other));
        let patterns = names::by_prefix(&one.iter().chain(&other).map(String::as_str).collect(), 2);
        let families = |names: &BTreeSet<String>| {
            names.iter().filter_map(|name| patterns.get(name.as_str())).collect::<BTreeSet<_>>()
        };
        let (one, other) = (families(&one), families(&other));
        one.intersection(&other).count() * 2 >= one.union(&other).count()
    };
    common(&|finding| finding.call.function.name.clone()) && common(&seen::source)
}

/// Account and resource of an IAM ARN.
fn parts(arn: &str) -> (&str, &str) {
    let mut parts = arn.splitn(6, ':').skip(4);
    (parts.next().unwrap_or(""), parts.next().unwrap_or(""))
}

/// A user is one person or one robot, and stays by itself.
fn is_role(resource: &str) -> bool {
    resource.starts_with("role/")
}

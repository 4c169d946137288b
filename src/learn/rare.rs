//! Functions, sources, regions and changes that are rare beside what somebody does otherwise.
//!
//! Whoever took over a pipeline, or its role, has it do what it does not otherwise do. Once is no habit, even in the
//! midst of habits: what is rare is put aside where the rest explains nearly all.

use super::draft::Plan;
use super::reason::Reason;
use super::{Options, is_habit, names, seen};
use crate::detection::Finding;
use crate::policy::change_word;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is rare is put aside only where habits explain so many of a hundred.
const HABITUAL: usize = 80;

/// Takes what is rare out of a plan.
pub(super) fn put_aside(findings: &[Finding], plan: &mut Plan, options: &Options) -> Vec<(usize, Reason)> {
    let mut aside = Vec::new();
    for (what, aspect) in [
        ("another function", Aspect::Function),
        ("another source", Aspect::Source),
        ("another region", Aspect::Region),
        ("another change", Aspect::Change),
    ] {
        let (usual, rare) = usual(findings, &plan.of, aspect, options);
        plan.of = usual;
        aside.extend(rare.into_iter().map(|(at, value)| (at, Reason::Outlier(vec![format!("{what} ({value})")]))));
    }
    plan.keep(findings, |_| true);
    aside
}

/// The findings with usual values, and the others, each with what is unusual.
fn usual(findings: &[Finding], of: &[usize], aspect: Aspect, options: &Options) -> (Vec<usize>, Vec<(usize, String)>) {
    let values: HashMap<usize, Vec<String>> = aspect.values(findings, of);
    let mut by_value: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &at in of {
        for value in values.get(&at).into_iter().flatten() {
            by_value.entry(value).or_default().push(at);
        }
    }
    let habitual: BTreeSet<&str> =
        by_value.iter().filter(|(_, of)| is_habit(findings, of, options)).map(|(value, _)| *value).collect();
    let odd =
        |at: usize| values.get(&at).into_iter().flatten().find(|value| !habitual.contains(value.as_str())).cloned();
    let (mut usual, mut rare) = (Vec::new(), Vec::new());
    for &at in of {
        match odd(at) {
            Some(value) => rare.push((at, value)),
            None => usual.push(at),
        }
    }
    if usual.len() * 100 >= of.len() * HABITUAL { (usual, rare) } else { (of.to_vec(), Vec::new()) }
}

#[derive(Debug, Clone, Copy)]
enum Aspect {
    Function,
    Source,
    Region,
    Change,
}

impl Aspect {
    /// For each finding the values that must all be usual.
    fn values(self, findings: &[Finding], of: &[usize]) -> HashMap<usize, Vec<String>> {
        let patterned = |name: &dyn Fn(usize) -> String| {
            let names: Vec<(usize, String)> = of.iter().map(|at| (*at, name(*at))).collect();
            let patterns = names::by_prefix(&names.iter().map(|(_, name)| name.as_str()).collect(), 2);
            let pattern = |name: &String| patterns.get(name.as_str()).cloned().unwrap_or_default();
            names.iter().map(|(at, name)| (*at, vec![pattern(name)])).collect()
        };
        match self {
            Self::Function => patterned(&|at| findings[at].call.function.name.clone()),
            Self::Source => patterned(&|at| seen::source(&findings[at])),
            Self::Region => of.iter().map(|at| (*at, vec![findings[*at].region.clone()])).collect(),
            Self::Change => {
                let changes =
                    |at: usize| findings[at].changes.iter().map(|change| change_word(*change).to_owned()).collect();
                of.iter().map(|at| (*at, changes(*at))).collect()
            }
        }
    }
}

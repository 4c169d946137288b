//! What to enforce first, and what is missing for the rest.

use super::{ENOUGH, Segment, WrongCause};
use crate::policy::source_kind_word;
use serde::Serialize;
use std::collections::BTreeSet;

/// What is recommended for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Enforce it: the first of them first.
    Enforce,
    /// Not yet.
    Wait,
    /// Nothing was observed there.
    Observe,
}

/// A recommendation. It switches nothing on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// The segment's account group.
    pub group: String,
    /// The segment's kind of source.
    pub source_kind: &'static str,
    /// What.
    pub advice: Advice,
    /// Why, or what is missing, for people; most important first.
    pub why: Vec<String>,
}

impl Recommendation {
    /// For all segments: those to enforce, the surest first; then those that wait, the nearest first.
    pub fn all(segments: &[Segment]) -> Vec<Self> {
        let mut sorted: Vec<&Segment> = segments.iter().collect();
        let surest = |segment: &Segment| segment.precision.map_or(0.0, |precision| precision.at_least);
        sorted.sort_by(|a, b| {
            let nearer = a.labels_missing.cmp(&b.labels_missing).then(surest(b).total_cmp(&surest(a)));
            advice(a).cmp(&advice(b)).then(nearer)
        });
        sorted.into_iter().map(Self::of).collect()
    }

    fn of(segment: &Segment) -> Self {
        let advice = advice(segment);
        Self {
            group: segment.group.clone(),
            source_kind: source_kind_word(segment.source_kind),
            advice,
            why: why(segment, advice),
        }
    }
}

fn advice(segment: &Segment) -> Advice {
    match segment.precision {
        _ if !segment.right_but_allowed_now.is_empty() => Advice::Wait,
        Some(precision) if precision.at_least >= ENOUGH => Advice::Enforce,
        None if segment.observed == 0 => Advice::Observe,
        _ => Advice::Wait,
    }
}

fn why(segment: &Segment, advice: Advice) -> Vec<String> {
    let mut why = Vec::new();
    let allowed = segment.right_but_allowed_now.as_slice();
    if let Some(first) = allowed.first() {
        why.push(format!(
            "the allowlist now allows {} that people called right to contain ({first}): narrow the entry",
            cases(allowed.len())
        ));
    }
    if let Some(precision) = segment.precision {
        why.push(format!(
            "{} of {} labelled cases right: {} at least, with 95 % certainty",
            precision.right,
            precision.of,
            percent(precision.at_least)
        ));
    }
    // What would be wrong again comes before counting on.
    why.extend(segment.wrong_causes.iter().take(3).map(first_add));
    // One principal that makes half of the cards is an attack, or an entry that is missing.
    if let Some(most) = segment.most_by.as_ref().filter(|most| most.times > 1 && most.times * 2 >= most.of) {
        let who = if most.principal_arn.is_empty() { "whom the records do not tell" } else { &most.principal_arn };
        why.push(format!(
            "{} of {} cards by the archive are for {who}: look at it, and where that is right add an entry first \
             (`sluicegate learn` proposes it)",
            most.times, most.of
        ));
    }
    match advice {
        Advice::Observe => why.push("nothing was observed there yet: run in observe, and label its cases".to_owned()),
        Advice::Wait if segment.precision.is_none_or(|precision| precision.at_least < ENOUGH) => why.push(format!(
            "{} more labelled {} would do, all of them right, for {} at least{}",
            segment.labels_missing,
            if segment.labels_missing == 1 { "case" } else { "cases" },
            percent(ENOUGH),
            match segment.unlabelled {
                0 => String::new(),
                unlabelled => format!("; {} without a label: look at those first", waiting(unlabelled)),
            }
        )),
        Advice::Enforce | Advice::Wait => {}
    }
    why
}

fn first_add(cause: &WrongCause) -> String {
    let list = |key: &str, values: &BTreeSet<String>| {
        let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        if quoted.is_empty() { String::new() } else { format!(", {key} = [{}]", quoted.join(", ")) }
    };
    let WrongCause { principal_arn, reason, times, of, .. } = cause;
    if principal_arn.is_empty() {
        return format!("{times} of {of} wrong ones have one cause: {reason}");
    }
    format!(
        "{times} of {of} wrong ones have one cause: {reason}. An entry that covers them: principal = {principal_arn:?}{}{}{} \
         (`sluicegate learn` proposes it from history)",
        list("via", &cause.via),
        list("functions", &cause.functions),
        list("sources", &cause.sources)
    )
}

/// A rule that lets sluicegate act in the segment alone, while `mode` is `enforce` for all.
pub fn first_rule(recommendation: &Recommendation) -> String {
    let Recommendation { group, source_kind, .. } = recommendation;
    let is_account = crate::mapping::is_account(group);
    let place = if is_account {
        format!("resource.account == {group:?}")
    } else {
        format!("resource in AccountGroup::{group:?}")
    };
    format!(
        "@id(\"enforce-{group}-{source_kind}-first\")\n@reason(\"only there is it known to be right\")\n\
         forbid (principal, action in [Action::\"disable\", Action::\"freeze\", Action::\"restrict\"], resource)\n\
         unless {{ {place} && resource.source.kind == SourceKind::\"{source_kind}\" }};"
    )
}

fn cases(number: usize) -> String {
    if number == 1 { "1 case".to_owned() } else { format!("{number} cases") }
}

fn waiting(number: u32) -> String {
    if number == 1 { "1 case is".to_owned() } else { format!("{number} cases are") }
}

/// Never rounded up: 99.7 % is no 100 %.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).floor())
}

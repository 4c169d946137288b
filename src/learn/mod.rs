//! Proposes allowlist entries from history, for a person to review.
//!
//! [`learn`] takes findings and the present policies. What no entry may ever be for is set aside first, then whatever is
//! no habit; habits become entries, and the entries are proven: loaded beside the present ones they must allow, in the
//! history itself, what they are meant to and nothing that was set aside. [`Lesson::to_toml`] writes them as a person
//! would, with what speaks for each and what it allows beyond what was seen.

mod draft;
mod habit;
mod names;
mod propose;
mod rare;
mod reason;
mod seen;
mod siblings;
mod signs;
mod trial;
mod wider;
mod write;

pub use draft::Draft;
pub use reason::Reason;
pub use seen::{Count, Counts, Evidence};

use crate::detection::Finding;
use crate::policy::{PolicyFiles, PolicySet, Problem};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use trial::Trial;

/// A habit shows on so many days at least.
pub const MIN_DAYS: usize = 2;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seen so often at least, on [`MIN_DAYS`] days, it is a habit.
    pub min_times: usize,
    /// The entries' last day.
    pub expires: Date,
    /// Today, UTC.
    pub today: Date,
}

/// An entry, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The entry's id.
    pub id: String,
    /// The entry.
    pub entry: Draft,
    /// What it rests on.
    pub evidence: Evidence,
    /// How many findings of the history it allows.
    pub explains: usize,
    /// Their share of the whole history, from 0 to 1.
    pub share: f64,
    /// The share of it and all before it together.
    pub cumulative_share: f64,
    /// What it allows beyond what was seen.
    pub wider: Vec<String>,
    /// What a reviewer should look at twice.
    pub look_closely: Vec<String>,
}

/// Findings for which no entry is proposed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// Who: a principal's ARN, or what CloudTrail tells in its place.
    pub left_out: String,
    /// Why.
    pub why: String,
    /// Whether it looks like an attack.
    pub suspicious: bool,
    /// What was seen.
    pub evidence: Evidence,
}

/// How it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings in the history.
    pub findings: usize,
    /// Those that the present allowlist allows: they need no entry.
    pub already_allowed: usize,
    /// Proposed entries.
    pub proposals: usize,
    /// Findings that the proposed entries allow and the present ones do not.
    pub explained: usize,
    /// Findings that nothing is proposed for.
    pub left_out: usize,
    /// Of these, those that look like an attack.
    pub suspicious: usize,
    /// The time of the first finding.
    pub first: Option<Timestamp>,
    /// The time of the last.
    pub last: Option<Timestamp>,
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Entries, those that explain most first.
    pub proposals: Vec<Proposal>,
    /// What is left out, the suspicious first, then what is strange, then the rest.
    pub left_out: Vec<LeftOut>,
    /// How it came out.
    pub summary: Summary,
}

/// Learns from findings, oldest first. `present` are the policies as they are now; an error means that they are refused.
pub fn learn(findings: &[Finding], present: &PolicyFiles, options: &Options) -> Result<Lesson, Vec<Problem>> {
    let set = PolicySet::load(present, options.today)?.set;
    let trial = Trial { findings, present, today: options.today };
    let already = trial.allowed_already(&set);
    let mut reasons: BTreeMap<usize, Reason> = BTreeMap::new();
    let mut able = Vec::new();
    for (at, finding) in findings.iter().enumerate() {
        match Reason::of(finding, &set) {
            Some(reason) => drop(reasons.insert(at, reason)),
            None => able.push(at),
        }
    }
    let open: Vec<usize> = able.iter().copied().filter(|at| !already[*at]).collect();
    let forbidden = trial.forbidden(&open)?;
    reasons.extend(forbidden.into_iter().map(|(at, why)| (at, Reason::Forbidden(why))));
    able.retain(|at| !reasons.contains_key(at));
    // What is allowed already needs no entry, but shows what is usual, beside which the rest may look strange.
    let found = habit::find(findings, &able, options);
    reasons.extend(found.left_out);
    let mut plans = siblings::join(findings, found.habits);
    for plan in &mut plans {
        reasons.extend(rare::put_aside(findings, plan, options));
        plan.keep(findings, |at| !already[at]);
    }
    plans.retain(|plan| !plan.of.is_empty());
    reasons.retain(|at, _| !already[*at]);
    let proven = propose::prove(&trial, &set, &already, plans, options)?;
    reasons.extend(proven.left_out.iter().cloned());
    let proposals = proposals(findings, &proven);
    let explained = (0..findings.len()).filter(|at| !already[*at] && proven.outcomes[*at].allowed).count();
    let summary = Summary {
        findings: findings.len(),
        already_allowed: already.iter().filter(|allowed| **allowed).count(),
        proposals: proposals.len(),
        explained,
        left_out: reasons.len(),
        suspicious: reasons.values().filter(|reason| reason.is_suspicious()).count(),
        first: findings.iter().map(|finding| finding.event.time).min(),
        last: findings.iter().map(|finding| finding.event.time).max(),
    };
    Ok(Lesson { proposals, left_out: left_out(findings, &reasons), summary })
}

/// Whether the findings at these positions are often enough, and on enough days, to be a habit.
fn is_habit(findings: &[Finding], of: &[usize], options: &Options) -> bool {
    let days = || seen::days(of.iter().map(|at| &findings[*at]));
    of.len() >= options.min_times.max(1) && days() >= MIN_DAYS
}

fn proposals(findings: &[Finding], proven: &propose::Proposals) -> Vec<Proposal> {
    let allowed_by =
        |id: &String| -> Vec<usize> { (0..findings.len()).filter(|at| proven.outcomes[*at].by.contains(id)).collect() };
    let mut entries: Vec<_> = proven.entries.iter().map(|entry| (allowed_by(&entry.0.id).len(), entry)).collect();
    entries.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.0.id.cmp(&other.0.id)));
    let mut explained = vec![false; findings.len()];
    let mut proposals = Vec::new();
    for (explains, (draft, plan)) in entries {
        for at in allowed_by(&draft.id) {
            explained[at] = true;
        }
        let cumulative = explained.iter().filter(|explained| **explained).count();
        proposals.push(Proposal {
            id: draft.id.clone(),
            entry: draft.clone(),
            evidence: Evidence::of(plan.findings(findings)),
            explains,
            share: share(explains, findings.len()),
            cumulative_share: share(cumulative, findings.len()),
            wider: wider::told(draft, &plan.findings(findings).collect::<Vec<_>>()),
            look_closely: plan.doubts.clone(),
        });
    }
    proposals
}

#[allow(clippy::cast_precision_loss, reason = "a share for people: no history has 2^52 findings")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0 }
}

/// By who and why, the suspicious first, then what is strange, then the rest; the most frequent before the others.
fn left_out(findings: &[Finding], reasons: &BTreeMap<usize, Reason>) -> Vec<LeftOut> {
    let mut groups: BTreeMap<(String, &Reason), Vec<usize>> = BTreeMap::new();
    for (at, reason) in reasons {
        groups.entry((who(&findings[*at]), reason)).or_default().push(*at);
    }
    let mut all: Vec<(u8, LeftOut)> = Vec::new();
    for ((who, reason), of) in groups {
        let left = LeftOut {
            left_out: who,
            why: reason.told(),
            suspicious: reason.is_suspicious(),
            evidence: Evidence::of(of.iter().map(|at| &findings[*at])),
        };
        all.push((reason.rank(), left));
    }
    all.sort_by_key(|(rank, left)| (*rank, std::cmp::Reverse(left.evidence.times)));
    all.into_iter().map(|(_, left)| left).collect()
}

fn who(finding: &Finding) -> String {
    let actor = &finding.actor;
    let known = [&actor.principal_arn, &actor.arn, &actor.principal_id, &actor.invoked_by];
    known.into_iter().find(|text| !text.is_empty()).map_or("nobody named", String::as_str).to_owned()
}

//! Judging a history, and counting what comes of it.

use super::{Changes, Judged, Kept, Tally, Timeline, Usage};
use crate::detection::Finding;
use crate::policy::{PolicySet, Verdict};

/// How much is kept in memory, however much there is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many findings one by one; the same for those that two sets judge differently.
    pub findings: usize,
    /// So many bytes of them.
    pub bytes: usize,
    /// So many principals, days, places and policies each are told apart.
    pub keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { findings: 2_000, bytes: 16 << 20, keys: 5_000 }
    }
}

/// What was said of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// By the set itself.
    pub verdict: Verdict,
    /// By the set that it is compared with.
    pub against: Option<Verdict>,
}

/// A history in judgement: give it the findings, oldest first.
pub struct Backtest<'p> {
    timeline: Timeline<'p>,
    against: Option<Timeline<'p>>,
    /// What was counted.
    pub tally: Tally,
    /// What the entries were good for.
    pub usage: Usage<'p>,
    /// What differs; `None` where there is nothing to compare with.
    pub changes: Option<Changes>,
    /// The newest findings, those not allowed first.
    pub kept: Kept<Judged>,
}

impl<'p> Backtest<'p> {
    /// By this set, compared with another.
    pub fn new(set: &'p PolicySet, against: Option<&'p PolicySet>, limits: Limits) -> Self {
        Self {
            timeline: Timeline::new(set),
            against: against.map(Timeline::new),
            tally: Tally::new(limits.keys),
            usage: Usage::new(set, limits.keys),
            changes: against.map(|_| Changes::new(limits.findings, limits.bytes)),
            kept: Kept::new(limits.findings, limits.bytes),
        }
    }

    /// Judges the next finding, and counts it.
    pub fn judge(&mut self, finding: &Finding) -> Opinion {
        let verdict = self.timeline.judge(finding);
        let against = self.against.as_mut().map(|timeline| timeline.judge(finding));
        self.tally.add(finding, &verdict);
        self.usage.add(finding, &verdict);
        if let (Some(changes), Some(after)) = (&mut self.changes, &against) {
            changes.add(finding, &verdict, after);
        }
        self.kept.push(!verdict.allowed, || {
            let judged = Judged { finding: finding.clone(), verdict: verdict.clone() };
            (judged, weight(finding, &[&verdict]))
        });
        Opinion { verdict, against }
    }
}

/// About how many bytes keeping it takes: the structures, and the texts that an attacker can make long.
pub(super) fn weight(finding: &Finding, verdicts: &[&Verdict]) -> usize {
    let (actor, call) = (&finding.actor, &finding.call);
    let texts = [
        &finding.event.id,
        &finding.event.name,
        &finding.account,
        &finding.region,
        &actor.arn,
        &actor.principal_arn,
        &actor.unidentified,
        &actor.session_name,
        &actor.principal_id,
        &actor.invoked_by,
        &actor.source_ip,
        &actor.user_agent,
        &call.uuid,
        &call.mapping_arn,
        &call.function.arn,
        &call.function.name,
        &call.source.arn,
        &call.source.name,
        &call.disagrees,
    ];
    let told = verdicts.iter().flat_map(|verdict| {
        let lists = [&verdict.policies, &verdict.reasons, &verdict.errors];
        lists.into_iter().flatten().map(|text| text.len() + size_of::<String>())
    });
    let wiring = format!("{:?}", call.wiring).len();
    size_of::<Judged>() + wiring + texts.iter().map(|text| text.len()).sum::<usize>() + told.sum::<usize>()
}

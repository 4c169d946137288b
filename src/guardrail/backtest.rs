//! The guardrail on history: who would have been denied, and what it would not have stopped.

use super::Guardrail;
use crate::detection::Finding;
use crate::history::{Timeline, is_allowed_at};
use crate::policy::PolicySet;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// What would have become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Allowed by policy as it is today, and denied all the same. There must be none.
    WronglyDenied,
    /// Allowed then, by what is not in force any more, and denied.
    AllowedThen,
    /// Not allowed, and denied.
    Denied,
    /// Not allowed, for the record does not tell for certain who it was: AWS knows, so it may be denied or not.
    NotCertain,
    /// Not allowed, and not denied: the responder's.
    LeftToResponder,
    /// The responder's own call, which is never denied.
    Responder,
    /// Allowed, and not denied.
    Passes,
}

/// One call of those that share a fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as in `Explanation`")]
pub struct Example {
    pub event_id: String,
    pub event_name: String,
    pub account: String,
    pub region: String,
    pub function_arn: String,
    pub source_arn: String,
    /// Why policy says what it says, most telling first.
    pub reasons: Vec<String>,
}

/// The calls of one principal that share a fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What would have become of them.
    pub fate: Fate,
    /// Whose; what the record has, where the principal is not certain.
    pub principal_arn: String,
    /// By which statement.
    pub statement: Option<String>,
    /// How many.
    pub times: u64,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The last.
    pub example: Example,
}

/// How many findings shared each fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "as in `Fate`")]
pub struct Counts {
    pub wrongly_denied: u64,
    pub allowed_then: u64,
    pub denied: u64,
    pub not_certain: u64,
    pub left_to_responder: u64,
    pub responder: u64,
    pub passes: u64,
}

/// Replays findings, oldest first.
pub struct Backtest<'g> {
    guardrail: &'g Guardrail,
    set: &'g PolicySet,
    timeline: Timeline<'g>,
    now: Timestamp,
    lines: BTreeMap<(Fate, String, Option<String>), Line>,
    counts: Counts,
}

impl<'g> Backtest<'g> {
    /// Of this guardrail, which is `set`'s as it is `now`.
    pub fn new(guardrail: &'g Guardrail, set: &'g PolicySet, now: Timestamp) -> Self {
        let (lines, counts) = (BTreeMap::new(), Counts::default());
        Self { guardrail, set, timeline: Timeline::new(set), now, lines, counts }
    }

    /// The next finding.
    pub fn add(&mut self, finding: &Finding) {
        let verdict = self.timeline.judge(finding);
        let known = !finding.actor.principal_arn.is_empty();
        let statement = self.guardrail.denied_by(finding).filter(|_| known).map(str::to_owned);
        let fate = match (verdict.allowed, &statement) {
            (true, None) => Fate::Passes,
            (true, Some(_)) if is_allowed_at(self.set, finding, self.now) => Fate::WronglyDenied,
            (true, Some(_)) => Fate::AllowedThen,
            (false, None) if !known => Fate::NotCertain,
            (false, Some(_)) => Fate::Denied,
            (false, None) if self.guardrail.is_own(finding) => Fate::Responder,
            (false, None) => Fate::LeftToResponder,
        };
        *self.counts.of(fate) += 1;
        if fate == Fate::Passes {
            return;
        }
        let actor = &finding.actor;
        let names = [&actor.principal_arn, &actor.arn, &actor.principal_id];
        let principal =
            names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| "unknown".to_owned());
        let time = finding.event.time;
        let example = Example {
            event_id: finding.event.id.clone(),
            event_name: finding.event.name.clone(),
            account: finding.account.clone(),
            region: finding.region.clone(),
            function_arn: finding.call.function.to_string(),
            source_arn: finding.call.source.arn.clone(),
            reasons: verdict.reasons,
        };
        let line = self.lines.entry((fate, principal.clone(), statement.clone())).or_insert_with(|| Line {
            fate,
            principal_arn: principal,
            statement,
            times: 0,
            first: time,
            last: time,
            example: example.clone(),
        });
        line.times += 1;
        line.first = line.first.min(time);
        if time >= line.last {
            (line.last, line.example) = (time, example);
        }
    }

    /// What came of it: the worst fate first, then the most frequent.
    pub fn finish(self) -> (Vec<Line>, Counts) {
        let mut lines: Vec<Line> = self.lines.into_values().collect();
        lines.sort_by(|a, b| (a.fate, b.times, &a.principal_arn).cmp(&(b.fate, a.times, &b.principal_arn)));
        (lines, self.counts)
    }
}

impl Counts {
    fn of(&mut self, fate: Fate) -> &mut u64 {
        match fate {
            Fate::WronglyDenied => &mut self.wrongly_denied,
            Fate::AllowedThen => &mut self.allowed_then,
            Fate::Denied => &mut self.denied,
            Fate::NotCertain => &mut self.not_certain,
            Fate::LeftToResponder => &mut self.left_to_responder,
            Fate::Responder => &mut self.responder,
            Fate::Passes => &mut self.passes,
        }
    }
}

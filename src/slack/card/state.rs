//! Where a case stands, in one phrase, and how bad that is.

use super::is_expired;
use super::text::Mrkdwn;
use crate::case::{Case, Decision, Evidence, Outcome, State, Step, StepStatus};
use crate::containment::StepKind;
use crate::mapping::Snapshot;
use crate::restriction::Effect;

/// How bad it is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

impl Severity {
    /// For the header: seen before it is read.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Critical => "🔴 ",
            Self::High => "🟠 ",
            Self::Medium => "🟡 ",
            Self::Low => "⚪ ",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Critical => "*Critical*",
            Self::High => "*High*",
            Self::Medium => "*Medium*",
            Self::Low => "*Low*",
        }
    }
}

/// Whether the mapping, as last read, polls its source or is about to.
pub(super) fn runs(case: &Case) -> bool {
    !case.gone && case.latest().is_some_and(Snapshot::is_active)
}

/// Whether a step was undone by somebody else.
pub(super) fn tampered_with(case: &Case, step: &Step) -> bool {
    let succeeded = |other: &&Step| other.status == StepStatus::Succeeded;
    let mut undos = case.steps.iter().filter(succeeded).filter(|other| other.undoes.is_some());
    let by_us = |undo: &Step| {
        undo.undoes == Some(step.id) || (undo.kind == StepKind::DeleteMapping && step.kind == StepKind::DisableMapping)
    };
    step.undoes.is_none() && step.status == StepStatus::Undone && !undos.any(by_us)
}

/// The state in a phrase.
pub(super) fn headline(case: &Case) -> &'static str {
    match (case.state, case.outcome) {
        (State::AwaitingDecision | State::Closed, _) if slips(case) => "The restriction does not hold – look at it",
        (State::Containing, _) if case.steps.iter().any(|step| tampered_with(case, step)) => {
            "Containment was undone – at work again"
        }
        (State::Containing, _) => "Rogue mapping found – at work",
        (State::AwaitingDecision | State::Closed, _) if is_expired(case) => lapsed(case),
        (State::AwaitingDecision, _) => waiting(case),
        (State::Acting, _) => case.approved.as_ref().map_or("At work", |tally| doing(tally.plan.decision)),
        (State::Stuck, _) => "Stuck: a person is needed",
        (State::Closed, outcome) => outcome.map_or("Closed", |outcome| closed(case, outcome)),
    }
}

fn waiting(case: &Case) -> &'static str {
    if case.in_force(StepKind::DeleteMapping) {
        "Mapping deleted – decide"
    } else if case.gone {
        "Mapping gone before it was disabled – decide"
    } else if case.in_force(StepKind::DisableMapping) && !runs(case) {
        "Rogue mapping disabled – decide"
    } else if case.in_force(StepKind::FreezeFunction) {
        "Function frozen, mapping not disabled – decide"
    } else if case.latest().is_none() {
        "Mapping not found yet – decide"
    } else if runs(case) {
        "Mapping runs – decide"
    } else {
        "Mapping made, not enabled – decide"
    }
}

fn lapsed(case: &Case) -> &'static str {
    match (case.contained(), runs(case)) {
        (true, _) => "Nobody decided in time – it stays contained",
        (false, true) => "Nobody decided in time – it runs",
        (false, false) => "Nobody decided in time",
    }
}

fn doing(decision: Decision) -> &'static str {
    match decision {
        Decision::Leave | Decision::Keep => "Decided – closing",
        Decision::Disable => "Disabling, as decided",
        Decision::Freeze => "Freezing and disabling, as decided",
        Decision::Delete => "Deleting, as decided",
        Decision::DeleteRestrict => "Removing and restricting, as decided",
        Decision::Restore => "Restoring, as decided",
        Decision::Lift => "Lifting the restriction, as decided",
    }
}

fn closed(case: &Case, outcome: Outcome) -> &'static str {
    let restricted = case.restrictions().next().is_some();
    match outcome {
        Outcome::Contained if !case.in_force(StepKind::DisableMapping) => "Stays contained",
        Outcome::Contained if restricted => "Stays disabled, credentials restricted",
        Outcome::Contained => "Stays disabled",
        Outcome::Removed if restricted => "Removed and restricted",
        Outcome::Removed => "Removed",
        Outcome::Left => "Left as it is",
        Outcome::Restored if restricted => "Restored, credentials still restricted",
        Outcome::Restored => "Restored",
        Outcome::Observed => "Observed",
        Outcome::Notified => "For your information: a mapping that is not allowed",
    }
}

/// Whether a restriction that is on does not hold.
pub(super) fn slips(case: &Case) -> bool {
    let mut effects = case.restrictions().filter_map(|step| case.effect(step.id));
    effects.any(|effect| {
        matches!(effect, Effect::NotEffective { .. } | Effect::Tampered { .. } | Effect::NotReapplied { .. })
    })
}

/// How bad it is, and why; `""` where the state itself says it.
pub(super) fn severity(case: &Case) -> (Severity, &'static str) {
    let facts = |is: fn(&Evidence) -> bool| case.evidence.iter().any(|(evidence, _)| is(evidence));
    let sensitive = facts(|evidence| matches!(evidence, Evidence::Source(source) if !source.sensitive.is_empty()));
    let processed = facts(|evidence| {
        matches!(evidence, Evidence::Processed(processed)
            if processed.looked_at.iter().any(|looked| looked.processed == Some(true)))
    });
    match case.state {
        _ if slips(case) => (Severity::Critical, "the restriction of credentials does not hold"),
        State::Closed => (Severity::Low, ""),
        State::Stuck => (Severity::Critical, "what should be done could not be done"),
        _ if runs(case) && sensitive => (Severity::Critical, "the mapping runs on sensitive data"),
        _ if runs(case) => (Severity::High, ""),
        _ if case.latest().is_none() && !case.gone => (Severity::High, "whether it runs is not known"),
        _ if processed && sensitive => (Severity::Critical, "it processed records of a sensitive source"),
        _ if processed => (Severity::High, "it processed records"),
        _ if case.gone && !case.in_force(StepKind::DeleteMapping) => (Severity::High, ""),
        _ if sensitive => (Severity::High, "the source is sensitive"),
        _ => (Severity::Medium, ""),
    }
}

/// The severity, for the beginning of a line.
pub(super) fn severity_words(case: &Case) -> Mrkdwn {
    let (severity, why) = severity(case);
    let words = Mrkdwn::new(severity.word());
    if why.is_empty() { words.say(". ") } else { words.say(": ").say(why).say(". ") }
}

//! What was already done and read back, and how it is taken back.

use super::state::tampered_with;
use super::text::Mrkdwn;
use super::what::{NAME, why_nothing};
use crate::case::{Case, Decision, State, Step, StepStatus};
use crate::containment::StepKind;

/// The longest call that is shown whole.
pub(super) const CALL: usize = 220;

/// Every step with how far it is, or why there is none.
pub(super) fn done(case: &Case) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*Done so far*")];
    if case.steps.is_empty() && case.state != State::Containing {
        lines.push(Mrkdwn::new("• ").then(&why_nothing(case)));
    } else if case.steps.is_empty() {
        lines.push(Mrkdwn::new("• nothing yet"));
    }
    lines.extend(case.steps.iter().map(|step| line(case, step)));
    lines
}

fn line(case: &Case, step: &Step) -> Mrkdwn {
    let what = Mrkdwn::default().number(step.id).say(". ").say(if step.undoes.is_some() { "Take back: " } else { "" });
    let what = what.say(name(step.kind));
    let what = match step.call.principal() {
        Some(principal) => what.say(" (").code(&principal.words(), NAME).say(")"),
        None => what,
    };
    match step.status {
        StepStatus::Prepared => what.say(" – about to be done"),
        StepStatus::Started => what.say(" – under way since ").time(step.started_at.unwrap_or(step.at)),
        StepStatus::Succeeded => what.say(" – *done and read back* ").time(step.at).then(&effort(step)),
        StepStatus::Failed if step.refused => what.say(" – *refused for good*: ").bare(&step.error, 200),
        StepStatus::Failed => what.say(" – *failed for now*: ").bare(&step.error, 200),
        StepStatus::Undone if tampered_with(case, step) => what.say(" – done, then *undone by somebody else*"),
        StepStatus::Undone => what.say(" – done, and taken back since"),
    }
}

/// `, 2 tries, 340 ms`.
fn effort(step: &Step) -> Mrkdwn {
    let tries = Mrkdwn::new(", ").count(step.attempts as usize + 1, "try", "tries");
    let took = step.started_at.map(|began| step.at.as_millisecond().saturating_sub(began.as_millisecond()));
    match took.and_then(|took| u64::try_from(took).ok()) {
        Some(took) => tries.say(", ").number(took).say(" ms"),
        None => tries,
    }
}

/// A step in words.
pub(super) fn name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::DisableMapping => "disable the mapping",
        StepKind::FreezeFunction => "freeze the function",
        StepKind::DeleteMapping => "delete the mapping",
        StepKind::RevokeSession => "deny the session",
        StepKind::DenyPrincipal => "deny the whole principal",
        StepKind::DeactivateKeys => "deactivate the access keys",
        StepKind::CapPrincipal => "attach the deny-all policy",
        StepKind::QuarantinePrincipal => "set the quarantine tag",
    }
}

/// How what was done is taken back.
pub(super) fn undo(case: &Case) -> Vec<Mrkdwn> {
    let fits = case.decisions();
    let mut lines = Vec::new();
    if fits.contains(&Decision::Restore) {
        let line = Mrkdwn::new("• mapping and function as they were: ").then(&command(case, "sluicegate restore "));
        lines.push(line);
        if case.in_force(StepKind::DeleteMapping) {
            lines.push(Mrkdwn::new(
                "• it comes back under a new UUID, and begins where its starting position says: the old position in a \
                 stream is lost",
            ));
        }
    }
    if fits.contains(&Decision::Lift) {
        lines.push(Mrkdwn::new("• the restriction: ").then(&decide(case, Decision::Lift)));
    }
    if !lines.is_empty() {
        lines.insert(0, Mrkdwn::new("*How to undo it*"));
    }
    lines
}

fn command(case: &Case, command: &'static str) -> Mrkdwn {
    Mrkdwn::new("`").say(command).bare(case.id.as_str(), 40).say("`")
}

/// `sluicegate decide sg-… keep --reason …`
pub(super) fn decide(case: &Case, decision: Decision) -> Mrkdwn {
    command_open(case).say(decision.name()).say(" --reason …`")
}

fn command_open(case: &Case) -> Mrkdwn {
    Mrkdwn::new("`sluicegate decide ").bare(case.id.as_str(), 40).say(" ")
}

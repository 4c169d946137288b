//! What a case needs next. The responder does it, appends what came of it, and asks again.

use super::state::{Case, State, Step, StepStatus};
use super::{Decision, Outcome, PlannedStep, Provenance};
use crate::containment::StepKind;
use crate::mapping::Snapshot;
use crate::policy::Response;

/// The next thing to do for a case.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Next {
    /// Find out which mapping it is: the event did not carry its UUID.
    Identify,
    /// Read the mapping and hold the event against it; look in CloudTrail where it does not agree.
    Verify,
    /// Prepare a step of the response.
    Prepare(StepKind),
    /// Prepare a step of what people approved.
    PrepareApproved(PlannedStep),
    /// Carry out, or take up again, a prepared step.
    Perform(u32),
    /// Ask people.
    Ask(String),
    /// Close.
    Close(Outcome),
    /// Try a step that failed for now once more, after a pause.
    RetryLater(u32),
    /// Nothing, until something happens.
    Rest,
}

/// What `case` needs next.
pub fn next(case: &Case) -> Next {
    match case.state {
        State::Containing => containing(case),
        State::AwaitingDecision | State::Stuck if case.under_way().is_some() => under_way(case),
        State::AwaitingDecision if still_looking(case) => Next::Verify,
        State::AwaitingDecision | State::Closed => Next::Rest,
        State::Acting => acting(case),
        State::Stuck => stuck(case),
    }
}

/// What sluicegate restricts by itself is done while people are asked.
fn under_way(case: &Case) -> Next {
    case.under_way().map_or(Next::Rest, |step| Next::Perform(step.id))
}

/// An answer that would let sluicegate act by itself is still awaited.
fn still_looking(case: &Case) -> bool {
    case.acts()
        && case.response >= Response::Disable
        && matches!(case.provenance, Provenance::Pending { .. })
        && case.votes.is_empty()
}

fn containing(case: &Case) -> Next {
    if !case.acts() {
        return Next::Close(Outcome::Observed);
    }
    if let Some(step) = case.under_way() {
        return Next::Perform(step.id);
    }
    if let (Provenance::Refuted { why }, None) = (&case.provenance, &case.last_read) {
        return Next::Ask(why.clone());
    }
    if case.mapping.is_none() && !case.gone {
        return Next::Identify;
    }
    if case.gone {
        return Next::Ask(
            "the mapping is gone: it was deleted before it could be disabled, and may have run until then".into(),
        );
    }
    if case.last_read.is_none() {
        return Next::Verify;
    }
    match case.response {
        Response::Leave | Response::Notify => return Next::Close(Outcome::Notified),
        Response::Ask => return Next::Ask(first_reason(case)),
        Response::Disable | Response::Freeze => {}
    }
    match &case.provenance {
        Provenance::Pending { why } | Provenance::Refuted { why } => return Next::Ask(why.clone()),
        Provenance::Verified | Provenance::Confirmed => {}
    }
    if let Some(kind) = case.untried() {
        return Next::Prepare(kind);
    }
    if case.unasked && case.in_force(StepKind::DisableMapping) {
        return Next::Close(Outcome::Contained);
    }
    Next::Ask(response_steps(case.response).iter().find_map(|kind| failed(case, *kind)).map_or_else(
        || "it is disabled: keep it so, or restore it".to_owned(),
        |step| format!("{} was refused for good: {}", step.kind.name(), step.error),
    ))
}

/// The steps of a response, in order. The freeze comes first: it acts at once, on whatever invokes the function.
pub(crate) fn response_steps(response: Response) -> &'static [StepKind] {
    match response {
        Response::Leave | Response::Notify | Response::Ask => &[],
        Response::Disable => &[StepKind::DisableMapping],
        Response::Freeze => &[StepKind::FreezeFunction, StepKind::DisableMapping],
    }
}

/// The last step of `kind`, where it failed.
fn failed(case: &Case, kind: StepKind) -> Option<&Step> {
    let last = case.steps.iter().rev().find(|step| step.kind == kind && step.undoes.is_none())?;
    (last.status == StepStatus::Failed).then_some(last)
}

impl Case {
    /// The mapping as people were shown it when they approved what this step is part of.
    pub fn shown_for(&self, step: u32) -> Option<&Snapshot> {
        let tally = self.approved.as_ref().filter(|_| step > self.approved_after)?;
        tally.shown.as_deref()
    }

    /// Whether the mapping was read to be another than people were shown when they approved what is being done.
    pub fn strayed(&self) -> bool {
        let shown = self.approved.as_ref().and_then(|tally| tally.shown.as_deref());
        shown.zip(self.latest()).is_some_and(|(shown, now)| !now.wired_as(shown))
    }

    /// The first step of the response that is neither in force nor failed when it was last tried.
    pub(super) fn untried(&self) -> Option<StepKind> {
        let mut wanted = response_steps(self.response).iter().copied();
        wanted.find(|kind| !self.in_force(*kind) && failed(self, *kind).is_none())
    }

    /// Whether a step of the response failed for now, and none of its kind is in force.
    pub(super) fn to_be_retried(&self) -> bool {
        let mut wanted = response_steps(self.response).iter().copied();
        wanted.any(|kind| !self.in_force(kind) && failed(self, kind).is_some_and(|step| !step.refused))
    }

    /// Whether a step of `kind` keeps another step of the response waiting.
    pub fn holds_up(&self, kind: StepKind) -> bool {
        let mut others = response_steps(self.response).iter().filter(|other| **other != kind);
        self.state == State::Containing && others.any(|other| !self.in_force(*other) && failed(self, *other).is_none())
    }
}

fn first_reason(case: &Case) -> String {
    case.opened.verdict.reasons.first().cloned().unwrap_or_else(|| "policy lets a person decide".to_owned())
}

fn acting(case: &Case) -> Next {
    if let Some(step) = case.under_way() {
        return Next::Perform(step.id);
    }
    let Some(tally) = &case.approved else { return Next::Rest };
    if let Some(step) = approved_steps(case).into_iter().next() {
        return Next::PrepareApproved(step);
    }
    match tally.plan.decision {
        Decision::Leave => Next::Close(Outcome::Left),
        Decision::Keep if case.gone => Next::Close(Outcome::Removed),
        Decision::Keep => Next::Close(Outcome::Contained),
        Decision::Restore => Next::Close(Outcome::Restored),
        Decision::Disable | Decision::Freeze => {
            Next::Ask(format!("contained as {} decided: keep it so, or restore it", tally.people.join(", ")))
        }
        Decision::Delete | Decision::DeleteRestrict => Next::Close(Outcome::Removed),
        Decision::Lift => match tally.before {
            Some(outcome) => Next::Close(outcome),
            None => Next::Ask(format!("the restriction is lifted, as {} decided", tally.people.join(", "))),
        },
    }
}

/// What is left to do of the approved plan.
fn approved_steps(case: &Case) -> Vec<PlannedStep> {
    let left = |step: &PlannedStep| match step.undoes {
        None => !case.in_force_on(step.step, &step.call.target()),
        Some(id) => case.steps.iter().any(|done| done.id == id && case.holds(done)),
    };
    case.approved.iter().flat_map(|tally| tally.plan.steps.iter().cloned()).filter(left).collect()
}

fn stuck(case: &Case) -> Next {
    if case.asked.is_none() {
        let error =
            case.steps.iter().rev().find(|step| step.status == StepStatus::Failed).map_or("", |step| &step.error);
        return Next::Ask(format!("stuck: {error}"));
    }
    let failed = |step: &&Step| step.status == StepStatus::Failed && !step.refused && is_wanted(case, step);
    let retriable = case.steps.iter().rev().find(failed);
    retriable.map_or(Next::Rest, |step| Next::RetryLater(step.id))
}

/// Whether a step that failed is wanted still: what people decided since overtakes what was to be done before, but for a
/// containment that they did not decide against; and what is undone already needs no undo.
fn is_wanted(case: &Case, step: &Step) -> bool {
    if let Some(undoes) = step.undoes
        && !case.steps.iter().any(|done| done.id == undoes && case.holds(done))
    {
        return false;
    }
    let Some(tally) = case.approved.as_ref().filter(|_| step.id <= case.approved_after) else { return true };
    let contains = matches!(step.kind, StepKind::DisableMapping | StepKind::FreezeFunction) && step.undoes.is_none();
    contains && !matches!(tally.plan.decision, Decision::Leave | Decision::Restore | Decision::Lift)
}

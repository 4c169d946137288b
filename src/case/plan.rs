//! What a decision would do: the plan that people are shown, and the digest by which they approve exactly that.

use super::{Case, Decision, State, Step};
use crate::cloudtrail::Verb;
use crate::containment::{Call, Prior, StepKind};
use crate::restriction::{Offer, OfferedStep, Whose};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Which step.
    pub step: StepKind,
    /// The step of the case that this takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// The exact call; a cut-off in it is the time of the vote that passes.
    pub call: Call,
}

/// What a decision does, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The decision.
    pub decision: Decision,
    /// Whose credentials it restricts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restricts: Vec<Whose>,
    /// Its steps; empty where nothing in AWS changes.
    pub steps: Vec<PlannedStep>,
    /// SHA-256 (hex) over decision, steps with targets and arguments, and the mapping's function, source and wiring.
    /// Never over state, votes, evidence or times.
    pub digest: String,
}

/// The plan of `decision` for the case as it stands, the narrowest where there are several; `None` where the decision
/// does not fit it.
pub fn plan_for(case: &Case, decision: Decision) -> Option<Plan> {
    plans_for(case, decision).into_iter().next()
}

/// Every plan of `decision` for the case as it stands, the narrowest first: a restriction can take in the function's
/// execution role or not.
pub fn plans_for(case: &Case, decision: Decision) -> Vec<Plan> {
    if !case.decisions().contains(&decision) {
        return Vec::new();
    }
    let plan = |restricts: Vec<Whose>, steps: Vec<PlannedStep>| {
        let digest = digest(case, decision, &steps);
        Plan { decision, restricts, steps, digest }
    };
    match decision {
        Decision::Leave | Decision::Keep => vec![plan(vec![], vec![])],
        Decision::Disable => vec![plan(vec![], forward(case, &[StepKind::DisableMapping]))],
        Decision::Freeze => vec![plan(vec![], forward(case, &[StepKind::FreezeFunction, StepKind::DisableMapping]))],
        Decision::Delete => vec![plan(vec![], forward(case, &[StepKind::DeleteMapping]))],
        Decision::DeleteRestrict => variants(case)
            .into_iter()
            .map(|restricts| {
                let delete = if case.gone { Vec::new() } else { forward(case, &[StepKind::DeleteMapping]) };
                let restrict = restricts.iter().flat_map(|whose| restricting(case, *whose));
                plan(restricts.clone(), delete.into_iter().chain(restrict).collect())
            })
            .collect(),
        Decision::Restore => vec![plan(vec![], back(case))],
        Decision::Lift => vec![plan(vec![], lifting(case))],
    }
}

/// The plans that people choose from once they are asked about the case as it stands.
pub fn plans_once_asked(case: &Case) -> Vec<Plan> {
    let mut asking = case.clone();
    asking.state = State::AwaitingDecision;
    Decision::ALL.iter().flat_map(|decision| plans_for(&asking, *decision)).collect()
}

fn forward(case: &Case, kinds: &[StepKind]) -> Vec<PlannedStep> {
    let (Some(mapping), Some(snapshot)) = (&case.mapping, case.latest()) else {
        return Vec::new();
    };
    let wanted = kinds.iter().filter(|kind| !case.in_force(**kind));
    wanted
        .filter_map(|kind| Some(PlannedStep { step: *kind, undoes: None, call: kind.call(mapping, snapshot)? }))
        .collect()
}

/// The undo of every step in force on mapping and function, the last one first; but a function is thawed before a mapping
/// is enabled, since a queue's messages would else be counted against a function that cannot run. A mapping that was
/// deleted is made anew as it was before anything was done to it: that takes back its disabling as well.
fn back(case: &Case) -> Vec<PlannedStep> {
    // Nothing is left to enable where it was deleted, by us or by others.
    let deleted = case.in_force(StepKind::DeleteMapping) || case.gone;
    let on_mapping = |step: &&Step| {
        case.holds_now(step) && step.kind.is_on_mapping() && !(deleted && step.kind == StepKind::DisableMapping)
    };
    let mut done: Vec<&Step> = case.steps.iter().rev().filter(on_mapping).collect();
    done.sort_by_key(|step| step.kind != StepKind::FreezeFunction);
    done.into_iter().filter_map(|step| undo(case, step)).collect()
}

/// Takes every restriction off, the last one first.
fn lifting(case: &Case) -> Vec<PlannedStep> {
    case.restrictions().rev().filter_map(|step| undo(case, step)).collect()
}

fn undo(case: &Case, step: &Step) -> Option<PlannedStep> {
    let prior = prior(case, step)?;
    let call = step.kind.undo(&prior, case.baseline.as_ref(), case.latest(), was_active(case), &step.call)?;
    Some(PlannedStep { step: step.kind, undoes: Some(step.id), call })
}

/// Whether the mapping was active before anything was done to it.
fn was_active(case: &Case) -> bool {
    let on_it = |step: &&Step| {
        let mapping = case.mapping.as_ref().map(|mapping| mapping.uuid.as_str());
        matches!(step.kind, StepKind::DisableMapping | StepKind::DeleteMapping)
            && mapping.is_none_or(|uuid| uuid == step.call.target())
    };
    let first = case.steps.iter().find(on_it);
    match first.and_then(|step| prior(case, step)) {
        Some(Prior::Mapping { snapshot, .. }) => snapshot.is_active(),
        _ => false,
    }
}

/// What was there before. A mapping that was made dormant reads `Creating` as well at first.
fn prior(case: &Case, step: &Step) -> Option<Prior> {
    let mut prior = case.prior_of(step.kind, &step.call.target())?.clone();
    let call = &case.opened.finding.call;
    if let Prior::Mapping { snapshot, .. } = &mut prior
        && (call.verb, call.enabled, snapshot.state.as_str()) == (Verb::Create, Some(false), "Creating")
    {
        "Disabled".clone_into(&mut snapshot.state);
    }
    Some(prior)
}

/// Whose credentials can be restricted together: the caller's, or the whole role once its session is; then the same with
/// the function's execution role.
fn variants(case: &Case) -> Vec<Vec<Whose>> {
    let can = |whose: Whose| !restricting(case, whose).is_empty();
    let caller = [Whose::Caller, Whose::CallerWhole].into_iter().find(|whose| can(*whose));
    let execution = can(Whose::Execution).then_some(Whose::Execution);
    let both: Vec<Whose> = caller.into_iter().chain(execution).collect();
    let narrow: Vec<Whose> = both.iter().copied().take(1).collect();
    if both.len() > 1 { vec![narrow, both] } else { vec![both] }.into_iter().filter(|all| !all.is_empty()).collect()
}

/// The steps on offer that are not in force yet. A whole role is offered only once its session is restricted.
pub(super) fn restricting(case: &Case, whose: Whose) -> Vec<PlannedStep> {
    if whose == Whose::CallerWhole && !case.in_force(StepKind::RevokeSession) {
        return Vec::new();
    }
    let Some(Offer::Restrict { steps, .. }) = case.offer(whose) else {
        return Vec::new();
    };
    let open = |offered: &&OfferedStep| !case.in_force_on(offered.step, &offered.call.target());
    let planned = |offered: &OfferedStep| PlannedStep { step: offered.step, undoes: None, call: offered.call.clone() };
    steps.iter().filter(open).map(planned).collect()
}

fn digest(case: &Case, decision: Decision, steps: &[PlannedStep]) -> String {
    let about =
        case.latest().map(|snapshot| json!([snapshot.uuid, snapshot.function.arn, snapshot.source, snapshot.wiring]));
    let text = json!([case.id, decision, steps, about]).to_string();
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

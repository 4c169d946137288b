//! What a decision would do: the plan that people are shown, and the digest by which they approve exactly that.

use super::{Case, Decision, State, Step};
use crate::cloudtrail::Verb;
use crate::containment::{Call, Prior, StepKind};
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
    /// The exact call.
    pub call: Call,
}

/// What a decision does, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The decision.
    pub decision: Decision,
    /// Its steps; empty where nothing in AWS changes.
    pub steps: Vec<PlannedStep>,
    /// SHA-256 (hex) over decision, steps with targets and arguments, and the mapping's function, source and wiring.
    /// Never over state, votes, evidence or times.
    pub digest: String,
}

/// The plan of `decision` for the case as it stands; `None` where the decision does not fit it.
pub fn plan_for(case: &Case, decision: Decision) -> Option<Plan> {
    if !case.decisions().contains(&decision) {
        return None;
    }
    let steps = match decision {
        Decision::Leave | Decision::Keep => Vec::new(),
        Decision::Disable => forward(case, &[StepKind::DisableMapping]),
        Decision::Freeze => forward(case, &[StepKind::FreezeFunction, StepKind::DisableMapping]),
        Decision::Restore => back(case),
    };
    let digest = digest(case, decision, &steps);
    Some(Plan { decision, steps, digest })
}

/// The plans that people choose from once they are asked about the case as it stands.
pub fn plans_once_asked(case: &Case) -> Vec<Plan> {
    let mut asking = case.clone();
    asking.state = State::AwaitingDecision;
    Decision::ALL.iter().filter_map(|decision| plan_for(&asking, *decision)).collect()
}

fn forward(case: &Case, kinds: &[StepKind]) -> Vec<PlannedStep> {
    let (Some(mapping), Some(snapshot)) = (&case.mapping, case.latest()) else {
        return Vec::new();
    };
    let wanted = kinds.iter().filter(|kind| !case.in_force(**kind));
    wanted.map(|kind| PlannedStep { step: *kind, undoes: None, call: kind.call(mapping, snapshot) }).collect()
}

/// The undo of every step in force, the last one first; but a function is thawed before a mapping is enabled, since a
/// queue's messages would else be counted against a function that cannot run.
fn back(case: &Case) -> Vec<PlannedStep> {
    let mut done: Vec<&Step> = case.steps.iter().rev().filter(|step| case.holds(step)).collect();
    done.sort_by_key(|step| step.kind != StepKind::FreezeFunction);
    let undo = |step: &Step| {
        let prior = prior(case, step.kind)?;
        let call = step.kind.undo(&prior, case.baseline.as_ref(), case.latest(), &step.call)?;
        Some(PlannedStep { step: step.kind, undoes: Some(step.id), call })
    };
    done.into_iter().filter_map(undo).collect()
}

/// What was there before. A mapping that was made dormant reads `Creating` as well at first.
fn prior(case: &Case, kind: StepKind) -> Option<Prior> {
    let mut prior = case.prior(kind)?.clone();
    let call = &case.opened.finding.call;
    if let Prior::Mapping { snapshot } = &mut prior
        && (call.verb, call.enabled, snapshot.state.as_str()) == (Verb::Create, Some(false), "Creating")
    {
        "Disabled".clone_into(&mut snapshot.state);
    }
    Some(prior)
}

fn digest(case: &Case, decision: Decision, steps: &[PlannedStep]) -> String {
    let about =
        case.latest().map(|snapshot| json!([snapshot.uuid, snapshot.function.arn, snapshot.source, snapshot.wiring]));
    let text = json!([case.id, decision, steps, about]).to_string();
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

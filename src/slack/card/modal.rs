//! The dialog before credentials are restricted, or a restriction is lifted: the exact calls, how far they reach, what
//! cannot be taken back, and a reason.

use super::about::About;
use super::blocks::{divider, sections};
use super::buttons::{calls, needs, value};
use super::done::name;
use super::restrict::terms;
use super::text::{Mrkdwn, Plain};
use super::what::wired;
use crate::case::{Case, Decision, Plan, PlannedStep};
use crate::containment::StepKind;
use serde_json::{Value, json};

/// The dialog's `callback_id`.
pub const CALLBACK: &str = "sluicegate_decide";
/// `block_id` and `action_id` of the reason.
pub const REASON: &str = "reason";
/// `block_id` and `action_id` of the choice of the wider plan.
pub const WIDEN: &str = "widen";
/// The longest reason, in characters.
pub const REASON_MOST: u32 = 500;

/// The longest call that fits into a section of its own, however it is escaped: none of AWS's is as long.
const WHOLE: usize = 1_400;

/// The dialog for the decision of `plans`, the narrowest of which comes first and is what is decided unless the wider one
/// is ticked. `None` where there is no plan.
pub fn modal(case: &Case, plans: &[Plan], about: &About) -> Option<Value> {
    let narrow = plans.first()?;
    let decision = narrow.decision;
    let (title, submit) = names(narrow);
    let mut blocks = sections(&intro(case, narrow, about));
    blocks.extend(sections(&exact(narrow)));
    blocks.extend(sections(&beside(&narrow.steps)));
    let reach: Vec<Mrkdwn> = narrow.restricts.iter().flat_map(|whose| terms(case, *whose)).collect();
    if !reach.is_empty() {
        blocks.extend(sections(&[vec![Mrkdwn::new("*How far it reaches*")], reach].concat()));
    }
    if let Some(wide) = plans.get(1) {
        blocks.push(divider());
        blocks.extend(sections(&added(case, narrow, wide)));
        blocks.push(widen(wide));
    }
    blocks.push(reason());
    // The calls are what is decided on: rather none than a dialog that does not say all.
    (blocks.len() <= 100).then(|| {
        json!({
            "type": "modal", "callback_id": CALLBACK,
            "private_metadata": format!("{}:{decision}", value(case, narrow)),
            "title": Plain::new(title).object(), "submit": Plain::new(submit).object(),
            "close": Plain::new("Cancel").object(), "blocks": blocks,
        })
    })
}

/// Title and submit button: of 24 characters at most.
fn names(plan: &Plan) -> (&'static str, &'static str) {
    match plan.decision {
        Decision::Leave => ("Leave it", "Leave"),
        Decision::Keep => ("Keep it so", "Keep"),
        Decision::Disable => ("Disable the mapping", "Disable"),
        Decision::Freeze => ("Freeze the function", "Freeze"),
        Decision::Delete => ("Delete the mapping", "Delete"),
        Decision::DeleteRestrict if deletes(&plan.steps) => ("Delete and restrict", "Delete and restrict"),
        Decision::DeleteRestrict => ("Restrict credentials", "Restrict"),
        Decision::Restore => ("Restore", "Restore"),
        Decision::Lift => ("Lift the restriction", "Lift"),
    }
}

fn deletes(steps: &[PlannedStep]) -> bool {
    steps.iter().any(|step| step.undoes.is_none() && step.step == StepKind::DeleteMapping)
}

fn intro(case: &Case, plan: &Plan, about: &About) -> Vec<Mrkdwn> {
    let mut lines = vec![wired(case)];
    lines.extend(case.mapping.as_ref().map(|mapping| Mrkdwn::new("Mapping ").code(&mapping.uuid, 40)));
    lines.push(Mrkdwn::new("Case `").bare(case.id.as_str(), 40).say("`"));
    let takes = about.deciders(plan.decision).map(needs).unwrap_or_default();
    lines.push(Mrkdwn::new("Nothing is done before enough people have decided exactly this plan").then(&takes));
    lines
}

fn exact(plan: &Plan) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*These calls, in this order*")];
    lines.extend(calls(plan, WHOLE));
    if plan.steps.is_empty() {
        lines.push(Mrkdwn::new("none: nothing in AWS changes"));
    }
    lines
}

/// What it does beside what it is for, and what can be taken back.
fn beside(steps: &[PlannedStep]) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*What comes with it*")];
    let mut kinds: Vec<StepKind> = Vec::new();
    for step in steps.iter().filter(|step| step.undoes.is_none()) {
        if !kinds.contains(&step.step) {
            kinds.push(step.step);
        }
    }
    for kind in &kinds {
        lines.push(Mrkdwn::new("• ").say(name(*kind)).say(": ").say(kind.side_effects()));
        lines.push(Mrkdwn::new(if kind.is_reversible() {
            "   can be taken back"
        } else {
            "   *cannot be taken back whole*; a full copy of its configuration is kept"
        }));
    }
    if kinds.is_empty() {
        lines.push(Mrkdwn::new("• whatever was denied is possible again, to whoever holds these credentials"));
    }
    lines
}

/// What ticking the box adds.
fn added(case: &Case, narrow: &Plan, wide: &Plan) -> Vec<Mrkdwn> {
    let more: Vec<PlannedStep> = wide.steps.iter().filter(|step| !narrow.steps.contains(step)).cloned().collect();
    let whose = wide.restricts.iter().filter(|whose| !narrow.restricts.contains(whose));
    let mut lines = vec![Mrkdwn::new("*Where the box below is ticked, also*")];
    lines.extend(calls(&Plan { steps: more.clone(), ..wide.clone() }, WHOLE));
    lines.extend(whose.flat_map(|whose| terms(case, *whose)));
    // What the narrow plan does as well stands above.
    let new = more.iter().filter(|step| !narrow.steps.iter().any(|known| known.step == step.step));
    let new: Vec<PlannedStep> = new.cloned().collect();
    if !new.is_empty() {
        lines.extend(beside(&new).into_iter().skip(1));
    }
    lines
}

fn widen(wide: &Plan) -> Value {
    let option = json!({
        "text": Plain::new("Restrict the function's execution role as well").object(),
        "description": Plain::new("By exactly the calls listed above").object(),
        "value": wide.digest,
    });
    json!({
        "type": "input", "block_id": WIDEN, "optional": true,
        "label": Plain::new("Wider").object(),
        "element": { "type": "checkboxes", "action_id": WIDEN, "options": [option] },
    })
}

fn reason() -> Value {
    json!({
        "type": "input", "block_id": REASON, "optional": false,
        "label": Plain::new("Why").object(),
        "hint": Plain::new("Kept in the journal, for those who come later").object(),
        "element": {
            "type": "plain_text_input", "action_id": REASON, "multiline": true, "min_length": 1,
            "max_length": REASON_MOST,
        },
    })
}

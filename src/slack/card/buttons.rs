//! The buttons, and what each of them does.

use super::about::{About, Deciders};
use super::blocks::{actions, button};
use super::done::CALL;
use super::is_expired;
use super::state::runs;
use super::text::{Mrkdwn, Plain};
use crate::case::{Case, Decision, Plan, plan_for, plans_for};
use crate::containment::StepKind;
use serde_json::{Value, json};

/// What a button carries: the case and the plan that it shows. The handler takes nothing else from a message.
pub(super) fn value(case: &Case, plan: &Plan) -> String {
    format!("{}:{}", case.id, plan.digest)
}

/// One button a decision that fits; none where the question has lapsed.
pub(super) fn buttons(case: &Case, about: &About) -> Option<Value> {
    if is_expired(case) {
        return None;
    }
    let plans: Vec<Plan> = case.decisions().into_iter().filter_map(|decision| plan_for(case, decision)).collect();
    let keeps = plans.iter().any(|plan| plan.decision == Decision::Keep);
    let made = plans.iter().map(|plan| {
        let style = style(plan.decision, keeps);
        let mut made = button(label(case, plan.decision), plan.decision.name(), &value(case, plan), style);
        if let Some(dialog) = confirm(plan, about) {
            made["confirm"] = dialog;
        }
        made
    });
    let made: Vec<Value> = made.collect();
    (!made.is_empty()).then(|| actions(&made))
}

/// One green button a card: what to do when in doubt.
fn style(decision: Decision, keeps: bool) -> &'static str {
    match decision {
        Decision::Keep => "primary",
        Decision::Disable if !keeps => "primary",
        Decision::Delete | Decision::DeleteRestrict => "danger",
        Decision::Leave | Decision::Disable | Decision::Freeze | Decision::Restore | Decision::Lift => "",
    }
}

/// What a button says. Dots: it opens a dialog.
pub(super) fn label(case: &Case, decision: Decision) -> &'static str {
    match decision {
        Decision::Leave if runs(case) => "Let it run",
        Decision::Leave => "Leave it",
        Decision::Keep if case.in_force(StepKind::DisableMapping) && !case.gone => "Keep disabled",
        Decision::Keep => "Keep it so",
        Decision::Disable => "Disable",
        Decision::Freeze => "Freeze function",
        Decision::Delete => "Delete mapping",
        Decision::DeleteRestrict if case.gone => "Restrict credentials…",
        Decision::DeleteRestrict => "Delete and restrict…",
        Decision::Restore => "Restore",
        Decision::Lift => "Lift restriction…",
    }
}

/// Slack's own dialog. A decision that opens one of ours has none.
fn confirm(plan: &Plan, about: &About) -> Option<Value> {
    let (title, yes, after, style) = match plan.decision {
        Decision::Disable => ("Disable the mapping?", "Disable", "Can be restored.", "primary"),
        Decision::Freeze => {
            ("Freeze the function?", "Freeze", "Everything that invokes the function stops. Can be restored.", "danger")
        }
        Decision::Delete => (
            "Delete the mapping?",
            "Delete",
            "UUID and position in a stream cannot come back. A copy is kept.",
            "danger",
        ),
        Decision::Restore => {
            ("Put it back as it was?", "Restore", "Records can flow again at once. Restrictions stay on.", "danger")
        }
        Decision::Leave | Decision::Keep | Decision::DeleteRestrict | Decision::Lift => return None,
    };
    let calls: Vec<String> = plan.steps.iter().map(|step| step.call.describe()).collect();
    let calls = if calls.is_empty() { "Nothing in AWS changes".to_owned() } else { calls.join("; ") };
    // Slack takes 300 characters in all.
    let mut text = Plain::default().bare(&calls, 190).say(". ").say(after);
    if let Some(people) = about.deciders(plan.decision).map(|deciders| deciders.people).filter(|people| *people > 1) {
        text = text.say(" Takes ").number(people.into()).say(" people.");
    }
    Some(json!({
        "title": Plain::new(title).object(), "text": text.object(),
        "confirm": Plain::new(yes).object(), "deny": Plain::new("Cancel").object(), "style": style,
    }))
}

/// What each decision does, call by call.
pub(super) fn explained(case: &Case, about: &About) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*What each choice does*")];
    for decision in case.decisions() {
        let plans = plans_for(case, decision);
        let Some(narrow) = plans.first() else { continue };
        let name = Mrkdwn::new("• *").say(label(case, decision).trim_end_matches('…')).say("*: ");
        let name = name.say(gist(narrow));
        lines.push(about.deciders(decision).map_or(name.clone(), |deciders| name.then(&needs(deciders))));
        lines.extend(calls(narrow, CALL));
        if plans.len() > 1 {
            lines.push(Mrkdwn::new("   the dialog offers the function's execution role as well"));
        }
    }
    if lines.len() == 1 { Vec::new() } else { lines }
}

fn gist(plan: &Plan) -> &'static str {
    match plan.decision {
        Decision::Leave => "nothing in AWS changes, and the case closes",
        Decision::Keep => "it stays as it is, and the case closes",
        Decision::Disable => "stops the mapping; can be restored",
        Decision::Freeze => "stops the function whatever invokes it, and the mapping; can be restored",
        Decision::Delete => "*cannot be taken back whole*: UUID and position in a stream are lost",
        Decision::DeleteRestrict if plan.steps.iter().all(|step| step.step != StepKind::DeleteMapping) => {
            "restricts credentials; can be lifted"
        }
        Decision::DeleteRestrict => "deletes, which *cannot be taken back whole*, and restricts, which can be lifted",
        Decision::Restore => "mapping and function as they were; restrictions stay",
        Decision::Lift => "takes the restriction off; the mapping stays as it is",
    }
}

/// Who it takes.
pub(super) fn needs(deciders: &Deciders) -> Mrkdwn {
    let mut line = Mrkdwn::new("; takes ").count(deciders.people.max(1) as usize, "person", "people");
    if !deciders.who.is_empty() {
        let who: Vec<Mrkdwn> = deciders.who.iter().take(3).map(|who| Mrkdwn::default().code(who, 40)).collect();
        line = line.say(" of ").then(&Mrkdwn::joined(&who, ", "));
    }
    if deciders.confirm {
        line = line.say(", confirmed by `sluicegate confirm`");
    }
    line
}

/// The calls in order, each of at most `most` characters.
pub(super) fn calls(plan: &Plan, most: usize) -> Vec<Mrkdwn> {
    let line = |(at, step): (usize, &crate::case::PlannedStep)| {
        Mrkdwn::new("   ").number(at as u64 + 1).say(". ").code(&step.call.describe(), most)
    };
    plan.steps.iter().enumerate().map(line).collect()
}

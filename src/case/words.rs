//! Events in words, for timelines and threads.

use super::{CaseEvent, CaseId, Evidence, Provenance, Reminder};
use crate::restriction::{Effect, Offer};
use serde::Serialize;

impl CaseEvent {
    /// What happened, in a line. It holds text from outside: whoever shows it makes that harmless.
    pub fn words(&self) -> String {
        words(self)
    }
}

fn words(event: &CaseEvent) -> String {
    match event {
        CaseEvent::Opened(opened) => {
            format!("opened: response {}; {}", name(&opened.verdict.response), believed(&opened.provenance))
        }
        CaseEvent::Joined { finding, .. } => {
            format!("joined: {} by {}", finding.detection.name(), finding.actor.arn)
        }
        CaseEvent::Recreated { finding, mapping, .. } => {
            format!("made again as {mapping} by {}: it stays disabled", finding.actor.arn)
        }
        CaseEvent::StepPrepared { id, step, undoes, call, .. } => {
            let undo = undoes.map_or(String::new(), |of| format!(" (undoes step {of})"));
            format!("step {id} prepared: {}{undo}: {}", step.name(), call.describe())
        }
        CaseEvent::StepStarted { id, worker, .. } => format!("step {id} started by {worker}"),
        CaseEvent::StepTried { id, attempt, error, wait_ms, .. } => {
            format!("step {id}, try {attempt}: {error}; again in {wait_ms} ms")
        }
        CaseEvent::StepSucceeded { id, attempts, took_ms, .. } => {
            let calls = if *attempts == 1 { "call" } else { "calls" };
            format!("step {id} done and read back: {attempts} {calls}, {took_ms} ms")
        }
        CaseEvent::StepFailed { id, error, refused } => {
            format!("step {id} failed{}: {error}", if *refused { " for good" } else { "" })
        }
        CaseEvent::StepUndone { id, .. } => format!("step {id}: undone and read back"),
        CaseEvent::Tampered { id, .. } => format!("step {id} was undone by somebody else"),
        CaseEvent::Evidence(evidence) => format!("learnt: {}", name_of(evidence)),
        CaseEvent::ApprovalRequested { why, .. } => format!("people are asked: {why}"),
        CaseEvent::CardPosted { channel, .. } => format!("posted to {channel}"),
        CaseEvent::Voted(vote) => format!("{} voted {}: {}", vote.person, vote.decision, vote.reason),
        CaseEvent::Approved { plan, people } => format!("{} approved by {}", plan.decision, people.join(", ")),
        CaseEvent::Denied { person } => format!("denied by {person}"),
        CaseEvent::Expired { .. } => "nobody decided in time".to_owned(),
        CaseEvent::ConfirmationAsked { vote, .. } => {
            format!(
                "{} chose {}, which counts once it is confirmed under their AWS identity",
                vote.person, vote.decision
            )
        }
        CaseEvent::Reminded { reminder } => format!("people were told again: {}", reminded(*reminder)),
        CaseEvent::Rated { person, right } => {
            format!("{person} says that it would have been {}", if *right { "right" } else { "wrong" })
        }
        CaseEvent::StepReleased { id, held_by } => {
            let cases: Vec<&str> = held_by.iter().map(CaseId::as_str).collect();
            format!("step {id}: let go; {} hold it still, so it stays", cases.join(", "))
        }
        CaseEvent::OwnCallSeen { event_id, step } => format!("CloudTrail event {event_id} is step {step}'s own call"),
        CaseEvent::Note { text } => text.clone(),
        CaseEvent::Closed { outcome, .. } => format!("closed: {}", name(outcome)),
    }
}

fn name_of(evidence: &Evidence) -> String {
    match evidence {
        Evidence::MappingFound { mapping } => format!("it is {mapping}"),
        Evidence::MappingRead { snapshot } => {
            format!("the mapping reads {}, function {}", snapshot.state, snapshot.function.arn)
        }
        Evidence::MappingGone { looked_at } => format!("the mapping is gone (looked at: {looked_at})"),
        Evidence::Provenance { provenance } => believed(provenance),
        Evidence::Function(facts) => format!("function {} runs as {}", facts.arn, facts.role),
        Evidence::Source(facts) => format!("source {}, {} tags", facts.arn, facts.tags.len()),
        Evidence::CodeKept(kept) => format!("the code is kept: {} ({} bytes), {}", kept.sha256, kept.bytes, kept.place),
        Evidence::History(history) => format!("{} calls by the same principal", history.calls.len()),
        Evidence::Processed(processed) => {
            let said: Vec<String> = processed.looked_at.iter().map(|it| format!("{}: {}", it.at, it.said)).collect();
            said.join("; ")
        }
        Evidence::Credentials { whose, offer } => match &**offer {
            Offer::Restrict { reach, .. } => format!("credentials ({}): {reach}", name(whose)),
            Offer::ByHand { why, .. } => format!("credentials ({}), by hand: {why}", name(whose)),
        },
        Evidence::Restricted { step, effect } => format!("step {step}: {}", name_of_effect(effect)),
        Evidence::Unknown { what, why } => format!("{what} could not be learnt: {why}"),
    }
}

fn name_of_effect(effect: &Effect) -> String {
    match effect {
        Effect::Applied => "applied; not known to be effective yet".to_owned(),
        Effect::Effective { by } => format!("effective: {by}"),
        Effect::NotEffective { seen } => format!("NOT effective: {seen}"),
        Effect::Tampered { seen } => format!("somebody took it off or changed it: {seen}"),
        Effect::Reapplied => "put on again".to_owned(),
        Effect::NotReapplied { why } => format!("could not be put on again: {why}"),
    }
}

fn reminded(reminder: Reminder) -> String {
    match reminder {
        Reminder::Waiting { nth } => format!("a decision is waited for (reminder {nth})"),
        Reminder::LossAhead { lost_from } => format!("records are lost from {lost_from}"),
        Reminder::Again { findings } => format!("{findings} more findings joined"),
        Reminder::Lapsed => "nobody decided in time".to_owned(),
    }
}

fn believed(provenance: &Provenance) -> String {
    match provenance {
        Provenance::Verified => "the mapping, as read, is what the event says".to_owned(),
        Provenance::Confirmed => "CloudTrail itself has the record".to_owned(),
        Provenance::Pending { why } => format!("not confirmed yet: {why}"),
        Provenance::Refuted { why } => format!("never confirmed: {why}"),
    }
}

/// The journal's own name of something.
fn name<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

//! The card's thread: the case's audit lines.

use super::text::Mrkdwn;
use crate::case::{CaseEvent, CaseId, Evidence};
use crate::ports::{Message, Metadata, Recorded};
use serde_json::json;

/// What the metadata of a message in the thread says.
pub const AUDIT: &str = "sluicegate_audit";

/// What Slack takes in a section; the lines of one message are no longer.
const MOST: usize = 3_000;

/// The lines of `events` as messages for the thread, as few as they fit in. `before`: how many events of the case the thread tells already; each message's
/// metadata says how many it tells with it. Events without a line at the end belong to the last message.
pub fn audit(case: &CaseId, before: u64, events: &[Recorded<CaseEvent>]) -> Vec<Message> {
    let mut groups = grouped(events);
    if let Some((last, _)) = groups.last_mut() {
        *last = events.len();
    }
    let message = |(told, text): (usize, Mrkdwn)| Message {
        blocks: json!([{ "type": "section", "text": text.object() }]),
        text: text.into_string(),
        metadata: Some(Metadata { event_type: AUDIT, case_id: case.clone(), seq: before + told as u64 }),
    };
    groups.into_iter().map(message).collect()
}

/// Each message with the number of events up to its end.
fn grouped(events: &[Recorded<CaseEvent>]) -> Vec<(usize, Mrkdwn)> {
    let mut groups: Vec<(usize, Mrkdwn)> = Vec::new();
    for (at, recorded) in events.iter().enumerate().filter(|(_, recorded)| has_line(&recorded.event)) {
        let line = Mrkdwn::default().time(recorded.at).say("  ").bare(&recorded.event.words(), 400);
        match groups.last_mut() {
            Some((told, text)) if text.length() + 1 + line.length() <= MOST => {
                *text = text.clone().say("\n").then(&line);
                *told = at + 1;
            }
            _ => groups.push((at + 1, line)),
        }
    }
    groups
}

/// Whether people want to read it: what changed, who decided, what was learnt. Tries, leases and our own bookkeeping are
/// in the journal.
fn has_line(event: &CaseEvent) -> bool {
    match event {
        CaseEvent::StepStarted { .. }
        | CaseEvent::StepTried { .. }
        | CaseEvent::OwnCallSeen { .. }
        | CaseEvent::CardPosted { .. } => false,
        CaseEvent::Evidence(evidence) => !matches!(evidence, Evidence::MappingRead { .. }),
        CaseEvent::Opened(_)
        | CaseEvent::Joined { .. }
        | CaseEvent::Recreated { .. }
        | CaseEvent::StepPrepared { .. }
        | CaseEvent::StepSucceeded { .. }
        | CaseEvent::StepFailed { .. }
        | CaseEvent::StepUndone { .. }
        | CaseEvent::StepReleased { .. }
        | CaseEvent::Tampered { .. }
        | CaseEvent::ApprovalRequested { .. }
        | CaseEvent::ConfirmationAsked { .. }
        | CaseEvent::Voted(_)
        | CaseEvent::Approved { .. }
        | CaseEvent::Denied { .. }
        | CaseEvent::Expired { .. }
        | CaseEvent::Reminded { .. }
        | CaseEvent::Rated { .. }
        | CaseEvent::Note { .. }
        | CaseEvent::Closed { .. } => true,
    }
}

//! Short messages: reminders and pages in the channel, and what only one person is told.

use super::text::Mrkdwn;
use super::votes::spoken;
use super::what::wired;
use super::{CASE_TOLD, is_expired};
use crate::case::{Case, Decision, Reminder};
use crate::ports::{Message, Metadata};
use serde_json::json;

/// What people are told again, or more loudly; for the thread, and for the channel beside it where it pages.
pub fn reminder(case: &Case, reminder: &Reminder) -> Message {
    let line = match reminder {
        Reminder::Waiting { nth } => Mrkdwn::new("*Reminder ").number(*nth).say("*: a decision is waited for"),
        Reminder::LossAhead { lost_from } => {
            Mrkdwn::new("*Records will be lost* from ").time(*lost_from).say(" if this stays as it is")
        }
        Reminder::Again { findings } if case.contained() => Mrkdwn::new("*It was made again or enabled*, ")
            .count(*findings as usize, "time", "times")
            .say(" so far. It stays contained"),
        Reminder::Again { findings } => {
            Mrkdwn::new("*It was made again or enabled*, ").count(*findings as usize, "time", "times").say(" so far")
        }
        Reminder::Lapsed if case.contained() => Mrkdwn::new("*Nobody decided in time.* It stays contained"),
        Reminder::Lapsed => Mrkdwn::new("*Nobody decided in time.* It was not contained by people"),
    };
    message(case, line)
}

fn message(case: &Case, line: Mrkdwn) -> Message {
    let mut lines = vec![line, wired(case)];
    let place = Mrkdwn::new("account ").code(&case.opened.finding.account, 20).say(", ");
    lines.push(
        place.code(&case.opened.finding.region, 30).say(" · `sluicegate case ").bare(case.id.as_str(), 40).say("`"),
    );
    if is_expired(case) && !case.decisions().is_empty() {
        lines.push(Mrkdwn::new("The buttons are gone: decide on the command line"));
    }
    let text = Mrkdwn::joined(&lines, "\n");
    Message {
        blocks: json!([{ "type": "section", "text": text.object() }]),
        text: text.into_string(),
        metadata: Some(Metadata { event_type: CASE_TOLD, case_id: case.id.clone(), seq: case.seq }),
    }
}

/// For a vote that does not count.
pub fn refused(decision: Decision, why: &str) -> String {
    Mrkdwn::new("Your *").say(spoken(decision)).say("* does not count: ").bare(why, 600).into_string()
}

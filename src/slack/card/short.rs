//! Short messages: reminders and pages in the channel, and what only one person is told.

use super::state::headline;
use super::text::Mrkdwn;
use super::votes::spoken;
use super::what::{NAME, wired};
use super::{CASE_TOLD, is_expired};
use crate::case::{Case, Decision, Reminder, Tally};
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

/// Somebody undid what was done.
pub fn tampered(case: &Case) -> Message {
    message(case, Mrkdwn::new("*Somebody undid the containment*, or took a restriction off. It is being done again"))
}

/// For the fallback channel: the case waits, and the people of its own channel were told already, or cannot be.
pub fn escalation(case: &Case) -> Message {
    message(case, Mrkdwn::new("*Escalated*: ").say(headline(case)))
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

/// For a click that comes too late.
pub fn already_decided(tally: &Tally) -> String {
    let people: Vec<Mrkdwn> = tally.people.iter().take(6).map(|who| Mrkdwn::default().person(who, NAME)).collect();
    let line = Mrkdwn::new("Already decided by ").then(&Mrkdwn::joined(&people, ", ")).say(" at ").time(tally.at);
    line.say(": ").say(spoken(tally.plan.decision)).into_string()
}

/// For a vote that does not count.
pub fn refused(decision: Decision, why: &str) -> String {
    Mrkdwn::new("Your *").say(spoken(decision)).say("* does not count: ").bare(why, 600).into_string()
}

/// For a vote that waits for its confirmation. Only its owner sees the code.
pub fn confirm(decision: Decision, code: &str) -> String {
    let line =
        Mrkdwn::new("Your *").say(spoken(decision)).say("* counts once you confirm it under your AWS identity:\n");
    line.code(&format!("sluicegate confirm {code}"), 80).into_string()
}

/// For a vote that counts.
pub fn counted(decision: Decision, more: u32) -> String {
    let line = Mrkdwn::new("Your *").say(spoken(decision)).say("* counts");
    match more {
        0 => line.say("; it is being done").into_string(),
        more => line.say("; ").count(more as usize, "more person is", "more people are").say(" needed").into_string(),
    }
}

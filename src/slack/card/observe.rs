//! `observe` mode: what would have been done, and whether that would have been right. One card a case, or one digest a
//! day.

use super::blocks::{BLOCKS, BUDGET, Part, actions, button, context, divider, fit, header, section, size};
use super::done::CALL;
use super::text::{Mrkdwn, Plain};
use super::what::{NAME, principal, session, summary, wired};
use super::{footer, metadata, who};
use crate::case::{Case, Mode};
use crate::ports::{Message, Metadata};
use jiff::civil::Date;
use serde_json::Value;

/// What the metadata of a digest says; its case is the first that it shows.
pub const DIGEST: &str = "sluicegate_digest";
/// `action_id` of the answer that it would have been right.
pub const RIGHT: &str = "right";
/// `action_id` of the answer that it would have been wrong.
pub const WRONG: &str = "wrong";

/// The card of a case in which nothing is changed.
pub(super) fn card(case: &Case) -> Message {
    let title = Mrkdwn::new("Observed: ").say(gist(case)).say(": ").then(&wired(case));
    let text = title.say(", by ").then(&principal(&case.opened.finding.actor));
    let parts = vec![
        Part::fixed(header(&Plain::new("⚪ Observed: ").say(gist(case)))),
        Part::lines(1, summary(case)),
        Part::lines(2, who::pipeline(&case.opened.finding.actor).into_iter().collect()),
        Part::lines(2, would_do(case)),
        Part::lines(3, ratings(case)),
        Part::fixed(rate(case)),
        Part::fixed(divider()),
        Part::lines(4, who::why(case)),
        Part::lines(5, who::who(case)),
        footer(case),
    ];
    Message { text: text.into_string(), blocks: fit(parts), metadata: Some(metadata(case)) }
}

fn gist(case: &Case) -> &'static str {
    if case.opened.would_do.is_empty() {
        "people would have been asked or told"
    } else {
        "it would have been contained"
    }
}

fn would_do(case: &Case) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*Mode is observe: nothing was changed.* `enforce` would have called")];
    for call in &case.opened.would_do {
        lines.push(Mrkdwn::new("• ").code(&call.describe(), CALL));
    }
    if lines.len() == 1 {
        lines = vec![Mrkdwn::new(
            "*Mode is observe: nothing was changed*, and `enforce` would have changed nothing by itself",
        )];
    }
    lines.push(Mrkdwn::new("Would that have been right?"));
    lines
}

fn ratings(case: &Case) -> Vec<Mrkdwn> {
    let rated = |(person, right): &(String, bool)| {
        Mrkdwn::new("• ").person(person, NAME).say(if *right { " says: right" } else { " says: *wrong*" })
    };
    case.ratings.iter().map(rated).collect()
}

fn rate(case: &Case) -> Value {
    let digest = &case.opened.verdict.policy_digest;
    let value = format!("{}:{}", case.id, digest.get(..12).unwrap_or_default());
    actions(&[button("Right", RIGHT, &value, "primary"), button("Wrong", WRONG, &value, "danger")])
}

/// One message for a day's cases in `observe` mode: as many as fit, the rest counted.
pub fn digest(cases: &[Case], day: Date) -> Message {
    let cases: Vec<&Case> = cases.iter().filter(|case| case.opened.mode == Mode::Observe).collect();
    let count = Mrkdwn::default().count(cases.len(), "mapping", "mappings").say(" not allowed on ");
    let title = count.bare(&day.to_string(), 20).say("; nothing was changed");
    let contained = cases.iter().filter(|case| !case.opened.would_do.is_empty()).count();
    let line = Mrkdwn::default().number(contained as u64).say(" would have been contained. Was that right?");
    let mut blocks = vec![
        header(&Plain::new("Observed on ").bare(&day.to_string(), 20)),
        section(&[Mrkdwn::new("*").then(&title).say("*"), line]),
    ];
    // Room for the last line.
    let mut room = BUDGET.saturating_sub(500 + blocks.iter().map(size).sum::<usize>());
    let mut shown = 0;
    for case in &cases {
        let entry = entry(case);
        let left = room.checked_sub(entry.iter().map(size).sum());
        let Some(left) = left.filter(|_| blocks.len() + entry.len() < BLOCKS) else { break };
        room = left;
        shown += 1;
        blocks.extend(entry);
    }
    let rest = cases.len() - shown;
    let more = Mrkdwn::default().number(rest as u64).say(" more: `sluicegate cases`");
    blocks.push(context(&if rest == 0 { Mrkdwn::new("All of them: `sluicegate cases`") } else { more }));
    let about = cases.first().map(|case| case.id.clone());
    Message {
        text: title.into_string(),
        blocks: Value::Array(blocks),
        metadata: about.map(|case_id| Metadata { event_type: DIGEST, case_id, seq: cases.len() as u64 }),
    }
}

fn entry(case: &Case) -> [Value; 2] {
    let actor = &case.opened.finding.actor;
    let mut lines = vec![wired(case), Mrkdwn::new("By ").then(&principal(actor)).then(&session(actor))];
    let place =
        Mrkdwn::default().code(&case.opened.finding.account, 20).say(", ").code(&case.opened.finding.region, 30);
    lines.push(place.say(" · ").say(gist(case)));
    lines.push(Mrkdwn::new("`sluicegate case ").bare(case.id.as_str(), 40).say("`"));
    lines.extend(ratings(case).into_iter().take(3));
    [section(&lines), rate(case)]
}

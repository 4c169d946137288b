//! A case as Slack shows it: cards, dialogs, thread lines, short messages and digests. Pure: the same case always makes
//! the same bytes, so that a reconciler can keep a message equal to its case.

mod about;
mod blocks;
mod buttons;
mod done;
mod evidence;
mod modal;
mod observe;
mod restrict;
mod short;
mod state;
mod text;
mod thread;
mod votes;
mod what;
mod who;

pub use about::{About, Cost, Deciders};
pub use modal::{CALLBACK, REASON, REASON_MOST, WIDEN, modal};
pub use observe::{DIGEST, RIGHT, WRONG, digest};
pub use short::{refused, reminder};
pub use thread::{AUDIT, audit};

use crate::case::{Case, State};
use crate::ports::{Message, Metadata};
use blocks::{Part, context, divider, fit, header};
use text::{Mrkdwn, Plain};

/// What the metadata of a case's one message says.
pub const CASE: &str = "sluicegate_case";
/// What the metadata of reminders and pages says.
pub const CASE_TOLD: &str = "sluicegate_told";

/// The case's card.
pub fn card(case: &Case, about: &About) -> Message {
    if !case.acts() {
        return observe::card(case);
    }
    let parts = if case.state == State::Closed { closed(case, about) } else { open(case, about) };
    Message { text: notification(case).into_string(), blocks: fit(parts), metadata: Some(metadata(case)) }
}

/// Whether the question lapsed and nobody decided since: buttons are gone, and a click is too late.
pub fn is_expired(case: &Case) -> bool {
    case.expired_at.is_some()
}

fn metadata(case: &Case) -> Metadata {
    Metadata { event_type: CASE, case_id: case.id.clone(), seq: case.seq }
}

/// For notifications, and readers without blocks.
fn notification(case: &Case) -> Mrkdwn {
    let finding = &case.opened.finding;
    Mrkdwn::new(state::headline(case))
        .say(": ")
        .then(&what::wired(case))
        .say(", by ")
        .then(&what::principal(&finding.actor))
        .say(" (")
        .bare(&finding.account, 20)
        .say(", ")
        .bare(&finding.region, 30)
        .say(")")
}

fn title(case: &Case) -> Part {
    let (severity, _) = state::severity(case);
    Part::fixed(header(&Plain::new(severity.mark()).say(state::headline(case))))
}

/// What a person needs for deciding comes first, then the buttons, then the rest.
fn open(case: &Case, about: &About) -> Vec<Part> {
    let actor = &case.opened.finding.actor;
    let mut parts = vec![title(case), Part::lines(1, what::summary(case))];
    parts.push(Part::lines(2, what::now(case, about)));
    parts.push(Part::lines(2, who::pipeline(actor).into_iter().collect()));
    parts.push(Part::lines(3, [votes::decided(case), votes::votes(case), votes::expired(case)].concat()));
    parts.extend(buttons::buttons(case, about).map(Part::fixed));
    parts.push(Part::fixed(divider()));
    parts.push(Part::lines(4, buttons::explained(case, about)));
    parts.push(Part::lines(4, votes::cost(case, about)));
    parts.push(Part::lines(5, who::why(case)));
    parts.push(Part::lines(5, who::who(case)));
    parts.push(Part::lines(5, done::done(case)));
    parts.push(Part::lines(5, restrict::restriction(case)));
    parts.push(Part::lines(6, evidence::processed(case)));
    parts.push(Part::lines(7, evidence::things(case)));
    parts.push(Part::lines(9, evidence::history(case)));
    parts.push(Part::lines(8, evidence::unknown(case)));
    parts.push(Part::lines(8, done::undo(case)));
    parts.push(Part::lines(9, votes::reminders(case)));
    parts.push(footer(case));
    parts
}

/// How it ended, in short.
fn closed(case: &Case, about: &About) -> Vec<Part> {
    let mut parts = vec![
        title(case),
        Part::lines(1, what::summary(case)),
        Part::lines(2, what::now(case, about)),
        Part::lines(3, [votes::decided(case), votes::votes(case), votes::expired(case)].concat()),
    ];
    parts.extend(buttons::buttons(case, about).map(Part::fixed));
    parts.push(Part::lines(4, done::done(case)));
    parts.push(Part::lines(5, restrict::on(case)));
    parts.push(Part::lines(6, evidence::processed(case)));
    parts.push(Part::lines(7, who::why(case)));
    parts.push(Part::lines(8, buttons::explained(case, about)));
    parts.push(Part::lines(8, done::undo(case)));
    parts.push(footer(case));
    parts
}

fn footer(case: &Case) -> Part {
    let digest = &case.opened.verdict.policy_digest;
    let mut all = vec![Mrkdwn::new("All of it: `sluicegate case ").bare(case.id.as_str(), 40).say("`")];
    all.push(Mrkdwn::new("policy ").code(digest.get(..12).unwrap_or(digest), 12));
    all.extend(what::links(case));
    Part::fixed(context(&Mrkdwn::joined(&all, " · ")))
}

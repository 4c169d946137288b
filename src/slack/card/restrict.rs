//! The credentials: what can be done about them, what was, and how far it takes effect.

use super::done::CALL;
use super::text::Mrkdwn;
use super::what::NAME;
use crate::case::{Case, Step};
use crate::restriction::{Effect, Offer, Strength, Whose};

const ALL: [Whose; 3] = [Whose::Caller, Whose::CallerWhole, Whose::Execution];

/// What can be done, and what was.
pub(super) fn restriction(case: &Case) -> Vec<Mrkdwn> {
    let mut lines = vec![Mrkdwn::new("*Credentials*")];
    for step in case.restrictions() {
        lines.extend(in_force(case, step));
    }
    for whose in ALL {
        lines.extend(case.offer(whose).map(|offer| offered(whose, offer)).unwrap_or_default());
    }
    if lines.len() == 1 { Vec::new() } else { lines }
}

/// What is on, for a closed case.
pub(super) fn on(case: &Case) -> Vec<Mrkdwn> {
    let lines: Vec<Mrkdwn> = case.restrictions().flat_map(|step| in_force(case, step)).collect();
    if lines.is_empty() { lines } else { [vec![Mrkdwn::new("*Credentials*")], lines].concat() }
}

fn in_force(case: &Case, step: &Step) -> Vec<Mrkdwn> {
    let effect = match case.effect(step.id) {
        None | Some(Effect::Applied) => Mrkdwn::new("*applied*; whether it takes effect everywhere is not known yet"),
        Some(Effect::Effective { by }) => Mrkdwn::new("*effective*: ").bare(by, 200),
        Some(Effect::NotEffective { seen }) => Mrkdwn::new("*applied, but not effective*: ").bare(seen, 200),
        Some(Effect::Tampered { seen }) => Mrkdwn::new("*somebody took it off or changed it*: ").bare(seen, 200),
        Some(Effect::Reapplied) => Mrkdwn::new("somebody took it off; it was *put on again*"),
        Some(Effect::NotReapplied { why }) => {
            Mrkdwn::new("somebody took it off; it *could not be put on again*: ").bare(why, 200)
        }
    };
    vec![
        Mrkdwn::new("• on since ").time(step.at).say(": ").code(&step.call.describe(), CALL),
        Mrkdwn::new("   ").then(&effect),
    ]
}

fn offered(whose: Whose, offer: &Offer) -> Vec<Mrkdwn> {
    let who = Mrkdwn::new("• ").say(name(whose));
    match offer {
        Offer::Restrict { principal, reach, strength, .. } => vec![
            who.say(" can be restricted: ").code(&principal.words(), NAME),
            Mrkdwn::new("   reaches ").bare(reach, 250),
            Mrkdwn::new("   ").then(&strength_words(strength)),
        ],
        Offer::ByHand { why, how } => {
            let mut lines = vec![who.say(": *by hand*, since ").bare(why, 200)];
            let steps = how.iter().take(8).enumerate();
            lines.extend(steps.map(|(at, line)| Mrkdwn::new("   ").number(at as u64 + 1).say(". ").bare(line, 250)));
            if how.len() > 8 {
                lines.push(Mrkdwn::new("   … ").count(how.len() - 8, "more line", "more lines"));
            }
            lines
        }
    }
}

fn name(whose: Whose) -> &'static str {
    match whose {
        Whose::Caller => "The caller",
        Whose::CallerWhole => "The whole role behind the session",
        Whose::Execution => "The function's execution role",
    }
}

/// Whether it could take the restriction off itself.
pub(super) fn strength_words(strength: &Strength) -> Mrkdwn {
    match strength {
        Strength::Strong { why } => Mrkdwn::new("*STRONG*: ").bare(why, 200),
        Strength::Weak { could } => {
            let actions: Vec<Mrkdwn> = could.iter().take(6).map(|action| Mrkdwn::default().code(action, 60)).collect();
            let line = Mrkdwn::new("*WEAK*: it could take it off itself, by ").then(&Mrkdwn::joined(&actions, ", "));
            if could.len() > 6 { line.say(" and ").number(could.len() as u64 - 6).say(" more") } else { line }
        }
        Strength::Unknown { why } => Mrkdwn::new("strength *not known*: ").bare(why, 200),
    }
}

/// The reach and strength of what a plan restricts, for the dialog.
pub(super) fn terms(case: &Case, whose: Whose) -> Vec<Mrkdwn> {
    case.offer(whose).map(|offer| offered(whose, offer)).unwrap_or_default()
}

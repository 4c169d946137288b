//! Who decided what, what is still waited for, and since when.

use super::about::About;
use super::done::decide;
use super::is_expired;
use super::text::Mrkdwn;
use super::what::NAME;
use crate::case::{Case, Decision, Reminder, State, Tally, Vote};

/// A decision as it is said.
pub(super) fn spoken(decision: Decision) -> &'static str {
    match decision {
        Decision::DeleteRestrict => "delete and restrict",
        other => other.name(),
    }
}

/// Votes so far, and what they wait for.
pub(super) fn votes(case: &Case) -> Vec<Mrkdwn> {
    if !matches!(case.state, State::AwaitingDecision | State::Stuck | State::Closed) {
        return Vec::new();
    }
    let undecided = |vote: &&Vote| case.approved.as_ref().is_none_or(|tally| tally.plan.digest != vote.plan);
    let open: Vec<&Vote> = case.votes.iter().filter(undecided).collect();
    let mut lines: Vec<Mrkdwn> = open.iter().map(|vote| chose(vote)).collect();
    for decision in Decision::ALL {
        let same: Vec<&&Vote> = open.iter().filter(|vote| vote.decision == decision).collect();
        lines.extend(missing(decision, &same));
    }
    for (_, vote) in &case.unconfirmed {
        lines.push(
            chose(vote).say(" – counts once they confirm it with `sluicegate confirm`, under their AWS identity"),
        );
    }
    lines
}

fn chose(vote: &Vote) -> Mrkdwn {
    let line = Mrkdwn::new("• ").person(&vote.person, NAME).say(" chose *").say(spoken(vote.decision)).say("*");
    if vote.reason.trim().is_empty() { line } else { line.say(": ").quote(&vote.reason, 300) }
}

fn missing(decision: Decision, same: &[&&Vote]) -> Option<Mrkdwn> {
    let mut people: Vec<&str> = same.iter().map(|vote| vote.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let needed = same.iter().map(|vote| vote.needed).max()? as usize;
    let left = needed.saturating_sub(people.len());
    let line = Mrkdwn::new("• *").say(spoken(decision)).say("*: *").count(left, "more person", "more people");
    (left > 0).then(|| line.say(if left == 1 { " is needed*" } else { " are needed*" }))
}

/// What was decided, by whom, when and why.
pub(super) fn decided(case: &Case) -> Vec<Mrkdwn> {
    let Some(tally) = &case.approved else { return Vec::new() };
    let people: Vec<Mrkdwn> = tally.people.iter().take(6).map(|who| Mrkdwn::default().person(who, NAME)).collect();
    let since = case.unasked || matches!(case.state, State::Containing | State::AwaitingDecision);
    let title = if since { "*Decided before*: " } else { "*Decided*: " };
    let line = Mrkdwn::new(title).say(spoken(tally.plan.decision)).say(", by ");
    let line = line.then(&Mrkdwn::joined(&people, ", ")).say(", ").time(tally.at);
    let mut lines = vec![line];
    lines.extend(reasons(case, tally));
    lines
}

fn reasons<'c>(case: &'c Case, tally: &'c Tally) -> impl Iterator<Item = Mrkdwn> + 'c {
    let votes = case.votes.iter().filter(|vote| vote.plan == tally.plan.digest && !vote.reason.trim().is_empty());
    votes.map(|vote| Mrkdwn::new("• ").person(&vote.person, NAME).say(": ").quote(&vote.reason, 300))
}

/// That the question lapsed, and how to decide all the same.
pub(super) fn expired(case: &Case) -> Vec<Mrkdwn> {
    let Some(at) = case.expired_at.filter(|_| is_expired(case)) else { return Vec::new() };
    let stays = if case.contained() { "It stays contained." } else { "It stays as it is." };
    let mut lines = vec![Mrkdwn::new("*Nobody decided in time* (").time(at).say("). ").say(stays)];
    lines.push(Mrkdwn::new("The buttons are gone. Decide on the command line:"));
    lines.extend(case.decisions().into_iter().map(|decision| Mrkdwn::new("• ").then(&decide(case, decision))));
    lines
}

/// What a wrong containment would cost.
pub(super) fn cost(case: &Case, about: &About) -> Vec<Mrkdwn> {
    let Some(cost) = about.cost.as_ref().filter(|_| case.contained() || !case.gone) else { return Vec::new() };
    let title =
        if case.contained() { "*If this containment is wrong*" } else { "*If it is contained and that is wrong*" };
    let sentences = cost.words.iter().map(|sentence| Mrkdwn::new("• ").bare(sentence, 300));
    std::iter::once(Mrkdwn::new(title)).chain(sentences).collect()
}

/// How often people were told again.
pub(super) fn reminders(case: &Case) -> Vec<Mrkdwn> {
    if case.state == State::Closed || case.reminders.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Mrkdwn::new("*Reminders*")];
    let waiting = case.reminders.iter().filter(|(reminder, _)| matches!(reminder, Reminder::Waiting { .. }));
    if let Some((_, at)) = waiting.clone().next_back() {
        let line = Mrkdwn::new("• people were reminded ").count(waiting.count(), "time", "times");
        lines.push(line.say(", last ").time(*at));
    }
    for (reminder, at) in &case.reminders {
        lines.extend(match reminder {
            Reminder::Waiting { .. } => None,
            Reminder::LossAhead { lost_from } => {
                Some(Mrkdwn::new("• told ").time(*at).say(" that records are lost from ").time(*lost_from))
            }
            Reminder::Again { .. } => Some(Mrkdwn::new("• told ").time(*at).say(" that it was made again")),
            Reminder::Lapsed => Some(Mrkdwn::new("• told ").time(*at).say(" that nobody decided in time")),
        });
    }
    lines
}

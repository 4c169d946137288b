//! What was learnt, and what could not be.

use super::text::Mrkdwn;
use super::what::NAME;
use crate::case::{Case, CodeKept, Evidence, FunctionFacts, History, Processed, SourceFacts};

/// What the mapping processed, as far as can be seen.
pub(super) fn processed(case: &Case) -> Vec<Mrkdwn> {
    case.processed().map(|it| processed_words(it, case.contained())).unwrap_or_default()
}

fn processed_words(processed: &Processed, contained: bool) -> Vec<Mrkdwn> {
    let said = |answer: Option<bool>| processed.looked_at.iter().any(|looked| looked.processed == answer);
    let sum = if said(Some(true)) {
        "*Records were processed* while it was active"
    } else {
        "*No evidence found* that records were processed"
    };
    let mut lines = vec![Mrkdwn::new(sum)];
    let time = Mrkdwn::new("• it may have been active from ").time(processed.from);
    lines.push(match processed.until {
        Some(until) => time.say(" until ").time(until),
        None => time.say(" on"),
    });
    for looked in processed.looked_at.iter().take(6) {
        let line = Mrkdwn::new("• looked at ").code(&looked.at, NAME).say(": ").bare(&looked.said, 160);
        lines.push(if looked.processed.is_none() { line.say(" (tells nothing)") } else { line });
    }
    if processed.looked_at.is_empty() {
        lines.push(Mrkdwn::new("• nothing could be looked at"));
    }
    if contained {
        lines.push(Mrkdwn::new("• Lambda may go on for up to 90 seconds after a mapping reads disabled"));
    }
    if !processed.settled {
        lines.push(Mrkdwn::new("• this can still change: metrics appear minutes later"));
    }
    lines
}

/// Function, source and code.
pub(super) fn things(case: &Case) -> Vec<Mrkdwn> {
    let mut lines = case.source_facts().map(source).unwrap_or_default();
    lines.extend(case.function_facts().map(function).unwrap_or_default());
    lines.extend(case.code_kept().map(code).unwrap_or_default());
    if !lines.is_empty() {
        lines.insert(0, Mrkdwn::new("*Function and source*"));
    }
    lines
}

fn function(facts: &FunctionFacts) -> Vec<Mrkdwn> {
    let mut lines = Vec::new();
    if facts.made_by_actor {
        lines.push(Mrkdwn::new("• the *same actor made the function*"));
    }
    for call in facts.changed_by_actor.iter().take(3) {
        let who = Mrkdwn::new(if call.by.is_empty() {
            "• the same actor called "
        } else {
            "• another session of the same principal called "
        });
        lines.push(who.code(&call.what, 60).say(" on it, ").time(call.at));
    }
    if !facts.role.is_empty() {
        lines.push(Mrkdwn::new("• it runs as ").code(&facts.role, 120));
    }
    if !facts.code_sha256.is_empty() {
        let line = Mrkdwn::new("• code ").code(&facts.code_sha256, 50);
        lines.push(if facts.runtime.is_empty() { line } else { line.say(", ").code(&facts.runtime, 30) });
    }
    if !facts.last_modified.is_empty() {
        lines.push(Mrkdwn::new("• last changed ").code(&facts.last_modified, 40));
    }
    if facts.same_account == Some(false) {
        lines.push(Mrkdwn::new("• the function belongs to *another account*"));
    }
    if !facts.invokers.is_empty() {
        let line = Mrkdwn::new("• others that may invoke it: ").then(&some(facts.invokers.iter()));
        lines.push(line);
    }
    if !facts.shared_tags.is_empty() {
        lines.push(Mrkdwn::new("• tags that it shares with the source: ").then(&tags(&facts.shared_tags)));
    }
    lines
}

fn source(facts: &SourceFacts) -> Vec<Mrkdwn> {
    let mut lines = Vec::new();
    if !facts.sensitive.is_empty() {
        lines.push(Mrkdwn::new("• the *source is sensitive*: ").then(&tags(&facts.sensitive)));
    }
    if !facts.tags_unknown.is_empty() {
        lines.push(Mrkdwn::new("• how sensitive the source is is not known: ").bare(&facts.tags_unknown, 160));
    }
    if facts.same_account == Some(false) {
        lines.push(Mrkdwn::new("• the source belongs to *another account*"));
    }
    match facts.retention_s {
        Some(seconds) => {
            let kept = Mrkdwn::new("• it keeps records for ");
            let kept = if seconds.is_multiple_of(86_400) && seconds > 0 {
                kept.count(usize::try_from(seconds / 86_400).unwrap_or(usize::MAX), "day", "days")
            } else {
                kept.number(seconds / 60).say(" minutes")
            };
            lines.push(kept.say(" (").bare(&facts.retention_from, 80).say(")"));
        }
        None => lines.push(Mrkdwn::new("• for how long it keeps records is not known")),
    }
    lines
}

fn code(kept: &CodeKept) -> Vec<Mrkdwn> {
    let line = Mrkdwn::new("• the code package is kept: ")
        .code(&kept.place, 100)
        .say(", ")
        .number(kept.bytes)
        .say(" bytes, SHA-256 ")
        .code(kept.sha256.get(..16).unwrap_or(&kept.sha256), 20);
    let differs =
        Mrkdwn::new("• *the code was changed meanwhile*: Lambda told another hash for it, ").code(&kept.differs, 50);
    if kept.differs.is_empty() { vec![line] } else { vec![line, differs] }
}

fn tags(all: &[(String, String)]) -> Mrkdwn {
    let words: Vec<String> = all.iter().map(|(key, value)| format!("{key}={value}")).collect();
    some(words.iter())
}

/// The first few of them.
fn some<'t>(all: impl ExactSizeIterator<Item = &'t String>) -> Mrkdwn {
    const MOST: usize = 4;
    let more = all.len().saturating_sub(MOST);
    let shown: Vec<Mrkdwn> = all.take(MOST).map(|one| Mrkdwn::default().code(one, 60)).collect();
    let line = Mrkdwn::joined(&shown, ", ");
    if more > 0 { line.say(" and ").number(more as u64).say(" more") } else { line }
}

/// What the same principal did lately.
pub(super) fn history(case: &Case) -> Vec<Mrkdwn> {
    case.history().map(history_words).unwrap_or_default()
}

fn history_words(history: &History) -> Vec<Mrkdwn> {
    const MOST: usize = 5;
    let mut lines = vec![Mrkdwn::new("*The same caller lately*, since ").time(history.since)];
    for call in history.calls.iter().take(MOST) {
        let line = Mrkdwn::new("• ").time(call.at).say(" ").code(&call.what, 60);
        let line = if call.on.is_empty() { line } else { line.say(" on ").code(&call.on, 60) };
        let line = if call.error.is_empty() { line } else { line.say(": ").code(&call.error, 40) };
        lines.push(if call.by.is_empty() { line } else { line.say(", by session ").code(&call.by, 60) });
    }
    match (history.calls.len().saturating_sub(MOST), history.more) {
        (0, false) if history.calls.is_empty() => lines.push(Mrkdwn::new("• no other Lambda, IAM or STS calls")),
        (0, false) => {}
        (more, false) => lines.push(Mrkdwn::new("• and ").number(more as u64).say(" more")),
        (_, true) => lines.push(Mrkdwn::new("• and more than were looked at")),
    }
    let unread = history.unread.iter().take(3);
    lines.extend(unread.map(|what| Mrkdwn::new("• could not be asked: ").bare(what, 160)));
    if !history.query.is_empty() {
        lines.push(Mrkdwn::new("• a query for the data events, which this does not have: see `sluicegate case`"));
    }
    if !history.began_sessions.is_empty() {
        let line = Mrkdwn::new("• *sessions begun from it*, which a restriction does not reach: ");
        lines.push(line.then(&some(history.began_sessions.iter())));
    }
    lines
}

/// What could not be learnt.
pub(super) fn unknown(case: &Case) -> Vec<Mrkdwn> {
    let mut lines = Vec::new();
    for (evidence, _) in &case.evidence {
        if let Evidence::Unknown { what, why } = evidence {
            lines.push(Mrkdwn::new("• ").code(what, 30).say(": ").bare(why, 160));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Mrkdwn::new("*What could not be learnt*"));
    }
    lines
}

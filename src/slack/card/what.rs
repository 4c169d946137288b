//! What was found: which source, which function, where; and what stands there now.

use super::about::About;
use super::state::{Severity, runs, severity, severity_words, tampered_with};
use super::text::{Link, Mrkdwn};
use crate::case::{Case, Provenance, State};
use crate::cloudtrail::{Actor, Verb};
use crate::containment::StepKind;
use crate::detection::{Change, Finding, Trigger};
use crate::mapping::{FunctionRef, SourceKind, SourceRef};
use crate::policy::Response;

/// The longest name that is shown whole: all of AWS's own fit but for odd ones.
pub(super) const NAME: usize = 80;

/// The first lines of the card.
pub(super) fn summary(case: &Case) -> Vec<Mrkdwn> {
    let finding = &case.opened.finding;
    let place = Mrkdwn::new("In account ")
        .code(&finding.account, 20)
        .say(", ")
        .code(&finding.region, 30)
        .say(", ")
        .time(finding.event.time);
    let by = Mrkdwn::new("By ").then(&principal(&finding.actor)).then(&session(&finding.actor));
    let mut lines = vec![wired(case), done_to_it(case), by, place];
    lines.extend(case.mapping.as_ref().map(|mapping| Mrkdwn::new("Mapping ").code(&mapping.uuid, 40)));
    if finding.trigger == Trigger::Sweep {
        lines.push(Mrkdwn::new("Found by the sweep over existing mappings, not by its event"));
    }
    lines
}

/// `SQS queue orders → function exfil`.
pub(super) fn wired(case: &Case) -> Mrkdwn {
    let (source, function) = ends(case);
    source_words(source, &case.opened.finding.account)
        .say(" → ")
        .then(&function_words(function, &case.opened.finding.account))
}

/// The mapping's source and function, as last read, else as the event says.
pub(super) fn ends(case: &Case) -> (&SourceRef, &FunctionRef) {
    let call = &case.opened.finding.call;
    let source = case.latest().map(|read| &read.source).filter(|source| source.is_known());
    let function = case.latest().map(|read| &read.function).filter(|function| !function.name.is_empty());
    (source.unwrap_or(&call.source), function.unwrap_or(&call.function))
}

fn source_words(source: &SourceRef, home: &str) -> Mrkdwn {
    let kind = match source.kind {
        SourceKind::Sqs => "SQS queue ",
        SourceKind::Kinesis => "Kinesis stream ",
        SourceKind::Dynamodb => "DynamoDB stream of table ",
        SourceKind::Msk => "MSK cluster ",
        SourceKind::Kafka => "Kafka cluster of its own ",
        SourceKind::Mq => "MQ broker ",
        SourceKind::Docdb => "DocumentDB cluster ",
        SourceKind::Unknown => "source ",
    };
    let name = if source.name.is_empty() { &source.arn } else { &source.name };
    foreign(Mrkdwn::new(kind).code(name, NAME), &source.account, home)
}

pub(super) fn function_words(function: &FunctionRef, home: &str) -> Mrkdwn {
    let name = if function.name.is_empty() { &function.arn } else { &function.name };
    let words = Mrkdwn::new("function ");
    let words = match function.qualifier.as_str() {
        "" => words.code(name, NAME),
        qualifier => words.code(&format!("{name}:{qualifier}"), NAME + 40),
    };
    foreign(words, &function.account, home)
}

fn foreign(words: Mrkdwn, account: &str, home: &str) -> Mrkdwn {
    if account.is_empty() || account == home {
        return words;
    }
    words.say(" of *another account*, ").code(account, 20)
}

/// What the call did: `Created it`, `Repointed it (was: function orders) and enabled it`.
fn done_to_it(case: &Case) -> Mrkdwn {
    let finding = &case.opened.finding;
    let words: Vec<Mrkdwn> = finding.changes.iter().map(|change| changed(*change, case)).collect();
    let mut line = Mrkdwn::default().then(&Mrkdwn::joined(&words, " and "));
    if finding.changes.is_empty() {
        line = Mrkdwn::new(if finding.call.verb == Verb::Create { "Created" } else { "Changed" });
    }
    line
}

fn changed(change: Change, case: &Case) -> Mrkdwn {
    match change {
        Change::Create if case.opened.finding.call.enabled == Some(false) => {
            Mrkdwn::new("*Created*, not enabled: whoever may update it can enable it later")
        }
        Change::Create => Mrkdwn::new("*Created*"),
        Change::Enable => Mrkdwn::new("*Enabled*"),
        Change::Rewire => Mrkdwn::new("*Rewired*: its filter, destination or source access was changed"),
        Change::Repoint => match &case.baseline {
            Some(before) => Mrkdwn::new("*Repointed* (was ")
                .then(&function_words(&before.function, &case.opened.finding.account))
                .say(")"),
            None => Mrkdwn::new("*Repointed* to another function"),
        },
    }
}

/// `role people/intern`.
pub(super) fn principal(actor: &Actor) -> Mrkdwn {
    let name = |kind: &str| actor.principal_arn.split_once(kind).map(|(_, name)| name.to_owned());
    if let Some(name) = name(":role/") {
        Mrkdwn::new("role ").code(&name, NAME)
    } else if let Some(name) = name(":user/") {
        Mrkdwn::new("user ").code(&name, NAME)
    } else if actor.principal_arn.ends_with(":root") {
        Mrkdwn::new("*root* of account ").code(&actor.account, 20)
    } else if actor.arn.is_empty() {
        Mrkdwn::new("somebody whom the record does not name")
    } else {
        Mrkdwn::new("").code(&actor.arn, 120)
    }
}

pub(super) fn session(actor: &Actor) -> Mrkdwn {
    if actor.session_name.is_empty() {
        return Mrkdwn::default();
    }
    Mrkdwn::new(", session ").code(&actor.session_name, NAME)
}

/// What stands there now, and what happened since.
pub(super) fn now(case: &Case, about: &About) -> Vec<Mrkdwn> {
    let quiet = severity(case).0 == Severity::Low;
    let mut lines = vec![if quiet { stands(case) } else { severity_words(case).then(&stands(case)) }];
    lines.extend(again(case));
    lines.extend(tampering(case));
    if let Some(from) = about.cost.as_ref().and_then(|cost| cost.lost_from).filter(|_| case.contained()) {
        lines.push(Mrkdwn::new("If that is wrong: records are *lost from* ").time(from));
    }
    // What is asked of every case that was contained says nothing more.
    if let (State::AwaitingDecision | State::Stuck, Some((why, _))) = (case.state, &case.asked)
        && !why.starts_with("it is disabled: ")
    {
        lines.push(Mrkdwn::new("Asked because: ").bare(why, 300));
    }
    lines
}

fn stands(case: &Case) -> Mrkdwn {
    let read = case.latest().map_or("", |read| read.state.as_str());
    let done = |kind: StepKind| case.steps.iter().rev().find(|step| step.kind == kind && case.holds_now(step));
    if let Some(step) = done(StepKind::DeleteMapping) {
        return Mrkdwn::new("The mapping is *deleted*; read back ").time(step.at);
    }
    if case.gone {
        return Mrkdwn::new("The mapping *is gone*: somebody else deleted it. It may have run until then");
    }
    match done(StepKind::DisableMapping) {
        Some(step) if !runs(case) => Mrkdwn::new("The mapping is *disabled*; read back ").time(step.at),
        Some(step) => Mrkdwn::new("It was disabled ").time(step.at).say(", and *now reads* ").code(read, 30),
        None if case.in_force(StepKind::FreezeFunction) => {
            Mrkdwn::new("The function is *frozen*; the mapping still reads ").code(read, 30)
        }
        None if case.latest().is_none() => Mrkdwn::new("The mapping *could not be read* yet"),
        None if runs(case) => Mrkdwn::new("The mapping *runs*; last read as ").code(read, 30),
        None => Mrkdwn::new("The mapping is not enabled; last read as ").code(read, 30),
    }
}

/// Findings that joined the case. They page people; they are no question.
fn again(case: &Case) -> Option<Mrkdwn> {
    let last: &Finding = case.joined.last()?;
    let how = if case.joined.iter().all(|finding| finding.changes.contains(&Change::Create)) {
        "*Created again* "
    } else {
        "*Created or changed again* "
    };
    let line = Mrkdwn::new(how)
        .count(case.joined.len(), "time", "times")
        .say(", last ")
        .time(last.event.time)
        .say(" by ")
        .then(&principal(&last.actor))
        .then(&session(&last.actor));
    Some(if case.contained() && !runs(case) { line.say(": it stays disabled") } else { line })
}

fn tampering(case: &Case) -> Vec<Mrkdwn> {
    let undone = case.steps.iter().filter(|step| tampered_with(case, step));
    let again = |kind: StepKind| case.steps.iter().any(|step| step.kind == kind && case.holds_now(step));
    undone
        .map(|step| {
            let line = Mrkdwn::new("*Somebody undid* step ").number(step.id).say(", seen ").time(step.at);
            if again(step.kind) { line.say("; it was done again") } else { line }
        })
        .collect()
}

/// Why nothing was done by itself.
pub(super) fn why_nothing(case: &Case) -> Mrkdwn {
    let line = Mrkdwn::new("Nothing was changed: ");
    match &case.provenance {
        Provenance::Pending { why } | Provenance::Refuted { why } => line.bare(why, 300),
        Provenance::Verified | Provenance::Confirmed if case.gone => line.say("the mapping was gone already"),
        Provenance::Verified | Provenance::Confirmed => line.say(match case.response {
            Response::Leave | Response::Notify => "policy wants people told, and no more",
            Response::Ask => "policy lets people decide first",
            Response::Disable | Response::Freeze => "people decide first",
        }),
    }
}

/// Whether the event is known to be true.
pub(super) fn believed(case: &Case) -> Mrkdwn {
    match &case.provenance {
        Provenance::Verified => Mrkdwn::new("Checked: the mapping, as read, is what the event says"),
        Provenance::Confirmed => Mrkdwn::new("Checked: CloudTrail itself has the record"),
        Provenance::Pending { why } => Mrkdwn::new("*Not confirmed yet*: ").bare(why, 200),
        Provenance::Refuted { why } => Mrkdwn::new("*Never confirmed*: ").bare(why, 200),
    }
}

/// The console's pages.
pub(super) fn links(case: &Case) -> Vec<Mrkdwn> {
    let finding = &case.opened.finding;
    let (_, function) = ends(case);
    let function =
        Link::function(&finding.region, &function.name).map(|link| Mrkdwn::default().link(&link, "Function"));
    let event = Link::event(&finding.region, &finding.event.id).map(|link| Mrkdwn::default().link(&link, "Event"));
    function.into_iter().chain(event).collect()
}

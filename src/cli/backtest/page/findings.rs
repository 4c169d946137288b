//! The findings one by one, with all that `explain` says of each, and those that two sets judge differently.

use super::{number, row, table, text, time};
use crate::cli::backtest::words::{self, clip, grouped, many};
use crate::cli::backtest::{Read, page::CHARACTERS};
use crate::detection::Finding;
use crate::explanation::{Explanation, known, what};
use crate::history::{Backtest, Changed, Changes, Judged, Outcome};
use crate::policy::Verdict;
use crate::report::{Cell, Column, Row, Section, Tone};
use jiff::Timestamp;

pub(super) fn findings(told: &Backtest<'_>) -> Section {
    let rows: Vec<Row> = told.kept.iter().map(one).collect();
    let note = match told.kept.left_out() {
        0 => "Newest first, those that are not allowed before those that are.".to_owned(),
        left => format!(
            "The newest {}, those that are not allowed first; {} left out. --format json has every finding.",
            grouped(rows.len() as u64),
            words::are(left, "other")
        ),
    };
    let columns = ["Time", "Verdict", "Finding", "Principal", "Source", "Function", "Where", "Decided by"];
    table("Findings", &note, columns.map(Column::text).into(), rows)
}

pub(super) fn changes(read: &Read<'_>, changes: &Changes) -> Vec<Section> {
    let other = read.against.map_or(String::new(), |dir| dir.display().to_string());
    let note = format!(
        "Of {}, the policies in {other} judge {} differently: {} would be allowed that are not now, {} would no longer \
         be allowed, {} would get another response.",
        many(changes.after.total(), "finding"),
        grouped(changes.changed),
        grouped(changes.newly_allowed),
        grouped(changes.no_longer_allowed),
        grouped(changes.other_response())
    );
    let rows = changes
        .by_change
        .iter()
        .map(|((before, after), count)| row([outcome(*before), outcome(*after), number(*count)]));
    let columns = vec![Column::text("Today"), Column::text("Then"), Column::number("Findings")];
    let mut sections = vec![table("What changes", &note, columns, rows.collect())];
    if changes.changed > 0 {
        let rows: Vec<Row> = changes.kept.iter().map(changed).collect();
        let note = match changes.kept.left_out() {
            0 => String::new(),
            left => format!("The newest; {} left out. --format json has every finding.", words::are(left, "other")),
        };
        let columns = ["Time", "Today", "Then", "Finding", "Principal", "Decided today by", "Decided then by"];
        sections.push(table("Findings that are judged differently", &note, columns.map(Column::text).into(), rows));
    }
    sections
}

fn one(judged: &Judged) -> Row {
    let Judged { finding, verdict } = judged;
    let call = &finding.call;
    let told = Explanation::of_finding(finding, verdict);
    let kind = told.mapping.as_ref().and_then(|mapping| serde_word(mapping.source_kind));
    let source = known(&call.source.name).or(known(&call.source.arn)).unwrap_or("?");
    let cells = vec![
        when(finding),
        outcome(Outcome::of(verdict)),
        text(&what(finding)),
        text(&short_principal(finding)),
        text(&format!("{} {source}", kind.unwrap_or_default())),
        text(known(&call.function.name).unwrap_or("?")),
        text(&format!("{} {}", finding.account, finding.region)),
        text(&verdict.policies.join(", ")),
    ];
    let mut details = described(finding, &told);
    explained(&mut details, "", verdict);
    Row { cells, details }
}

fn changed(changed: &Changed) -> Row {
    let Changed { finding, before, after } = changed;
    let told = Explanation::of_finding(finding, before);
    let cells = vec![
        when(finding),
        outcome(Outcome::of(before)),
        outcome(Outcome::of(after)),
        text(&what(finding)),
        text(&short_principal(finding)),
        text(&before.policies.join(", ")),
        text(&after.policies.join(", ")),
    ];
    let mut details = described(finding, &told);
    explained(&mut details, " today", before);
    explained(&mut details, " then", after);
    Row { cells, details }
}

fn when(finding: &Finding) -> Cell {
    time(Some(finding.event.time).filter(|time| *time != Timestamp::UNIX_EPOCH))
}

fn outcome(outcome: Outcome) -> Cell {
    Cell::toned(outcome.told(), if outcome.allowed { Tone::Good } else { Tone::Bad })
}

/// Without what every ARN has, where the account is the mapping's own.
fn short_principal(finding: &Finding) -> String {
    let arn = &finding.actor.principal_arn;
    let own = format!("arn:aws:iam::{}:", finding.account);
    arn.strip_prefix(&own).unwrap_or(words::principal(arn)).to_owned()
}

/// Who did what to which mapping; what is not known is left out.
fn described(finding: &Finding, told: &Explanation<'_>) -> Vec<(String, String)> {
    let (actor, call) = (&told.actor, &finding.call);
    let kind = serde_word(actor.kind);
    let mapping = told.mapping.as_ref();
    let facts = [
        ("Event", Some(told.event_name)),
        ("Event id", Some(told.event_id)),
        ("Request id", known(&finding.event.request_id)),
        ("Principal", actor.principal_arn),
        ("Kind", kind.as_deref()),
        ("ARN in the record", actor.arn.filter(|arn| Some(*arn) != actor.principal_arn)),
        ("Session", actor.session_name),
        ("Access key", actor.access_key_id),
        ("Through", actor.invoked_by),
        ("Address", actor.source_ip),
        ("User agent", actor.user_agent),
        ("Mapping", mapping.and_then(|mapping| mapping.uuid)),
        ("Mapping ARN", mapping.and_then(|mapping| mapping.arn)),
        ("Function", mapping.and_then(|mapping| mapping.function_arn.or(mapping.function_name))),
        ("Source", mapping.and_then(|mapping| mapping.source_arn).or_else(|| known(&call.source.name))),
        ("Careful", known(&call.disagrees)),
    ];
    let known =
        facts.into_iter().filter_map(|(name, text)| text.filter(|text| !text.is_empty()).map(|text| (name, text)));
    known.map(|(name, text)| (name.to_owned(), clip(text, CHARACTERS))).collect()
}

fn explained(details: &mut Vec<(String, String)>, when: &str, verdict: &Verdict) {
    let mut add = |name: &str, texts: &[String]| {
        for (number, text) in texts.iter().enumerate() {
            let name = if number == 0 { format!("{name}{when}") } else { String::new() };
            details.push((name, clip(text, CHARACTERS)));
        }
    };
    add("Verdict", &[Outcome::of(verdict).told()]);
    add("Why", &verdict.reasons);
    add("Errors", &verdict.errors);
    if !verdict.policies.is_empty() {
        add("Decided", &[format!("by {}", verdict.policies.join(", "))]);
    }
}

/// A word of the JSON contract: `IAMUser`, `sqs`.
fn serde_word(value: impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

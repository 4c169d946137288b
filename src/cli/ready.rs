//! `ready`: what observe mode and history say about switching enforce on. It switches nothing on.

use super::guardrail::read_archive;
use super::{Failure, Format, PolicyArgs, Result, load_policies, show, worker};
use crate::case::CaseId;
use crate::config::Config;
use crate::history::Timeline;
use crate::ports::Journal;
use crate::ready::{Advice, Precision, Recommendation, Report, Seen, Segment, Summary, first_rule};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct ReadyArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Look at the last N days alone.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    /// CloudTrail logs, for how much there is to expect: files, folders or `s3://BUCKET/PREFIX`.
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
}

pub(super) async fn ready(config: &Config, args: &ReadyArgs, format: Format) -> Result {
    let set = load_policies(args.policies.dir(config), format)?;
    let now = Timestamp::now();
    let since = args.days.map(|days| now - SignedDuration::from_hours(24 * i64::from(days)));
    let mut report = Report::new(&set, now, since);
    let has_journal = config.journal_file()?.exists();
    if has_journal {
        read_journal(config, &mut report).await?;
    }
    let mut damaged = false;
    if !args.paths.is_empty() {
        let (archive, found_damage) = read_archive(&args.paths, format)?;
        damaged = found_damage;
        report.has_archive();
        let mut timeline = Timeline::new(&set);
        for finding in archive.findings {
            let finding = finding.map_err(|error| Failure::Outside(error.to_string()))?;
            let verdict = timeline.judge(&finding);
            report.finding(&finding, &verdict);
        }
    }
    let (segments, summary) = report.finish();
    let recommendations = Recommendation::all(&segments);
    if format == Format::Json {
        for segment in &segments {
            show::json(&json!({ "segment": segment }));
        }
        show::json(&json!({ "recommendation": recommendations, "summary": summary }));
    } else {
        segments.iter().for_each(show_segment);
        advise(&recommendations, &summary, has_journal);
    }
    if damaged { Err(Failure::No) } else { Ok(()) }
}

async fn read_journal(config: &Config, report: &mut Report<'_>) -> Result {
    let journal = worker::open_journal(config, false)?;
    for summary in journal.cases().await? {
        let id: CaseId = summary.case_id.parse().map_err(Failure::Outside)?;
        if let Some(seen) = journal.case(&id).await?.as_ref().and_then(Seen::of) {
            report.case(&seen);
        }
    }
    Ok(())
}

fn show_segment(segment: &Segment) {
    let kind = serde_json::to_value(segment.source_kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let title = format!("{}, {}", segment.group, kind.unwrap_or_default());
    show::line(&show::coloured(&show::visible(&title), show::BOLD));
    let field = |name: &str, text: &str| show::line(&format!("  {name:<10} {}", show::visible(text)));
    if segment.observed + segment.upheld + segment.restored == 0 {
        field("cases", "none observed yet, so that nothing is labelled");
    } else {
        field("cases", &counted(segment));
        let precision = segment.precision.as_ref().map(precision);
        field("precision", &precision.unwrap_or_else(|| "not known: nothing is labelled".to_owned()));
    }
    let cards = &segment.cards_per_week;
    let by = [("journal", cards.journal), ("archive", cards.archive)];
    let by: Vec<String> =
        by.iter().filter_map(|(name, cards)| cards.map(|cards| format!("{cards:.1} by the {name}"))).collect();
    if !by.is_empty() {
        field("each week", &format!("cards: {}", by.join(", ")));
    }
    if let Some(containments) = segment.containments_per_week {
        field("", &format!("mappings disabled at once: {containments:.1} by the archive"));
    }
    for (number, cause) in segment.wrong_causes.iter().enumerate() {
        let people: Vec<&str> = cause.people.iter().map(String::as_str).collect();
        let said = format!(
            "{} of {}: {} (case {}, by {})",
            cause.times,
            cause.of,
            cause.reason,
            cause.case_id,
            if people.is_empty() { "nobody known".to_owned() } else { people.join(", ") }
        );
        field(if number == 0 { "wrong" } else { "" }, &said);
    }
    if let Some(first) = segment.right_but_allowed_now.first() {
        let all = show::count(segment.right_but_allowed_now.len(), "case");
        show::line(&show::coloured(&format!("  {all} called right, and allowed now: {first}"), show::RED));
    }
    show::line("");
}

fn counted(segment: &Segment) -> String {
    let mut parts = vec![format!(
        "{} observed: {} right, {} wrong, {} without a label",
        segment.observed, segment.right, segment.wrong, segment.unlabelled
    )];
    if segment.upheld + segment.restored > 0 {
        parts.push(format!("in enforce {} upheld, {} restored", segment.upheld, segment.restored));
    }
    if segment.allowed_since > 0 {
        parts.push(format!("{} of the wrong ones allowed since", segment.allowed_since));
    }
    parts.join("; ")
}

/// What is counted on few cases is told with how few.
fn precision(precision: &Precision) -> String {
    let at_least = (precision.at_least * 100.0).floor();
    format!("{} of {} right; {at_least:.0} % at least, with 95 % certainty", precision.right, precision.of)
}

fn advise(recommendations: &[Recommendation], summary: &Summary, has_journal: bool) {
    if recommendations.is_empty() {
        let journal = if has_journal { "the journal has no case that tells" } else { "there is no journal yet" };
        show::line(&format!("Nothing to go by: {journal}{}.", archive_told(summary)));
        show::line(
            "Run `sluicegate run` in observe, and say of each case, by the buttons on its card, whether acting would have",
        );
        show::line(
            "been right. What to expect meanwhile is told by history: `sluicegate ready PATH` with CloudTrail logs.",
        );
        return;
    }
    show::line(&show::coloured("What to do", show::BOLD));
    for one in recommendations {
        let (word, colour) = match one.advice {
            Advice::Enforce => ("ENFORCE", show::GREEN),
            Advice::Wait => ("not yet", show::YELLOW),
            Advice::Observe => ("observe", show::BOLD),
        };
        let title = show::visible(&format!("{}, {}", one.group, one.source_kind));
        show::line(&format!("  {}  {title}", show::coloured(word, colour)));
        one.why.iter().for_each(|why| show::line(&format!("           {}", show::visible(why))));
    }
    if let Some(first) = recommendations.iter().find(|one| one.advice == Advice::Enforce) {
        show::line(
            "\n`mode = \"enforce\"` is for all. To act in the first of these alone, add this to rules.cedar; people are asked elsewhere:",
        );
        first_rule(first).lines().for_each(|line| show::line(&format!("  {}", show::visible(line))));
    }
    if summary.labelled == 0 {
        show::line(
            "\nNobody has labelled a case yet: the buttons are on each case's card while sluicegate runs in observe.",
        );
    }
    show::line("\nNothing was switched on; that is yours to do.");
}

fn archive_told(summary: &Summary) -> &'static str {
    match summary.findings {
        Some(0) => ", and the archive has no finding of the time looked at",
        Some(_) => ", and policy allows all that the archive has",
        None => "",
    }
}

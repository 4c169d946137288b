//! `scan`: judges the mappings that exist now, in every configured account and region. Changes nothing.

mod scanner;
mod text;
mod trail;

use super::places::{Wanted, places};
use super::sink::{self, Sink};
use super::{Failure, Format, PolicyArgs, Result, load_policies, show};
use crate::config::Config;
use crate::report::Page;
use crate::scan::{Report, Standing, missing_line, page, scanned_line};
use clap::{Args, ValueEnum};
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use scanner::Scanner;
use serde_json::json;
use std::path::PathBuf;

/// So many places are looked at side by side.
const SIDE_BY_SIDE: usize = 8;

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Only this account; may be given several times. Left out: the own one, and with [accounts] those of the inventory.
    #[arg(long, value_name = "ID")]
    account: Vec<String>,
    /// Only this region; may be given several times. Left out: `regions` of the configuration, else the environment's.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Write the result into this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 1 where there is such a mapping; may be given several times.
    #[arg(long, value_name = "WHAT", value_enum)]
    fail_on: Vec<FailOn>,
}

/// What a pipeline may fail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A mapping that policy does not allow.
    NotAllowed,
    /// A mapping that smells.
    Smells,
}

pub(super) async fn scan(config: &Config, args: &ScanArgs, format: Format) -> Result {
    let set = load_policies(args.policies.dir(config), format)?;
    // Before minutes of looking, rather than after.
    args.output.as_deref().map_or(Ok(()), sink::check)?;
    let wanted = Wanted { accounts: &args.account, regions: &args.region };
    let (_, places) = places(config, &set, wanted, "sluicegate-scan").await?;
    let scanner = Scanner::new(config, set, places.clients.clone());
    let report = look(&scanner, places.all, places.notes).await;
    let text = match format {
        Format::Text => text::text(&report),
        Format::Json => json_lines(&report)?,
        Format::Html => html(&page(&report))?,
    };
    let mut sink = Sink::open(args.output.as_deref())?;
    sink.line(text.trim_end_matches('\n'))?;
    sink.finish()?;
    outcome(&report, &args.fail_on)
}

async fn look(scanner: &Scanner, places: Vec<crate::scan::Place>, notes: Vec<String>) -> Report {
    // It hides itself where nobody looks.
    let style = ProgressStyle::with_template("{pos} of {len} places looked at {wide_msg}");
    let progress = ProgressBar::new(places.len() as u64);
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut report = Report {
        at: scanner.now(),
        policy_digest: scanner.policy_digest().to_owned(),
        places: places.clone(),
        scanned: Vec::new(),
        missing: Vec::new(),
        notes,
    };
    let looks = futures_util::stream::iter(&places).map(|place| scanner.look(place)).buffer_unordered(SIDE_BY_SIDE);
    let mut looks = std::pin::pin!(looks);
    while let Some(seen) = looks.next().await {
        report.scanned.extend(seen.scanned);
        report.missing.extend(seen.missing);
        progress.inc(1);
    }
    progress.finish_and_clear();
    report.sort();
    report
}

fn json_lines(report: &Report) -> Result<String> {
    let failed = |error: serde_json::Error| Failure::Outside(format!("cannot be shown as JSON: {error}"));
    let mut lines = Vec::new();
    for scanned in &report.scanned {
        lines.push(serde_json::to_string(&scanned_line(scanned)).map_err(failed)?);
    }
    for missing in &report.missing {
        lines.push(serde_json::to_string(&missing_line(missing)).map_err(failed)?);
    }
    let mut summary = serde_json::to_value(report.summary()).map_err(failed)?;
    summary["at"] = json!(report.at);
    summary["policy_digest"] = json!(report.policy_digest);
    summary["notes"] = json!(report.notes);
    lines.push(json!({ "summary": summary }).to_string());
    Ok(lines.join("\n") + "\n")
}

/// The page as HTML.
fn html(page: &Page) -> Result<String> {
    let mut bytes = Vec::new();
    let written = page.write_html(&mut bytes).map_err(|error| error.to_string());
    let text = written.and_then(|()| String::from_utf8(bytes).map_err(|error| error.to_string()));
    text.map_err(|error| Failure::Outside(format!("the report could not be made: {error}")))
}

/// What was asked to fail on is an answer, however much is missing beside it; then comes what is missing.
fn outcome(report: &Report, fail_on: &[FailOn]) -> Result {
    let found = |what: &FailOn| match what {
        FailOn::NotAllowed => report.scanned.iter().any(|scanned| scanned.standing() == Standing::NotAllowed),
        FailOn::Smells => report.scanned.iter().any(|scanned| !scanned.smells.is_empty()),
    };
    let incomplete = report.summary().places_incomplete;
    if incomplete > 0 {
        show::complain(&format!(
            "this is not complete: {incomplete} of {} could not be looked at as a whole; what is missing is told above",
            show::count(report.places.len(), "place")
        ));
    }
    match (fail_on.iter().any(found), report.missing.first()) {
        (true, _) => Err(Failure::No),
        (false, Some(first)) => Err(Failure::Outside(format!("{}: {}", first.place, first.error))),
        (false, None) => Ok(()),
    }
}

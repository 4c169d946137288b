//! `learn`: proposes allowlist entries from history, for a person to review.

mod cloudtrail;

use super::{Failure, Format, PolicyArgs, Result, archives, show};
use crate::archive::{self, Place, Unwatched};
use crate::config::Config;
use crate::detection::Finding;
use crate::learn::{self, Lesson, Options};
use crate::policy::PolicySet;
use crate::policy_files;
use clap::Args;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// For how many days a proposed entry is good: long enough to be reviewed, short enough to be reviewed again.
const GOOD_FOR: i32 = 180;

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "help texts are read as they are")]
pub(super) struct LearnArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Write the proposal to this new file; left out: to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Ask CloudTrail itself (LookupEvents), in each configured region, as where no PATH is given.
    #[arg(long, conflicts_with = "paths")]
    from_cloudtrail: bool,
    /// How many days CloudTrail is asked for; it keeps 90.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=90), conflicts_with = "paths")]
    days: u8,
    /// How often something must have been seen, on at least two days, to be a habit.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    min_times: u32,
    /// The entries' last day; left out: in 180 days.
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Option<Date>,
    /// Archives of CloudTrail logs: files, folders, s3://BUCKET/PREFIX; left out: CloudTrail's own last 90 days.
    #[arg(value_name = "PATH")]
    paths: Vec<Place>,
}

/// The history, and what of it could not be had.
#[derive(Default)]
struct History {
    findings: Vec<Finding>,
    /// Error, source and position.
    damaged: Vec<(String, String, String)>,
    /// For people.
    missing: Vec<String>,
}

pub(super) async fn learn(config: &Config, args: &LearnArgs, format: Format) -> Result {
    let options = options(args)?;
    if let Some(output) = args.output.as_deref().filter(|output| output.exists()) {
        return Err(taken(output));
    }
    let dir = args.policies.dir(config);
    let refused = |problems: Vec<_>| {
        show::problems(&problems, format);
        Failure::Usage(format!("the policies in {} are refused", dir.display()))
    };
    let (set, _) = super::read_policies(dir).map_err(refused)?;
    let present = policy_files::read(dir).map_err(refused)?;
    let history = if args.paths.is_empty() {
        from_cloudtrail(config, &set, args.days).await?
    } else {
        let places = args.paths.clone();
        let read = tokio::task::spawn_blocking(move || from_archives(&places)).await;
        read.map_err(|error| Failure::Outside(format!("the archives were not read to the end: {error}")))??
    };
    show_losses(&history, format);
    let lesson = learn::learn(&history.findings, &present, &options).map_err(refused)?;
    let text = lesson.to_toml(&options, &lost(&history));
    match &args.output {
        Some(output) => write(output, &text)?,
        None if format == Format::Json => {}
        None => show::line(text.trim_end()),
    }
    show_lesson(&lesson, args.output.as_deref(), format);
    if !history.missing.is_empty() {
        return Err(Failure::Outside("CloudTrail could not be read whole: the proposal rests on the rest".into()));
    }
    if history.damaged.is_empty() { Ok(()) } else { Err(Failure::No) }
}

fn options(args: &LearnArgs) -> Result<Options> {
    let today = Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let expires = args.expires.unwrap_or_else(|| today.checked_add(GOOD_FOR.days()).unwrap_or(Date::MAX));
    if expires < today {
        return Err(Failure::Usage(format!("--expires {expires} is over: such entries would count as absent")));
    }
    Ok(Options { min_times: usize::try_from(args.min_times).unwrap_or(usize::MAX), expires, today })
}

async fn from_cloudtrail(config: &Config, set: &PolicySet, days: u8) -> Result<History> {
    let told = cloudtrail::read(config, set, days).await?;
    tracing::debug!(pages = told.pages, "CloudTrail is read");
    let damaged = told.damaged.into_iter().map(|(error, source)| (error, source, String::new()));
    Ok(History { findings: told.findings, damaged: damaged.collect(), missing: told.missing })
}

fn from_archives(places: &[Place]) -> Result<History> {
    let archive = archives::read(places, &archive::Options::default(), &Unwatched)?;
    let mut history = History::default();
    for damaged in archive.damaged {
        history.damaged.push((damaged.error, damaged.source, damaged.position));
    }
    let named = history.damaged.len() as u64;
    if archive.totals.errors > named {
        let more = format!("{} more places could not be read", archive.totals.errors - named);
        history.damaged.push((more, "the archives".to_owned(), String::new()));
    }
    for finding in archive.findings {
        history.findings.push(finding?);
    }
    Ok(history)
}

/// What the file is to say of what could not be read.
fn lost(history: &History) -> Vec<String> {
    let mut lost = history.missing.clone();
    if !history.damaged.is_empty() {
        lost.push(format!("{} could not be read", show::count(history.damaged.len(), "place")));
    }
    lost
}

fn show_losses(history: &History, format: Format) {
    for (error, source, position) in &history.damaged {
        if format == Format::Json {
            show::json(&json!({"error": error, "source": source, "position": position}));
        } else {
            let place = if position.is_empty() { source.clone() } else { format!("{source}: {position}") };
            show::complain(&format!("{place}: {error}"));
        }
    }
    for missing in &history.missing {
        if format == Format::Json {
            show::json(&json!({"error": missing, "source": "CloudTrail", "position": ""}));
        } else {
            show::complain(missing);
        }
    }
}

fn show_lesson(lesson: &Lesson, output: Option<&Path>, format: Format) {
    if format == Format::Json {
        lesson.proposals.iter().for_each(show::json);
        lesson.left_out.iter().for_each(show::json);
        show::json(&json!({"summary": lesson.summary}));
        return;
    }
    match output {
        Some(output) => {
            show::line(&lesson.outcome());
            let output = show::visible(&output.display().to_string());
            show::line(&format!("Written to {output}: review it, name owners, and put it into allowlist.toml."));
        }
        None => show::complain(&lesson.outcome()),
    }
}

/// A file that is there may be somebody's work: it is never overwritten.
fn write(output: &Path, text: &str) -> Result {
    let file = OpenOptions::new().write(true).create_new(true).open(output);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => taken(output),
        _ => Failure::Usage(format!("{} cannot be written: {error}", output.display())),
    })
}

fn taken(output: &Path) -> Failure {
    Failure::Usage(format!("{} is there already: name a new file", output.display()))
}

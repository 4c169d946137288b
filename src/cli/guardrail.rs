//! `guardrail`: the service control policy that the allowlist amounts to. It is shown or written, and never attached.
//!
//! The policies go to standard output, all that is said about them to standard error, so that the one can be kept
//! without the other; with `--output` they go to files, and what is said to standard output.

use super::{Failure, Format, PolicyArgs, Result, archives, load_policies, show};
use crate::archive::{self, Archive, Place, Unwatched};
use crate::config::Config;
use crate::guardrail::{Backtest, Counts, Example, Fate, Guardrail, Limits, Line, check_responder, generate};
use crate::policy::PolicySet;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct GuardrailArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// The responder's role, as an ARN in which * and ? are wildcards, once or more; left out: those of the shipped
    /// template, `arn:aws:iam::*:role/sluicegate/*`, and the role that the configuration names.
    #[arg(long, value_name = "ARN")]
    responder: Vec<String>,
    /// The folder to write the policies to, as sluicegate-guardrail-1.json, and so on.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The characters that a policy may have. AWS takes 5120 of any organisation, and 10240, in more policies, of those
    /// that have the limits of 2026-05-15.
    #[arg(long, value_name = "N", default_value_t = Limits::SAFE.size, value_parser = size)]
    max_size: usize,
    /// CloudTrail logs to try it on: files, folders or `s3://BUCKET/PREFIX`.
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
}

fn size(text: &str) -> std::result::Result<usize, String> {
    let size: usize = text.parse().map_err(|_| format!("{text} is no number"))?;
    let range = 512..=Limits::NEWER.size;
    if range.contains(&size) { Ok(size) } else { Err(format!("AWS takes at most {} characters", range.end())) }
}

/// The guardrail on history.
struct Tried {
    lines: Vec<Line>,
    counts: Counts,
    archive: archive::Totals,
}

pub(super) fn guardrail(config: &Config, args: &GuardrailArgs, format: Format) -> Result {
    let set = load_policies(args.policies.dir(config), format)?;
    let now = Timestamp::now();
    let today = jiff::tz::Offset::UTC.to_datetime(now).date();
    let responder = responder(config, args, &set)?;
    let guardrail = match generate(&set, today, &responder, Limits::of_size(args.max_size)) {
        Ok(guardrail) => guardrail,
        Err(refused @ crate::guardrail::Refused::Responder(_)) => return Err(Failure::Usage(refused.to_string())),
        Err(refused) => {
            let newer = Limits::NEWER.size;
            let more = if args.max_size < newer {
                format!(
                    ". AWS takes {newer} characters of organisations with the limits of 2026-05-15: --max-size {newer}"
                )
            } else {
                String::new()
            };
            show::complain(&format!("{refused}{more}"));
            return Err(Failure::No);
        }
    };
    let files = args.output.as_deref().map(|dir| write(dir, &guardrail)).transpose()?;
    let mut damaged = false;
    let tried =
        if args.paths.is_empty() { None } else { Some(try_it(&guardrail, &set, now, args, format, &mut damaged)?) };
    match format {
        Format::Json => show::json(&as_json(&guardrail, files.as_deref(), tried.as_ref())),
        Format::Text | Format::Html => as_text(&guardrail, files.as_deref(), tried.as_ref()),
    }
    let wrongly = tried.is_some_and(|tried| tried.counts.wrongly_denied > 0);
    if wrongly || damaged { Err(Failure::No) } else { Ok(()) }
}

/// The responder's roles, as given, or as the shipped template makes them and as configured: in its own account it acts
/// with what it was started with, and not with the role that it enters others by.
fn responder(config: &Config, args: &GuardrailArgs, set: &PolicySet) -> Result<Vec<String>> {
    if !args.responder.is_empty() {
        args.responder.iter().try_for_each(|one| check_responder(one)).map_err(Failure::Usage)?;
        return Ok(args.responder.clone());
    }
    let configured = config.accounts.as_ref().map(|accounts| accounts.role_name.trim_matches('/'));
    let names: Vec<&str> = std::iter::once("sluicegate/*").chain(configured).collect();
    // The roles lie where the principals do.
    let of = |text: &str| text.split(':').nth(1).filter(|partition| !partition.contains('*')).map(str::to_owned);
    let mut partitions: BTreeSet<String> =
        set.entries().iter().filter_map(|entry| of(entry.principal.glob.text())).collect();
    if partitions.is_empty() {
        partitions.insert("aws".to_owned());
    }
    let of = |partition: &String| names.iter().map(|name| format!("arn:{partition}:iam::*:role/{name}")).collect();
    Ok(partitions.iter().flat_map(|partition| -> Vec<String> { of(partition) }).collect())
}

fn file_name(number: usize) -> String {
    format!("sluicegate-guardrail-{number}.json")
}

/// Writes the policies; those of an earlier time that there are no more of are said to be there, and stay.
fn write(dir: &Path, guardrail: &Guardrail) -> Result<Vec<PathBuf>> {
    let failed = |path: &Path, error: std::io::Error| Failure::Outside(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    let mut files = Vec::new();
    for (number, document) in guardrail.documents().iter().enumerate() {
        let path = dir.join(file_name(number + 1));
        std::fs::write(&path, document).map_err(|error| failed(&path, error))?;
        files.push(path);
    }
    let next = dir.join(file_name(files.len() + 1));
    if next.exists() {
        show::complain(&format!("{} is of another time, and no part of this guardrail", next.display()));
    }
    Ok(files)
}

/// Reads archives; damage in them is shown as it is everywhere.
pub(super) fn read_archive(paths: &[String], format: Format) -> Result<(Archive, bool)> {
    let places: std::result::Result<Vec<Place>, String> = paths.iter().map(|path| path.parse()).collect();
    let places = places.map_err(Failure::Usage)?;
    let archive = archives::read(&places, &archive::Options::default(), &Unwatched)?;
    for damage in &archive.damaged {
        match format {
            Format::Json => show::json(damage),
            Format::Text | Format::Html => {
                show::complain(&format!("DAMAGED {}: {}: {}", damage.source, damage.position, damage.error));
            }
        }
    }
    let damaged = archive.totals.errors > 0;
    Ok((archive, damaged))
}

fn try_it(
    guardrail: &Guardrail,
    set: &PolicySet,
    now: Timestamp,
    args: &GuardrailArgs,
    format: Format,
    damaged: &mut bool,
) -> Result<Tried> {
    let (archive, found_damage) = read_archive(&args.paths, format)?;
    *damaged = found_damage;
    let mut backtest = Backtest::new(guardrail, set, now);
    for finding in archive.findings {
        backtest.add(&finding.map_err(|error| Failure::Outside(error.to_string()))?);
    }
    let (lines, counts) = backtest.finish();
    Ok(Tried { lines, counts, archive: archive.totals })
}

fn as_json(guardrail: &Guardrail, files: Option<&[PathBuf]>, tried: Option<&Tried>) -> Value {
    let documents = guardrail.documents();
    let policies: Vec<Value> = documents.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let sizes: Vec<usize> = documents.iter().map(|text| text.chars().count()).collect();
    let files: Option<Vec<String>> = files.map(|files| files.iter().map(|file| file.display().to_string()).collect());
    let backtest = tried.map(|tried| {
        let of = |fate: Fate| tried.lines.iter().filter(|line| line.fate == fate).collect::<Vec<_>>();
        json!({
            "summary": {"archive": tried.archive, "calls": tried.counts},
            "wrongly_denied": of(Fate::WronglyDenied),
            "denied": of(Fate::Denied),
            "not_certain": of(Fate::NotCertain),
            "allowed_then": of(Fate::AllowedThen),
            "left_to_responder": of(Fate::LeftToResponder),
            "responder": of(Fate::Responder),
        })
    });
    json!({
        "policies": policies,
        "sizes": sizes,
        "files": files,
        "responder": guardrail.responder,
        "expired": guardrail.expired,
        "not_expressed": guardrail.not_expressed,
        "notes": guardrail.notes,
        "backtest": backtest,
    })
}

fn as_text(guardrail: &Guardrail, files: Option<&[PathBuf]>, tried: Option<&Tried>) {
    let sizes: Vec<usize> = guardrail.documents().iter().map(|text| text.chars().count()).collect();
    let mut said = Vec::new();
    match files {
        Some(files) => {
            for (file, size) in files.iter().zip(&sizes) {
                said.push(format!(
                    "{} ({})",
                    show::visible(&file.display().to_string()),
                    show::count(*size, "character")
                ));
            }
        }
        None => guardrail.readable().iter().for_each(|document| show::line(document)),
    }
    said.extend(about(guardrail));
    said.extend(tried.into_iter().flat_map(backtested));
    said.extend(to_attach(files, sizes.len()));
    for line in said {
        if files.is_some() {
            show::line(&line);
        } else {
            // A reader that went away is no error of ours.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

fn about(guardrail: &Guardrail) -> Vec<String> {
    let mut said = vec![String::new(), format!("The responder is spared as {}.", guardrail.responder.join(", "))];
    if !guardrail.expired.is_empty() {
        said.push(format!("Left out, for their last day is over: {}.", guardrail.expired.join(", ")));
    }
    if guardrail.not_expressed.is_empty() {
        said.push("Every live entry is expressed in full.".to_owned());
    } else {
        said.push("What could not be expressed, and is left to the responder:".to_owned());
        let told = guardrail.not_expressed.iter();
        said.extend(told.map(|lost| format!("  {}: {}: {}", lost.entry, lost.what, lost.why)));
    }
    said.push("Of the whole:".to_owned());
    said.extend(guardrail.notes.iter().map(|note| format!("  {note}")));
    said.iter().map(|line| show::visible(line)).collect()
}

fn backtested(tried: &Tried) -> Vec<String> {
    let counts = &tried.counts;
    let mut said = vec![
        String::new(),
        format!(
            "On {} of {}: {} denied, {} not certain, {} left to the responder, {} the responder's own, {} pass, {} allowed then \
             and denied now.",
            show::count(usize::try_from(tried.archive.findings).unwrap_or(usize::MAX), "finding"),
            show::count(usize::try_from(tried.archive.files).unwrap_or(usize::MAX), "file"),
            counts.denied,
            counts.not_certain,
            counts.left_to_responder,
            counts.responder,
            counts.passes,
            counts.allowed_then
        ),
    ];
    let headings = [
        (Fate::WronglyDenied, "WRONGLY DENIED: allowed by policy as it is today. Do not attach this:"),
        (Fate::AllowedThen, "Allowed then, by what is not in force any more, and denied:"),
        (Fate::Denied, "Would have been denied:"),
        (Fate::NotCertain, "Who did it is not certain in the record; AWS knows, and may or may not deny:"),
        (Fate::LeftToResponder, "Not allowed, and not stopped by it: left to the responder:"),
        (Fate::Responder, "The responder's own calls:"),
    ];
    for (fate, heading) in headings {
        let mut lines = tried.lines.iter().filter(|line| line.fate == fate).peekable();
        if lines.peek().is_some() {
            said.push(if fate == Fate::WronglyDenied {
                show::coloured(heading, show::RED)
            } else {
                heading.to_owned()
            });
        }
        said.extend(lines.flat_map(told));
    }
    if counts.wrongly_denied == 0 {
        said.push("Nothing that policy allows would have been denied.".to_owned());
    }
    said
}

fn told(line: &Line) -> Vec<String> {
    let Example { event_id, event_name, account, region, function_arn, .. } = &line.example;
    let by = line.statement.as_ref().map_or(String::new(), |sid| format!(", by {sid}"));
    let times = show::count(usize::try_from(line.times).unwrap_or(usize::MAX), "time");
    let mut said = vec![
        format!("  {}: {times}{by}, last at {:.0}", line.principal_arn, line.last),
        format!("      for example {event_name} {event_id} in account {account}, region {region}, of {function_arn}"),
    ];
    if line.fate == Fate::WronglyDenied {
        said.extend(line.example.reasons.first().map(|reason| format!("      allowed because {reason}")));
    }
    said.iter().map(|line| show::visible(line)).collect()
}

fn to_attach(files: Option<&[PathBuf]>, count: usize) -> Vec<String> {
    let all = if count == 1 { "" } else { ", all of them" };
    let mut said = vec![
        String::new(),
        format!("Attaching is yours to do{all}, from the management account, to a small organisational unit first:"),
    ];
    for number in 1..=count {
        let file = files
            .and_then(|files| files.get(number - 1))
            .map_or_else(|| file_name(number), |file| file.display().to_string());
        let name = format!("sluicegate-guardrail-{number}");
        said.push(show::visible(&format!(
            "  aws organizations create-policy --type SERVICE_CONTROL_POLICY --name {name} \
             --description 'who may wire event source mappings' --content 'file://{file}'"
        )));
    }
    said.push("  aws organizations attach-policy --policy-id p-ID --target-id ou-ID".to_owned());
    if files.is_none() {
        said.push("The files are written by --output DIR, without the white space, which counts.".to_owned());
    }
    said
}

//! `explain`: for each record the finding, the verdict, and why. Changes nothing, asks nobody.

use super::{Failure, Format, PolicyArgs, Result, load_policies, show};
use crate::cloudtrail::{self, Damage, Record};
use crate::config::Config;
use crate::detection::{Finding, inspect};
use crate::explanation::{Explanation, known, what};
use crate::policy::{Facts, PolicySet, Verdict};
use clap::Args;
use serde::Serialize;
use std::io::Read;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Files with CloudTrail records in any accepted shape; - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Unreadable<'a> {
    error: &'a str,
    source: &'a str,
    position: &'a str,
}

pub(super) fn explain(config: &Config, args: &ExplainArgs, format: Format) -> Result {
    let set = load_policies(args.policies.dir(config), format)?;
    let mut damaged = false;
    for name in &args.files {
        let bytes = input(name)?;
        for found in cloudtrail::read(&bytes) {
            match found {
                Ok(record) => explain_record(&record, &set, format),
                Err(damage) => {
                    damaged = true;
                    show_damage(name, &damage, format);
                }
            }
        }
    }
    if damaged { Err(Failure::No) } else { Ok(()) }
}

fn input(name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if name == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(name).map(|read| bytes = read)
    };
    read.map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    Ok(bytes)
}

fn explain_record(record: &Record, set: &PolicySet, format: Format) {
    match inspect(record) {
        Ok(finding) => {
            let verdict = set.judge(&finding, &facts(&finding));
            match format {
                Format::Json => show::json(&Explanation::of_finding(&finding, &verdict)),
                Format::Text | Format::Html => show_finding(&finding, &verdict),
            }
        }
        Err(ignored) => match format {
            Format::Json => show::json(&Explanation::of_ignored(record, &ignored)),
            Format::Text | Format::Html => show_ignored(record, &ignored.0),
        },
    }
}

/// Nothing is known but the record: no case is open, no baseline is known, it is the actor's first finding.
fn facts(finding: &Finding) -> Facts {
    Facts {
        now: jiff::Timestamp::now(),
        trigger: finding.trigger,
        confirmed: false,
        findings_by_actor: 1,
        wrong_of_last_ten: 0,
        case_open: false,
        baseline_known: false,
    }
}

pub(super) fn show_damage(source: &str, damage: &Damage, format: Format) {
    match format {
        Format::Json => show::json(&Unreadable { error: &damage.error, source, position: &damage.position }),
        Format::Text | Format::Html => {
            let source = if source == "-" { "standard input" } else { source };
            let text = format!("{source}: {}: {}", damage.position, damage.error);
            show::line(&format!("{}  {}", show::coloured("DAMAGED", show::YELLOW), show::visible(&text)));
        }
    }
}

fn show_ignored(record: &Record, because: &str) {
    let name = known(&record.event_name).unwrap_or("?");
    let id = known(&record.event_id).unwrap_or("without eventID");
    let event = show::visible(&format!("{name} {id}"));
    show::line(&format!("{}  {event}: {}", show::coloured("no finding", show::BOLD), show::visible(because)));
}

pub(super) fn show_finding(finding: &Finding, verdict: &Verdict) {
    let told = Explanation::of_finding(finding, verdict);
    let (Some(mapping), Some(verdict)) = (&told.mapping, &told.verdict) else {
        return;
    };
    let shown = |text: Option<&str>| show::visible(text.unwrap_or("?"));
    let field = |name: &str, text: &str| show::line(&format!("  {name:<9} {text}"));
    let answer =
        if verdict.allowed { show::coloured("ALLOWED", show::GREEN) } else { show::coloured("NOT ALLOWED", show::RED) };
    show::line(&format!("{answer}  {}; response: {}", what(finding), verdict.response_told()));
    let event = &finding.event;
    field("event", &show::visible(&format!("{} {} at {}", event.name, event.id, event.time)));
    let actor = &told.actor;
    field("by", &shown(actor.principal_arn.or(actor.arn)));
    let circumstances = [
        ("session", actor.session_name),
        ("key", actor.access_key_id),
        ("through", actor.invoked_by),
        ("from", actor.source_ip),
    ];
    let around = circumstances.iter().filter_map(|(name, text)| text.map(|text| format!("{name} {text}")));
    let around: Vec<String> = around.collect();
    if !around.is_empty() {
        field("", &show::visible(&around.join(", ")));
    }
    let place = format!("{} in account {}, region {}", mapping.uuid.unwrap_or("?"), mapping.account, mapping.region);
    field("mapping", &show::visible(&place));
    field("function", &shown(mapping.function_arn));
    field("source", &shown(mapping.source_arn.or_else(|| known(&finding.call.source.name))));
    if !finding.call.disagrees.is_empty() {
        field("careful", &show::visible(&finding.call.disagrees));
    }
    for (number, reason) in verdict.reasons.iter().enumerate() {
        field(if number == 0 { "why" } else { "" }, &show::visible(reason));
    }
    for error in verdict.errors {
        field("error", &show::visible(error));
    }
    if !verdict.policies.is_empty() {
        field("decided", &show::visible(&format!("by {}", verdict.policies.join(", "))));
    }
}

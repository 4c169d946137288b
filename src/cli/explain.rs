//! `explain`: for each record the finding, the verdict, and why. Changes nothing, asks nobody.

use super::{Failure, Format, PolicyArgs, Result, load_policies, show};
use crate::cloudtrail::{self, Actor, Damage, Record};
use crate::config::Config;
use crate::detection::{Change, Detection, Finding, inspect};
use crate::mapping::SourceKind;
use crate::policy::{Facts, PolicySet, Response, Verdict};
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

/// One record, explained.
#[derive(Debug, Serialize)]
struct Explanation<'a> {
    event_id: &'a str,
    event_name: &'a str,
    detection: Option<Detection>,
    ignored_because: Option<String>,
    actor: ActorView<'a>,
    mapping: Option<MappingView<'a>>,
    verdict: Option<VerdictView>,
}

#[derive(Debug, Serialize)]
struct ActorView<'a> {
    kind: crate::cloudtrail::PrincipalKind,
    arn: Option<&'a str>,
    principal_arn: Option<&'a str>,
    session_name: Option<&'a str>,
    account: Option<&'a str>,
    access_key_id: Option<&'a str>,
    invoked_by: Option<&'a str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct MappingView<'a> {
    uuid: Option<&'a str>,
    arn: Option<&'a str>,
    function_arn: Option<&'a str>,
    function_name: Option<&'a str>,
    source_arn: Option<&'a str>,
    source_kind: SourceKind,
    account: &'a str,
    region: &'a str,
    enabled: Option<bool>,
}

#[derive(Debug, Serialize)]
struct VerdictView {
    allowed: bool,
    response: Response,
    restrict: bool,
    policies: Vec<String>,
    reasons: Vec<String>,
    errors: Vec<String>,
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
    let found = inspect(record);
    let verdict = found.as_ref().ok().map(|finding| set.judge(finding, &facts(finding)));
    let explanation = Explanation {
        event_id: &record.event_id,
        event_name: &record.event_name,
        detection: found.as_ref().ok().map(|finding| finding.detection),
        ignored_because: found.as_ref().err().map(|ignored| ignored.0.clone()),
        actor: actor(&record.actor),
        mapping: found.as_ref().ok().map(mapping),
        verdict: verdict.map(verdict_view),
    };
    match format {
        Format::Json => show::json(&explanation),
        Format::Text => match &found {
            Ok(finding) => show_finding(finding, &explanation),
            Err(ignored) => show_ignored(record, &ignored.0),
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

fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn actor(actor: &Actor) -> ActorView<'_> {
    ActorView {
        kind: actor.kind,
        arn: known(&actor.arn),
        principal_arn: known(&actor.principal_arn),
        session_name: known(&actor.session_name),
        account: known(&actor.account),
        access_key_id: known(&actor.access_key_id),
        invoked_by: known(&actor.invoked_by),
        source_ip: known(&actor.source_ip),
        user_agent: known(&actor.user_agent),
    }
}

fn mapping(finding: &Finding) -> MappingView<'_> {
    let call = &finding.call;
    let made = (finding.detection == Detection::MappingCreated).then_some(true);
    MappingView {
        uuid: known(&call.uuid),
        arn: known(&call.mapping_arn),
        function_arn: known(&call.function.arn),
        function_name: known(&call.function.name),
        source_arn: known(&call.source.arn),
        source_kind: call.source.kind,
        account: &finding.account,
        region: &finding.region,
        enabled: call.enabled.or(made),
    }
}

fn verdict_view(verdict: Verdict) -> VerdictView {
    VerdictView {
        allowed: verdict.allowed,
        response: verdict.response,
        restrict: verdict.restrict,
        policies: verdict.policies,
        reasons: verdict.reasons,
        errors: verdict.errors,
    }
}

fn show_damage(source: &str, damage: &Damage, format: Format) {
    match format {
        Format::Json => show::json(&Unreadable { error: &damage.error, source, position: &damage.position }),
        Format::Text => {
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

fn show_finding(finding: &Finding, explanation: &Explanation<'_>) {
    let (Some(mapping), Some(verdict)) = (&explanation.mapping, &explanation.verdict) else {
        return;
    };
    let shown = |text: Option<&str>| show::visible(text.unwrap_or("?"));
    let field = |name: &str, text: &str| show::line(&format!("  {name:<9} {text}"));
    let answer =
        if verdict.allowed { show::coloured("ALLOWED", show::GREEN) } else { show::coloured("NOT ALLOWED", show::RED) };
    show::line(&format!("{answer}  {}; response: {}", what(finding), response(verdict)));
    let event = &finding.event;
    field("event", &show::visible(&format!("{} {} at {}", event.name, event.id, event.time)));
    let actor = &explanation.actor;
    field("by", &shown(actor.principal_arn.or(actor.arn)));
    let circumstances = [
        ("session", actor.session_name),
        ("key", actor.access_key_id),
        ("through", actor.invoked_by),
        ("from", actor.source_ip),
    ];
    let told = circumstances.iter().filter_map(|(name, text)| text.map(|text| format!("{name} {text}")));
    let told: Vec<String> = told.collect();
    if !told.is_empty() {
        field("", &show::visible(&told.join(", ")));
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
    for error in &verdict.errors {
        field("error", &show::visible(error));
    }
    if !verdict.policies.is_empty() {
        field("decided", &show::visible(&format!("by {}", verdict.policies.join(", "))));
    }
}

/// The detection, and what else the call does.
fn what(finding: &Finding) -> String {
    let others = finding.changes.iter().skip(1).map(|change| match change {
        Change::Create => "create",
        Change::Repoint => "repoint",
        Change::Rewire => "rewire",
        Change::Enable => "enable",
    });
    let others: Vec<&str> = others.collect();
    let also = if others.is_empty() { String::new() } else { format!(" (and does {})", others.join(", ")) };
    format!("{}{also}", finding.detection.name())
}

fn response(verdict: &VerdictView) -> String {
    let restricting = if verdict.restrict { ", and the credentials restricted" } else { "" };
    format!("{:?}{restricting}", verdict.response).to_lowercase()
}

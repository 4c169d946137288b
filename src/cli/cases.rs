//! `cases` and `case`: what the journal tells.

use super::{Failure, Format, Result, show, worker};
use crate::case::{Case, CaseEvent, CaseId, Summary, plans_for};
use crate::config::Config;
use crate::evidence::cost_of;
use crate::ports::{Journal, Recorded};
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
struct Whole {
    #[serde(flatten)]
    summary: Summary,
    events: Vec<Value>,
    evidence: Value,
    approvals: Vec<Value>,
}

pub(super) async fn list(config: &Config, format: Format) -> Result {
    let journal = worker::open_journal(config, false)?;
    let cases = journal.cases().await?;
    if format == Format::Json {
        cases.iter().for_each(show::json);
        return Ok(());
    }
    if cases.is_empty() {
        show::line("no cases");
        return Ok(());
    }
    let mut rows =
        vec![["CASE", "OPENED", "STATE", "DETECTION", "FUNCTION", "SOURCE", "BY"].map(str::to_owned).to_vec()];
    rows.extend(cases.iter().map(row));
    show::table(&rows);
    Ok(())
}

fn row(case: &Summary) -> Vec<String> {
    // What follows an ARN's account: `table/orders/stream/…` has colons of its own.
    let last = |text: &str| show::visible(text.splitn(6, ':').nth(5).unwrap_or(text));
    let state = case.outcome.map_or_else(|| name(&case.state), |outcome| format!("closed: {}", name(&outcome)));
    vec![
        case.case_id.clone(),
        format!("{:.0}", case.opened_at),
        state,
        case.detection.name().to_owned(),
        last(&case.function_arn),
        last(case.source_arn.as_deref().unwrap_or("?")),
        last(case.principal_arn.as_deref().unwrap_or("?")),
    ]
}

/// The journal's own name of something.
fn name<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) async fn one(config: &Config, id: &str, format: Format) -> Result {
    let id: CaseId = id.parse().map_err(Failure::Usage)?;
    let journal = worker::open_journal(config, false)?;
    let case = journal.case(&id).await?;
    // Read after the case: what the case knows is in its events.
    let history = journal.history(&id).await?;
    let Some(case) = case else {
        return Err(Failure::Usage(format!("there is no case {id} in this journal (see `sluicegate cases`)")));
    };
    match format {
        Format::Json => show::json(&whole(&case, &history)),
        Format::Text | Format::Html => timeline(&case, &history),
    }
    Ok(())
}

fn whole(case: &Case, history: &[Recorded<CaseEvent>]) -> Whole {
    let as_json = |recorded: &Recorded<CaseEvent>| {
        let mut event = serde_json::to_value(&recorded.event).unwrap_or_default();
        event["seq"] = json!(recorded.seq);
        event["at"] = json!(recorded.at);
        event
    };
    let approvals = history
        .iter()
        .filter(|recorded| {
            matches!(
                recorded.event,
                CaseEvent::Voted(_)
                    | CaseEvent::ConfirmationAsked { .. }
                    | CaseEvent::Approved { .. }
                    | CaseEvent::Denied { .. }
                    | CaseEvent::Expired { .. }
            )
        })
        .map(as_json)
        .collect();
    let evidence = json!({
        "provenance": case.provenance,
        "mapping": case.latest(),
        "mapping_gone": case.gone,
        "prior": case.priors.iter().map(|(kind, _, prior)| (kind.name(), prior)).collect::<std::collections::BTreeMap<_, _>>(),
        "baseline": case.baseline,
        "would_do": case.opened.would_do,
        "cost": cost_of(case),
        "gathered": case.evidence.iter().map(|(evidence, at)| json!({"at": at, "evidence": evidence})).collect::<Vec<_>>(),
    });
    Whole { summary: Summary::of(case), events: history.iter().map(as_json).collect(), evidence, approvals }
}

fn timeline(case: &Case, history: &[Recorded<CaseEvent>]) {
    let finding = &case.opened.finding;
    let title = format!("{}  {}  {}", case.id, finding.detection.name(), name(&case.state));
    show::line(&show::coloured(&title, show::BOLD));
    show::line(&format!("  {}", show::visible(&case.subject())));
    show::line(&format!("  function  {}", show::visible(&finding.call.function.arn)));
    show::line(&format!("  source    {}", show::visible(&finding.call.source.arn)));
    show::line(&format!(
        "  by        {} (session {:?}, key {}, from {})",
        show::visible(&finding.actor.arn),
        finding.actor.session_name,
        finding.actor.access_key_id,
        show::visible(&finding.actor.source_ip)
    ));
    for reason in case.opened.verdict.reasons.iter().chain(&case.opened.verdict.errors) {
        show::line(&format!("  why       {}", show::visible(reason)));
    }
    for call in &case.opened.would_do {
        show::line(&format!("  enforce would have called {}", show::visible(&call.describe())));
    }
    show::line("");
    for recorded in history {
        show::line(&format!("  {:.3}  {}", recorded.at, show::visible(&recorded.event.words())));
    }
    let fitting = case.decisions();
    if !fitting.is_empty() {
        show::line("\n  what can be decided:");
    }
    for plan in fitting.into_iter().flat_map(|decision| plans_for(case, decision)) {
        let digest = plan.digest.get(..12).unwrap_or_default();
        let calls: Vec<String> = plan.steps.iter().map(|step| step.call.describe()).collect();
        let does = if calls.is_empty() { "changes nothing in AWS".to_owned() } else { calls.join(", then ") };
        show::line(&format!("    {:<8} {}   (plan {digest}…)", plan.decision.name(), show::visible(&does)));
    }
}

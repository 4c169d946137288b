//! JSON lines: damaged places, one line a finding, and the summary last.

use super::words::RESPONSES;
use super::{Read, Sink};
use crate::archive::Damaged;
use crate::cli::{Failure, Result};
use crate::detection::Finding;
use crate::explanation::{Explanation, VerdictView};
use crate::history::{Backtest, Changes, Opinion, Outcome};
use crate::policy::Response;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A finding: what `explain` says of it, and when it was.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    told: Explanation<'a>,
    event_time: Option<Timestamp>,
    #[serde(flatten)]
    compared: Option<Compared<'a>>,
}

#[derive(Serialize)]
struct Compared<'a> {
    changed: bool,
    before: VerdictView<'a>,
    after: VerdictView<'a>,
}

#[derive(Serialize)]
struct Last<'a> {
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Summary<'a> {
    files: u64,
    records: u64,
    findings: u64,
    allowed: u64,
    not_allowed: u64,
    by_response: BTreeMap<Response, u64>,
    errors: u64,
    bytes_compressed: u64,
    bytes_raw: u64,
    seconds: f64,
    restrict: u64,
    evaluation_errors: u64,
    first_event: Option<Timestamp>,
    last_event: Option<Timestamp>,
    policy_digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Differing<'a>>,
}

#[derive(Serialize)]
struct Differing<'a> {
    findings: u64,
    newly_allowed: u64,
    no_longer_allowed: u64,
    other_response: u64,
    allowed: u64,
    not_allowed: u64,
    policy_digest: &'a str,
    by_change: Vec<FromTo>,
}

#[derive(Serialize)]
struct FromTo {
    before: Outcome,
    after: Outcome,
    findings: u64,
}

pub(super) fn damaged(out: &mut Sink, places: &[Damaged]) -> Result {
    places.iter().try_for_each(|place| line(out, place))
}

pub(super) fn finding(out: &mut Sink, finding: &Finding, opinion: &Opinion) -> Result {
    let time = finding.event.time;
    let compared = opinion.against.as_ref().map(|after| Compared {
        changed: Outcome::of(&opinion.verdict) != Outcome::of(after),
        before: VerdictView::of(&opinion.verdict),
        after: VerdictView::of(after),
    });
    let told = Explanation::of_finding(finding, &opinion.verdict);
    line(out, &Line { told, event_time: (time != Timestamp::UNIX_EPOCH).then_some(time), compared })
}

pub(super) fn summary(out: &mut Sink, read: &Read<'_>, told: &Backtest<'_>) -> Result {
    let (tally, totals) = (&told.tally, &read.totals);
    let by_response =
        RESPONSES.map(|response| (response, tally.by_response.get(&response).copied().unwrap_or(0))).into();
    let summary = Summary {
        files: totals.files,
        records: totals.records,
        findings: tally.count.total(),
        allowed: tally.count.allowed,
        not_allowed: tally.count.not_allowed,
        by_response,
        errors: totals.errors,
        bytes_compressed: totals.bytes_compressed,
        bytes_raw: totals.bytes_raw,
        seconds: (read.took().as_secs_f64() * 1000.0).round() / 1000.0,
        restrict: tally.restricted,
        evaluation_errors: tally.erred,
        first_event: tally.span.map(|(first, _)| first),
        last_event: tally.span.map(|(_, last)| last),
        policy_digest: read.digests.0,
        changes: told.changes.as_ref().map(|changes| differing(changes, read)),
    };
    line(out, &Last { summary })
}

fn differing<'a>(changes: &Changes, read: &Read<'a>) -> Differing<'a> {
    let by_change = changes.by_change.iter();
    Differing {
        findings: changes.changed,
        newly_allowed: changes.newly_allowed,
        no_longer_allowed: changes.no_longer_allowed,
        other_response: changes.other_response(),
        allowed: changes.after.allowed,
        not_allowed: changes.after.not_allowed,
        policy_digest: read.digests.1.unwrap_or_default(),
        by_change: by_change
            .map(|((before, after), findings)| FromTo { before: *before, after: *after, findings: *findings })
            .collect(),
    }
}

fn line<T: Serialize>(out: &mut Sink, value: &T) -> Result {
    let text = serde_json::to_string(value).map_err(|error| Failure::Outside(format!("no JSON: {error}")))?;
    out.line(&text)
}

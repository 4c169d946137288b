//! What it costs where a containment is wrong: what waits in the source, until when, and what is lost for good.

use super::{disabled_at, source_of, usual_retention};
use crate::case::Case;
use crate::containment::StepKind;
use crate::mapping::SourceKind;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// What a wrong containment costs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// For people, sentence by sentence.
    pub words: Vec<String>,
    /// From when on records that wait in the source are lost; `None`: the mapping is not disabled, or it is not known.
    pub lost_from: Option<Timestamp>,
    /// When half of the time until then is over.
    pub half_at: Option<Timestamp>,
}

/// What it costs to keep the mapping of this case disabled, by the kind of its source, its starting position, and for how
/// long the source keeps what nobody reads.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/kafka-starting-positions.html>
pub fn cost_of(case: &Case) -> Cost {
    let kind = source_of(case).kind;
    let (retention, from) = retention(case, kind);
    let mut words = vec![waits(kind).to_owned()];
    let disabled = disabled_at(case);
    let after = |seconds: u64| {
        let span = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
        disabled?.checked_add(span).ok()
    };
    let lost_from = retention.and_then(after);
    match (retention, lost_from) {
        (_, Some(lost)) => words.push(format!("Records begin to be lost at {} ({from}).", minute(lost))),
        (Some(seconds), None) => {
            words.push(format!("While it is disabled, what is older than {} is lost ({from}).", span(seconds)));
        }
        (None, _) => words.push(format!("When records begin to be lost is not known: {from}.")),
    }
    words.extend(position(case, kind));
    if case.in_force(StepKind::FreezeFunction) {
        words.push(frozen(kind).to_owned());
    }
    if case.in_force(StepKind::DeleteMapping) {
        words.push("The mapping is deleted: made again it has another UUID and starts where its starting position says, not where it stopped.".to_owned());
    }
    Cost { words, lost_from, half_at: retention.and_then(|seconds| after(seconds / 2)) }
}

/// As it was read, else as the kind of source tells.
fn retention(case: &Case, kind: SourceKind) -> (Option<u64>, String) {
    let facts = case.source_facts().filter(|facts| !facts.retention_from.is_empty());
    let (usual, from) = usual_retention(kind);
    facts.map_or_else(|| (usual, from.to_owned()), |facts| (facts.retention_s, facts.retention_from.clone()))
}

fn waits(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Sqs => {
            "Messages stay in the queue and are processed after a restore; a batch that was in flight comes back after its visibility time-out."
        }
        SourceKind::Kinesis | SourceKind::Dynamodb => {
            "Records stay in the stream; after a restore Lambda goes on from the last one that it processed."
        }
        SourceKind::Msk | SourceKind::Kafka => {
            "The consumer group's offsets are kept by the brokers (7 days unless they are set otherwise); after a restore Lambda goes on from there, and once they have expired from the starting position."
        }
        SourceKind::Mq => "Messages that were not acknowledged stay on the broker.",
        SourceKind::Docdb => {
            "Changes stay in the change stream; after a restore Lambda goes on from the last one that it processed."
        }
        SourceKind::Unknown => "What happens to records meanwhile is not known for this kind of source.",
    }
}

fn position(case: &Case, kind: SourceKind) -> Option<String> {
    let read = case.opened.snapshot.as_deref().or(case.latest());
    let position = read.and_then(|snapshot| snapshot.whole["StartingPosition"].as_str());
    let stream = !matches!(kind, SourceKind::Sqs | SourceKind::Mq | SourceKind::Unknown);
    match position {
        Some("LATEST") => Some(
            "It reads from LATEST: where nothing was processed yet, or its position is lost, records that come meanwhile are skipped for good."
                .to_owned(),
        ),
        Some("TRIM_HORIZON") => {
            Some("It reads from TRIM_HORIZON: where its position is lost it begins with the oldest record, and records are processed twice.".to_owned())
        }
        Some("AT_TIMESTAMP") => {
            let at = read.and_then(|snapshot| time(&snapshot.whole["StartingPositionTimestamp"]));
            let at = at.map(|at| format!(" ({})", minute(at))).unwrap_or_default();
            Some(format!("It reads from a point in time{at}: where its position is lost it begins there again."))
        }
        _ if stream => Some("Its starting position is not known: with LATEST, records may be skipped for good.".to_owned()),
        _ => None,
    }
}

fn frozen(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Sqs => {
            "The function is frozen: every trigger of it is stopped. While the mapping is enabled, its queue is polled all the same, and messages that are received too often go to the dead-letter queue."
        }
        SourceKind::Kinesis | SourceKind::Dynamodb => {
            "The function is frozen: every trigger of it is stopped. While the mapping is enabled, batches are tried again until they expire."
        }
        _ => "The function is frozen: every trigger of it is stopped, not this mapping alone.",
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation, reason = "seconds of any sensible date fit")]
    let seconds = value.as_f64().map(|seconds| seconds as i64);
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).or_else(|| value.as_str()?.parse().ok())
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `4 days`, `24 hours`, `90 seconds`.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
#[path = "tests/cost.rs"]
mod tests;

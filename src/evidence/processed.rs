//! What a mapping may have processed while it was active: what to look at, and what that says. Whatever is found,
//! "not processed" is never concluded: each line tells what was looked at and what it can tell.

use super::{disabled_at, function_of, source_of};
use crate::case::{Case, Looked, Processed};
use crate::mapping::SourceKind;
use jiff::{SignedDuration, Timestamp};

/// Metrics appear minutes after what they count; a function that was invoked last of all may run for 15 minutes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html>
const SETTLES_IN: SignedDuration = SignedDuration::from_mins(15);
/// Lambda may go on for up to 90 seconds after it says that a mapping is disabled.
const GOES_ON: SignedDuration = SignedDuration::from_secs(90);

/// A metric to be read over a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// `AWS/Lambda`, `AWS/SQS`, …
    pub namespace: String,
    /// `Invocations`, …
    pub name: String,
    /// Its dimensions: name and value.
    pub dimensions: Vec<(String, String)>,
    /// `Sum` or `Maximum`.
    pub statistic: String,
}

/// A metric, and what its answer would tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which.
    pub metric: Metric,
    /// For people.
    at: String,
    /// How its value reads after the number.
    unit: &'static str,
    /// What else is in it; `""` where it is about this mapping alone.
    mixed: &'static str,
    /// Whether a value above zero is evidence that records were processed; else it is told and no more.
    tells: bool,
    /// Whether any data point is that already.
    by_presence: bool,
}

/// From when until when the mapping may have been active; `None`: it may be still.
pub fn window(case: &Case) -> (Timestamp, Option<Timestamp>) {
    let from = case.opened.finding.event.time;
    // A mapping that was deleted by somebody: by when it was found gone is all that is known.
    let gone = case.gone.then_some(case.asked_at.unwrap_or(case.updated_at));
    (from, disabled_at(case).or(gone))
}

/// Over which time metrics are read.
pub fn metrics_window(case: &Case, now: Timestamp) -> (Timestamp, Timestamp) {
    let (from, until) = window(case);
    let until = until.and_then(|until| until.checked_add(GOES_ON).ok()).unwrap_or(now);
    // CloudWatch counts by minutes: the first begins before, the last ends after.
    let minute = |time: Timestamp, up: i64| {
        let second = time.as_second();
        Timestamp::from_second(second - second.rem_euclid(60) + up * 60).unwrap_or(time)
    };
    (minute(from, 0), minute(until.max(from), 1))
}

/// The metrics that can tell something about the mapping of a case, best first.
pub fn questions(case: &Case) -> Vec<Question> {
    let mut all = Vec::new();
    if counts_events(case) {
        all.extend(of_the_mapping(case));
    }
    let function = function_of(case);
    if !function.name.is_empty() {
        let dimension = ("FunctionName", function.name.as_str());
        let question = |name: &str, statistic: &str| {
            let metric = metric("AWS/Lambda", name, dimension, statistic);
            Question {
                at: format!("AWS/Lambda {name} of {}", function.name),
                metric,
                unit: "invocations",
                mixed: "all triggers of the function together",
                tells: true,
                by_presence: false,
            }
        };
        all.push(question("Invocations", "Sum"));
        match source_of(case).kind {
            SourceKind::Kinesis | SourceKind::Dynamodb | SourceKind::Docdb => all.push(Question {
                unit: "ms at most: a stream's batch reached the function",
                mixed: "all streams of the function together",
                by_presence: true,
                ..question("IteratorAge", "Maximum")
            }),
            SourceKind::Msk | SourceKind::Kafka => all.push(Question {
                unit: "records at most between the newest and the last processed",
                mixed: "all Kafka sources of the function together",
                tells: false,
                ..question("OffsetLag", "Maximum")
            }),
            SourceKind::Sqs | SourceKind::Mq | SourceKind::Unknown => {}
        }
    }
    all.extend(of_the_queue(case));
    all
}

/// Whether the mapping was told to count: `MetricsConfig`, off by default.
fn counts_events(case: &Case) -> bool {
    let read = case.opened.snapshot.as_deref().or(case.latest());
    let metrics = read.and_then(|snapshot| snapshot.whole["MetricsConfig"]["Metrics"].as_array());
    metrics.is_some_and(|metrics| metrics.iter().any(|metric| metric == "EventCount"))
}

fn of_the_mapping(case: &Case) -> Vec<Question> {
    let Some(mapping) = &case.mapping else { return Vec::new() };
    let question = |(name, unit, tells): (&str, &'static str, bool)| Question {
        metric: metric("AWS/Lambda", name, ("EventSourceMappingUUID", &mapping.uuid), "Sum"),
        at: format!("AWS/Lambda {name} of the mapping"),
        unit,
        mixed: "",
        tells,
        by_presence: false,
    };
    [
        ("PolledEventCount", "records read from the source", true),
        ("InvokedEventCount", "records handed to the function", true),
        ("FailedInvokeEventCount", "records whose invocation failed", true),
        ("OnFailureDestinationDeliveredEventCount", "records sent to the failure destination", true),
        ("FilteredOutEventCount", "records filtered out", false),
        ("DeletedEventCount", "messages deleted from the queue after processing", true),
        ("DroppedEventCount", "records dropped", false),
    ]
    .map(question)
    .to_vec()
}

fn of_the_queue(case: &Case) -> Vec<Question> {
    let source = source_of(case);
    if source.kind != SourceKind::Sqs {
        return Vec::new();
    }
    let question = |(name, unit, tells): (&str, &'static str, bool)| Question {
        metric: metric("AWS/SQS", name, ("QueueName", &source.name), "Sum"),
        at: format!("AWS/SQS {name} of {}", source.name),
        unit,
        mixed: "all readers of the queue together",
        tells,
        by_presence: false,
    };
    [("NumberOfMessagesDeleted", "messages deleted", true), ("NumberOfMessagesReceived", "messages received", true)]
        .map(question)
        .to_vec()
}

fn metric(namespace: &str, name: &str, (dimension, value): (&str, &str), statistic: &str) -> Metric {
    Metric {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: vec![(dimension.to_owned(), value.to_owned())],
        statistic: statistic.to_owned(),
    }
}

/// What was found. `answers` go with the questions; `None`: there were no data points.
pub fn found(case: &Case, answers: &[(Question, Option<f64>)], now: Timestamp) -> Processed {
    let (from, until) = window(case);
    let settled = until.is_some_and(|until| now.duration_since(until) >= SETTLES_IN);
    let mut looked_at = vec![last_result(case)];
    looked_at.extend(answers.iter().map(|(question, value)| question.looked(*value, settled)));
    Processed { from, until, looked_at, settled }
}

/// The result of the last attempt, which Lambda tells of streams and not of SQS.
fn last_result(case: &Case) -> Looked {
    let result = case.latest().and_then(|snapshot| snapshot.whole["LastProcessingResult"].as_str());
    let (said, processed) = match result {
        None | Some("") => {
            ("nothing: Lambda does not tell it for every kind of source, so this means nothing".to_owned(), None)
        }
        Some("OK") => ("OK: the last attempt to process records succeeded".to_owned(), Some(true)),
        Some("No records processed") => ("No records processed, when it was read".to_owned(), Some(false)),
        Some(other) => {
            let other: String = other.chars().take(200).collect();
            (format!("{other} (of the last attempt, which may have handed records over)"), None)
        }
    };
    Looked { at: "LastProcessingResult of the mapping".to_owned(), said, processed }
}

impl Question {
    fn looked(&self, value: Option<f64>, settled: bool) -> Looked {
        let mixed = if self.mixed.is_empty() { String::new() } else { format!("; {}", self.mixed) };
        let delay = if settled { "" } else { "; it can appear minutes later" };
        let (said, processed) = match value {
            // A negative or endless number is no answer.
            Some(value) if value.is_finite() && value >= 0.0 => {
                let evidence = self.by_presence || value > 0.0;
                (format!("{value:.0} {}{mixed}{delay}", self.unit), self.tells.then_some(evidence))
            }
            _ => (format!("no data points{mixed}{delay}"), (self.tells && settled).then_some(false)),
        };
        Looked { at: self.at.clone(), said, processed }
    }
}

impl Processed {
    /// In a sentence: what there is evidence for, or that none was found, and where it was looked for.
    pub fn words(&self) -> String {
        let evidence: Vec<String> =
            self.looked_at.iter().filter(|looked| looked.processed == Some(true)).map(told).collect();
        let settled = if self.settled { "" } else { " This can still change: metrics appear minutes later." };
        if evidence.is_empty() {
            let at: Vec<&str> = self.looked_at.iter().map(|looked| looked.at.as_str()).collect();
            return format!("No evidence of processing found; looked at {}.{settled}", at.join(", "));
        }
        format!("There is evidence that records were processed: {}.{settled}", evidence.join("; "))
    }
}

fn told(looked: &Looked) -> String {
    format!("{}: {}", looked.at, looked.said)
}

#[cfg(test)]
#[path = "tests/processed.rs"]
mod tests;

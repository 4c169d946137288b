#![allow(clippy::unwrap_used, reason = "tests")]
use super::super::fixtures::{QUEUE, STREAM, contained, minutes, opened};
use super::*;
use crate::case::Mode;
use serde_json::json;

fn answered(case: &Case, value: impl Fn(&str) -> Option<f64>) -> Vec<(Question, Option<f64>)> {
    questions(case).into_iter().map(|question| (question.clone(), value(&question.metric.name))).collect()
}

#[test]
fn what_is_looked_at_fits_the_source() {
    let names = |case: &Case| questions(case).into_iter().map(|question| question.metric.name).collect::<Vec<_>>();
    let queue = contained(QUEUE, &json!({}), minutes(1));
    assert_eq!(names(&queue), ["Invocations", "NumberOfMessagesDeleted", "NumberOfMessagesReceived"]);
    let counting = json!({"MetricsConfig": {"Metrics": ["EventCount"]}});
    let stream = contained(STREAM, &counting, minutes(1));
    let all = questions(&stream);
    assert_eq!(all[0].metric.dimensions, [("EventSourceMappingUUID".to_owned(), stream.mapping.clone().unwrap().uuid)]);
    assert_eq!(names(&stream).last().unwrap(), "IteratorAge");
    assert_eq!(all.len(), 9);
}

#[test]
fn nothing_found_is_never_nothing_processed() {
    let case = contained(QUEUE, &json!({}), minutes(1));
    let early = found(&case, &answered(&case, |_| None), minutes(3));
    assert_eq!((early.from, early.until, early.settled), (minutes(0), Some(minutes(1)), false));
    assert!(early.looked_at.iter().all(|looked| looked.processed.is_none()), "{early:?}");
    let late = found(&case, &answered(&case, |_| None), minutes(16));
    assert!(late.settled && late.looked_at.iter().all(|looked| looked.processed != Some(true)));
    for processed in [early, late] {
        assert!(processed.words().starts_with("No evidence of processing found; looked at LastProcessingResult"));
        assert!(!processed.words().contains("not processed"));
    }
}

#[test]
fn what_counts_is_told_with_what_is_mixed_into_it() {
    let case = contained(QUEUE, &json!({}), minutes(1));
    let processed =
        found(&case, &answered(&case, |name| Some(f64::from(u8::from(name == "Invocations") * 12))), minutes(16));
    let looked = &processed.looked_at[1];
    assert_eq!(looked.said, "12 invocations; all triggers of the function together");
    assert_eq!((looked.processed, processed.looked_at[2].processed), (Some(true), Some(false)));
    assert!(processed.words().starts_with("There is evidence that records were processed: AWS/Lambda Invocations"));
    for senseless in [f64::NAN, f64::INFINITY, -1.0] {
        let processed = found(&case, &answered(&case, |_| Some(senseless)), minutes(16));
        assert!(processed.looked_at[1].said.starts_with("no data points"), "{senseless}");
    }
}

#[test]
fn the_last_result_is_told_as_it_was_read() {
    let of = |result: &str| {
        let case = contained(STREAM, &json!({"LastProcessingResult": result}), minutes(1));
        found(&case, &[], minutes(2)).looked_at[0].processed
    };
    assert_eq!(
        (of("OK"), of("No records processed"), of("PROBLEM: Function call failed")),
        (Some(true), Some(false), None)
    );
    let absent = found(&contained(QUEUE, &json!({}), minutes(1)), &[], minutes(2));
    assert!(absent.looked_at[0].said.contains("means nothing"));
}

#[test]
fn a_mapping_that_runs_on_has_no_end_and_never_settles() {
    let case = opened(QUEUE, &json!({}), Mode::Observe);
    assert_eq!(window(&case), (minutes(0), None));
    assert!(!found(&case, &[], minutes(600)).settled);
    assert_eq!(metrics_window(&case, minutes(7)), (minutes(0), minutes(8)));
    let case = contained(QUEUE, &json!({}), minutes(1));
    assert_eq!(metrics_window(&case, minutes(7)), (minutes(0), minutes(3)));
}

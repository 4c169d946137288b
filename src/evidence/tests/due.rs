use super::super::fixtures::{QUEUE, close, contained, learn, minutes, opened};
use super::*;
use crate::case::{CodeKept, Evidence, Mode, Processed};
use serde_json::json;

fn tried(at: i64, failures: u32) -> Tried {
    Tried { at: minutes(at), failures, in_vain: false }
}

fn processed(at: i64, settled: bool) -> Evidence {
    Evidence::Processed(Box::new(Processed { from: minutes(0), until: Some(minutes(at)), looked_at: vec![], settled }))
}

#[test]
fn nothing_is_looked_for_before_the_mapping_is_contained() {
    let case = opened(QUEUE, &json!({}), Mode::Enforce);
    assert!(!is_ready(&case));
    assert!(Piece::ALL.iter().all(|piece| due(&case, *piece, None, minutes(1)).is_none()));
    let case = contained(QUEUE, &json!({}), minutes(1));
    assert!(Piece::ALL.iter().all(|piece| due(&case, *piece, None, minutes(1)) == Some(minutes(1))));
}

#[test]
fn what_failed_is_tried_again_with_growing_waits_until_a_day_is_over() {
    let case = contained(QUEUE, &json!({}), minutes(1));
    let next = |failures| due(&case, Piece::Function, Some(&tried(2, failures)), minutes(2));
    assert_eq!(next(2), Some(minutes(3)));
    assert_eq!((next(6), next(600)), (Some(minutes(32)), Some(minutes(32))));
    let vain = Tried { in_vain: true, ..tried(2, 1) };
    assert_eq!(due(&case, Piece::Function, Some(&vain), minutes(2)), None);
    assert_eq!(due(&case, Piece::Function, Some(&tried(2, 1)), minutes(24 * 60)), None);
}

#[test]
fn what_is_known_is_not_looked_for_again() {
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    let kept = CodeKept { sha256: String::new(), bytes: 1, place: String::new(), differs: String::new() };
    learn(&mut case, Evidence::CodeKept(kept), minutes(2));
    assert_eq!(due(&case, Piece::Code, Some(&tried(2, 0)), minutes(3)), None);
    assert_eq!(due(&case, Piece::Code, None, minutes(3)), None);
}

#[test]
fn what_comes_late_is_looked_for_in_rounds_until_it_settles() {
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    learn(&mut case, processed(1, false), minutes(1));
    let next = |case: &Case, at| due(case, Piece::Processed, Some(&tried(at, 0)), minutes(at));
    assert_eq!([1, 3, 6, 11].map(|at| next(&case, at)), [3, 6, 11, 16].map(|at| Some(minutes(at))));
    learn(&mut case, processed(1, true), minutes(16));
    assert_eq!((next(&case, 16), due(&case, Piece::Processed, None, minutes(16))), (None, None));
    // CloudTrail's own record comes late as well.
    assert_eq!(due(&case, Piece::History, Some(&tried(4, 0)), minutes(4)), Some(minutes(5)));
}

#[test]
fn while_people_are_asked_about_an_active_mapping_it_is_looked_at_again_and_again() {
    let mut case = opened(QUEUE, &json!({}), Mode::Observe);
    let ask = crate::case::CaseEvent::ApprovalRequested { why: String::new(), plans: vec![] };
    super::super::fixtures::then(&mut case, &ask, minutes(0));
    assert_eq!(due(&case, Piece::Processed, Some(&tried(40, 0)), minutes(41)), Some(minutes(70)));
    close(&mut case, Outcome::Observed, minutes(42));
    assert_eq!(due(&case, Piece::Processed, Some(&tried(43, 0)), minutes(43)), None);
    assert_eq!(due(&case, Piece::Processed, Some(&tried(3, 0)), minutes(3)), Some(minutes(5)));
}

#[test]
fn what_people_let_run_is_nobodys_business_any_more() {
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    close(&mut case, Outcome::Restored, minutes(2));
    assert!(!is_ready(&case));
}

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures;
use crate::detection::inspect;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

fn finding(name: &str) -> Finding {
    inspect(&fixtures::one(name)).unwrap()
}

/// One of a few times, accounts, ids and contents, so that many are alike in some of it.
fn any_finding() -> impl Strategy<Value = Finding> {
    let name = prop::sample::select(vec![
        "create-sqs.json",
        "create-kafka.json",
        "update-rewire.json",
        "envelope-replay.json",
    ]);
    (name, 0_i64..3, 0..3, 0..4, any::<bool>()).prop_map(|(name, time, account, id, replay)| {
        let mut finding = finding(name);
        finding.event.time = Timestamp::from_nanosecond(i128::from(time) * 1_000_000_007).unwrap();
        finding.account = format!("11112222333{account}");
        finding.event.id = format!("id-{id}\n\u{2028}\"");
        finding.trigger = if replay { Trigger::Replay } else { Trigger::Event };
        finding
    })
}

fn sorted(findings: &[Finding], budget: usize) -> Vec<Finding> {
    let mut collected = Collected::new(budget);
    for finding in findings {
        collected.add(finding.clone()).unwrap();
    }
    let (count, sorted) = collected.sorted().unwrap();
    let sorted: Vec<Finding> = sorted.map(Result::unwrap).collect();
    assert_eq!(sorted.len() as u64, count);
    sorted
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn laid_aside_or_held_they_come_out_the_same(findings in vec(any_finding(), 0..150), rotate in any::<prop::sample::Index>()) {
        let held = sorted(&findings, usize::MAX);
        // A budget of nothing lays each aside by itself: more runs than are merged at once.
        for budget in [0, 10_000, 100_000] {
            prop_assert_eq!(&sorted(&findings, budget), &held);
        }
        let mut moved = findings.clone();
        if !moved.is_empty() {
            let by = rotate.index(moved.len());
            moved.rotate_left(by);
            moved.reverse();
        }
        prop_assert_eq!(&sorted(&moved, 20_000), &held);
        prop_assert!(held.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
        prop_assert!(findings.iter().all(|finding| held.iter().filter(|kept| is_same(kept, finding)).count() == 1));
    }
}

#[test]
fn one_event_in_two_files_is_one_finding_and_the_live_one_stays() {
    let live = finding("create-sqs.json");
    let replayed = Finding { trigger: Trigger::Replay, ..live.clone() };
    for order in [[&live, &replayed, &live], [&replayed, &live, &replayed]] {
        for budget in [0, usize::MAX] {
            assert_eq!(sorted(&order.map(Clone::clone), budget), std::slice::from_ref(&live));
        }
    }
}

#[test]
fn two_things_under_one_event_id_are_both_kept() {
    let one = finding("create-sqs.json");
    let mut other = one.clone();
    other.call.function.name.push('x');
    let both = sorted(&[one.clone(), other.clone()], usize::MAX);
    assert_eq!(both.len(), 2);
    assert_eq!(sorted(&[other, one], 0), both);
}

#[test]
fn every_fixture_comes_back_from_a_file_as_it_was() {
    let mut seen = 0;
    for entry in std::fs::read_dir(format!("{}/tests/fixtures/cloudtrail", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        for record in crate::cloudtrail::read(&std::fs::read(entry.unwrap().path()).unwrap()).into_iter().flatten() {
            let Ok(finding) = inspect(&record) else { continue };
            assert_eq!(sorted(std::slice::from_ref(&finding), 0), [finding]);
            seen += 1;
        }
    }
    assert!(seen > 10);
}

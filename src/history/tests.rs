#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::fixtures::{ALLOWLIST, DEPLOYER, finding, shipped, with_allowlist};
use super::{Backtest, Capped, Count, Expiry, Kept, Limits, Period, buckets};
use crate::policy::Response;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::collections::HashMap;

const MALLORY: &str = "arn:aws:iam::111122223333:user/contractors/mallory";

proptest! {
    #[test]
    fn whatever_finds_no_room_is_counted_with_the_others(keys in prop::collection::vec("[a-f]{1,2}", 0..200), most in 0_usize..12) {
        let mut capped: Capped<String, u64> = Capped::new(most);
        let mut exact: HashMap<String, u64> = HashMap::new();
        for key in &keys {
            *capped.of(key.as_str()) += 1;
            *exact.entry(key.clone()).or_default() += 1;
        }
        prop_assert!(capped.iter().count() <= most);
        let known: u64 = capped.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(known + capped.others().copied().unwrap_or(0), keys.len() as u64);
        prop_assert!(capped.iter().all(|(key, count)| exact[key] == *count), "those that are known are counted in full");
        prop_assert_eq!(capped.others().is_some(), exact.len() > most);
    }

    #[test]
    fn the_newest_are_kept_and_the_important_before_the_rest(items in prop::collection::vec(any::<bool>(), 0..60), most in 0_usize..20) {
        let mut kept = Kept::new(most, usize::MAX);
        for (number, important) in items.iter().enumerate() {
            kept.push(*important, || (number, 1));
        }
        let newest = |wanted: bool| items.iter().enumerate().rev().filter(move |(_, is)| **is == wanted).map(|(number, _)| number);
        let expected: Vec<usize> = newest(true).chain(newest(false)).take(most).collect();
        prop_assert_eq!(kept.iter().copied().collect::<Vec<_>>(), expected);
        prop_assert_eq!(kept.left_out(), items.len().saturating_sub(most) as u64);
    }

    #[test]
    fn no_more_bytes_than_allowed_are_kept(sizes in prop::collection::vec((any::<bool>(), 0_usize..50), 0..60), most in 0_usize..120) {
        let mut kept = Kept::new(1_000, most);
        for (important, size) in &sizes {
            kept.push(*important, || (*size, *size));
        }
        prop_assert!(kept.iter().sum::<usize>() <= most);
        prop_assert_eq!(kept.len() as u64 + kept.left_out(), sizes.len() as u64);
    }

    #[test]
    fn a_chart_has_at_most_sixty_bars_and_loses_nothing(days in prop::collection::vec((0_i32..20_000, 1_u64..5), 1..40)) {
        let start = date(1990, 1, 1);
        let mut counts: HashMap<Date, Count> = HashMap::new();
        for (offset, many) in &days {
            let day = start.checked_add(jiff::Span::new().days(*offset)).unwrap();
            counts.entry(day).or_default().allowed += many;
        }
        let (_, bars) = buckets(counts.iter());
        prop_assert!((1..=60).contains(&bars.len()), "{}", bars.len());
        prop_assert!(bars.windows(2).all(|pair| pair[0].start < pair[1].start));
        let all: u64 = bars.iter().map(|bar| bar.count.allowed).sum();
        prop_assert_eq!(all, days.iter().map(|(_, many)| many).sum::<u64>());
    }
}

#[test]
fn bars_are_as_short_as_sixty_of_them_can_be() {
    let one = Count { allowed: 1, not_allowed: 2 };
    let of = |first: Date, last: Date| {
        let days = [(first, one), (last, one)];
        let (period, bars) = buckets(days.iter().map(|(day, count)| (day, count)));
        (period, bars.len(), bars[0].start)
    };
    assert_eq!(of(date(2026, 2, 3), date(2026, 2, 3)), (Period::Day, 1, date(2026, 2, 3)));
    assert_eq!(of(date(2026, 2, 3), date(2026, 4, 3)), (Period::Day, 60, date(2026, 2, 3)));
    assert_eq!(of(date(2026, 2, 3), date(2026, 4, 4)), (Period::Week, 9, date(2026, 2, 2)));
    assert_eq!(of(date(2024, 2, 29), date(2026, 4, 4)), (Period::Month, 27, date(2024, 2, 1)));
    assert_eq!(of(date(2019, 2, 28), date(2026, 4, 4)), (Period::Year, 8, date(2019, 1, 1)));
    assert_eq!(of(date(1, 1, 1), date(9999, 12, 31)), (Period::Year, 60, date(9940, 1, 1)), "the latest sixty");
    assert_eq!(buckets([]).1, []);
}

#[test]
fn entries_tell_what_they_were_good_for() {
    let extra = r#"
[[allow]]
id        = "again"
owner     = "team-orders"
reason    = "the same in other words"
expires   = 2026-02-03
principal = "arn:aws:iam::111122223333:role/ci/*"

[[allow]]
id        = "over"
owner     = "team-orders"
reason    = "it was once"
expires   = 2026-02-02
principal = "arn:aws:iam::111122223333:user/contractors/*"
"#;
    let set = with_allowlist(&format!("{ALLOWLIST}{extra}"));
    let mut told = Backtest::new(&set, None, Limits::default());
    for minutes in 0..3 {
        assert!(told.judge(&finding(DEPLOYER, minutes)).verdict.allowed);
    }
    assert!(!told.judge(&finding(MALLORY, 3)).verdict.allowed);
    // A queue in an account that is not ours: the entries cover it, and a rule forbids it.
    let mut foreign = finding(DEPLOYER, 4);
    foreign.call.source = crate::mapping::SourceRef::from_arn("arn:aws:sqs:eu-west-1:999988887777:orders-in");
    assert!(!told.judge(&foreign).verdict.allowed);
    let uses: HashMap<&str, (u64, u64, u64)> =
        told.usage.entries().map(|(id, _, used)| (id, (used.allowed, used.overruled, used.too_late))).collect();
    assert_eq!(uses["orders-pipeline"], (3, 1, 0));
    assert_eq!(uses["again"], (3, 1, 0));
    assert_eq!(uses["terraform-runners"], (0, 0, 0));
    assert_eq!(uses["over"], (0, 0, 1));
    assert_eq!(told.usage.pairs(), [("orders-pipeline", "again", 4)]);
    assert_eq!((told.usage.overlapped(), told.usage.other_pairs()), (4, 0));
    let newest = told.tally.span.unwrap().1;
    let expiry: Vec<Expiry> = told.usage.entries().map(|(_, expires, _)| Expiry::of(expires, newest)).collect();
    assert_eq!(expiry, [Expiry::Live, Expiry::Live, Expiry::Expiring, Expiry::Expired]);
}

#[test]
fn the_tally_adds_up() {
    let set = shipped();
    let mut told = Backtest::new(&set, None, Limits { keys: 1, ..Limits::default() });
    for (number, principal) in [DEPLOYER, MALLORY, "arn:aws:iam::111122223333:user/x", MALLORY].iter().enumerate() {
        told.judge(&finding(principal, u32::try_from(number).unwrap()));
    }
    let tally = &told.tally;
    assert_eq!(tally.count, Count { allowed: 1, not_allowed: 3 });
    assert_eq!(
        tally.by_response.iter().map(|(which, count)| (*which, *count)).collect::<Vec<_>>(),
        [(Response::Leave, 1), (Response::Disable, 3)]
    );
    let known: Vec<&String> = tally.principals.iter().map(|(arn, _)| arn).collect();
    assert_eq!(known, [DEPLOYER]);
    let others = tally.principals.others().unwrap();
    assert_eq!((others.count.not_allowed, others.by_response[&Response::Disable]), (3, 3));
    assert_eq!(tally.sources["sqs"].total(), 4);
    assert_eq!(tally.undated, 0);
}

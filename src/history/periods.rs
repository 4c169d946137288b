//! Days, put together so that a chart of them can be read.

use super::Count;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// More bars than these are not read on a phone.
const BARS: i64 = 60;

/// How long one bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// What fell into one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its first day.
    pub start: Date,
    /// What fell into it.
    pub count: Count,
}

impl Period {
    /// `day`, `week`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How a period that starts then is named: `2026-02-03`, `week of 2026-02-02`, `2026-02`, `2026`.
    pub fn label(self, start: Date) -> String {
        match self {
            Self::Day => start.to_string(),
            Self::Week => format!("week of {start}"),
            Self::Month => format!("{:04}-{:02}", start.year(), start.month()),
            Self::Year => start.year().to_string(),
        }
    }

    fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i32::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        let span = match self {
            Self::Day => 1.day(),
            Self::Week => 7.days(),
            Self::Month => 1.month(),
            Self::Year => 1.year(),
        };
        start.checked_add(span).ok()
    }

    fn between(self, first: Date, last: Date) -> i64 {
        let days = last.duration_since(first).as_hours() / 24;
        let years = i64::from(last.year()) - i64::from(first.year());
        match self {
            Self::Day => days,
            Self::Week => days / 7,
            Self::Month => years * 12 + i64::from(last.month()) - i64::from(first.month()),
            Self::Year => years,
        }
    }
}

/// Puts days together: the shortest period of which at most sixty cover them all, each with what fell into it, empty
/// ones too. Where not even years do, the latest sixty years.
pub fn buckets<'a>(days: impl IntoIterator<Item = (&'a Date, &'a Count)>) -> (Period, Vec<Bucket>) {
    let days: BTreeMap<Date, Count> = days.into_iter().map(|(day, count)| (*day, *count)).collect();
    let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return (Period::Day, Vec::new());
    };
    let fits = |period: &Period| period.between(period.start(first), period.start(last)) < BARS;
    let period = [Period::Day, Period::Week, Period::Month].into_iter().find(fits).unwrap_or(Period::Year);
    let mut sums: BTreeMap<Date, Count> = BTreeMap::new();
    for (day, count) in &days {
        let sum = sums.entry(period.start(*day)).or_default();
        sum.allowed += count.allowed;
        sum.not_allowed += count.not_allowed;
    }
    let end = period.start(last);
    let mut start = Some(period.start(first));
    let mut buckets = Vec::new();
    while let Some(now) = start.filter(|start| *start <= end) {
        if period.between(now, end) < BARS {
            buckets.push(Bucket { start: now, count: sums.get(&now).copied().unwrap_or_default() });
        }
        start = period.next(now);
    }
    (period, buckets)
}

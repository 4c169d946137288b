//! What a page says about what it leaves out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::page;
use crate::archive::{Damaged, Totals};
use crate::cli::backtest::Read;
use crate::history::fixtures::{finding, shipped};
use crate::history::{Backtest, Limits};
use crate::report::{Page, Section, Table};
use std::path::Path;
use std::time::Instant;

fn table<'a>(page: &'a Page, title: &str) -> &'a Table {
    let found = page.sections.iter().find_map(|section| match section {
        Section::Table(table) if table.title == title => Some(table),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {title}"))
}

#[test]
fn what_is_left_out_is_said() {
    let set = shipped();
    let limits = Limits { findings: 3, keys: 2, ..Limits::default() };
    let mut told = Backtest::new(&set, Some(&set), limits);
    for number in 0..5 {
        told.judge(&finding(&format!("arn:aws:iam::111122223333:user/mallory-{number}"), number));
    }
    let damaged = |number: u32| Damaged {
        error: "not JSON".to_owned(),
        source: format!("{number}.json"),
        position: "line 1".to_owned(),
    };
    let places: Vec<String> = (0..7).map(|number| format!("logs-{number}")).collect();
    let read = Read {
        places: &places,
        policies: Path::new("policies"),
        against: Some(Path::new("next")),
        digests: (set.digest(), Some(set.digest())),
        totals: Totals { errors: 12, ..Totals::default() },
        damaged: (0..10).map(damaged).collect(),
        started: Instant::now(),
    };
    let page = page(&read, &told);
    assert!(page.lead[0].starts_with("logs-0, logs-1, logs-2, logs-3, logs-4, 2 more: 0 files"), "{:?}", page.lead);
    let findings = table(&page, "Findings");
    assert_eq!(findings.rows.len(), 3);
    assert!(findings.note.contains("2 others are left out. --format json has every finding"), "{}", findings.note);
    assert_eq!(findings.rows[0].cells[3].text, "user/mallory-4", "the newest first");
    let principals = table(&page, "By principal");
    let last = principals.rows.last().unwrap();
    assert_eq!((principals.rows.len(), last.cells[1].text.as_str()), (3, "3"), "{last:?}");
    assert!(table(&page, "Damaged places").note.contains("2 more are not listed here"));
    assert_eq!(table(&page, "What changes").rows, []);
    let titles: Vec<&str> = page
        .sections
        .iter()
        .map(|section| match section {
            Section::Chart(chart) => chart.title.as_str(),
            Section::Table(table) => table.title.as_str(),
            Section::Notes { title, .. } => title.as_str(),
        })
        .collect();
    assert_eq!((titles.first(), titles.last()), (Some(&"What changes"), Some(&"Findings")), "{titles:?}");
}

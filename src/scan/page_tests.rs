#![allow(clippy::panic, reason = "tests")]

use super::*;
use crate::scan::fixtures::report;

#[test]
fn the_most_telling_come_first_and_all_are_counted() {
    let report = report();
    let order: Vec<&str> = report.scanned.iter().map(|scanned| scanned.mapping.uuid.as_str()).collect();
    assert_eq!(order, ["rogue", "smelly", "old", "allowed"]);
    let summary = report.summary();
    assert_eq!((summary.mappings, summary.not_allowed, summary.unattributed, summary.allowed), (4, 1, 1, 2));
    assert_eq!((summary.with_smells, summary.places, summary.places_incomplete, summary.errors), (2, 2, 1, 1));
}

#[test]
fn the_page_holds_all_of_it() {
    let page = page(&report());
    let tiles: Vec<String> = page.tiles.iter().map(|tile| format!("{} {}", tile.value, tile.label)).collect();
    assert_eq!(tiles[..4], ["4 mappings", "1 not allowed", "2 with smells", "1 unattributed"]);
    let [Section::Table(missing), Section::Table(mappings), Section::Notes { lines, .. }] = page.sections.as_slice()
    else {
        panic!("{:?}", page.sections)
    };
    assert_eq!((missing.rows.len(), mappings.rows.len(), lines.len()), (1, 4, 1));
    let first = &mappings.rows[0];
    assert_eq!((first.cells[0].text.as_str(), first.cells[0].tone), ("NOT ALLOWED", Tone::Bad));
    assert!(first.cells[7].text.ends_with(":role/people/intern"));
    assert_eq!(mappings.rows[2].cells[7].text, "older-than-90-days");
    let told: Vec<&str> = first.details.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["mapping", "made by", "function-gone", "why", "not known"] {
        assert!(told.contains(&name), "{told:?}");
    }
    assert!(mappings.rows.iter().all(|row| row.cells.len() == mappings.columns.len()));
}

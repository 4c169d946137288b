//! The scan as a page for a browser.

use super::{Deed, Missing, Report, Scanned, Standing};
use crate::report::{Cell, Column, Page, Row, Section, Table, Tile, Tone};

/// The page of a scan.
pub fn page(report: &Report) -> Page {
    let mut sections = Vec::new();
    if !report.missing.is_empty() {
        sections.push(Section::Table(incomplete(&report.missing)));
    }
    sections.push(Section::Table(mappings(report)));
    if !report.notes.is_empty() {
        sections.push(Section::Notes { title: "Good to know".to_owned(), lines: report.notes.clone() });
    }
    let digest = report.policy_digest.get(..12).unwrap_or_default();
    Page {
        title: "Event source mappings that exist now".to_owned(),
        lead: vec![
            format!("Looked at {:.0}, by the policy set {digest} as it is now", report.at),
            "Who made a mapping is known for the last 90 days, which is how far CloudTrail's own record reaches"
                .to_owned(),
        ],
        tiles: tiles(report),
        sections,
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let summary = report.summary();
    let tile = |label: &str, value: usize, tone: Tone| Tile {
        label: label.to_owned(),
        value: value.to_string(),
        tone: if value == 0 { Tone::Plain } else { tone },
    };
    vec![
        tile("mappings", summary.mappings, Tone::Plain),
        tile("not allowed", summary.not_allowed, Tone::Bad),
        tile("with smells", summary.with_smells, Tone::Warn),
        tile("unattributed", summary.unattributed, Tone::Plain),
        tile("allowed", summary.allowed, Tone::Good),
        tile("places looked at", summary.places, Tone::Plain),
        tile("places incomplete", summary.places_incomplete, Tone::Bad),
    ]
}

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column { name: (*name).to_owned(), number: false }).collect()
}

fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

fn incomplete(missing: &[Missing]) -> Table {
    let row = |missing: &Missing| Row {
        cells: vec![
            cell(&missing.place.account),
            cell(&missing.place.region),
            cell(&missing.uuid),
            Cell { tone: Tone::Bad, ..cell(&missing.error) },
        ],
        details: Vec::new(),
    };
    Table {
        title: "What could not be looked at".to_owned(),
        note: "The rest of this page does not tell about it.".to_owned(),
        columns: columns(&["Account", "Region", "Mapping", "Why"]),
        rows: missing.iter().map(row).collect(),
        empty: String::new(),
    }
}

fn mappings(report: &Report) -> Table {
    Table {
        title: "Mappings".to_owned(),
        note: "Not allowed: by whom it was made or changed. Smells: reasons to look, whoever made it.".to_owned(),
        columns: columns(&["Answer", "Account", "Region", "Function", "Source", "State", "Last changed", "Made by"]),
        rows: report.scanned.iter().map(row).collect(),
        empty: "There is no mapping in what was looked at.".to_owned(),
    }
}

fn row(scanned: &Scanned) -> Row {
    let mapping = &scanned.mapping;
    let standing = scanned.standing();
    let (order, tone) = match standing {
        Standing::NotAllowed => (0.0, Tone::Bad),
        Standing::Smells => (1.0, Tone::Warn),
        Standing::Unattributed => (2.0, Tone::Plain),
        Standing::Allowed => (3.0, Tone::Good),
    };
    let made_by = scanned.created.as_ref().map_or_else(|| scanned.attribution.told(), principal);
    Row {
        cells: vec![
            Cell { text: standing.told().to_owned(), sort: Some(order), tone },
            cell(&scanned.place.account),
            cell(&scanned.place.region),
            cell(&mapping.function.name),
            cell(&mapping.source.name),
            cell(&mapping.state),
            cell(mapping.last_modified.map_or_else(|| "?".to_owned(), |time| format!("{time:.0}"))),
            cell(made_by),
        ],
        details: details(scanned),
    }
}

/// Who did something, as far as it is known.
fn principal(deed: &Deed) -> String {
    let actor = &deed.finding.actor;
    let named = [&actor.principal_arn, &actor.arn].into_iter().find(|arn| !arn.is_empty());
    named.map_or_else(|| "nobody who can be told for certain".to_owned(), Clone::clone)
}

fn deed(deed: &Deed) -> String {
    let (event, actor) = (&deed.finding.event, &deed.finding.actor);
    let around = [
        ("session", &actor.session_name),
        ("key", &actor.access_key_id),
        ("through", &actor.invoked_by),
        ("from", &actor.source_ip),
    ];
    let around = around.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!(", {name} {text}"));
    let answer = if deed.verdict.allowed { "allowed" } else { "not allowed" };
    format!(
        "{} {} at {} by {}{}: {answer}",
        event.name,
        event.id,
        event.time,
        principal(deed),
        around.collect::<String>()
    )
}

fn details(scanned: &Scanned) -> Vec<(String, String)> {
    let mapping = &scanned.mapping;
    let mut all = vec![
        ("mapping".to_owned(), mapping.uuid.clone()),
        ("function".to_owned(), mapping.function.to_string()),
        ("source".to_owned(), mapping.source.to_string()),
        ("attribution".to_owned(), scanned.attribution.told()),
    ];
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    if let Some(created) = &scanned.created {
        add("made by", deed(created));
    }
    if let Some(changed) = &scanned.changed {
        add("changed by", deed(changed));
    }
    for smell in &scanned.smells {
        add(smell.smell, smell.reason.clone());
    }
    if let Some(verdict) = &scanned.verdict {
        verdict.reasons.iter().for_each(|reason| add("why", reason.clone()));
        verdict.errors.iter().for_each(|error| add("error", error.clone()));
        if !verdict.policies.is_empty() {
            add("decided", format!("by {}", verdict.policies.join(", ")));
        }
    }
    scanned.unknown.iter().for_each(|unknown| add("not known", unknown.clone()));
    all
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;

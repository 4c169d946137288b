//! The report: what was counted → a page.

mod allowlist;
mod findings;
mod overview;

use super::words::{self, bytes, grouped, many};
use super::{Read, Sink};
use crate::cli::Result;
use crate::history::Backtest;
use crate::policy::Response;
use crate::report::{Cell, Column, Page, Row, Section, Table, Tile, Tone};
use jiff::Timestamp;
use std::io::BufWriter;

/// Rows of a table that is not about single findings.
const ROWS: usize = 500;

/// Characters of one text: more are nobody's name, and not read.
const CHARACTERS: usize = 1_000;

pub(super) fn write(out: &mut Sink, read: &Read<'_>, told: &Backtest<'_>) -> Result {
    let page = page(read, told);
    let mut buffered = BufWriter::new(&mut *out);
    let written = page.write_html(&mut buffered).and_then(|()| buffered.into_inner().map(drop).map_err(Into::into));
    written.map_err(|error| out.failed(&error))
}

fn page(read: &Read<'_>, told: &Backtest<'_>) -> Page {
    let mut sections = Vec::new();
    if let Some(changes) = &told.changes {
        sections.extend(findings::changes(read, changes));
    }
    if told.tally.count.total() > 0 {
        sections.push(overview::chart(&told.tally));
        sections.push(overview::outcomes(&told.tally));
        sections.push(overview::principals(&told.tally));
        sections.push(overview::policies(told));
        sections.push(overview::places(&told.tally));
        sections.push(overview::sources(&told.tally));
        sections.push(allowlist::entries(told));
        sections.extend(allowlist::overlaps(told));
    }
    if read.totals.errors > 0 {
        sections.push(damaged(read));
    }
    sections.push(findings::findings(told));
    let title = match read.against {
        Some(_) => "Backtest, and what another policy set changes",
        None => "Backtest",
    };
    Page { title: title.to_owned(), lead: lead(read, told), tiles: tiles(read, told), sections }
}

fn lead(read: &Read<'_>, told: &Backtest<'_>) -> Vec<String> {
    let totals = &read.totals;
    let digest = |digest: &str| digest.get(..12).unwrap_or_default().to_owned();
    let mut places: Vec<&str> = read.places.iter().take(5).map(String::as_str).collect();
    let others = format!("{} more", read.places.len().saturating_sub(5));
    if read.places.len() > 5 {
        places.push(&others);
    }
    let mut lead = vec![format!(
        "{}: {}, {}, {} of logs.",
        places.join(", "),
        many(totals.files, "file"),
        many(totals.records, "record"),
        bytes(read.size())
    )];
    let tally = &told.tally;
    if let Some((first, last)) = tally.span {
        lead.push(format!("Findings from {} to {}, UTC as all times here.", words::time(first), words::time(last)));
    }
    if tally.undated > 0 {
        lead.push(format!("{} without a time, judged as the oldest.", words::are(tally.undated, "finding")));
    }
    lead.push(format!("Judged by the policies in {}, digest {}.", read.policies.display(), digest(read.digests.0)));
    if let (Some(dir), Some(other)) = (read.against, read.digests.1) {
        lead.push(format!("Compared with the policies in {}, digest {}.", dir.display(), digest(other)));
    }
    let version = env!("CARGO_PKG_VERSION");
    lead.push(format!("Made at {} by sluicegate {version}.", words::time(Timestamp::now())));
    lead.iter().map(|line| words::clip(line, CHARACTERS)).collect()
}

fn tiles(read: &Read<'_>, told: &Backtest<'_>) -> Vec<Tile> {
    let tally = &told.tally;
    let of = |response: Response| tally.by_response.get(&response).copied().unwrap_or(0);
    let tile = |label: &str, number: u64, tone: Tone| Tile {
        label: label.to_owned(),
        value: grouped(number),
        tone: if number == 0 { Tone::Plain } else { tone },
    };
    let mut tiles = vec![
        tile("Findings", tally.count.total(), Tone::Plain),
        tile("Allowed", tally.count.allowed, Tone::Good),
        tile("Not allowed", tally.count.not_allowed, Tone::Bad),
        tile("Stopped at once", of(Response::Disable) + of(Response::Freeze), Tone::Bad),
        tile("Asked about first", of(Response::Ask), Tone::Warn),
    ];
    if tally.restricted > 0 {
        tiles.push(tile("Credentials restricted", tally.restricted, Tone::Bad));
    }
    if tally.erred > 0 {
        tiles.push(tile("Policy errors", tally.erred, Tone::Bad));
    }
    if let Some(changes) = &told.changes {
        tiles.insert(0, tile("Judged differently", changes.changed, Tone::Warn));
    }
    if read.totals.errors > 0 {
        tiles.push(tile("Places unreadable", read.totals.errors, Tone::Warn));
    }
    tiles
}

fn damaged(read: &Read<'_>) -> Section {
    let rows = read.damaged.iter().take(ROWS);
    let rows: Vec<Row> =
        rows.map(|place| row([text(&place.source), text(&place.position), text(&place.error)])).collect();
    let left = read.totals.errors.saturating_sub(rows.len() as u64);
    let more = if left > 0 { format!(" {} more are not listed here.", grouped(left)) } else { String::new() };
    table(
        "Damaged places",
        &format!("What could not be read; everything else was judged.{more}"),
        ["File", "Where", "What is wrong"].map(Column::text).into(),
        rows,
    )
}

fn table(title: &str, note: &str, columns: Vec<Column>, rows: Vec<Row>) -> Section {
    Section::Table(Table { title: title.to_owned(), note: note.to_owned(), columns, rows, empty: "None.".to_owned() })
}

fn row<const N: usize>(cells: [Cell; N]) -> Row {
    Row { cells: cells.into(), details: Vec::new() }
}

fn text(text: &str) -> Cell {
    Cell::text(words::clip(text, CHARACTERS))
}

fn number(number: u64) -> Cell {
    Cell::text(grouped(number))
}

/// A number that is worth a look where it is not zero.
fn telling(number: u64, tone: Tone) -> Cell {
    Cell::toned(grouped(number), if number == 0 { Tone::Plain } else { tone })
}

fn time(time: Option<Timestamp>) -> Cell {
    match time {
        Some(time) => Cell::sorted(words::time(time), time.as_duration().as_secs_f64()),
        None => Cell::sorted("", f64::from(i32::MIN)),
    }
}

#[cfg(test)]
mod tests;

//! What the allowlist's entries were good for.

use super::{ROWS, number, row, table, telling, text, time};
use crate::cli::backtest::words::{are, grouped};
use crate::history::{Backtest, EntryUse, Expiry};
use crate::report::{Cell, Column, Row, Section, Tone};

/// How an entry stands, in the order of how much it is worth a look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Late,
    Expired,
    Unused,
    Expiring,
    Used,
}

impl Standing {
    fn of(used: &EntryUse, expiry: Expiry) -> Self {
        match expiry {
            Expiry::Expired if used.too_late > 0 => Self::Late,
            Expiry::Expired => Self::Expired,
            _ if used.unused() => Self::Unused,
            Expiry::Expiring => Self::Expiring,
            Expiry::Live => Self::Used,
        }
    }

    fn cell(self) -> Cell {
        match self {
            Self::Late => Cell::toned("expired, and missed since", Tone::Bad),
            Self::Expired => Cell::toned("expired", Tone::Warn),
            Self::Unused => Cell::toned("never used", Tone::Warn),
            Self::Expiring => Cell::toned("expires soon", Tone::Warn),
            Self::Used => Cell::toned("used", Tone::Good),
        }
    }
}

pub(super) fn entries(told: &Backtest<'_>) -> Section {
    let newest = told.tally.span.map(|(_, last)| last);
    let standing = |used: &EntryUse, expires| {
        Standing::of(used, newest.map_or(Expiry::Live, |newest| Expiry::of(expires, newest)))
    };
    let mut entries: Vec<_> = told.usage.entries().map(|entry| (standing(entry.2, entry.1), entry)).collect();
    entries.sort_by_key(|(standing, _)| *standing);
    let rows: Vec<Row> = entries
        .iter()
        .take(ROWS)
        .map(|(standing, (id, expires, used))| {
            let (owner, _) = told.usage.about(id);
            row([
                text(id),
                text(owner),
                standing.cell(),
                text(&expires.to_string()),
                number(used.allowed),
                telling(used.overruled, Tone::Warn),
                telling(used.too_late, Tone::Warn),
                time(used.last),
            ])
        })
        .collect();
    let columns = vec![
        Column::text("Entry"),
        Column::text("Owner"),
        Column::text("Standing"),
        Column::text("Last day"),
        Column::number("Allowed"),
        Column::number("Not allowed all the same"),
        Column::number("Missed since expiry"),
        Column::text("Last covered"),
    ];
    let left = entries.len().saturating_sub(ROWS);
    let left = if left > 0 { format!(" {} more are not listed.", grouped(left as u64)) } else { String::new() };
    let note = "What each entry covered, by the time of the events. An entry that is never used may be removed after a \
                review; one that covers what is not allowed all the same is overruled by a rule, or covers only a part \
                of what the calls do.";
    table("Allowlist entries", &format!("{note}{left}"), columns, rows)
}

pub(super) fn overlaps(told: &Backtest<'_>) -> Option<Section> {
    let overlapped = told.usage.overlapped();
    if overlapped == 0 {
        return None;
    }
    let pairs = told.usage.pairs();
    let mut rows: Vec<Row> = pairs
        .iter()
        .take(ROWS)
        .map(|(first, second, count)| row([text(first), text(second), number(*count)]))
        .collect();
    let others = told.usage.other_pairs() + pairs.iter().skip(ROWS).map(|(_, _, count)| count).sum::<u64>();
    if others > 0 {
        rows.push(row([text("(others)"), text(""), number(others)]));
    }
    let note = format!("{} covered by more than one entry.", are(overlapped, "finding"));
    let columns = vec![Column::text("Entry"), Column::text("Also covered by"), Column::number("Findings")];
    Some(table("Overlapping entries", &note, columns, rows))
}

//! Checking the hash chain: a changed, inserted or deleted row shows, the last one too.

use super::{chain, unavailable};
use crate::ports::JournalError;
use rusqlite::{Connection, OptionalExtension};

/// What walking the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How many rows.
    pub rows: u64,
    /// What is wrong, for people; empty where all is well.
    pub damage: Vec<String>,
}

/// Walks the whole chain.
pub(super) fn verify(db: &Connection) -> Result<Audit, JournalError> {
    let mut damage = Vec::new();
    let (mut rows, mut prev) = (0_u64, String::new());
    let mut select = db
        .prepare("SELECT seq, stream, stream_seq, at, type, version, body, prev, hash FROM events ORDER BY seq")
        .map_err(unavailable)?;
    let mut found = select.query([]).map_err(unavailable)?;
    while let Some(row) = found.next().map_err(unavailable)? {
        let text = |column: usize| row.get::<_, String>(column).map_err(unavailable);
        let (stream, at, kind, body, before, hash) = (text(1)?, text(3)?, text(4)?, text(6)?, text(7)?, text(8)?);
        let seq = row.get(0).map_err(unavailable)?;
        rows += 1;
        if seq != rows {
            damage.push(format!("row {rows} is missing: row {seq} follows row {}", rows - 1));
            rows = seq;
        }
        if before != prev {
            damage.push(format!("row {seq} does not follow the row before it: one was changed, inserted or deleted"));
        }
        let fields = chain::Row {
            seq,
            stream: &stream,
            stream_seq: row.get(2).map_err(unavailable)?,
            at: &at,
            kind: &kind,
            version: row.get(5).map_err(unavailable)?,
            body: &body,
            prev: &before,
        };
        if fields.hash()? != hash {
            damage.push(format!("row {seq} was changed: its hash is not that of its contents"));
        }
        if kind == "journal_damaged" {
            damage.push(format!("row {seq} records that the journal was found damaged: {body}"));
        }
        prev = hash;
    }
    damage.extend(tail_damage(db)?);
    Ok(Audit { rows, damage })
}

/// Whether the log ends elsewhere than where it was last left.
pub(super) fn tail_damage(db: &Connection) -> Result<Option<String>, JournalError> {
    let (seq, hash) = chain::head(db)?;
    let left: Option<(u64, String)> = db
        .query_row("SELECT seq, hash FROM heads WHERE chain = 'journal'", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(unavailable)?;
    let (left_seq, left_hash) = left.unwrap_or_default();
    Ok(if seq < left_seq {
        Some(format!(
            "the last {} rows are missing: the journal was left at row {left_seq}, and ends at {seq}",
            left_seq - seq
        ))
    } else if seq > left_seq {
        Some(format!("rows {} to {seq} were added by something else", left_seq + 1))
    } else if hash != left_hash {
        Some(format!("the last row, {seq}, is not the one that was left there"))
    } else {
        None
    })
}

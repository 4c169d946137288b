//! Appending: compare-and-set on the stream, and the hash chain over all rows.

use super::{folded, project, query, unavailable};
use crate::case::{Case, CaseEvent, CaseId, Opened, SystemEvent, VERSION};
use crate::ports::{JournalError, Opening};
use crate::restriction::{Restriction, RestrictionEvent, RestrictionId};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The stream of what belongs to no case.
pub(super) const SYSTEM: &str = "system";

/// One row of `events`, but for its hash.
pub(super) struct Row<'a> {
    pub(super) seq: u64,
    pub(super) stream: &'a str,
    pub(super) stream_seq: u64,
    pub(super) at: &'a str,
    pub(super) kind: &'a str,
    pub(super) version: u32,
    pub(super) body: &'a str,
    pub(super) prev: &'a str,
}

impl Row<'_> {
    /// SHA-256 (hex) over a JSON array of all fields, in the table's order.
    pub(super) fn hash(&self) -> Result<String, JournalError> {
        let fields = (self.seq, self.stream, self.stream_seq, self.at, self.kind, self.version, self.body, self.prev);
        Ok(HEXLOWER.encode(&Sha256::digest(json(&fields)?.as_bytes())))
    }
}

/// Opens a case, unless its event is known or its mapping has an open one.
pub(super) fn open_case(
    db: &Connection,
    opened: Opened,
    more: Vec<CaseEvent>,
    now: Timestamp,
) -> Result<Opening, JournalError> {
    let finding = &opened.finding;
    if let Some(known) = query::known(db, &finding.account, &finding.region, &finding.event.id)? {
        return Ok(Opening::Known(known));
    }
    if let Some(mapping) = &opened.mapping
        && let Some(case) = query::open_case_on(db, mapping)?
    {
        return Ok(Opening::Busy(case));
    }
    let id = opened.case_id.clone();
    let mut events = vec![CaseEvent::Opened(Box::new(opened))];
    events.extend(more);
    append_case(db, &id, 0, &events, now).map(|case| Opening::Opened(Box::new(case)))
}

/// Appends to a case, folds it, and brings the projections up to date.
pub(super) fn append_case(
    db: &Connection,
    id: &CaseId,
    expected: u64,
    events: &[CaseEvent],
    now: Timestamp,
) -> Result<Case, JournalError> {
    let damaged = |error: crate::case::Illegal| JournalError::Damaged(error.to_string());
    let mut case = folded::case(db, id)?;
    let actual = case.as_ref().map_or(0, |case| case.seq);
    if actual != expected {
        return Err(JournalError::Conflict { stream: id.to_string(), expected, actual });
    }
    for event in events {
        case = Some(match case {
            None => Case::begin(event, now).map_err(damaged)?,
            Some(mut case) => {
                case.apply(event, now).map_err(damaged)?;
                case
            }
        });
    }
    let case = case.ok_or_else(|| JournalError::Damaged(format!("{id}: a case without events")))?;
    let mut seq = 0;
    for (stream_seq, event) in (expected + 1..).zip(events) {
        seq = append(db, id.as_str(), stream_seq, event.kind(), event, now)?;
        project::case_event(db, id, &case, event)?;
    }
    project::case(db, &case, seq)?;
    Ok(case)
}

/// Appends to the stream `system`.
pub(super) fn append_system(db: &Connection, event: &SystemEvent, now: Timestamp) -> Result<(), JournalError> {
    let last: Option<u64> = db
        .query_row("SELECT max(stream_seq) FROM events WHERE stream = ?", [SYSTEM], |row| row.get(0))
        .map_err(unavailable)?;
    append(db, SYSTEM, last.unwrap_or(0) + 1, event.kind(), event, now)?;
    project::system_event(db, event)
}

/// Appends to a restriction's stream, folds it, and brings its projection up to date.
pub(super) fn append_restriction(
    db: &Connection,
    id: &RestrictionId,
    expected: u64,
    events: &[RestrictionEvent],
    now: Timestamp,
) -> Result<Restriction, JournalError> {
    let actual = query::restriction(db, id)?.map_or(0, |restriction| restriction.seq);
    if actual != expected {
        return Err(JournalError::Conflict { stream: id.0.clone(), expected, actual });
    }
    for (stream_seq, event) in (expected + 1..).zip(events) {
        append(db, &id.0, stream_seq, event.kind(), event, now)?;
    }
    // Folded from what was written: an event that cannot follow takes all of it back.
    let folded = query::restriction(db, id)?;
    let folded = folded.ok_or_else(|| JournalError::Damaged(format!("{}: a restriction without events", id.0)))?;
    project::restriction(db, &folded)?;
    Ok(folded)
}

fn append<E: Serialize>(
    db: &Connection,
    stream: &str,
    stream_seq: u64,
    kind: &str,
    event: &E,
    now: Timestamp,
) -> Result<u64, JournalError> {
    let (last, prev) = head(db)?;
    let (at, body) = (now.to_string(), json(event)?);
    let row = Row { seq: last + 1, stream, stream_seq, at: &at, kind, version: VERSION, body: &body, prev: &prev };
    let hash = row.hash()?;
    db.prepare_cached(
        "INSERT INTO events (seq, stream, stream_seq, at, type, version, body, prev, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .and_then(|mut insert| insert.execute(params![row.seq, stream, stream_seq, at, kind, VERSION, body, prev, hash]))
    .map_err(unavailable)?;
    db.prepare_cached("INSERT OR REPLACE INTO heads (chain, seq, hash) VALUES ('journal', ?, ?)")
        .and_then(|mut insert| insert.execute(params![row.seq, hash]))
        .map_err(unavailable)?;
    Ok(row.seq)
}

/// The last row's sequence and hash, as the table itself has them; 0 and `""` where it is empty.
pub(super) fn head(db: &Connection) -> Result<(u64, String), JournalError> {
    let last = db
        .prepare_cached("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        .and_then(|mut select| select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional());
    Ok(last.map_err(unavailable)?.unwrap_or_default())
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, JournalError> {
    serde_json::to_string(value).map_err(|error| JournalError::Damaged(format!("cannot be written as JSON: {error}")))
}

//! Reading.

use super::{chain, unavailable};
use crate::case::{CaseEvent, CaseId, Summary, SystemEvent};
use crate::mapping::{Baseline, MappingKey};
use crate::ports::{Ballot, CardState, JournalError, Known, MappingKnown, Recorded};
use crate::restriction::{Restriction, RestrictionEvent, RestrictionId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

pub(super) fn history(db: &Connection, id: &CaseId) -> Result<Vec<Recorded<CaseEvent>>, JournalError> {
    history_after(db, id, 0)
}

/// A case's events after its first `seen`.
pub(super) fn history_after(db: &Connection, id: &CaseId, seen: u64) -> Result<Vec<Recorded<CaseEvent>>, JournalError> {
    stream(db, id.as_str(), seen)
}

pub(super) fn system(db: &Connection) -> Result<Vec<Recorded<SystemEvent>>, JournalError> {
    stream(db, chain::SYSTEM, 0)
}

fn stream<E: DeserializeOwned>(db: &Connection, stream: &str, seen: u64) -> Result<Vec<Recorded<E>>, JournalError> {
    let sql = "SELECT seq, at, body FROM events WHERE stream = ? AND stream_seq > ? ORDER BY stream_seq";
    let rows = list(db, sql, params![stream, seen], |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    rows.into_iter()
        .map(|(seq, at, body)| {
            let damaged = |error: &dyn std::fmt::Display| JournalError::Damaged(format!("event {seq}: {error}"));
            let at: Timestamp = at.parse().map_err(|error| damaged(&error))?;
            let event = serde_json::from_str(&body).map_err(|error| damaged(&error))?;
            Ok(Recorded { seq, at, event })
        })
        .collect()
}

/// The ids of all cases, in the order in which they began.
pub(super) fn streams(db: &Connection) -> Result<Vec<CaseId>, JournalError> {
    let sql = "SELECT stream FROM events WHERE stream LIKE 'sg-%' GROUP BY stream ORDER BY min(seq)";
    ids(&list(db, sql, [], |row| row.get(0))?)
}

pub(super) fn cases(db: &Connection) -> Result<Vec<Summary>, JournalError> {
    let rows: Vec<String> = list(db, "SELECT summary FROM cases ORDER BY opened_seq", [], |row| row.get(0))?;
    rows.iter().map(|row| parse(row)).collect()
}

pub(super) fn unfinished(db: &Connection) -> Result<Vec<CaseId>, JournalError> {
    ids(&list(db, "SELECT case_id FROM cases WHERE state <> 'closed' ORDER BY opened_seq", [], |row| row.get(0))?)
}

pub(super) fn known(db: &Connection, account: &str, region: &str, id: &str) -> Result<Option<Known>, JournalError> {
    let sql = "SELECT case_id FROM seen WHERE account = ? AND region = ? AND id = ?";
    let found: Option<Option<String>> = one(db, sql, params![account, region, id])?;
    found.map(|case| case.map_or(Ok(Known::Settled), |case| case_id(&case).map(Known::Case))).transpose()
}

pub(super) fn open_case_on(db: &Connection, mapping: &MappingKey) -> Result<Option<CaseId>, JournalError> {
    let sql = "SELECT case_id FROM open_mappings WHERE account = ? AND region = ? AND uuid = ?";
    let found: Option<String> = one(db, sql, params![mapping.account, mapping.region, mapping.uuid])?;
    found.map(|case| case_id(&case)).transpose()
}

pub(super) fn known_of(db: &Connection, mapping: &MappingKey) -> Result<MappingKnown, JournalError> {
    let case = match open_case_on(db, mapping)? {
        Some(open) => Some(open),
        None => cases_on(db, mapping)?.pop(),
    };
    Ok(MappingKnown { baseline: baseline(db, mapping)?, case })
}

pub(super) fn began(db: &Connection) -> Result<Option<Timestamp>, JournalError> {
    let sql = "SELECT at FROM events WHERE stream = 'system' AND type = 'started' ORDER BY stream_seq LIMIT 1";
    time(one(db, sql, [])?)
}

pub(super) fn watched(db: &Connection, account: &str, region: &str) -> Result<Option<Timestamp>, JournalError> {
    let sql = "SELECT body ->> 'since' FROM events WHERE stream = 'system' AND type = 'watched'
               AND body ->> 'account' = ? AND body ->> 'region' = ? ORDER BY stream_seq LIMIT 1";
    time(one(db, sql, [account, region])?)
}

fn time(text: Option<String>) -> Result<Option<Timestamp>, JournalError> {
    text.map(|text| text.parse().map_err(|_| JournalError::Damaged(format!("{text:?} is no time")))).transpose()
}

pub(super) fn cases_on(db: &Connection, mapping: &MappingKey) -> Result<Vec<CaseId>, JournalError> {
    let sql = "SELECT case_id FROM cases WHERE account = ? AND region = ? AND mapping_uuid = ? ORDER BY opened_seq";
    ids(&list(db, sql, params![mapping.account, mapping.region, mapping.uuid], |row| row.get(0))?)
}

/// `pair`: account, region, the function's ARN, the source's. By an index whose expressions these must be, word for word.
const OF_PAIR: &str =
    "account = ? AND region = ? AND summary ->> 'function_arn' = ? AND coalesce(summary ->> 'source_arn', '') = ?";

pub(super) fn last_of_pair() -> String {
    format!("SELECT case_id FROM cases WHERE {OF_PAIR} ORDER BY opened_seq DESC LIMIT 1")
}

pub(super) fn deleted_of_pair() -> String {
    let deletion = "instr(summary, '\"delete_mapping\"') > 0";
    format!("SELECT case_id FROM cases WHERE {OF_PAIR} AND {deletion} ORDER BY opened_seq DESC")
}

pub(super) fn last_case_of_pair(db: &Connection, pair: &[String; 4]) -> Result<Option<CaseId>, JournalError> {
    let found: Option<String> = one(db, &last_of_pair(), rusqlite::params_from_iter(pair))?;
    found.map(|case| case_id(&case)).transpose()
}

pub(super) fn deletions_of_pair(db: &Connection, pair: &[String; 4]) -> Result<Vec<CaseId>, JournalError> {
    ids(&list(db, &deleted_of_pair(), rusqlite::params_from_iter(pair), |row| row.get(0))?)
}

pub(super) fn baseline(db: &Connection, mapping: &MappingKey) -> Result<Option<Baseline>, JournalError> {
    let sql = "SELECT body FROM baselines WHERE account = ? AND region = ? AND uuid = ?";
    let found: Option<String> = one(db, sql, params![mapping.account, mapping.region, mapping.uuid])?;
    found.map(|body| parse(&body)).transpose()
}

pub(super) fn own_request(db: &Connection, request: &str) -> Result<Option<CaseId>, JournalError> {
    let found: Option<String> = one(db, "SELECT case_id FROM own_requests WHERE request_id = ?", [request])?;
    found.map(|case| case_id(&case)).transpose()
}

pub(super) fn findings_by(db: &Connection, principal: &str, since: Timestamp) -> Result<u32, JournalError> {
    let sql = "SELECT count(*) FROM cases WHERE principal = ? AND principal <> '' AND opened_at >= ? AND confirmed";
    one(db, sql, params![principal, since.to_string()]).map(Option::unwrap_or_default)
}

pub(super) fn wrong_of_last_ten(db: &Connection, account: &str) -> Result<u32, JournalError> {
    let sql = "SELECT count(*) FROM (SELECT outcome FROM cases WHERE account = ? AND decided AND state = 'closed'
               ORDER BY updated_at DESC LIMIT 10) WHERE outcome = 'restored'";
    one(db, sql, [account]).map(Option::unwrap_or_default)
}

pub(super) fn cast(db: &Connection, ballot: &Ballot) -> Result<(), JournalError> {
    let body = chain::json(ballot)?;
    db.execute("INSERT OR IGNORE INTO ballots (id, body) VALUES (?, ?)", [&ballot.id, &body]).map_err(unavailable)?;
    Ok(())
}

pub(super) fn ballots(db: &Connection) -> Result<Vec<Ballot>, JournalError> {
    let rows: Vec<String> = list(db, "SELECT body FROM ballots ORDER BY rowid", [], |row| row.get(0))?;
    rows.iter().map(|row| parse(row)).collect()
}

pub(super) fn settle(db: &Connection, id: &str) -> Result<(), JournalError> {
    db.execute("DELETE FROM ballots WHERE id = ?", [id]).map_err(unavailable)?;
    Ok(())
}

pub(super) fn refusal(db: &Connection, ballot: &str) -> Result<Option<String>, JournalError> {
    let sql = "SELECT body ->> 'why' FROM events WHERE stream = 'system' AND type = 'vote_refused'
               AND body ->> 'ballot' = ? ORDER BY seq DESC LIMIT 1";
    one(db, sql, [ballot])
}

pub(super) fn cards_behind(db: &Connection) -> Result<Vec<CardState>, JournalError> {
    let sql = "SELECT case_id, seq, shown, threaded FROM cards WHERE shown < seq OR threaded < seq
               ORDER BY opened_seq DESC";
    let rows = list(db, sql, [], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.into_iter()
        .map(|(id, seq, shown, threaded)| Ok(CardState { case_id: case_id(&id)?, seq, shown, threaded }))
        .collect()
}

pub(super) fn card_shown(db: &Connection, id: &CaseId, shown: u64, threaded: u64) -> Result<(), JournalError> {
    let sql = "UPDATE cards SET shown = ?, threaded = ? WHERE case_id = ?";
    db.execute(sql, params![shown, threaded, id.as_str()]).map_err(unavailable)?;
    Ok(())
}

pub(super) fn last_digest(db: &Connection) -> Result<Option<jiff::civil::Date>, JournalError> {
    let sql = "SELECT body ->> 'day' FROM events WHERE stream = 'system' AND type = 'digest'
               ORDER BY stream_seq DESC LIMIT 1";
    let day: Option<String> = one(db, sql, [])?;
    day.map(|day| day.parse().map_err(|_| JournalError::Damaged(format!("{day:?} is no day")))).transpose()
}

pub(super) fn case_of_code(db: &Connection, code: &str) -> Result<Option<CaseId>, JournalError> {
    let found: Option<String> = one(db, "SELECT case_id FROM codes WHERE code = ?", [code])?;
    found.map(|case| case_id(&case)).transpose()
}

/// The ids of all restrictions that have a stream.
pub(super) fn restriction_streams(db: &Connection) -> Result<Vec<RestrictionId>, JournalError> {
    let sql = "SELECT stream FROM events WHERE stream LIKE 'rs-%' GROUP BY stream ORDER BY min(seq)";
    Ok(list(db, sql, [], |row| row.get(0))?.into_iter().map(RestrictionId).collect())
}

pub(super) fn restriction(db: &Connection, id: &RestrictionId) -> Result<Option<Restriction>, JournalError> {
    let events = stream::<RestrictionEvent>(db, &id.0, 0)?;
    let folded = Restriction::fold(id, events.iter().map(|recorded| (&recorded.event, recorded.at)));
    folded.map_err(|error| JournalError::Damaged(error.to_string()))
}

pub(super) fn restrictions(db: &Connection) -> Result<Vec<Restriction>, JournalError> {
    let ids: Vec<String> =
        list(db, "SELECT id FROM restrictions WHERE NOT is_off ORDER BY rowid", [], |row| row.get(0))?;
    ids.into_iter().filter_map(|id| restriction(db, &RestrictionId(id)).transpose()).collect()
}

pub(super) fn length(db: &Connection) -> Result<u64, JournalError> {
    one(db, "SELECT coalesce(max(seq), 0) FROM events", []).map(Option::unwrap_or_default)
}

fn list<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, JournalError> {
    db.prepare_cached(sql).and_then(|mut select| select.query_map(params, read)?.collect()).map_err(unavailable)
}

fn one<T: rusqlite::types::FromSql>(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Option<T>, JournalError> {
    db.prepare_cached(sql)
        .and_then(|mut select| select.query_row(params, |row| row.get(0)).optional())
        .map_err(unavailable)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, JournalError> {
    serde_json::from_str(text).map_err(|error| JournalError::Damaged(error.to_string()))
}

fn case_id(text: &str) -> Result<CaseId, JournalError> {
    text.parse().map_err(JournalError::Damaged)
}

fn ids(texts: &[String]) -> Result<Vec<CaseId>, JournalError> {
    texts.iter().map(|text| case_id(text)).collect()
}

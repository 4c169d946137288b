//! The tables. `events` is the journal; all others are derived from it and can be rebuilt, but for `ballots` (votes on
//! their way) and `heads` (where the chain was last left).

use super::unavailable;
use crate::ports::JournalError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::time::Duration;

/// The version of the tables, kept in `PRAGMA user_version`.
const VERSION: i64 = 2;
/// More than there are statements, so that each is parsed once.
const STATEMENTS: usize = 64;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS events (
    seq        INTEGER PRIMARY KEY,      -- gapless, from 1
    stream     TEXT    NOT NULL,         -- a case's id, or 'system'
    stream_seq INTEGER NOT NULL,         -- gapless in the stream, from 1
    at         TEXT    NOT NULL,         -- RFC 3339, UTC
    type       TEXT    NOT NULL,
    version    INTEGER NOT NULL,         -- of the body's schema
    body       TEXT    NOT NULL,         -- JSON
    prev       TEXT    NOT NULL,         -- the hash of the row before; '' in the first
    hash       TEXT    NOT NULL,         -- SHA-256 over all of the above
    UNIQUE (stream, stream_seq)
);
CREATE TABLE IF NOT EXISTS heads (
    chain TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS cases (
    case_id TEXT PRIMARY KEY, state TEXT NOT NULL, outcome TEXT, account TEXT NOT NULL, region TEXT NOT NULL,
    mapping_uuid TEXT, principal TEXT NOT NULL, confirmed INTEGER NOT NULL, decided INTEGER NOT NULL,
    due_at TEXT, opened_at TEXT NOT NULL, updated_at TEXT NOT NULL, opened_seq INTEGER NOT NULL, summary TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS cases_by_state ON cases (state) WHERE state <> 'closed';
CREATE INDEX IF NOT EXISTS cases_by_mapping ON cases (mapping_uuid);
CREATE INDEX IF NOT EXISTS cases_by_pair ON cases
    (account, region, summary ->> 'function_arn', coalesce(summary ->> 'source_arn', ''), opened_seq);
CREATE INDEX IF NOT EXISTS deletions_by_pair ON cases
    (account, region, summary ->> 'function_arn', coalesce(summary ->> 'source_arn', ''), opened_seq)
    WHERE instr(summary, '\"delete_mapping\"') > 0;
CREATE INDEX IF NOT EXISTS cases_by_principal ON cases (principal, opened_at);
CREATE INDEX IF NOT EXISTS cases_by_account ON cases (account, updated_at) WHERE decided;
CREATE TABLE IF NOT EXISTS open_mappings (
    account TEXT NOT NULL, region TEXT NOT NULL, uuid TEXT NOT NULL, case_id TEXT NOT NULL,
    PRIMARY KEY (account, region, uuid)
);
CREATE TABLE IF NOT EXISTS seen (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, case_id TEXT,
    PRIMARY KEY (account, region, id)
);
CREATE TABLE IF NOT EXISTS baselines (
    account TEXT NOT NULL, region TEXT NOT NULL, uuid TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, uuid)
);
CREATE TABLE IF NOT EXISTS own_requests (
    request_id TEXT PRIMARY KEY, case_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS cards (
    case_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, opened_seq INTEGER NOT NULL,
    shown INTEGER NOT NULL DEFAULT 0, threaded INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS cards_behind ON cards (opened_seq) WHERE shown < seq OR threaded < seq;
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, case_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS restrictions (
    id TEXT PRIMARY KEY, principal TEXT NOT NULL, is_off INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ballots (
    id TEXT PRIMARY KEY, body TEXT NOT NULL
);
";

/// What is derived from the log.
pub(super) const DERIVED: [&str; 8] =
    ["cases", "open_mappings", "seen", "baselines", "own_requests", "cards", "codes", "restrictions"];

/// Sets the connection up and makes what is missing. Each commit reaches the disk, and the proof of a settled vote
/// leaves no trace in a free page.
pub(super) fn prepare(db: &Connection) -> Result<(), JournalError> {
    db.busy_timeout(Duration::from_secs(10)).map_err(unavailable)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(unavailable)?;
    if mode != "wal" {
        return Err(JournalError::Unavailable(format!(
            "this file system does not let SQLite keep a write-ahead log (journal mode {mode})"
        )));
    }
    // The thread checkpoints between commits; SQLite's own, within a commit, is left for a log that grows all the same.
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 16000")
        .map_err(unavailable)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unavailable)?;
    if found > VERSION {
        return Err(JournalError::Unavailable(format!(
            "it was written by a newer sluicegate (tables of version {found}, this one knows {VERSION})"
        )));
    }
    if found < VERSION {
        make(db)?;
    }
    Ok(())
}

/// Makes the tables, and derives again what is derived from a journal of an earlier version, for there are new ones to
/// fill: all of it or nothing, so that one that ends meanwhile leaves no table half full under the new version.
fn make(db: &Connection) -> Result<(), JournalError> {
    let made = Transaction::new_unchecked(db, TransactionBehavior::Immediate).map_err(unavailable)?;
    // Another process may have done it a moment ago.
    let found: i64 = made.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unavailable)?;
    if found < VERSION {
        made.execute_batch(&format!("{TABLES} PRAGMA user_version = {VERSION}")).map_err(unavailable)?;
        if found > 0 {
            for broken in super::project::rebuild(&made)? {
                tracing::error!(broken, "a case of the journal's earlier version cannot be read");
            }
        }
    }
    made.commit().map_err(unavailable)
}

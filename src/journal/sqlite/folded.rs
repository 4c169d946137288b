//! Cases as they were last folded, so that a long case costs no more with each event. The journal's thread keeps them;
//! one counts only as far as the log still has the very row that it was folded up to.

use super::{query, unavailable};
use crate::case::{Case, CaseId};
use crate::ports::JournalError;
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::RefCell;
use std::collections::HashMap;

/// How many cases are kept; beyond that all are let go, and are folded again when they are asked for.
const KEPT: usize = 256;

thread_local! {
    static FOLDED: RefCell<HashMap<CaseId, (Case, String)>> = RefCell::default();
}

/// The case after all of its events; `None` where it has none.
pub(super) fn case(db: &Connection, id: &CaseId) -> Result<Option<Case>, JournalError> {
    let kept = FOLDED.with_borrow_mut(|all| all.remove(id));
    let kept = match kept {
        Some((case, hash)) if hash_at(db, id, case.seq)?.as_ref() == Some(&hash) => Some(case),
        _ => None,
    };
    let after = kept.as_ref().map_or(0, |case| case.seq);
    let events = query::history_after(db, id, after)?;
    let mut case = kept;
    for recorded in &events {
        let folded = match case {
            None => Case::begin(&recorded.event, recorded.at),
            Some(mut case) => case.apply(&recorded.event, recorded.at).map(|()| case),
        };
        case = Some(folded.map_err(|error| JournalError::Damaged(error.to_string()))?);
    }
    if let Some(case) = &case
        && let Some(hash) = hash_at(db, id, case.seq)?
    {
        FOLDED.with_borrow_mut(|all| {
            if all.len() >= KEPT {
                all.clear();
            }
            all.insert(id.clone(), (case.clone(), hash));
        });
    }
    Ok(case)
}

fn hash_at(db: &Connection, id: &CaseId, stream_seq: u64) -> Result<Option<String>, JournalError> {
    db.prepare_cached("SELECT hash FROM events WHERE stream = ? AND stream_seq = ?")
        .and_then(|mut select| select.query_row(params![id.as_str(), stream_seq], |row| row.get(0)).optional())
        .map_err(unavailable)
}

//! What is derived from the log, in the same transaction as the append.

use super::{chain, query, schema, unavailable};
use crate::case::{Case, CaseEvent, CaseId, Evidence, FoundMapping, Provenance, State, Summary, SystemEvent};
use crate::detection::Finding;
use crate::mapping::{Baseline, MappingKey};
use crate::ports::{JournalError, Recorded};
use crate::restriction::{Restriction, RestrictionState};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// How an unreadable message stands in `seen`: no account has this name.
const MESSAGE: &str = "message";

/// Brings `cases` up to date; `seq` is the row that did it.
pub(super) fn case(db: &Connection, case: &Case, seq: u64) -> Result<(), JournalError> {
    let summary = Summary::of(case);
    let finding = &case.opened.finding;
    let name = |value: serde_json::Value| value.as_str().map(str::to_owned);
    let state = serde_json::to_value(case.state).ok().and_then(name);
    let outcome = serde_json::to_value(case.outcome).ok().and_then(name);
    let due = (!matches!(case.state, State::Closed | State::AwaitingDecision)).then(|| case.updated_at.to_string());
    db.prepare_cached(
        "INSERT INTO cases (case_id, state, outcome, account, region, mapping_uuid, principal, confirmed, decided,
                            due_at, opened_at, updated_at, opened_seq, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (case_id) DO UPDATE SET state = ?2, outcome = ?3, mapping_uuid = ?6, confirmed = ?8,
                            decided = ?9, due_at = ?10, updated_at = ?12, summary = ?14",
    )
    .and_then(|mut upsert| {
        upsert.execute(params![
            case.id.as_str(),
            state,
            outcome,
            finding.account,
            finding.region,
            case.mapping.as_ref().map(|mapping| &mapping.uuid),
            finding.actor.principal_arn,
            case.provenance == Provenance::Confirmed,
            case.approved.is_some(),
            due,
            case.opened_at.to_string(),
            case.updated_at.to_string(),
            seq,
            chain::json(&summary).unwrap_or_default(),
        ])
    })
    .map_err(unavailable)?;
    db.prepare_cached(
        "INSERT INTO cards (case_id, seq, opened_seq) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id) DO UPDATE SET seq = ?2",
    )
    .and_then(|mut upsert| upsert.execute(params![case.id.as_str(), case.seq, seq]))
    .map_err(unavailable)?;
    Ok(())
}

/// Brings `restrictions` up to date.
pub(super) fn restriction(db: &Connection, restriction: &Restriction) -> Result<(), JournalError> {
    let off = restriction.state == RestrictionState::Off;
    db.prepare_cached(
        "INSERT INTO restrictions (id, principal, is_off) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET is_off = ?3",
    )
    .and_then(|mut upsert| upsert.execute(params![restriction.id.0, restriction.principal.arn, off]))
    .map_err(unavailable)?;
    Ok(())
}

/// Brings everything else up to date after one event of `case`.
pub(super) fn case_event(db: &Connection, id: &CaseId, case: &Case, event: &CaseEvent) -> Result<(), JournalError> {
    match event {
        CaseEvent::Opened(opened) => {
            see(db, &opened.finding, Some(id))?;
            opened.mapping.as_ref().map_or(Ok(()), |mapping| occupy(db, mapping, id))
        }
        CaseEvent::Joined { finding, .. } => see(db, finding, Some(id)),
        CaseEvent::Recreated { finding, mapping, .. } => {
            see(db, finding, Some(id))?;
            occupy(db, mapping, id)
        }
        CaseEvent::Evidence(Evidence::MappingFound { mapping }) => occupy(db, mapping, id),
        CaseEvent::Approved { .. } => case.mapping.as_ref().map_or(Ok(()), |mapping| occupy(db, mapping, id)),
        CaseEvent::ConfirmationAsked { code, .. } => {
            let insert = "INSERT OR IGNORE INTO codes (code, case_id) VALUES (?, ?)";
            db.execute(insert, params![code, id.as_str()]).map_err(unavailable)?;
            Ok(())
        }
        CaseEvent::OwnCallSeen { event_id, .. } => {
            seen(db, &case.opened.finding.account, &case.opened.finding.region, event_id, Some(id))
        }
        CaseEvent::StepTried { request_id: Some(request), .. } => own(db, request, id),
        CaseEvent::StepSucceeded { request_ids, .. } | CaseEvent::StepUndone { request_ids, .. } => {
            request_ids.iter().try_for_each(|request| own(db, request, id))
        }
        CaseEvent::Closed { baseline: accepted, .. } => {
            db.execute("DELETE FROM open_mappings WHERE case_id = ?", [id.as_str()]).map_err(unavailable)?;
            match (&case.mapping, accepted) {
                (Some(mapping), Some(accepted)) => baseline(db, mapping, accepted),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Brings everything up to date after an event of the stream `system`.
pub(super) fn system_event(db: &Connection, event: &SystemEvent) -> Result<(), JournalError> {
    match event {
        SystemEvent::Allowed { finding, mapping, baseline: accepted, .. } => {
            see(db, finding, None)?;
            match (mapping, accepted) {
                (Some(mapping), Some(accepted)) => baseline(db, mapping, accepted),
                _ => Ok(()),
            }
        }
        SystemEvent::Unreadable { message_id, .. } => seen(db, MESSAGE, "", message_id, None),
        SystemEvent::Found { mappings, replaces, .. } => mappings.iter().try_for_each(|one| {
            if news(db, one, *replaces)? { baseline(db, &one.mapping, &one.baseline) } else { Ok(()) }
        }),
        _ => Ok(()),
    }
}

/// Whether a mapping that was found is one of which nothing is accepted, or only what is older and to be replaced.
fn news(db: &Connection, found: &FoundMapping, replaces: bool) -> Result<bool, JournalError> {
    let known = query::baseline(db, &found.mapping)?;
    Ok(known.is_none_or(|known| replaces && known.since <= found.baseline.since && known != found.baseline))
}

/// Whether the log has it already, so that it is not written twice.
pub(super) fn recorded_before(db: &Connection, event: &SystemEvent) -> Result<bool, JournalError> {
    if let SystemEvent::Found { mappings, replaces, .. } = event {
        for found in mappings {
            if news(db, found, *replaces)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let known = match event {
        SystemEvent::Allowed { finding, .. } => query::known(db, &finding.account, &finding.region, &finding.event.id)?,
        SystemEvent::Unreadable { message_id, .. } => query::known(db, MESSAGE, "", message_id)?,
        _ => None,
    };
    Ok(known.is_some())
}

/// Derives everything again from the log; gives the cases that cannot be, and why: the others go on.
pub(super) fn rebuild(db: &Connection) -> Result<Vec<String>, JournalError> {
    let mut broken = Vec::new();
    for table in schema::DERIVED {
        db.execute(&format!("DELETE FROM {table}"), []).map_err(unavailable)?;
    }
    for id in query::restriction_streams(db)? {
        match query::restriction(db, &id) {
            Ok(Some(folded)) => restriction(db, &folded)?,
            Ok(None) => {}
            Err(JournalError::Damaged(why)) => broken.push(why),
            Err(error) => return Err(error),
        }
    }
    let mut system = query::system(db)?.into_iter().peekable();
    let mut cases = HashMap::new();
    for id in query::streams(db)? {
        match whole(db, &id) {
            Ok((Some(folded), history)) => {
                case(db, &folded, history.first().map_or(0, |first| first.seq))?;
                cases.insert(id, (folded, history));
            }
            Ok((None, _)) => {}
            Err(JournalError::Damaged(why)) => broken.push(why),
            Err(error) => return Err(error),
        }
    }
    // In the order in which it was written: of two things about one mapping the later one counts.
    let mut all: Vec<_> = cases
        .iter()
        .flat_map(|(id, (folded, history))| history.iter().map(move |recorded| (recorded.seq, id, folded, recorded)))
        .collect();
    all.sort_by_key(|(seq, ..)| *seq);
    for (seq, id, folded, recorded) in all {
        while let Some(earlier) = system.next_if(|event| event.seq < seq) {
            system_event(db, &earlier.event)?;
        }
        case_event(db, id, folded, &recorded.event)?;
    }
    system.try_for_each(|event| system_event(db, &event.event))?;
    Ok(broken)
}

type History = Vec<Recorded<CaseEvent>>;

/// A case and its events.
fn whole(db: &Connection, id: &CaseId) -> Result<(Option<Case>, History), JournalError> {
    let history = query::history(db, id)?;
    let events = history.iter().map(|recorded| (&recorded.event, recorded.at));
    let folded = Case::fold(events).map_err(|error| JournalError::Damaged(error.to_string()))?;
    Ok((folded, history))
}

fn see(db: &Connection, finding: &Finding, case: Option<&CaseId>) -> Result<(), JournalError> {
    seen(db, &finding.account, &finding.region, &finding.event.id, case)
}

fn seen(db: &Connection, account: &str, region: &str, id: &str, case: Option<&CaseId>) -> Result<(), JournalError> {
    db.prepare_cached("INSERT OR REPLACE INTO seen (account, region, id, case_id) VALUES (?, ?, ?, ?)")
        .and_then(|mut insert| insert.execute(params![account, region, id, case.map(CaseId::as_str)]))
        .map_err(unavailable)?;
    Ok(())
}

fn occupy(db: &Connection, mapping: &MappingKey, case: &CaseId) -> Result<(), JournalError> {
    db.prepare_cached("INSERT OR IGNORE INTO open_mappings (account, region, uuid, case_id) VALUES (?, ?, ?, ?)")
        .and_then(|mut insert| insert.execute(params![mapping.account, mapping.region, mapping.uuid, case.as_str()]))
        .map_err(unavailable)?;
    Ok(())
}

fn baseline(db: &Connection, mapping: &MappingKey, accepted: &Baseline) -> Result<(), JournalError> {
    let body = chain::json(accepted)?;
    db.prepare_cached("INSERT OR REPLACE INTO baselines (account, region, uuid, body) VALUES (?, ?, ?, ?)")
        .and_then(|mut insert| insert.execute(params![mapping.account, mapping.region, mapping.uuid, body]))
        .map_err(unavailable)?;
    Ok(())
}

fn own(db: &Connection, request: &str, case: &CaseId) -> Result<(), JournalError> {
    db.prepare_cached("INSERT OR IGNORE INTO own_requests (request_id, case_id) VALUES (?, ?)")
        .and_then(|mut insert| insert.execute(params![request, case.as_str()]))
        .map_err(unavailable)?;
    Ok(())
}

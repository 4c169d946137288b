//! The journal: what is derived from it is the same, whenever it is derived.

use crate::common::{finding, key, note, opened, snapshot, verdict};
use jiff::Timestamp;
use sluicegate::case::{CaseEvent, Outcome, SystemEvent, baseline};
use sluicegate::clock::SystemClock;
use sluicegate::journal::SqliteJournal;
use sluicegate::policy::Response;
use sluicegate::ports::{Journal, Opening};
use std::sync::Arc;
use tempfile::TempDir;

#[tokio::test]
async fn the_last_accepted_configuration_is_the_last_one_after_a_rebuild_too() {
    let dir = TempDir::new().unwrap();
    let journal = SqliteJournal::open(&dir.path().join("j.db"), Arc::new(SystemClock), true).unwrap();
    let accepted = |by: &str| Some(Box::new(baseline::of(&snapshot(1, "Enabled"), Timestamp::now(), by.to_owned())));
    let Opening::Opened(case) = journal.open(&opened("e1", 1), &[]).await.unwrap() else { panic!("known") };
    let closed = CaseEvent::Closed { outcome: Outcome::Left, baseline: accepted("a decision") };
    journal.append(&case.id, 1, &[closed]).await.unwrap();
    let allowed = SystemEvent::Allowed {
        finding: Box::new(finding("e2", 1)),
        verdict: Box::new(verdict(Response::Leave)),
        mapping: Some(key(1)),
        baseline: accepted("an update after it"),
    };
    journal.record(&allowed).await.unwrap();
    let before = journal.baseline(&key(1)).await.unwrap();
    journal.rebuild().await.unwrap();
    assert_eq!(journal.baseline(&key(1)).await.unwrap(), before);
}

#[tokio::test]
async fn a_case_that_grows_and_grows_does_not_slow_the_journal_down() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("j.db");
    let journal = SqliteJournal::open(&path, Arc::new(SystemClock), true).unwrap();
    let Opening::Opened(case) = journal.open(&opened("e1", 1), &[]).await.unwrap() else { panic!("known") };
    let long: Vec<CaseEvent> = (0..20_000).map(|n| note(&n.to_string())).collect();
    let mut seq = journal.append(&case.id, 1, &long).await.unwrap().seq;
    let began = std::time::Instant::now();
    for _ in 0..100 {
        seq = journal.append(&case.id, seq, &[note("one more")]).await.unwrap().seq;
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    // What another process wrote is seen, and what is not there any more is not.
    let other = SqliteJournal::open(&path, Arc::new(SystemClock), false).unwrap();
    other.append(&case.id, seq, &[note("another's")]).await.unwrap();
    assert_eq!(journal.case(&case.id).await.unwrap().unwrap().seq, seq + 1);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("DELETE FROM events WHERE stream_seq > 3 AND stream = ?", [case.id.as_str()]).unwrap();
    assert_eq!(journal.case(&case.id).await.unwrap().unwrap().seq, 3);
}

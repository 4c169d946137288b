//! The contract of the port `Journal`, on `SQLite`.

use crate::common::{key, note, opened};
use jiff::Timestamp;
use rusqlite::Connection;
use sluicegate::case::{CaseEvent, CaseId, Decision, FoundMapping, Mode, Outcome, State, SystemEvent};
use sluicegate::clock::SystemClock;
use sluicegate::journal::SqliteJournal;
use sluicegate::mapping::Baseline;
use sluicegate::ports::{AwsProof, Ballot, Journal, JournalError, Known, MappingKnown, Opening, Proof};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn open(dir: &TempDir) -> SqliteJournal {
    SqliteJournal::open(&file(dir), Arc::new(SystemClock), true).unwrap()
}

fn file(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("journal.db")
}

fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

async fn begin(journal: &SqliteJournal, event: &str, n: u32) -> CaseId {
    match journal.open(&opened(event, n), &[]).await.unwrap() {
        Opening::Opened(case) => case.id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_event_opens_one_case_however_often_it_comes() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    for _ in 0..4 {
        let again = journal.open(&opened("e1", 1), &[]).await.unwrap();
        assert_eq!(again, Opening::Known(Known::Case(id.clone())));
    }
    assert_eq!(journal.cases().await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_at_once_open_one_case() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let tries = (0..16).map(|_| {
        let journal = journal.clone();
        tokio::spawn(async move { journal.open(&opened("e1", 1), &[]).await.unwrap() })
    });
    let mut made = 0;
    for task in tries {
        made += usize::from(matches!(task.await.unwrap(), Opening::Opened(_)));
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_mapping_has_one_open_case_and_a_new_one_after_it_is_closed() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let first = begin(&journal, "e1", 1).await;
    assert_eq!(journal.open(&opened("e2", 1), &[]).await.unwrap(), Opening::Busy(first.clone()));
    assert_eq!(journal.open_case_on(&key(1)).await.unwrap(), Some(first.clone()));
    let closed = CaseEvent::Closed { outcome: Outcome::Contained, baseline: None };
    journal.append(&first, 1, &[closed]).await.unwrap();
    assert_eq!(journal.open_case_on(&key(1)).await.unwrap(), None);
    let second = begin(&journal, "e2", 1).await;
    assert_eq!(journal.cases_on(&key(1)).await.unwrap(), [first, second]);
}

#[tokio::test]
async fn an_append_needs_the_sequence_that_is_there() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    let stale = journal.append(&id, 0, &[note("x")]).await.unwrap_err();
    assert!(matches!(stale, JournalError::Conflict { expected: 0, actual: 1, .. }), "{stale}");
    assert_eq!(journal.append(&id, 1, &[note("x"), note("y")]).await.unwrap().seq, 3);
    assert_eq!(journal.history(&id).await.unwrap().len(), 3);
}

#[tokio::test]
async fn of_two_who_append_at_once_one_is_told() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    let events = [note("one")];
    let (one, two) = tokio::join!(journal.append(&id, 1, &events), async {
        // A second handle, as another process has one.
        let other = SqliteJournal::open(&file(&dir), Arc::new(SystemClock), false).unwrap();
        other.append(&id, 1, &[note("two")]).await
    });
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
}

#[tokio::test]
async fn an_append_is_written_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    let twice = CaseEvent::Closed { outcome: Outcome::Left, baseline: None };
    let refused = journal.append(&id, 1, &[note("x"), twice.clone(), twice]).await;
    assert!(matches!(refused, Err(JournalError::Damaged(_))));
    assert_eq!(journal.history(&id).await.unwrap().len(), 1);
    assert_eq!(journal.case(&id).await.unwrap().unwrap().state, State::Containing);
}

#[tokio::test]
async fn the_sequence_is_gapless_and_the_chain_holds_under_many_writers() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let id = begin(&journal, &format!("e{n}"), n).await;
                journal.append(&id, 1, &[note("a"), note("b")]).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let audit = journal.audit().await.unwrap();
    assert_eq!((audit.rows, audit.damage.as_slice()), (120, [].as_slice()));
    let (rows, last): (i64, i64) = raw(&file(&dir))
        .query_row("SELECT count(*), max(rowid) FROM events", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((rows, last), (120, 120));
}

#[tokio::test]
async fn a_changed_an_inserted_and_a_deleted_row_show_the_last_one_too() {
    let harm = [
        "UPDATE events SET body = replace(body, 'b', 'c') WHERE seq = 2",
        "UPDATE events SET at = '2020-01-01T00:00:00Z' WHERE seq = 1",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events WHERE seq = 3",
        "INSERT INTO events SELECT 4, stream, 4, at, type, version, body, hash, hash FROM events WHERE seq = 3",
    ];
    for sql in harm {
        let dir = TempDir::new().unwrap();
        let journal = open(&dir);
        let id = begin(&journal, "e1", 1).await;
        journal.append(&id, 1, &[note("b"), note("b")]).await.unwrap();
        assert!(journal.audit().await.unwrap().damage.is_empty());
        raw(&file(&dir)).execute_batch(sql).unwrap();
        assert!(!journal.audit().await.unwrap().damage.is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_cut_tail_is_said_once_and_stays_said() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    journal.append(&id, 1, &[note("b"), note("c")]).await.unwrap();
    assert_eq!(journal.settle_damage().await.unwrap(), None);
    raw(&file(&dir)).execute_batch("DELETE FROM events WHERE seq > 1").unwrap();
    assert!(journal.settle_damage().await.unwrap().unwrap().contains("the last 2 rows are missing"));
    assert_eq!(journal.settle_damage().await.unwrap(), None);
    assert_eq!(journal.case(&id).await.unwrap().unwrap().seq, 1);
    journal.append(&id, 1, &[note("d")]).await.unwrap();
    assert!(!journal.audit().await.unwrap().damage.is_empty());
}

#[tokio::test]
async fn what_is_derived_can_be_derived_again() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    let other = begin(&journal, "e2", 2).await;
    journal.append(&other, 1, &[CaseEvent::Closed { outcome: Outcome::Left, baseline: None }]).await.unwrap();
    let before = (journal.cases().await.unwrap(), journal.unfinished().await.unwrap());
    raw(&file(&dir))
        .execute_batch(
            "DELETE FROM cases; DELETE FROM seen; DELETE FROM open_mappings;
        UPDATE heads SET hash = 'x'",
        )
        .unwrap();
    assert!(journal.settle_damage().await.unwrap().is_some());
    assert_eq!((journal.cases().await.unwrap(), journal.unfinished().await.unwrap()), before);
    assert_eq!(journal.open_case_on(&key(1)).await.unwrap(), Some(id.clone()));
    assert_eq!(journal.open_case_on(&key(2)).await.unwrap(), None);
    let known = journal.known("111122223333", "eu-west-1", "e1").await.unwrap();
    assert_eq!(known, Some(Known::Case(id)));
}

#[tokio::test]
async fn what_belongs_to_no_case_is_written_once() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let event =
        SystemEvent::Unreadable { message_id: "m1".into(), error: "line 1".into(), sha256: "0".into(), bytes: 3 };
    journal.record(&event).await.unwrap();
    journal.record(&event).await.unwrap();
    assert_eq!(journal.audit().await.unwrap().rows, 1);
}

#[tokio::test]
async fn one_worker_a_journal() {
    let dir = TempDir::new().unwrap();
    let (journal, other) = (open(&dir), open(&dir));
    let lock = journal.lock_worker().unwrap();
    assert!(lock.is_some());
    assert!(other.lock_worker().unwrap().is_none());
    drop(lock);
    assert!(other.lock_worker().unwrap().is_some());
}

#[tokio::test]
async fn a_vote_waits_until_it_is_settled() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let ballot = Ballot {
        id: "b1".into(),
        case_id: begin(&journal, "e1", 1).await,
        decision: Decision::Keep,
        plan: "p".into(),
        reason: "r".into(),
        proof: Proof::Aws(AwsProof { host: "sts".into(), headers: vec![("authorization".into(), "secret".into())] }),
        confirms: None,
    };
    journal.cast(&ballot).await.unwrap();
    assert_eq!(journal.ballots().await.unwrap(), std::slice::from_ref(&ballot));
    assert!(!format!("{ballot:?}").contains("secret"));
    journal.settle("b1").await.unwrap();
    assert_eq!(journal.ballots().await.unwrap(), []);
    assert_eq!(journal.refusal("b1").await.unwrap(), None);
}

#[tokio::test]
async fn a_journal_that_is_not_there_is_said_so() {
    let dir = TempDir::new().unwrap();
    let missing = SqliteJournal::open(&dir.path().join("none.db"), Arc::new(SystemClock), false);
    let error = missing.err().expect("it must not be made").to_string();
    assert!(error.contains("none.db") && error.contains("sluicegate run"), "{error}");
    let nowhere = SqliteJournal::open(&dir.path().join("no/such/dir.db"), Arc::new(SystemClock), true);
    assert!(matches!(nowhere.err(), Some(JournalError::Unavailable(_))));
}

#[tokio::test]
async fn what_comes_after_the_end_is_refused_and_the_file_alone_is_the_journal() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    begin(&journal, "e1", 1).await;
    journal.close().await.unwrap();
    let late = journal.record(&SystemEvent::Alarm { what: "late".into() }).await;
    assert!(matches!(late, Err(JournalError::Unavailable(_))), "{late:?}");
    assert!(journal.close().await.is_err());
    let log = file(&dir).with_extension("db-wal");
    assert!(!log.exists() || std::fs::metadata(&log).unwrap().len() == 0);
    let again = open(&dir);
    assert_eq!((again.length().await.unwrap(), again.audit().await.unwrap().damage.len()), (1, 0));
}

#[tokio::test]
async fn only_one_table_is_named_after_its_rows_and_all_else_can_be_read_by_rowid() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    begin(&journal, "e1", 1).await;
    journal.checkpoint().await.unwrap();
    let db = raw(&file(&dir));
    let tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name LIKE '%event%'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(tables, 1);
    let kind: String = db.query_row("SELECT type FROM events WHERE rowid = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(kind, "opened");
    let at: String = db.query_row("SELECT at FROM events WHERE rowid = 1", [], |row| row.get(0)).unwrap();
    assert!(at.parse::<Timestamp>().is_ok());
}

#[tokio::test]
async fn a_case_that_makes_no_sense_does_not_hold_up_the_others() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let broken = begin(&journal, "e1", 1).await;
    journal.append(&broken, 1, &[note("b"), note("c")]).await.unwrap();
    let whole = begin(&journal, "e2", 2).await;
    raw(&file(&dir)).execute_batch("DELETE FROM events WHERE seq = 1; UPDATE heads SET hash = 'x'").unwrap();
    drop(journal);
    let journal = open(&dir);
    let found = journal.settle_damage().await.unwrap().unwrap();
    assert!(found.contains("a case begins with opened"), "{found}");
    assert_eq!(journal.unfinished().await.unwrap(), [whole]);
}

/// Makes it what the version before cards, codes and restrictions left.
fn of_the_first_version(path: &Path) {
    let old = "DROP TABLE cards; DROP TABLE codes; DROP TABLE restrictions; DROP INDEX cases_by_pair;
               PRAGMA user_version = 1";
    raw(path).execute_batch(old).unwrap();
}

#[tokio::test]
async fn a_journal_of_the_first_version_is_taken_up_whole() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let (open_one, closed) = (begin(&journal, "e1", 1).await, begin(&journal, "e2", 2).await);
    journal.append(&closed, 1, &[CaseEvent::Closed { outcome: Outcome::Contained, baseline: None }]).await.unwrap();
    drop(journal);
    of_the_first_version(&file(&dir));
    let journal = open(&dir);
    assert_eq!(journal.unfinished().await.unwrap(), std::slice::from_ref(&open_one));
    assert_eq!(journal.open_case_on(&key(1)).await.unwrap(), Some(open_one.clone()));
    let again = journal.open(&opened("e2", 2), &[]).await.unwrap();
    assert_eq!(again, Opening::Known(Known::Case(closed.clone())));
    let behind = journal.cards_behind().await.unwrap();
    let behind: Vec<_> = behind.iter().map(|card| (card.case_id.clone(), card.seq, card.shown)).collect();
    assert_eq!(behind, [(closed, 2, 0), (open_one.clone(), 1, 0)]);
    assert_eq!(journal.append(&open_one, 1, &[note("x")]).await.unwrap().seq, 2);
    assert_eq!((journal.settle_damage().await.unwrap(), journal.audit().await.unwrap().damage), (None, vec![]));
}

#[tokio::test]
async fn a_journal_whose_upgrade_failed_half_way_is_upgraded_again() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let id = begin(&journal, "e1", 1).await;
    journal.record(&SystemEvent::Alarm { what: "x".into() }).await.unwrap();
    drop(journal);
    of_the_first_version(&file(&dir));
    let spoil = "UPDATE events SET body = 'x' || body WHERE stream = 'system'";
    raw(&file(&dir)).execute_batch(spoil).unwrap();
    for _ in 0..2 {
        let failed = SqliteJournal::open(&file(&dir), Arc::new(SystemClock), true).err();
        assert!(matches!(failed, Some(JournalError::Damaged(_))), "{failed:?}");
    }
    raw(&file(&dir)).execute_batch("UPDATE events SET body = substr(body, 2) WHERE stream = 'system'").unwrap();
    let journal = open(&dir);
    assert_eq!(journal.open_case_on(&key(1)).await.unwrap(), Some(id));
    assert_eq!(journal.cards_behind().await.unwrap().len(), 1);
}

fn accepted(since: i64, by: &str) -> Baseline {
    let snapshot = crate::common::snapshot(1, "Enabled");
    Baseline {
        function: snapshot.function,
        source: snapshot.source,
        enabled: true,
        wiring: snapshot.wiring,
        since: Timestamp::from_second(since).unwrap(),
        accepted_by: by.into(),
        found_at: None,
    }
}

fn found(of: &[(u32, i64)], by: &str, replaces: bool) -> SystemEvent {
    let mapping = |(n, since): &(u32, i64)| FoundMapping { mapping: key(*n), baseline: accepted(*since, by) };
    SystemEvent::Found { mappings: of.iter().map(mapping).collect(), why: "test".into(), replaces }
}

#[tokio::test]
async fn a_found_mapping_is_known_from_then_on_and_takes_no_place_but_of_what_is_older() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    journal.record(&found(&[(1, 100), (2, 100)], "first", false)).await.unwrap();
    let by = async |n| journal.baseline(&key(n)).await.unwrap().map(|known| known.accepted_by);
    // Nothing new in it: it is not written. With one that is new, the others stay as they are.
    journal.record(&found(&[(1, 200), (2, 200)], "second", false)).await.unwrap();
    assert_eq!(journal.length().await.unwrap(), 1);
    journal.record(&found(&[(1, 200), (3, 200)], "third", false)).await.unwrap();
    assert_eq!((by(1).await.unwrap(), by(3).await.unwrap()), ("first".to_owned(), "third".to_owned()));
    journal.record(&found(&[(1, 99)], "older", true)).await.unwrap();
    assert_eq!((by(1).await.unwrap(), journal.length().await.unwrap()), ("first".to_owned(), 2));
    for _ in 0..2 {
        journal.record(&found(&[(1, 300)], "newer", true)).await.unwrap();
    }
    assert_eq!((by(1).await.unwrap(), journal.length().await.unwrap()), ("newer".to_owned(), 3));
    // Derived again it is the same.
    let before = (by(1).await, by(2).await, by(3).await, by(4).await);
    assert!(journal.rebuild().await.unwrap().is_empty());
    assert_eq!((by(1).await, by(2).await, by(3).await, by(4).await), before);
    assert!(journal.audit().await.unwrap().damage.is_empty());
}

#[tokio::test]
async fn what_is_known_of_mappings_comes_in_their_order() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    let first = begin(&journal, "e1", 1).await;
    journal.append(&first, 1, &[CaseEvent::Closed { outcome: Outcome::Contained, baseline: None }]).await.unwrap();
    let second = begin(&journal, "e2", 1).await;
    let third = begin(&journal, "e3", 3).await;
    journal.append(&third, 1, &[CaseEvent::Closed { outcome: Outcome::Contained, baseline: None }]).await.unwrap();
    journal.record(&found(&[(2, 100), (3, 100)], "x", false)).await.unwrap();
    let known = journal.known_of(&[key(3), key(4), key(1), key(2)]).await.unwrap();
    let of = |known: &MappingKnown| (known.baseline.is_some(), known.case.clone());
    let wanted = [(true, Some(third)), (false, None), (false, Some(second)), (true, None)];
    assert_eq!(known.iter().map(of).collect::<Vec<_>>(), wanted);
    assert!(journal.known_of(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_beginning_is_the_first_and_a_region_is_watched_from_when_it_first_was() {
    let dir = TempDir::new().unwrap();
    let journal = open(&dir);
    assert_eq!((journal.began().await.unwrap(), journal.watched("1", "r").await.unwrap()), (None, None));
    let before = Timestamp::now();
    for worker in ["one", "two"] {
        let started = SystemEvent::Started { worker: worker.into(), identity: "x".into(), mode: Mode::Observe };
        journal.record(&started).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let began = journal.began().await.unwrap().unwrap();
    assert!(began >= before);
    for (region, second) in [("r", 100), ("s", 200), ("r", 300)] {
        let since = Timestamp::from_second(second).unwrap();
        let watched = SystemEvent::Watched { account: "1".into(), region: region.into(), since };
        journal.record(&watched).await.unwrap();
    }
    for (account, region, second) in [("1", "r", Some(100)), ("1", "s", Some(200)), ("2", "r", None)] {
        let since = journal.watched(account, region).await.unwrap();
        assert_eq!(since.map(Timestamp::as_second), second, "{account} {region}");
    }
    assert_eq!(journal.began().await.unwrap(), Some(began));
}

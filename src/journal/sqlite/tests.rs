//! The journal's thread, driven by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::*;

#[test]
fn without_a_transaction_nothing_is_written() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("j.db");
    let db = Connection::open(&path).unwrap();
    schema::prepare(&db).unwrap();
    db.busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (inbox, work) = mpsc::channel();
    let (told, answers) = mpsc::channel();
    // The other process is done just after this one gave up waiting for it.
    let piece: Work = Box::new(move |db| {
        other.execute_batch("COMMIT").unwrap();
        let written = db.and_then(|db| {
            let insert = "INSERT INTO own_requests VALUES ('request', 'case')";
            savepoint(db, |db| db.execute(insert, []).map_err(unavailable))
        });
        Box::new(move |uncommitted| told.send(uncommitted.map_or(written, Err)).unwrap())
    });
    inbox.send(Job::Piece(piece)).unwrap();
    drop(inbox);
    serve(db, &work);
    assert!(answers.recv().unwrap().is_err());
    let count = "SELECT count(*) FROM own_requests";
    let rows: u32 = Connection::open(&path).unwrap().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_panic_is_an_error_for_who_asked_and_ends_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::open(&dir.path().join("j.db"), Arc::new(crate::clock::SystemClock), true).unwrap();
    let panics = |db: &Connection| -> Result<(), JournalError> {
        db.execute("INSERT INTO own_requests VALUES ('request', 'case')", []).unwrap();
        panic!("a defect, in a test")
    };
    assert!(matches!(journal.run(panics).await, Err(JournalError::Damaged(_))));
    assert_eq!(journal.own_request("request").await, Ok(None));
}

#[test]
fn the_cases_of_a_pair_are_found_without_reading_those_of_others() {
    let dir = tempfile::TempDir::new().unwrap();
    let db = Connection::open(dir.path().join("j.db")).unwrap();
    schema::prepare(&db).unwrap();
    // Asked before each containment: in a flood on one function and source it must not read every case before.
    for (sql, index) in [(query::last_of_pair(), "cases_by_pair"), (query::deleted_of_pair(), "deletions_by_pair")] {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let pair = rusqlite::params_from_iter(["a", "r", "f", "s"]);
        let steps: Vec<String> = plan.query_map(pair, |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(steps[0].starts_with("SEARCH") && steps[0].contains(index), "{steps:?}");
        assert_eq!(steps[0].matches("=?").count(), 4, "{steps:?}");
    }
}

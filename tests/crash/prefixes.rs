//! A crash after any row of the journal: whether the world had moved on by then or not, the end is the same, and what
//! was done is not done again.

use crate::common::{created, delivered};
use crate::fake::{Fake, Worker, shipped_policies};
use jiff::Timestamp;
use rusqlite::Connection;
use sluicegate::case::{Mode, State, StepStatus};
use sluicegate::ports::Journal;
use sluicegate::responder::Disposition;
use std::path::Path;
use tempfile::TempDir;

async fn recorded(dir: &TempDir) -> u64 {
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = Worker::start(&fake, &dir.path().join("whole.db"), shipped_policies(), Mode::Enforce);
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.settle().await;
    worker.journal.checkpoint().await.unwrap();
    worker.journal.length().await.unwrap()
}

/// The journal as a crash after `rows` rows leaves it.
pub fn cut(whole: &Path, to: &Path, rows: u64) {
    std::fs::copy(whole, to).unwrap();
    let db = Connection::open(to).unwrap();
    db.execute("DELETE FROM events WHERE seq > ?", [i64::try_from(rows).unwrap()]).unwrap();
    db.execute_batch(
        "DELETE FROM cases; DELETE FROM seen; DELETE FROM open_mappings; DELETE FROM own_requests; DELETE FROM heads;
         DELETE FROM ballots;
         INSERT INTO heads SELECT 'journal', seq, hash FROM events ORDER BY seq DESC LIMIT 1;",
    )
    .unwrap();
}

#[tokio::test]
async fn after_any_prefix_the_end_is_the_same() {
    let dir = TempDir::new().unwrap();
    let rows = recorded(&dir).await;
    assert!(rows >= 4, "{rows}");
    for keep in 0..=rows {
        for done_before in [false, true] {
            let path = dir.path().join(format!("cut-{keep}-{done_before}.db"));
            cut(&dir.path().join("whole.db"), &path, keep);
            let fake = Fake::with_mapping(1, if done_before { "Disabled" } else { "Enabled" });
            let worker = Worker::start(&fake, &path, shipped_policies(), Mode::Enforce);
            rebuild(&worker).await;
            worker.responder.resume().await.unwrap();
            // The message was not deleted before the crash, or is delivered twice: it comes again.
            let again = worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
            assert_eq!(again, Disposition::Done);
            worker.settle().await;
            let cases = worker.journal.cases().await.unwrap();
            let at = format!("after {keep} of {rows} rows, effect {done_before}");
            assert_eq!(cases.len(), 1, "{at}");
            assert_eq!(cases[0].state, State::AwaitingDecision, "{at}");
            assert_eq!(cases[0].steps.len(), 1, "{at}");
            assert_eq!(cases[0].steps[0].status, StepStatus::Succeeded, "{at}");
            // Once the journal says that it is done, the world is not looked at again until something happens.
            let finished = keep >= rows - 1;
            if !finished {
                assert_eq!(fake.state(1), "Disabled", "{at}");
            }
            assert_eq!(fake.updates(), usize::from(!done_before && !finished), "{at}");
            assert!(worker.journal.audit().await.unwrap().damage.is_empty(), "{at}");
        }
    }
}

/// `cut` emptied what is derived; this derives it again without a word in the journal.
async fn rebuild(worker: &Worker) {
    worker.journal.rebuild().await.unwrap();
}

//! The journal's one thread: what waits for it is committed together, each piece in a savepoint of its own.

use super::unavailable;
use crate::ports::JournalError;
use rusqlite::Connection;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// How much waiting work one commit takes at most.
const BATCH: usize = 256;
/// After so many changed rows, some four megabytes of write-ahead log, the log is brought into the file.
const CHECKPOINT_AFTER: u64 = 300;

pub(super) type Reply = Box<dyn FnOnce(Option<JournalError>) + Send>;
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, JournalError>) -> Reply + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// A piece of work for the next commit.
    Piece(Work),
    /// Bring the write-ahead log into the file, after the commit.
    Checkpoint(oneshot::Sender<Result<(), JournalError>>),
    /// The same, and take no more.
    Close(oneshot::Sender<Result<(), JournalError>>),
}

pub(super) fn savepoint<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    db.execute_batch("SAVEPOINT piece").map_err(unavailable)?;
    // Its thread is everybody's: a defect that one case brings out must not end it for all others.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(db)));
    let defect = || JournalError::Damaged("a defect in what was asked of it; standard error tells where".into());
    let result = result.unwrap_or_else(|_| Err(defect()));
    let end = if result.is_ok() { "RELEASE piece" } else { "ROLLBACK TO piece; RELEASE piece" };
    db.execute_batch(end).map_err(unavailable)?;
    result
}

pub(super) fn serve(db: Connection, inbox: &mpsc::Receiver<Job>) {
    let mut in_the_file = db.total_changes();
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter().take(BATCH - 1));
        // Outside a transaction a piece would be durable by itself, though its caller is told that it failed.
        let mut broken = db.execute_batch("BEGIN IMMEDIATE").map_err(unavailable).err();
        let (mut replies, mut checkpoints, mut closing) = (Vec::new(), Vec::new(), false);
        for job in batch {
            match job {
                Job::Piece(work) => {
                    replies.push(work(broken.clone().map_or(Ok(&db), Err)));
                    if db.is_autocommit() {
                        // A full disk, for one, makes SQLite give the whole transaction up.
                        let why = "SQLite gave the transaction up";
                        broken = broken.or_else(|| Some(JournalError::Unavailable(why.into())));
                    }
                }
                Job::Checkpoint(answer) => checkpoints.push(answer),
                Job::Close(answer) => {
                    checkpoints.push(answer);
                    closing = true;
                }
            }
        }
        let failed = broken.or_else(|| db.execute_batch("COMMIT").map_err(unavailable).err());
        if failed.is_some() && !db.is_autocommit() {
            // The commit failed and the transaction is still open: nothing of it may become durable later.
            let _ = db.execute_batch("ROLLBACK");
        }
        for reply in replies {
            reply(failed.clone());
        }
        for answer in checkpoints {
            // The caller may have gone.
            let _ = answer.send(checkpoint(&db));
        }
        if closing {
            break;
        }
        // Here, and not in a commit as SQLite does it by itself: nobody waits for it. It never waits for a reader, and
        // an error loses nothing: the log is brought in next time.
        if db.total_changes() - in_the_file >= CHECKPOINT_AFTER {
            in_the_file = db.total_changes();
            let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
    // Errors here lose nothing: the WAL is taken up at the next start.
    let _ = checkpoint(&db);
    let _ = db.close();
}

fn checkpoint(db: &Connection) -> Result<(), JournalError> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(unavailable)
}

//! The journal in one `SQLite` file: WAL, synchronous FULL, one writer thread.
//!
//! Work that waits for the thread is committed together, so that a flood costs few disk flushes; each piece stands in
//! a savepoint of its own, and nobody is told that their piece is written before the commit.

mod audit;
mod chain;
mod folded;
mod project;
mod query;
mod schema;
mod thread;

pub use audit::Audit;

use crate::case::{Case, CaseEvent, CaseId, Opened, Summary, SystemEvent};
use crate::mapping::{Baseline, MappingKey};
use crate::ports::{Ballot, CardState, Clock, Journal, JournalError, Known, MappingKnown, Opening, Recorded};
use crate::restriction::{Restriction, RestrictionEvent, RestrictionId};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use thread::{Job, Work, savepoint, serve};
use tokio::sync::oneshot;

/// The journal in a `SQLite` file. Clones share it; the last one dropped checkpoints the WAL.
#[derive(Clone)]
pub struct SqliteJournal {
    inbox: mpsc::Sender<Job>,
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

/// Held by the one `run` of a journal.
#[derive(Debug)]
pub struct WorkerLock {
    _file: File,
}

impl SqliteJournal {
    /// Opens the file, and makes it where `create` says so and it does not exist.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, create: bool) -> Result<Self, JournalError> {
        if !create && !path.exists() {
            return Err(JournalError::Unavailable(format!(
                "{} does not exist: `sluicegate run` makes it, at the place that [journal] url names",
                path.display()
            )));
        }
        let connection = Connection::open(path)
            .map_err(|error| JournalError::Unavailable(format!("{}: {error}", path.display())))?;
        schema::prepare(&connection)?;
        let (inbox, work) = mpsc::channel();
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || serve(connection, &work))
            .map_err(|error| JournalError::Unavailable(format!("no thread for the journal: {error}")))?;
        Ok(Self { inbox, path: path.to_owned(), clock })
    }

    /// Takes the place of the journal's one worker; `None` where another process has it.
    pub fn lock_worker(&self) -> Result<Option<WorkerLock>, JournalError> {
        let mut name = self.path.clone().into_os_string();
        name.push("-worker");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
        let file = file.map_err(|error| JournalError::Unavailable(format!("{}: {error}", name.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(WorkerLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(JournalError::Unavailable(format!("{}: {error}", name.display()))),
        }
    }

    /// Compares the log's end with where it was last left. Where they differ, says so in the journal, once, and
    /// rebuilds what is derived from the log. For the worker, at start.
    pub async fn settle_damage(&self) -> Result<Option<String>, JournalError> {
        let now = self.clock.now();
        self.run(move |db| {
            let Some(mut found) = audit::tail_damage(db)? else {
                return Ok(None);
            };
            for broken in project::rebuild(db)? {
                found = format!("{found}; {broken}");
            }
            let event = SystemEvent::JournalDamaged { found: found.clone() };
            chain::append_system(db, &event, now)?;
            Ok(Some(found))
        })
        .await
    }

    /// Derives again from the log all that is derived from it; gives the cases that cannot be, and why.
    pub async fn rebuild(&self) -> Result<Vec<String>, JournalError> {
        self.run(project::rebuild).await
    }

    /// Walks the whole hash chain.
    pub async fn audit(&self) -> Result<Audit, JournalError> {
        self.run(audit::verify).await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Work = Box::new(move |db| {
            let result = db.and_then(|db| savepoint(db, work));
            Box::new(move |uncommitted| {
                // The caller may have gone: then nobody waits for the answer.
                let _ = answer.send(uncommitted.map_or(result, Err));
            })
        });
        let gone = || JournalError::Unavailable("its thread has ended".into());
        self.inbox.send(Job::Piece(job)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Brings the write-ahead log into the file, so that the file alone is the journal.
    pub async fn checkpoint(&self) -> Result<(), JournalError> {
        self.ask(Job::Checkpoint).await
    }

    /// The same at the end: what comes later, from whoever still is at work, is not written, as after a crash. Otherwise
    /// it would stand in a log that nobody brings in.
    pub async fn close(&self) -> Result<(), JournalError> {
        self.ask(Job::Close).await
    }

    async fn ask(&self, what: fn(oneshot::Sender<Result<(), JournalError>>) -> Job) -> Result<(), JournalError> {
        let (answer, answered) = oneshot::channel();
        let gone = || JournalError::Unavailable("its thread has ended".into());
        self.inbox.send(what(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: rusqlite::Error) -> JournalError {
    JournalError::Unavailable(error.to_string())
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn open(&self, opened: &Opened, more: &[CaseEvent]) -> Result<Opening, JournalError> {
        let (opened, more, now) = (opened.clone(), more.to_vec(), self.clock.now());
        self.run(move |db| chain::open_case(db, opened, more, now)).await
    }

    async fn append(&self, case: &CaseId, expected: u64, events: &[CaseEvent]) -> Result<Case, JournalError> {
        let (case, events, now) = (case.clone(), events.to_vec(), self.clock.now());
        self.run(move |db| chain::append_case(db, &case, expected, &events, now)).await
    }

    async fn record(&self, event: &SystemEvent) -> Result<(), JournalError> {
        let (event, now) = (event.clone(), self.clock.now());
        self.run(move |db| {
            if project::recorded_before(db, &event)? {
                return Ok(());
            }
            chain::append_system(db, &event, now)
        })
        .await
    }

    async fn case(&self, id: &CaseId) -> Result<Option<Case>, JournalError> {
        let id = id.clone();
        self.run(move |db| folded::case(db, &id)).await
    }

    async fn history(&self, id: &CaseId) -> Result<Vec<Recorded<CaseEvent>>, JournalError> {
        let id = id.clone();
        self.run(move |db| query::history(db, &id)).await
    }

    async fn cases(&self) -> Result<Vec<Summary>, JournalError> {
        self.run(query::cases).await
    }

    async fn unfinished(&self) -> Result<Vec<CaseId>, JournalError> {
        self.run(query::unfinished).await
    }

    async fn known(&self, account: &str, region: &str, event_id: &str) -> Result<Option<Known>, JournalError> {
        let (account, region, event_id) = (account.to_owned(), region.to_owned(), event_id.to_owned());
        self.run(move |db| query::known(db, &account, &region, &event_id)).await
    }

    async fn open_case_on(&self, mapping: &MappingKey) -> Result<Option<CaseId>, JournalError> {
        let mapping = mapping.clone();
        self.run(move |db| query::open_case_on(db, &mapping)).await
    }

    async fn cases_on(&self, mapping: &MappingKey) -> Result<Vec<CaseId>, JournalError> {
        let mapping = mapping.clone();
        self.run(move |db| query::cases_on(db, &mapping)).await
    }

    async fn known_of(&self, mappings: &[MappingKey]) -> Result<Vec<MappingKnown>, JournalError> {
        let mappings = mappings.to_vec();
        self.run(move |db| mappings.iter().map(|mapping| query::known_of(db, mapping)).collect()).await
    }

    async fn began(&self) -> Result<Option<Timestamp>, JournalError> {
        self.run(query::began).await
    }

    async fn watched(&self, account: &str, region: &str) -> Result<Option<Timestamp>, JournalError> {
        let (account, region) = (account.to_owned(), region.to_owned());
        self.run(move |db| query::watched(db, &account, &region)).await
    }

    async fn last_case_of_pair(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        source_arn: &str,
    ) -> Result<Option<CaseId>, JournalError> {
        let pair = [account, region, function_arn, source_arn].map(str::to_owned);
        self.run(move |db| query::last_case_of_pair(db, &pair)).await
    }

    async fn deletions_of_pair(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        source_arn: &str,
    ) -> Result<Vec<CaseId>, JournalError> {
        let pair = [account, region, function_arn, source_arn].map(str::to_owned);
        self.run(move |db| query::deletions_of_pair(db, &pair)).await
    }

    async fn baseline(&self, mapping: &MappingKey) -> Result<Option<Baseline>, JournalError> {
        let mapping = mapping.clone();
        self.run(move |db| query::baseline(db, &mapping)).await
    }

    async fn own_request(&self, request_id: &str) -> Result<Option<CaseId>, JournalError> {
        let request_id = request_id.to_owned();
        self.run(move |db| query::own_request(db, &request_id)).await
    }

    async fn findings_by(&self, principal_arn: &str, since: Timestamp) -> Result<u32, JournalError> {
        let principal = principal_arn.to_owned();
        self.run(move |db| query::findings_by(db, &principal, since)).await
    }

    async fn wrong_of_last_ten(&self, account: &str) -> Result<u32, JournalError> {
        let account = account.to_owned();
        self.run(move |db| query::wrong_of_last_ten(db, &account)).await
    }

    async fn cast(&self, ballot: &Ballot) -> Result<(), JournalError> {
        let ballot = ballot.clone();
        self.run(move |db| query::cast(db, &ballot)).await
    }

    async fn ballots(&self) -> Result<Vec<Ballot>, JournalError> {
        self.run(query::ballots).await
    }

    async fn settle(&self, ballot_id: &str) -> Result<(), JournalError> {
        let id = ballot_id.to_owned();
        self.run(move |db| query::settle(db, &id)).await?;
        // The proof it carried leaves the write-ahead log as well.
        self.checkpoint().await
    }

    async fn refusal(&self, ballot_id: &str) -> Result<Option<String>, JournalError> {
        let id = ballot_id.to_owned();
        self.run(move |db| query::refusal(db, &id)).await
    }

    async fn cards_behind(&self) -> Result<Vec<CardState>, JournalError> {
        self.run(query::cards_behind).await
    }

    async fn card_shown(&self, case: &CaseId, shown: u64, threaded: u64) -> Result<(), JournalError> {
        let case = case.clone();
        self.run(move |db| query::card_shown(db, &case, shown, threaded)).await
    }

    async fn last_digest(&self) -> Result<Option<jiff::civil::Date>, JournalError> {
        self.run(query::last_digest).await
    }

    async fn case_of_code(&self, code: &str) -> Result<Option<CaseId>, JournalError> {
        let code = code.to_owned();
        self.run(move |db| query::case_of_code(db, &code)).await
    }

    async fn restriction(&self, id: &RestrictionId) -> Result<Option<Restriction>, JournalError> {
        let id = id.clone();
        self.run(move |db| query::restriction(db, &id)).await
    }

    async fn append_restriction(
        &self,
        id: &RestrictionId,
        expected: u64,
        events: &[RestrictionEvent],
    ) -> Result<Restriction, JournalError> {
        let (id, events, now) = (id.clone(), events.to_vec(), self.clock.now());
        self.run(move |db| chain::append_restriction(db, &id, expected, &events, now)).await
    }

    async fn restrictions(&self) -> Result<Vec<Restriction>, JournalError> {
        self.run(query::restrictions).await
    }

    async fn length(&self) -> Result<u64, JournalError> {
        self.run(query::length).await
    }
}

#[cfg(test)]
mod tests;

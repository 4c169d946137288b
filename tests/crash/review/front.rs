//! A journal in front of the real one, that fails as told, or lets somebody else append first.

use async_trait::async_trait;
use jiff::Timestamp;
use sluicegate::case::{Case, CaseEvent, CaseId, Opened, Summary, SystemEvent};
use sluicegate::journal::SqliteJournal;
use sluicegate::mapping::{Baseline, MappingKey};
use sluicegate::ports::{Ballot, CardState, Journal, JournalError, Known, MappingKnown, Opening, Recorded};
use sluicegate::restriction::{Restriction, RestrictionEvent, RestrictionId};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

type Meddling = Box<dyn Fn(&Case, &[CaseEvent]) -> Option<Vec<CaseEvent>> + Send + Sync>;

pub struct Front {
    pub real: SqliteJournal,
    /// Nothing can be read or written.
    pub down: AtomicBool,
    /// After so many appends the journal is down, and `last` is called after the last one.
    pub budget: AtomicU32,
    pub last: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
    /// So many reads of a case fail.
    pub failing_reads: AtomicU32,
    /// What somebody else appends before an append, once.
    meddling: Mutex<Option<Meddling>>,
}

impl Front {
    pub fn new(real: SqliteJournal) -> Self {
        Self {
            real,
            down: AtomicBool::new(false),
            budget: AtomicU32::new(u32::MAX),
            last: Mutex::new(None),
            failing_reads: AtomicU32::new(0),
            meddling: Mutex::new(None),
        }
    }

    pub fn meddle(&self, what: impl Fn(&Case, &[CaseEvent]) -> Option<Vec<CaseEvent>> + Send + Sync + 'static) {
        *self.meddling.lock().unwrap() = Some(Box::new(what));
    }

    fn up(&self) -> Result<&SqliteJournal, JournalError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(JournalError::Unavailable("as told".into()));
        }
        Ok(&self.real)
    }

    fn spend(&self) -> Result<(), JournalError> {
        let left = self.budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(1) => {
                if let Some(last) = self.last.lock().unwrap().as_ref() {
                    last();
                }
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(_) => {
                self.down.store(true, Ordering::SeqCst);
                Err(JournalError::Unavailable("it crashed".into()))
            }
        }
    }

    async fn meddle_now(&self, id: &CaseId, events: &[CaseEvent]) {
        let case = self.real.case(id).await.unwrap().unwrap();
        let first = {
            let mut meddling = self.meddling.lock().unwrap();
            let first = meddling.as_ref().and_then(|what| what(&case, events));
            if first.is_some() {
                *meddling = None;
            }
            first
        };
        if let Some(first) = first {
            self.real.append(id, case.seq, &first).await.unwrap();
        }
    }
}

#[async_trait]
impl Journal for Front {
    async fn open(&self, opened: &Opened, more: &[CaseEvent]) -> Result<Opening, JournalError> {
        self.up()?.open(opened, more).await
    }
    async fn append(&self, case: &CaseId, expected: u64, events: &[CaseEvent]) -> Result<Case, JournalError> {
        self.up()?;
        self.spend()?;
        self.meddle_now(case, events).await;
        self.real.append(case, expected, events).await
    }
    async fn record(&self, event: &SystemEvent) -> Result<(), JournalError> {
        self.up()?.record(event).await
    }
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, JournalError> {
        let failing = self.failing_reads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if failing.is_ok() {
            return Err(JournalError::Unavailable("as told".into()));
        }
        self.up()?.case(id).await
    }
    async fn history(&self, id: &CaseId) -> Result<Vec<Recorded<CaseEvent>>, JournalError> {
        self.up()?.history(id).await
    }
    async fn cases(&self) -> Result<Vec<Summary>, JournalError> {
        self.up()?.cases().await
    }
    async fn unfinished(&self) -> Result<Vec<CaseId>, JournalError> {
        self.up()?.unfinished().await
    }
    async fn known(&self, account: &str, region: &str, event_id: &str) -> Result<Option<Known>, JournalError> {
        self.up()?.known(account, region, event_id).await
    }
    async fn open_case_on(&self, mapping: &MappingKey) -> Result<Option<CaseId>, JournalError> {
        self.up()?.open_case_on(mapping).await
    }
    async fn cases_on(&self, mapping: &MappingKey) -> Result<Vec<CaseId>, JournalError> {
        self.up()?.cases_on(mapping).await
    }
    async fn known_of(&self, mappings: &[MappingKey]) -> Result<Vec<MappingKnown>, JournalError> {
        self.up()?.known_of(mappings).await
    }
    async fn began(&self) -> Result<Option<Timestamp>, JournalError> {
        self.up()?.began().await
    }
    async fn watched(&self, account: &str, region: &str) -> Result<Option<Timestamp>, JournalError> {
        self.up()?.watched(account, region).await
    }
    async fn last_case_of_pair(&self, a: &str, r: &str, f: &str, s: &str) -> Result<Option<CaseId>, JournalError> {
        self.up()?.last_case_of_pair(a, r, f, s).await
    }
    async fn deletions_of_pair(&self, a: &str, r: &str, f: &str, s: &str) -> Result<Vec<CaseId>, JournalError> {
        self.up()?.deletions_of_pair(a, r, f, s).await
    }
    async fn baseline(&self, mapping: &MappingKey) -> Result<Option<Baseline>, JournalError> {
        self.up()?.baseline(mapping).await
    }
    async fn own_request(&self, request_id: &str) -> Result<Option<CaseId>, JournalError> {
        self.up()?.own_request(request_id).await
    }
    async fn findings_by(&self, principal_arn: &str, since: Timestamp) -> Result<u32, JournalError> {
        self.up()?.findings_by(principal_arn, since).await
    }
    async fn wrong_of_last_ten(&self, account: &str) -> Result<u32, JournalError> {
        self.up()?.wrong_of_last_ten(account).await
    }
    async fn cast(&self, ballot: &Ballot) -> Result<(), JournalError> {
        self.up()?.cast(ballot).await
    }
    async fn ballots(&self) -> Result<Vec<Ballot>, JournalError> {
        self.up()?.ballots().await
    }
    async fn settle(&self, ballot_id: &str) -> Result<(), JournalError> {
        self.up()?.settle(ballot_id).await
    }
    async fn refusal(&self, ballot_id: &str) -> Result<Option<String>, JournalError> {
        self.up()?.refusal(ballot_id).await
    }
    async fn cards_behind(&self) -> Result<Vec<CardState>, JournalError> {
        self.up()?.cards_behind().await
    }
    async fn card_shown(&self, case: &CaseId, shown: u64, threaded: u64) -> Result<(), JournalError> {
        self.up()?.card_shown(case, shown, threaded).await
    }
    async fn last_digest(&self) -> Result<Option<jiff::civil::Date>, JournalError> {
        self.up()?.last_digest().await
    }
    async fn case_of_code(&self, code: &str) -> Result<Option<CaseId>, JournalError> {
        self.up()?.case_of_code(code).await
    }
    async fn restriction(&self, id: &RestrictionId) -> Result<Option<Restriction>, JournalError> {
        self.up()?.restriction(id).await
    }
    async fn append_restriction(
        &self,
        id: &RestrictionId,
        expected: u64,
        events: &[RestrictionEvent],
    ) -> Result<Restriction, JournalError> {
        self.spend()?;
        self.up()?.append_restriction(id, expected, events).await
    }
    async fn restrictions(&self) -> Result<Vec<Restriction>, JournalError> {
        self.up()?.restrictions().await
    }
    async fn length(&self) -> Result<u64, JournalError> {
        self.up()?.length().await
    }
}

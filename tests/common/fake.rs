//! A small account with mappings, behind the real ports, that fails as told. The emulator is the real judge; this one
//! is for what needs thousands of runs, or a crash between two lines.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "enrichment.rs"]
mod enrichment;

use super::common::{self, ACCOUNT, snapshot, uuid};
use async_trait::async_trait;
use jiff::Timestamp;
use sluicegate::case::{CaseId, Decision, Mode, Schedule};
use sluicegate::clock::SystemClock;
use sluicegate::containment::MappingChange;
use sluicegate::journal::SqliteJournal;
use sluicegate::mapping::{FunctionRef, MappingKey, Snapshot, SourceRef};
use sluicegate::policy::PolicySet;
use sluicegate::ports::{
    Acknowledged, AwsProof, Ballot, CallError, Chat, Identity, Journal, Lambda, NewMapping, Proof, SearchBy, Trail,
};
use sluicegate::responder::{Policies, Ports, Responder, RestrictionSettings, Settings};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub const RESPONDER: &str = "arn:aws:sts::111122223333:assumed-role/responder/worker";

/// What happens to the next update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Throttled,
    Busy,
    ServerError,
    LostBefore,
    LostAfter,
    AcknowledgedWithoutEffect,
    Refused,
    Denied,
    Vanishes,
}

#[derive(Debug, Default)]
pub struct Account {
    pub mappings: BTreeMap<String, Snapshot>,
    pub concurrency: BTreeMap<String, i32>,
    pub updates: Vec<(String, MappingChange)>,
    pub faults: VecDeque<Fault>,
    pub read_faults: VecDeque<CallError>,
    pub records: BTreeMap<String, String>,
    /// Every read fails like this.
    pub unreadable: Option<CallError>,
    /// What the next lists of all mappings answer.
    pub list_faults: VecDeque<CallError>,
    /// How often records were searched for, what the next searches answer, and whether there are more than they give.
    pub searches: u32,
    pub search_faults: VecDeque<CallError>,
    pub more_records: bool,
    /// How many reads after an update still show the transition.
    pub lingers: u32,
    /// What the next changes of a function's concurrency answer.
    pub concurrency_faults: VecDeque<CallError>,
    /// The mappings that were to be deleted, and what the next such calls answer; `Ambiguous` after the effect.
    pub deletes: Vec<String>,
    pub delete_faults: VecDeque<CallError>,
    /// How often a mapping was to be made, and what the next such calls answer; `Ambiguous` after the effect.
    pub creates: u32,
    pub create_faults: VecDeque<CallError>,
    /// Every mapping's tags, and those that each mapping was made with.
    pub tags: Vec<(String, String)>,
    pub made_with: Vec<Vec<(String, String)>>,
    /// Roles and users by name, the changes that were tried on them, and what the next such calls answer; `Ambiguous`
    /// after the effect.
    pub entities: BTreeMap<String, super::fake_iam::Entity>,
    pub iam_changes: Vec<String>,
    pub iam_faults: VecDeque<CallError>,
    /// Nothing is sent any more: the worker is about to crash.
    pub frozen: bool,
    pub restriction: Option<RestrictionSettings>,
    lingering: u32,
    requests: u32,
}

#[derive(Debug, Clone, Default)]
pub struct Fake(pub Arc<Mutex<Account>>);

impl Fake {
    pub fn with_mapping(n: u32, state: &str) -> Self {
        let fake = Self::default();
        fake.0.lock().unwrap().mappings.insert(uuid(n), snapshot(n, state));
        fake
    }

    pub fn state(&self, n: u32) -> String {
        self.0.lock().unwrap().mappings.get(&uuid(n)).map_or("gone".into(), |mapping| mapping.state.clone())
    }

    pub fn updates(&self) -> usize {
        self.0.lock().unwrap().updates.len()
    }

    pub fn fails(self, faults: &[Fault]) -> Self {
        self.0.lock().unwrap().faults.extend(faults);
        self
    }

    /// Somebody deletes mapping `n` and makes `m` of the same function and source.
    pub fn made_again(&self, n: u32, m: u32) {
        let mut account = self.0.lock().unwrap();
        account.mappings.remove(&uuid(n));
        account.mappings.insert(uuid(m), snapshot(m, "Enabled"));
    }

    /// Somebody else changes a mapping.
    pub fn change(&self, n: u32, change: impl FnOnce(&mut Snapshot)) {
        let mut account = self.0.lock().unwrap();
        let mapping = account.mappings.get_mut(&uuid(n)).unwrap();
        change(mapping);
        mapping.last_modified = Some(Timestamp::now());
        mapping.whole["State"] = mapping.state.clone().into();
        mapping.whole["FunctionArn"] = mapping.function.arn.clone().into();
    }
}

impl Account {
    fn apply(&mut self, uuid: &str, change: &MappingChange) -> Result<(), CallError> {
        let message = uuid.to_owned();
        self.lingering = self.lingers;
        let mapping = self.mappings.get_mut(uuid).ok_or(CallError::NotFound { message, request_id: None })?;
        if let Some(enabled) = change.enabled {
            mapping.state = if enabled { "Enabled" } else { "Disabled" }.into();
        }
        if let Some(arn) = &change.function_arn {
            mapping.function = FunctionRef::parse(arn, "aws", common::REGION, ACCOUNT);
        }
        mapping.last_modified = Some(Timestamp::now());
        mapping.whole["State"] = mapping.state.clone().into();
        mapping.whole["FunctionArn"] = mapping.function.arn.clone().into();
        Ok(())
    }
}

#[async_trait]
impl Lambda for Fake {
    async fn mapping(&self, key: &MappingKey) -> Result<Option<Snapshot>, CallError> {
        let mut account = self.0.lock().unwrap();
        if let Some(error) = account.read_faults.pop_front() {
            return Err(error);
        }
        if let Some(error) = account.unreadable.clone() {
            return Err(error);
        }
        let mut read = account.mappings.get(&key.uuid).cloned();
        if account.lingering > 0
            && let Some(read) = &mut read
        {
            account.lingering -= 1;
            read.state = if read.state == "Disabled" { "Disabling" } else { "Enabling" }.into();
            read.whole["State"] = read.state.clone().into();
        }
        Ok(read)
    }

    async fn find_mappings(
        &self,
        _: &str,
        _: &str,
        function: &FunctionRef,
        source: &SourceRef,
    ) -> Result<Vec<Snapshot>, CallError> {
        let account = self.0.lock().unwrap();
        let same = |mapping: &&Snapshot| mapping.function.arn == function.arn && mapping.source.arn == source.arn;
        Ok(account.mappings.values().filter(same).cloned().collect())
    }

    async fn all_mappings(&self, _: &str, _: &str) -> Result<Vec<Snapshot>, CallError> {
        let mut account = self.0.lock().unwrap();
        match account.list_faults.pop_front().or_else(|| account.unreadable.clone()) {
            Some(error) => Err(error),
            None => Ok(account.mappings.values().cloned().collect()),
        }
    }

    async fn update_mapping(&self, key: &MappingKey, change: &MappingChange) -> Result<Acknowledged, CallError> {
        let mut account = self.0.lock().unwrap();
        account.updates.push((key.uuid.clone(), change.clone()));
        account.requests += 1;
        let request_id = format!("request-{}", account.requests);
        let message = "as told".to_owned();
        match account.faults.pop_front() {
            None => account.apply(&key.uuid, change)?,
            Some(Fault::Throttled) => {
                let retry_after = Some(Duration::from_millis(1));
                return Err(CallError::Throttled { retry_after, message, request_id: None });
            }
            Some(Fault::Busy) => return Err(CallError::Busy { message, request_id: None }),
            Some(Fault::ServerError) => return Err(CallError::Unavailable { message, request_id: None }),
            Some(Fault::LostBefore) => return Err(CallError::Ambiguous { message }),
            Some(Fault::LostAfter) => {
                account.apply(&key.uuid, change)?;
                return Err(CallError::Ambiguous { message });
            }
            Some(Fault::AcknowledgedWithoutEffect) => {}
            Some(Fault::Refused) => {
                let code = "InvalidParameterValueException".into();
                return Err(CallError::Refused { code, message, request_id: None });
            }
            Some(Fault::Denied) => {
                let code = "AccessDeniedException".into();
                return Err(CallError::Refused { code, message, request_id: None });
            }
            Some(Fault::Vanishes) => {
                account.mappings.remove(&key.uuid);
                return Err(CallError::NotFound { message, request_id: None });
            }
        }
        Ok(Acknowledged { request_id })
    }

    async fn delete_mapping(&self, key: &MappingKey) -> Result<Acknowledged, CallError> {
        let mut account = self.0.lock().unwrap();
        if account.frozen {
            return Err(CallError::NotSent { message: "it crashed".into() });
        }
        account.deletes.push(key.uuid.clone());
        let fault = account.delete_faults.pop_front();
        if let Some(error) = fault.clone().filter(|error| !matches!(error, CallError::Ambiguous { .. })) {
            return Err(error);
        }
        let message = key.uuid.clone();
        account.mappings.remove(&key.uuid).ok_or(CallError::NotFound { message, request_id: None })?;
        fault.map_or_else(|| Ok(Acknowledged { request_id: "delete".into() }), Err)
    }

    async fn create_mapping(&self, new: &NewMapping<'_>) -> Result<(Acknowledged, String), CallError> {
        let mut account = self.0.lock().unwrap();
        account.creates += 1;
        account.made_with.push(new.tags.to_vec());
        let fault = account.create_faults.pop_front();
        if let Some(error) = fault.clone().filter(|error| !matches!(error, CallError::Ambiguous { .. })) {
            return Err(error);
        }
        let mut made = snapshot(900 + account.creates, if new.enabled { "Enabled" } else { "Disabled" });
        made.function = FunctionRef::parse(new.function_arn, "aws", common::REGION, ACCOUNT);
        made.whole["FunctionArn"] = new.function_arn.into();
        let uuid = made.uuid.clone();
        account.mappings.insert(uuid.clone(), made);
        fault.map_or_else(|| Ok((Acknowledged { request_id: "create".into() }, uuid)), Err)
    }

    async fn mapping_tags(&self, _: &MappingKey, _: &str) -> Result<Vec<(String, String)>, CallError> {
        Ok(self.0.lock().unwrap().tags.clone())
    }

    async fn concurrency(&self, _: &str, _: &str, function_arn: &str) -> Result<Option<i32>, CallError> {
        Ok(self.0.lock().unwrap().concurrency.get(function_arn).copied())
    }

    async fn set_concurrency(
        &self,
        _: &str,
        _: &str,
        function_arn: &str,
        reserved: Option<i32>,
    ) -> Result<Acknowledged, CallError> {
        let mut account = self.0.lock().unwrap();
        if let Some(error) = account.concurrency_faults.pop_front() {
            return Err(error);
        }
        match reserved {
            Some(n) => account.concurrency.insert(function_arn.into(), n),
            None => account.concurrency.remove(function_arn),
        };
        Ok(Acknowledged { request_id: "concurrency".into() })
    }
}

#[async_trait]
impl Trail for Fake {
    async fn lookup(&self, _: &str, _: &str, event_id: &str) -> Result<Option<String>, CallError> {
        Ok(self.0.lock().unwrap().records.get(event_id).cloned())
    }

    async fn search(
        &self,
        _: &str,
        _: &str,
        by: SearchBy<'_>,
        since: Timestamp,
        _: u32,
    ) -> Result<(Vec<String>, bool), CallError> {
        let mut account = self.0.lock().unwrap();
        account.searches += 1;
        if let Some(error) = account.search_faults.pop_front() {
            return Err(error);
        }
        let wanted = |record: &&String| {
            let SearchBy::EventName(name) = by else { return true };
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let time: Timestamp = record["eventTime"].as_str().unwrap().parse().unwrap();
            record["eventName"] == name && time.as_second() >= since.as_second()
        };
        Ok((account.records.values().filter(wanted).cloned().collect(), account.more_records))
    }
}

#[async_trait]
impl Identity for Fake {
    async fn own(&self) -> Result<String, CallError> {
        Ok(RESPONDER.into())
    }

    /// The proof's host is the voter's ARN, and its header the claim.
    async fn verify(&self, proof: &AwsProof, claim: &str) -> Result<String, CallError> {
        if proof.headers.first().is_some_and(|(_, value)| value == claim) {
            return Ok(proof.host.clone());
        }
        Err(CallError::Refused { code: "proof".into(), message: "for another vote".into(), request_id: None })
    }
}

pub fn shipped_policies() -> PolicySet {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    policies_in(&dir)
}

pub fn policies_in(dir: &Path) -> PolicySet {
    let files = sluicegate::policy_files::read(dir).unwrap();
    PolicySet::load(&files, jiff::civil::date(2026, 11, 24)).unwrap().set
}

/// A worker on a journal and a fake account; dropping it is its crash.
pub struct Worker {
    pub responder: Responder,
    pub journal: SqliteJournal,
    stop: watch::Sender<bool>,
}

impl Worker {
    pub fn start(fake: &Fake, journal: &Path, policies: PolicySet, mode: Mode) -> Self {
        let journal = SqliteJournal::open(journal, Arc::new(SystemClock), true).unwrap();
        Self::start_on(fake, journal.clone(), Arc::new(journal), policies, mode)
    }

    /// With another journal in front of the real one.
    pub fn start_on(
        fake: &Fake,
        journal: SqliteJournal,
        front: Arc<dyn Journal>,
        policies: PolicySet,
        mode: Mode,
    ) -> Self {
        Self::start_with(fake, journal, front, policies, mode, None, Schedule::default())
    }

    /// With Slack, and times of its own.
    pub fn start_with(
        fake: &Fake,
        journal: SqliteJournal,
        front: Arc<dyn Journal>,
        policies: PolicySet,
        mode: Mode,
        chat: Option<Arc<dyn Chat>>,
        schedule: Schedule,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let port = Arc::new(fake.clone());
        let ports = Ports {
            journal: front,
            lambda: port.clone(),
            iam: port.clone(),
            trail: port.clone(),
            identity: port,
            enrichment: Arc::new(enrichment::NothingToRead),
            chat,
            clock: Arc::new(SystemClock),
        };
        let settings = Settings {
            mode,
            verify_timeout: Duration::from_millis(300),
            give_up_after: Duration::from_secs(20),
            schedule,
            worker: "worker".into(),
            identity: RESPONDER.into(),
            account: ACCOUNT.into(),
            restriction: fake.0.lock().unwrap().restriction.clone().unwrap_or_default(),
        };
        Self { responder: Responder::new(ports, Policies::new(policies), settings, stopping), journal, stop }
    }

    pub async fn receive(&self, body: &serde_json::Value) -> sluicegate::responder::Disposition {
        self.responder.receive("message", body.to_string().as_bytes()).await
    }

    /// Waits until no case is at work; a case that goes on looking in CloudTrail counts as at work, hence the limit.
    pub async fn settle(&self) {
        for _ in 0..2_000 {
            if self.responder.at_work() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

/// A vote on the command line, as this fake account's identities prove it.
pub fn signed(who: &str, id: &str, case_id: &CaseId, decision: Decision, plan: &str) -> Ballot {
    let proof = AwsProof { host: who.into(), headers: vec![] };
    let ballot = Ballot {
        id: id.into(),
        case_id: case_id.clone(),
        decision,
        plan: plan.into(),
        reason: "test".into(),
        proof: Proof::Aws(proof),
        confirms: None,
    };
    let proof = AwsProof { host: who.into(), headers: vec![("claim".into(), ballot.claim())] };
    Ballot { proof: Proof::Aws(proof), ..ballot }
}

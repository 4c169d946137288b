//! What these tests share: deeds with their records, and a sweep that waits for nothing.

use crate::common::{created, delivered, snapshot, uuid};
use crate::fake::{Fake, Worker, shipped_policies, signed};
use crate::review::stage::{SECURITY, function};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluicegate::case::{Case, Decision, Mode, SystemEvent, plan_for};
use sluicegate::policy::PolicySet;
use sluicegate::ports::Journal;
use sluicegate::responder::{Disposition, Sweep, SweepMemory, SweepSettings, Swept};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const FOREVER: Duration = Duration::from_hours(1);

pub struct Scene {
    pub fake: Fake,
    pub dir: TempDir,
    pub worker: Worker,
    pub memory: SweepMemory,
    /// How long a change is left to its event, and how long its record is waited for.
    pub grace: Duration,
    pub give_up: Duration,
}

impl Scene {
    /// An account with nothing in it, watched from now on.
    pub async fn new(mode: Mode) -> Self {
        Self::with(Fake::default(), mode).await
    }

    pub async fn with(fake: Fake, mode: Mode) -> Self {
        Self::under(fake, mode, shipped_policies()).await
    }

    pub async fn under(fake: Fake, mode: Mode, policies: PolicySet) -> Self {
        let dir = TempDir::new().unwrap();
        let worker = Worker::start(&fake, &dir.path().join("j.db"), policies, mode);
        worker.responder.begun("digest").await.unwrap();
        Self { fake, dir, worker, memory: SweepMemory::default(), grace: Duration::ZERO, give_up: FOREVER }
    }

    /// The worker is gone, and another one begins.
    pub async fn restart(&mut self, mode: Mode) {
        self.worker.stop();
        self.worker.settle().await;
        self.worker = Worker::start(&self.fake, &self.dir.path().join("j.db"), shipped_policies(), mode);
        self.worker.responder.begun("digest").await.unwrap();
        self.worker.responder.resume().await.unwrap();
        self.memory = SweepMemory::default();
    }

    pub fn sweeper(&self) -> Sweep {
        let mut settings = SweepSettings::new(Duration::from_mins(10), &[], crate::common::REGION);
        (settings.grace, settings.give_up) = (self.grace, self.give_up);
        Sweep::new(self.worker.responder.clone(), Arc::new(self.fake.clone()), settings)
    }

    pub async fn sweep(&mut self) -> Swept {
        let sweep = self.sweeper();
        let swept = sweep.once(&mut self.memory).await;
        // A case that looks in CloudTrail goes on doing so: only what is decided is waited for.
        for _ in 0..100 {
            if self.worker.responder.at_work() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        swept
    }

    pub async fn receive(&self, record: &Value) -> Disposition {
        let disposition = self.worker.receive(&delivered(record)).await;
        self.worker.settle().await;
        disposition
    }

    /// CloudTrail has this record.
    pub fn told(&self, record: &Value) {
        let id = record["eventID"].as_str().unwrap().to_owned();
        self.fake.0.lock().unwrap().records.insert(id, record.to_string());
    }

    pub async fn cases(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for line in self.worker.journal.cases().await.unwrap() {
            all.push(self.worker.journal.case(&line.case_id.parse().unwrap()).await.unwrap().unwrap());
        }
        all
    }

    pub async fn only_case(&self) -> Case {
        let mut all = self.cases().await;
        assert_eq!(all.len(), 1, "{:?}", all.iter().map(|case| &case.opened.finding.event).collect::<Vec<_>>());
        all.remove(0)
    }

    pub async fn decide(&self, case: &Case, decision: Decision) {
        let plan = plan_for(case, decision).map_or("none".into(), |plan| plan.digest);
        let ballot = signed(SECURITY, &format!("{}-{}", case.id, case.seq), &case.id, decision, &plan);
        self.worker.journal.cast(&ballot).await.unwrap();
        self.worker.responder.take_ballots().await.unwrap();
        self.worker.settle().await;
        assert_eq!(self.worker.journal.refusal(&ballot.id).await.unwrap(), None);
    }

    /// What the system stream has of a kind.
    pub fn system(&self, kind: &str) -> Vec<SystemEvent> {
        let db = rusqlite::Connection::open(self.dir.path().join("j.db")).unwrap();
        let mut select =
            db.prepare("SELECT body FROM events WHERE stream = 'system' AND type = ? ORDER BY seq").unwrap();
        let bodies = select.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
        bodies.map(|body| serde_json::from_str(&body.unwrap()).unwrap()).collect()
    }

    pub async fn rows(&self) -> u64 {
        self.worker.journal.length().await.unwrap()
    }
}

impl Scene {
    /// Mallory makes mapping `n`; gives the record, which is on no queue and in no trail.
    pub fn makes(&self, event_id: &str, n: u32) -> Value {
        self.fake.0.lock().unwrap().mappings.insert(uuid(n), snapshot(n, "Enabled"));
        created(event_id, n, Timestamp::now())
    }

    /// Mapping `n` was there long before.
    pub fn is_old(&self, n: u32) {
        self.fake.0.lock().unwrap().mappings.insert(uuid(n), snapshot(n, "Enabled"));
        self.changed_ago(n, 60 * 24 * 200);
    }

    pub fn changed_ago(&self, n: u32, minutes: i64) {
        let mut account = self.fake.0.lock().unwrap();
        account.mappings.get_mut(&uuid(n)).unwrap().last_modified = Some(ago(minutes));
    }

    /// Mallory points mapping `n` at another function.
    pub fn repoints(&self, event_id: &str, n: u32, name: &str) -> Value {
        self.fake.change(n, |mapping| mapping.function = function(name));
        let mut record = updated(event_id, n, &json!({"functionName": name}));
        record["responseElements"]["functionArn"] = json!(function(name).arn);
        record
    }

    /// Mallory enables mapping `n`.
    pub fn enables(&self, event_id: &str, n: u32) -> Value {
        self.fake.change(n, |mapping| mapping.state = "Enabled".into());
        let mut record = updated(event_id, n, &json!({"enabled": true}));
        record["responseElements"]["functionArn"] = json!(self.fake.0.lock().unwrap().mappings[&uuid(n)].function.arn);
        record
    }
}

pub fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

pub fn updated(event_id: &str, n: u32, request: &Value) -> Value {
    let mut record = created(event_id, n, Timestamp::now());
    record["eventName"] = json!("UpdateEventSourceMapping20150331");
    record["requestParameters"] = request.clone();
    record["requestParameters"]["uUID"] = json!(uuid(n));
    record
}

/// The same, done by the runners that the allowlist covers.
pub fn by_terraform(mut record: Value) -> Value {
    let account = crate::common::ACCOUNT;
    record["userIdentity"]["principalId"] = json!("AROAEXAMPLEEXAMPLE001:runner-1");
    record["userIdentity"]["arn"] = json!(format!("arn:aws:sts::{account}:assumed-role/deploy/runner-1"));
    record["userIdentity"]["sessionContext"]["sessionIssuer"] = json!({
        "type": "Role", "principalId": "AROAEXAMPLEEXAMPLE001", "accountId": account, "userName": "deploy",
        "arn": format!("arn:aws:iam::{account}:role/terraform/deploy")
    });
    record["sourceIPAddress"] = json!("10.20.1.1");
    record
}

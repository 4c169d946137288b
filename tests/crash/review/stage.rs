//! What these tests share: events, votes, and a look at the case.

use super::front::Front;
use crate::common::{created, delivered, uuid};
use crate::fake::{Fake, Worker, policies_in, signed};
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicegate::case::{Case, CaseEvent, Decision, Mode, plan_for};
use sluicegate::clock::SystemClock;
use sluicegate::journal::SqliteJournal;
use sluicegate::mapping::FunctionRef;
use sluicegate::policy::PolicySet;
use sluicegate::ports::{Ballot, CallError, Journal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const SECURITY: &str = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";
pub const FREEZE: &str =
    r#"@id("freeze-it") @reason("test") permit (principal, action == Action::"freeze", resource);"#;
pub const ASK: &str = r#"@id("ask-first") @reason("test")
    forbid (principal, action in [Action::"disable", Action::"freeze"], resource);"#;

pub fn policies(extra: &str) -> PolicySet {
    let dir = TempDir::new().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["allowlist.toml", "rules.cedar", "inventory.toml"] {
        std::fs::copy(shipped.join(name), dir.path().join(name)).unwrap();
    }
    let rules = std::fs::read_to_string(dir.path().join("rules.cedar")).unwrap();
    std::fs::write(dir.path().join("rules.cedar"), format!("{rules}\n{extra}")).unwrap();
    policies_in(dir.path())
}

pub fn start(fake: &Fake, dir: &TempDir, extra: &str) -> Worker {
    Worker::start(fake, &dir.path().join("j.db"), policies(extra), Mode::Enforce)
}

/// A worker whose journal can be meddled with.
pub fn start_behind(fake: &Fake, dir: &TempDir, extra: &str) -> (Worker, Arc<Front>) {
    let real = SqliteJournal::open(&dir.path().join("j.db"), Arc::new(SystemClock), true).unwrap();
    let front = Arc::new(Front::new(real.clone()));
    (Worker::start_on(fake, real, front.clone(), policies(extra), Mode::Enforce), front)
}

pub fn create(event_id: &str, n: u32) -> Value {
    delivered(&created(event_id, n, Timestamp::now()))
}

/// An update of mapping `n` with this request.
pub fn update(event_id: &str, n: u32, request: &Value, time: Timestamp) -> Value {
    let mut record = created(event_id, n, time);
    record["eventName"] = json!("UpdateEventSourceMapping20150331");
    record["requestParameters"] = request.clone();
    record["requestParameters"]["uUID"] = json!(uuid(n));
    delivered(&record)
}

/// The event and the deed: somebody points mapping `n` at `name`.
pub fn repoint(fake: &Fake, event_id: &str, n: u32, name: &str) -> Value {
    let function = function(name);
    fake.change(n, |mapping| mapping.function = function.clone());
    repointed(event_id, n, name, Timestamp::now())
}

pub fn repointed(event_id: &str, n: u32, name: &str, time: Timestamp) -> Value {
    let mut event = update(event_id, n, &json!({"functionName": name}), time);
    event["detail"]["responseElements"]["functionArn"] = json!(function(name).arn);
    event
}

pub fn function(name: &str) -> FunctionRef {
    FunctionRef::parse(name, "aws", "eu-west-1", "111122223333")
}

pub async fn case(worker: &Worker, n: usize) -> Case {
    let id = worker.journal.cases().await.unwrap()[n].case_id.parse().unwrap();
    worker.journal.case(&id).await.unwrap().unwrap()
}

pub async fn events(worker: &Worker, n: usize) -> Vec<CaseEvent> {
    let history = worker.journal.history(&case(worker, n).await.id).await.unwrap();
    history.into_iter().map(|recorded| recorded.event).collect()
}

pub fn ballot(case: &Case, id: &str, decision: Decision) -> Ballot {
    ballot_of(SECURITY, case, id, decision)
}

pub fn ballot_of(who: &str, case: &Case, id: &str, decision: Decision) -> Ballot {
    let plan = plan_for(case, decision).map_or("none".into(), |plan| plan.digest);
    signed(who, id, &case.id, decision, &plan)
}

/// Casts a vote; gives why it is refused, where it is. Does not wait for what comes of it.
pub async fn cast(worker: &Worker, ballot: &Ballot) -> Option<String> {
    worker.journal.cast(ballot).await.unwrap();
    worker.responder.take_ballots().await.unwrap();
    worker.journal.refusal(&ballot.id).await.unwrap()
}

pub async fn decide(worker: &Worker, n: usize, id: &str, decision: Decision) -> Option<String> {
    let ballot = ballot(&case(worker, n).await, id, decision);
    let refused = cast(worker, &ballot).await;
    worker.settle().await;
    refused
}

/// Waits until it is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come to be so: {what}");
}

pub fn denied() -> CallError {
    let (code, message) = ("AccessDeniedException".into(), "not authorized".into());
    CallError::Refused { code, message, request_id: None }
}

pub fn busy() -> CallError {
    CallError::Busy { message: "another operation is in progress".into(), request_id: None }
}

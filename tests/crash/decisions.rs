//! Decisions: who may, exactly what, once, and back to how it was.

use crate::common::{created, delivered, uuid};
use crate::fake::{Fake, RESPONDER, Worker, policies_in, signed};
use jiff::Timestamp;
use serde_json::json;
use sluicegate::case::{CaseEvent, Decision, Mode, Outcome, State, plan_for};
use sluicegate::mapping::FunctionRef;
use sluicegate::policy::PolicySet;
use sluicegate::ports::{Ballot, Journal};
use tempfile::TempDir;

const SECURITY: &str = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";
const MALLORY: &str = "arn:aws:sts::111122223333:assumed-role/intern/mallory";

fn policies(extra: &str) -> PolicySet {
    let dir = TempDir::new().unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["allowlist.toml", "rules.cedar", "inventory.toml"] {
        std::fs::copy(shipped.join(name), dir.path().join(name)).unwrap();
    }
    let rules = std::fs::read_to_string(dir.path().join("rules.cedar")).unwrap();
    std::fs::write(dir.path().join("rules.cedar"), format!("{rules}\n{extra}")).unwrap();
    policies_in(dir.path())
}

async fn contained(fake: &Fake, dir: &TempDir, extra: &str) -> Worker {
    let worker = Worker::start(fake, &dir.path().join("j.db"), policies(extra), Mode::Enforce);
    worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
    worker.settle().await;
    worker
}

async fn vote(worker: &Worker, who: &str, decision: Decision) -> Option<String> {
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    let case = worker.journal.case(&id).await.unwrap().unwrap();
    let plan = plan_for(&case, decision).map_or("none".into(), |plan| plan.digest);
    let ballot = signed(who, &format!("{:x}", fastrand_u64()), &id, decision, &plan);
    cast(worker, &ballot).await
}

async fn cast(worker: &Worker, ballot: &Ballot) -> Option<String> {
    worker.journal.cast(ballot).await.unwrap();
    worker.responder.take_ballots().await.unwrap();
    worker.settle().await;
    assert!(worker.journal.ballots().await.unwrap().is_empty());
    worker.journal.refusal(&ballot.id).await.unwrap()
}

fn fastrand_u64() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

async fn state(worker: &Worker) -> (State, Option<Outcome>) {
    let case = &worker.journal.cases().await.unwrap()[0];
    (case.state, case.outcome)
}

#[tokio::test]
async fn restore_brings_it_back_as_it_was_and_its_own_event_is_no_attack() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, "").await;
    assert_eq!(vote(&worker, SECURITY, Decision::Restore).await, None);
    assert_eq!((fake.state(1).as_str(), state(&worker).await), ("Enabled", (State::Closed, Some(Outcome::Restored))));
    // The event of our own update: the request id is the fake's second.
    let mut own = created("own", 1, Timestamp::now());
    own["eventName"] = json!("UpdateEventSourceMapping20150331");
    own["requestParameters"] = json!({"uUID": uuid(1), "enabled": true});
    own["requestID"] = json!("request-2");
    own["userIdentity"] = json!({
        "type": "AssumedRole", "principalId": "AROARESPONDER00000000:worker", "arn": RESPONDER,
        "accountId": "111122223333", "accessKeyId": "ASIARESPONDER0000000",
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROARESPONDER00000000",
            "arn": "arn:aws:iam::111122223333:role/sluicegate/responder", "accountId": "111122223333",
            "userName": "responder"}}
    });
    worker.receive(&delivered(&own)).await;
    worker.settle().await;
    assert_eq!((worker.journal.cases().await.unwrap().len(), fake.state(1).as_str()), (1, "Enabled"));
    // The same call by somebody who holds our role's credentials, but with another request id, is not ours. The
    // baseline says enabled, so this one only restates; a repoint does not.
    own["eventID"] = json!("stolen");
    own["requestID"] = json!("request-99");
    own["requestParameters"] = json!({"uUID": uuid(1), "functionName": "evil"});
    own["responseElements"]["functionArn"] = json!("arn:aws:lambda:eu-west-1:111122223333:function:evil");
    fake.change(1, |mapping| {
        mapping.function = FunctionRef::parse(
            "arn:aws:lambda:eu-west-1:111122223333:function:evil",
            "aws",
            "eu-west-1",
            "111122223333",
        );
    });
    worker.receive(&delivered(&own)).await;
    worker.settle().await;
    assert_eq!(worker.journal.cases().await.unwrap().len(), 2);
    assert_eq!(fake.state(1), "Disabled");
}

#[tokio::test]
async fn a_repoint_is_undone_to_the_baseline_and_not_to_what_was_found() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, "").await;
    vote(&worker, SECURITY, Decision::Restore).await;
    let evil = FunctionRef::parse("evil", "aws", "eu-west-1", "111122223333");
    fake.change(1, |mapping| mapping.function = evil.clone());
    let mut update = created("repoint", 1, Timestamp::now());
    update["eventName"] = json!("UpdateEventSourceMapping20150331");
    update["requestParameters"] = json!({"uUID": uuid(1), "functionName": "evil"});
    update["responseElements"]["functionArn"] = json!(evil.arn);
    worker.receive(&delivered(&update)).await;
    worker.settle().await;
    let second = worker.journal.cases().await.unwrap().remove(1);
    assert_eq!(second.detection.name(), "mapping-repointed");
    assert_eq!(fake.state(1), "Disabled");
    let case = worker.journal.case(&second.case_id.parse().unwrap()).await.unwrap().unwrap();
    let plan = plan_for(&case, Decision::Restore).unwrap();
    let ballot = signed(SECURITY, "second", &case.id, Decision::Restore, &plan.digest);
    assert_eq!(cast(&worker, &ballot).await, None);
    let function = fake.0.lock().unwrap().mappings[&uuid(1)].function.name.clone();
    assert_eq!((function.as_str(), fake.state(1).as_str()), ("exfil", "Enabled"));
}

#[tokio::test]
async fn strangers_the_actor_a_stale_plan_and_a_second_decision_are_refused() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, "").await;
    let stranger = "arn:aws:sts::111122223333:assumed-role/developer/dave";
    assert!(vote(&worker, stranger, Decision::Restore).await.unwrap().contains("policy does not let"));
    assert!(vote(&worker, MALLORY, Decision::Restore).await.unwrap().contains("policy does not let"));
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    let stale = signed(SECURITY, "stale", &id, Decision::Restore, &"0".repeat(64));
    assert!(cast(&worker, &stale).await.unwrap().contains("look again"));
    let mut forged = stale.clone();
    forged.id = "forged".into();
    forged.decision = Decision::Keep;
    assert!(cast(&worker, &forged).await.unwrap().contains("another vote"));
    assert_eq!((fake.updates(), fake.state(1).as_str()), (1, "Disabled"));
    assert_eq!(vote(&worker, SECURITY, Decision::Keep).await, None);
    assert_eq!(state(&worker).await, (State::Closed, Some(Outcome::Contained)));
    assert!(vote(&worker, SECURITY, Decision::Keep).await.unwrap().contains("already decided by"));
}

#[tokio::test]
async fn what_was_kept_can_still_be_restored() {
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, "").await;
    vote(&worker, SECURITY, Decision::Keep).await;
    assert_eq!(vote(&worker, SECURITY, Decision::Restore).await, None);
    assert_eq!((fake.state(1).as_str(), state(&worker).await), ("Enabled", (State::Closed, Some(Outcome::Restored))));
}

#[tokio::test]
async fn a_quorum_counts_people_and_not_sessions() {
    let two = r#"@id("restore-in-twos") @approvals("2") @reason("two people")
        permit (principal in Team::"security", action == Action::"approve.restore", resource);"#;
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, two).await;
    assert_eq!(vote(&worker, SECURITY, Decision::Restore).await, None);
    assert_eq!(state(&worker).await.0, State::AwaitingDecision);
    let again = vote(&worker, "arn:aws:sts::111122223333:assumed-role/SecurityOps/another-session", Decision::Restore);
    assert!(again.await.unwrap().contains("another person"));
    assert_eq!(fake.state(1), "Disabled");
    let alice = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecOps_0123456789abcdef/alice@example.com";
    assert_eq!(vote(&worker, alice, Decision::Restore).await, None);
    assert_eq!(fake.state(1), "Enabled");
}

#[tokio::test]
async fn freeze_and_its_undo_keep_the_prior_value() {
    let freeze = r#"@id("freeze-it") @reason("test") permit (principal, action == Action::"freeze", resource);"#;
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:exfil";
    for prior in [None, Some(7)] {
        let dir = TempDir::new().unwrap();
        let fake = Fake::with_mapping(1, "Enabled");
        if let Some(prior) = prior {
            fake.0.lock().unwrap().concurrency.insert(function.into(), prior);
        }
        let worker = contained(&fake, &dir, freeze).await;
        assert_eq!(fake.0.lock().unwrap().concurrency.get(function), Some(&0));
        assert_eq!(fake.state(1), "Disabled");
        assert_eq!(vote(&worker, SECURITY, Decision::Restore).await, None);
        assert_eq!(fake.0.lock().unwrap().concurrency.get(function).copied(), prior);
        assert_eq!((fake.state(1).as_str(), state(&worker).await.0), ("Enabled", State::Closed));
    }
}

#[tokio::test]
async fn an_approval_is_void_where_the_target_became_another() {
    let ask = r#"@id("ask-first") @reason("test") forbid (principal, action in [Action::"disable", Action::"freeze"], resource);"#;
    let dir = TempDir::new().unwrap();
    let fake = Fake::with_mapping(1, "Enabled");
    let worker = contained(&fake, &dir, ask).await;
    assert_eq!((state(&worker).await.0, fake.updates()), (State::AwaitingDecision, 0));
    fake.change(1, |mapping| mapping.function = FunctionRef::parse("other", "aws", "eu-west-1", "111122223333"));
    assert_eq!(vote(&worker, SECURITY, Decision::Disable).await, None);
    assert_eq!((state(&worker).await.0, fake.updates()), (State::AwaitingDecision, 0));
    let id = worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
    let history = worker.journal.history(&id).await.unwrap();
    assert!(history.iter().any(|recorded| {
        matches!(&recorded.event, CaseEvent::ApprovalRequested { why, .. } if why.contains("void"))
    }));
    assert_eq!(vote(&worker, SECURITY, Decision::Disable).await, None);
    assert_eq!((state(&worker).await.0, fake.state(1).as_str()), (State::AwaitingDecision, "Disabled"));
}

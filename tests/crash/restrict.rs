//! Restricting credentials and lifting it: exactly what was approved, once, and back to the exact documents, whatever
//! crashes in between.

use crate::common::{ACCOUNT, created, delivered};
use crate::fake::{Fake, Worker, shipped_policies, signed};
use crate::fake_iam::Entity;
use crate::review::front::Front;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicegate::case::{
    Case, CaseEvent, CaseId, Decision, Evidence, FunctionFacts, Mode as Acts, Outcome, State, plans_for,
};
use sluicegate::clock::SystemClock;
use sluicegate::journal::SqliteJournal;
use sluicegate::ports::{CallError, Journal};
use sluicegate::responder::RestrictionSettings;
use sluicegate::restriction::{AccessKey, Effect, Means, Mode, Offer, RestrictionState, Strength, Whose};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;

const BOB: &str = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";
const ALICE: &str = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecOps_0123456789abcdef/alice@example.com";
const TRUSTS_PEOPLE: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}"#;
const CAP: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

fn settings(mode: Mode) -> RestrictionSettings {
    RestrictionSettings { means: Means { mode, cap_policy: CAP.into() }, ..RestrictionSettings::default() }
}

fn intern() -> Entity {
    Entity {
        id: "AROAEXAMPLEEXAMPLE000".into(),
        trust: TRUSTS_PEOPLE.into(),
        policies: [("granted".to_owned(), r#"{"a": 1}"#.to_owned())].into(),
        attached: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
        tags: [("team".to_owned(), "x".to_owned()), ("sluicegate-case".to_owned(), "an old note".to_owned())].into(),
        ..Entity::default()
    }
}

fn eve() -> Entity {
    let key = |id: &str, active: bool| AccessKey { id: id.into(), active };
    Entity {
        id: "AIDAEXAMPLEEXAMPLE000".into(),
        keys: vec![key("AKIAONE", true), key("AKIATWO", false)],
        ..Entity { trust: String::new(), ..intern() }
    }
}

fn account(mode: Mode) -> Fake {
    let fake = Fake::with_mapping(1, "Enabled");
    {
        let mut account = fake.0.lock().unwrap();
        account.restriction = Some(settings(mode));
        account.entities.insert("intern".into(), intern());
        account.entities.insert("eve".into(), eve());
    }
    fake
}

fn by_user(record: &mut Value) {
    record["userIdentity"] = json!({
        "type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLE000", "arn": format!("arn:aws:iam::{ACCOUNT}:user/eve"),
        "accountId": ACCOUNT, "accessKeyId": "AKIAONE", "userName": "eve"
    });
}

fn event(id: &str, n: u32, user: bool) -> Value {
    let mut record = created(id, n, Timestamp::now());
    if user {
        by_user(&mut record);
    }
    delivered(&record)
}

fn start(fake: &Fake, journal: &Path) -> Worker {
    Worker::start(fake, journal, shipped_policies(), Acts::Enforce)
}

async fn cases(worker: &Worker) -> Vec<CaseId> {
    worker.journal.cases().await.unwrap().iter().map(|case| case.case_id.parse().unwrap()).collect()
}

async fn case(worker: &Worker, id: &CaseId) -> Case {
    worker.journal.case(id).await.unwrap().unwrap()
}

/// A case that waits for a decision, with what can be done about the credentials.
async fn opened(worker: &Worker, event_id: &str, n: u32, user: bool) -> CaseId {
    worker.receive(&event(event_id, n, user)).await;
    worker.settle().await;
    let id = cases(worker).await.pop().unwrap();
    worker.responder.gather_offers(&id).await.unwrap();
    id
}

async fn vote(worker: &Worker, id: &CaseId, decision: Decision, who: &str, ballot: &str) -> Option<String> {
    let plan = plans_for(&case(worker, id).await, decision).pop().map_or("none".into(), |plan| plan.digest);
    let ballot = signed(who, ballot, id, decision, &plan);
    worker.journal.cast(&ballot).await.unwrap();
    worker.responder.take_ballots().await.unwrap();
    worker.settle().await;
    worker.journal.refusal(&ballot.id).await.unwrap()
}

/// Two people decide.
async fn decide(worker: &Worker, id: &CaseId, decision: Decision) {
    for (n, who) in [BOB, ALICE].into_iter().enumerate() {
        assert_eq!(vote(worker, id, decision, who, &format!("{id}-{decision}-{n}")).await, None);
    }
}

#[tokio::test]
async fn each_form_is_put_on_and_lifted_to_exactly_what_was_there() {
    for (mode, user, calls) in [
        (Mode::Cap, false, vec!["AttachPolicy intern"]),
        (Mode::Cap, true, vec!["AttachPolicy eve"]),
        (Mode::Session, false, vec!["PutPolicy intern"]),
        (Mode::Session, true, vec!["PutPolicy eve", "UpdateAccessKey eve"]),
        (Mode::Quarantine, false, vec!["Tag intern"]),
        (Mode::Quarantine, true, vec!["Tag eve"]),
    ] {
        let at = format!("{mode:?}, user {user}");
        let dir = TempDir::new().unwrap();
        let fake = account(mode);
        let (name, other) = if user { ("eve", "intern") } else { ("intern", "eve") };
        let (before, untouched) = (fake.entity(name), fake.entity(other));
        let worker = start(&fake, &dir.path().join("j.db"));
        let id = opened(&worker, "e1", 1, user).await;
        assert!(fake.changes().is_empty(), "{at}");
        decide(&worker, &id, Decision::DeleteRestrict).await;
        let after = case(&worker, &id).await;
        assert_eq!((after.state, after.outcome), (State::Closed, Some(Outcome::Removed)), "{at}: {after:#?}");
        assert_eq!(
            (fake.changes(), fake.state(1).as_str()),
            (calls.iter().map(|s| (*s).to_owned()).collect(), "gone"),
            "{at}"
        );
        assert_ne!(fake.entity(name), before, "{at}");
        let held = worker.journal.restrictions().await.unwrap();
        assert!(held.iter().all(|held| held.state == RestrictionState::On), "{at}: {held:?}");
        assert_eq!(held.len(), calls.len(), "{at}");
        assert!(after.restrictions().all(|step| after.effect(step.id) == Some(&Effect::Applied)), "{at}");
        assert!(after.decisions().contains(&Decision::Lift), "{at}");
        decide(&worker, &id, Decision::Lift).await;
        let lifted = case(&worker, &id).await;
        assert_eq!((lifted.state, lifted.outcome), (State::Closed, Some(Outcome::Removed)), "{at}");
        assert_eq!((fake.entity(name), fake.entity(other)), (before, untouched), "{at}");
        assert!(worker.journal.restrictions().await.unwrap().is_empty(), "{at}");
        assert!(worker.journal.audit().await.unwrap().damage.is_empty());
    }
}

#[tokio::test]
async fn the_cut_off_is_the_time_of_the_vote_that_passed() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Session);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let at = case(&worker, &id).await.approved.unwrap().at;
    let document = fake.entity("intern").policies[&format!("Sluicegate-{id}")].clone();
    let cutoff = Timestamp::from_second(at.as_second() + 1).unwrap();
    let expected = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Sluicegate", "Effect": "Deny", "Action": "*",
        "Resource": "*", "Condition": {"StringEquals": {"aws:userid": "AROAEXAMPLEEXAMPLE000:mallory"},
        "DateLessThan": {"aws:TokenIssueTime": cutoff.to_string()}}}]});
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), expected);
    // The whole role only now, and by another approval.
    worker.responder.gather_offers(&id).await.unwrap();
    let whole = case(&worker, &id).await.offer(Whose::CallerWhole).cloned();
    assert!(
        matches!(whole, Some(Offer::Restrict { reach, .. }) if reach.starts_with("the whole role intern: everyone"))
    );
    decide_again(&worker, &id).await;
    assert!(fake.entity("intern").policies[&format!("Sluicegate-{id}-role")].contains(r#""Resource":"*"}]"#));
}

#[tokio::test]
async fn what_was_decided_once_counts_for_no_later_approval_of_the_same_plan() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    // The first takes the mapping away; from then on each is for the credentials alone, and of one digest.
    for round in ["first", "second"] {
        for decision in [Decision::DeleteRestrict, Decision::Lift] {
            for who in [BOB, ALICE] {
                assert_eq!(vote(&worker, &id, decision, who, &format!("{round}-{decision}-{who}")).await, None);
            }
        }
    }
    let before = fake.entity("intern");
    assert_eq!(vote(&worker, &id, Decision::DeleteRestrict, ALICE, "third-alice").await, None);
    let now = case(&worker, &id).await;
    assert_eq!((now.state, now.votes.len()), (State::Closed, 2 + 1), "{:#?}", now.votes);
    assert_eq!(fake.entity("intern"), before, "one person alone restricted again");
    assert_eq!(vote(&worker, &id, Decision::DeleteRestrict, BOB, "third-bob").await, None);
    assert_ne!(fake.entity("intern"), before);
}

async fn decide_again(worker: &Worker, id: &CaseId) {
    for (n, who) in [BOB, ALICE].into_iter().enumerate() {
        assert_eq!(vote(worker, id, Decision::DeleteRestrict, who, &format!("again-{n}")).await, None);
    }
}

/// The journal goes down after every number of appends there is, with what the step does done or not done by then.
async fn cut_anywhere(mode: Mode, user: bool) {
    for first in (1..60).step_by(4) {
        let cuts = (first..first + 4).flat_map(|budget| [(budget, false), (budget, true)]);
        let ends = futures_util::future::join_all(cuts.map(|(budget, before)| cut(mode, user, budget, before))).await;
        if ends.contains(&true) {
            return;
        }
    }
    panic!("{mode:?}: the end was never reached");
}

#[tokio::test]
async fn a_cap_cut_anywhere_between_approval_and_lift_ends_the_same() {
    cut_anywhere(Mode::Cap, false).await;
}

#[tokio::test]
async fn a_user_denied_cut_anywhere_between_approval_and_lift_ends_the_same() {
    cut_anywhere(Mode::Session, true).await;
}

#[tokio::test]
async fn a_quarantine_cut_anywhere_between_approval_and_lift_ends_the_same() {
    cut_anywhere(Mode::Quarantine, false).await;
}

/// Whether nothing was cut.
async fn cut(mode: Mode, user: bool, budget: u32, before_the_call: bool) -> bool {
    let at = format!("{mode:?}, user {user}, {budget} appends, before the call {before_the_call}");
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("j.db");
    let fake = account(mode);
    let name = if user { "eve" } else { "intern" };
    let before = fake.entity(name);
    let worker = start(&fake, &path);
    let id = opened(&worker, "e1", 1, user).await;
    drop(worker);
    let real = SqliteJournal::open(&path, Arc::new(SystemClock), true).unwrap();
    let front = Arc::new(Front::new(real.clone()));
    front.budget.store(budget, Ordering::SeqCst);
    if before_the_call {
        let fake = fake.clone();
        *front.last.lock().unwrap() = Some(Box::new(move || fake.0.lock().unwrap().frozen = true));
    }
    let mut worker = Worker::start_on(&fake, real, front.clone(), shipped_policies(), Acts::Enforce);
    let mut crashed = false;
    for decision in [Decision::DeleteRestrict, Decision::Lift] {
        for (n, who) in [BOB, ALICE].into_iter().enumerate() {
            let known = case(&worker, &id).await;
            let Some(plan) = plans_for(&known, decision).pop() else { continue };
            let ballot = signed(who, &format!("{decision}-{n}"), &id, decision, &plan.digest);
            worker.journal.cast(&ballot).await.unwrap();
            let down = || front.down.load(Ordering::SeqCst);
            let crash = async {
                while crashed || !down() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                taken = worker.responder.take_ballots() => assert!(down() || taken.is_ok()),
                () = crash => {}
            }
            while worker.responder.at_work() > 0 && (crashed || !down()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if down() && !crashed {
                crashed = true;
                worker.stop();
                worker.settle().await;
                fake.0.lock().unwrap().frozen = false;
                worker = start(&fake, &path);
                worker.responder.resume().await.unwrap();
                worker.responder.take_ballots().await.unwrap();
                worker.settle().await;
            }
        }
        let after = case(&worker, &id).await;
        assert_eq!(
            (after.state, after.outcome),
            (State::Closed, Some(Outcome::Removed)),
            "{at}, {decision}: {after:#?}"
        );
        assert_eq!(fake.entity(name) == before, decision == Decision::Lift, "{at}, {decision}");
    }
    let mut calls = fake.changes();
    calls.sort();
    let mut once = match mode {
        Mode::Cap => vec!["AttachPolicy intern", "DetachPolicy intern"],
        Mode::Session => vec!["DeletePolicy eve", "PutPolicy eve", "UpdateAccessKey eve", "UpdateAccessKey eve"],
        Mode::Quarantine => vec!["Tag intern", "Untag intern", "Tag intern"],
    };
    once.sort_unstable();
    assert_eq!(calls, once, "{at}");
    assert_eq!(fake.0.lock().unwrap().deletes.len(), 1, "{at}");
    assert!(worker.journal.restrictions().await.unwrap().is_empty(), "{at}");
    !crashed
}

#[tokio::test]
async fn two_cases_hold_one_restriction_and_it_comes_off_with_the_last() {
    for mode in [Mode::Cap, Mode::Session, Mode::Quarantine] {
        let dir = TempDir::new().unwrap();
        let fake = account(mode);
        fake.0.lock().unwrap().mappings.insert(crate::common::uuid(2), crate::common::snapshot(2, "Enabled"));
        let before = fake.entity("intern");
        let worker = start(&fake, &dir.path().join("j.db"));
        let first = opened(&worker, "e1", 1, false).await;
        // Both are on offer before either is decided.
        let second = opened(&worker, "e2", 2, false).await;
        decide(&worker, &first, Decision::DeleteRestrict).await;
        let changes = fake.changes();
        decide(&worker, &second, Decision::DeleteRestrict).await;
        assert_eq!(fake.changes(), changes, "{mode:?}: it is on already");
        let held = worker.journal.restrictions().await.unwrap();
        assert_eq!(held.len(), 1, "{mode:?}");
        assert_eq!(held[0].holders, [first.clone(), second.clone()]);
        let document = fake.entity("intern");
        decide(&worker, &first, Decision::Lift).await;
        assert_eq!(fake.entity("intern"), document, "{mode:?}: the second case holds it");
        let history = worker.journal.history(&first).await.unwrap();
        assert!(history.iter().any(|past| matches!(&past.event,
            CaseEvent::StepReleased { held_by, .. } if *held_by == [second.clone()])));
        assert_eq!(case(&worker, &first).await.outcome, Some(Outcome::Removed));
        decide(&worker, &second, Decision::Lift).await;
        assert_eq!(fake.entity("intern"), before, "{mode:?}");
        assert!(worker.journal.restrictions().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_was_altered_is_not_taken_off() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Session);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let name = format!("Sluicegate-{id}");
    let ours = fake.entity("intern").policies[&name].clone();
    fake.meddle("intern", |role| {
        role.policies.insert(name.clone(), ours.replace("mallory", "nobody"));
    });
    let changes = fake.changes();
    decide(&worker, &id, Decision::Lift).await;
    let stuck = case(&worker, &id).await;
    assert_eq!(stuck.state, State::Stuck);
    assert!(stuck.steps.last().unwrap().error.contains("is not what sluicegate wrote"), "{:?}", stuck.steps.last());
    assert!(
        stuck
            .steps
            .last()
            .unwrap()
            .error
            .contains(&format!("aws iam delete-role-policy --role-name intern --policy-name {name}"))
    );
    assert_eq!(fake.changes(), changes);
    // A person has looked, and deleted it: then there is nothing to take off.
    fake.meddle("intern", |role| drop(role.policies.remove(&name)));
    for (n, who) in [BOB, ALICE].into_iter().enumerate() {
        assert_eq!(vote(&worker, &id, Decision::Lift, who, &format!("second-{n}")).await, None);
    }
    assert_eq!(case(&worker, &id).await.state, State::Closed);
    assert_eq!((fake.changes(), fake.entity("intern")), (changes, intern()));
    assert!(worker.journal.restrictions().await.unwrap().is_empty());
}

#[tokio::test]
async fn another_principal_of_the_same_name_is_not_restricted() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    fake.meddle("intern", |role| role.id = "AROAANOTHERANOTHER000".into());
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let after = case(&worker, &id).await;
    assert_eq!(after.state, State::AwaitingDecision);
    assert!(after.asked.as_ref().unwrap().0.contains("made anew under the same name"), "{:?}", after.asked);
    assert!(fake.changes().is_empty());
    worker.responder.gather_offers(&id).await.unwrap();
    let offer = case(&worker, &id).await.offer(Whose::Caller).cloned();
    assert!(matches!(offer, Some(Offer::ByHand { why, .. }) if why.contains("another principal")));
    assert!(!case(&worker, &id).await.decisions().contains(&Decision::DeleteRestrict));
}

#[tokio::test]
async fn a_foreign_policy_of_our_name_a_full_principal_and_no_place_left() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Session);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    let name = format!("Sluicegate-{id}");
    // Between offer and approval.
    fake.meddle("intern", |role| drop(role.policies.insert(name.clone(), "{}".into())));
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let asked = case(&worker, &id).await.asked.unwrap().0;
    assert!(asked.contains("sluicegate did not write") && asked.contains("void"), "{asked}");
    assert_eq!(fake.entity("intern").policies[&name], "{}");

    for (attached, expected) in [(2, true), (10, false)] {
        let fake = account(Mode::Session);
        fake.meddle("intern", |role| {
            role.policies.insert("big".into(), "x".repeat(10_200));
            role.attached = (0..attached).map(|n| format!("arn:aws:iam::aws:policy/P{n}")).collect();
        });
        let worker = start(&fake, &dir.path().join(format!("{attached}.db")));
        let id = opened(&worker, "e1", 1, false).await;
        match case(&worker, &id).await.offer(Whose::Caller).unwrap() {
            Offer::Restrict { reach, steps, .. } => {
                assert!(expected && reach.contains("leaves no room") && reach.contains("the whole role"), "{reach}");
                assert_eq!(steps[0].step.name(), "cap_principal");
            }
            Offer::ByHand { why, .. } => assert!(!expected && why.contains("no place for another"), "{why}"),
        }
    }
}

#[tokio::test]
async fn strength_is_told_and_offers_are_recorded_only_where_they_are_new() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    fake.meddle("intern", |role| role.may = vec!["iam:DetachRolePolicy".into()]);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    let strength = |case: &Case| match case.offer(Whose::Caller) {
        Some(Offer::Restrict { strength, .. }) => strength.clone(),
        other => panic!("{other:?}"),
    };
    let known = case(&worker, &id).await;
    assert_eq!(strength(&known), Strength::Weak { could: vec!["iam:DetachRolePolicy".into()] });
    worker.responder.gather_offers(&id).await.unwrap();
    assert_eq!(case(&worker, &id).await.seq, known.seq);
    // The function's maker is learnt: then its role is on offer too.
    fake.0
        .lock()
        .unwrap()
        .entities
        .insert("functions".into(), Entity { id: "AROAFUNCTIONS00000000".into(), ..intern() });
    let facts = FunctionFacts {
        role: format!("arn:aws:iam::{ACCOUNT}:role/service/functions"),
        made_by_actor: true,
        ..FunctionFacts::default()
    };
    worker.journal.append(&id, known.seq, &[CaseEvent::Evidence(Evidence::Function(Box::new(facts)))]).await.unwrap();
    worker.responder.gather_offers(&id).await.unwrap();
    let plans = plans_for(&case(&worker, &id).await, Decision::DeleteRestrict);
    let restricts: Vec<_> = plans.iter().map(|plan| plan.restricts.clone()).collect();
    assert_eq!(restricts, [vec![Whose::Caller], vec![Whose::Caller, Whose::Execution]]);
    decide(&worker, &id, Decision::DeleteRestrict).await;
    assert_eq!(fake.changes(), ["AttachPolicy intern", "AttachPolicy functions"]);
    decide(&worker, &id, Decision::Lift).await;
    assert_eq!(fake.entity("intern").attached, intern().attached);
}

#[tokio::test]
async fn lost_answers_are_observed_and_refusals_call_people() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Session);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, true).await;
    let lost = || CallError::Ambiguous { message: "as told".into() };
    fake.0.lock().unwrap().iam_faults.extend([lost(), lost()]);
    decide(&worker, &id, Decision::DeleteRestrict).await;
    assert_eq!(fake.changes(), ["PutPolicy eve", "UpdateAccessKey eve"]);
    fake.0.lock().unwrap().iam_faults.extend([lost(), lost()]);
    decide(&worker, &id, Decision::Lift).await;
    assert_eq!(fake.changes()[2..], ["UpdateAccessKey eve", "DeletePolicy eve"]);
    assert_eq!(fake.entity("eve"), eve());

    let fake = account(Mode::Cap);
    let worker = start(&fake, &dir.path().join("refused.db"));
    let id = opened(&worker, "e1", 1, false).await;
    let refused = || CallError::Refused { code: "LimitExceeded".into(), message: "no".into(), request_id: None };
    fake.0.lock().unwrap().iam_faults.extend([refused(), refused(), refused()]);
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let stuck = case(&worker, &id).await;
    assert_eq!((stuck.state, fake.entity("intern")), (State::Stuck, intern()));
    assert!(worker.journal.restrictions().await.unwrap().is_empty(), "a claim that came to nothing is free");
    for (n, who) in [BOB, ALICE].into_iter().enumerate() {
        assert_eq!(vote(&worker, &id, Decision::DeleteRestrict, who, &format!("second-{n}")).await, None);
    }
    assert_eq!(case(&worker, &id).await.state, State::Closed);
    assert!(fake.entity("intern").attached.contains(&CAP.to_owned()));
}

#[tokio::test]
async fn a_claim_that_people_did_not_go_on_with_holds_nothing_against_other_cases() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    fake.0.lock().unwrap().mappings.insert(crate::common::uuid(2), crate::common::snapshot(2, "Enabled"));
    let worker = start(&fake, &dir.path().join("j.db"));
    let first = opened(&worker, "e1", 1, false).await;
    let second = opened(&worker, "e2", 2, false).await;
    let denied = || CallError::Refused { code: "AccessDenied".into(), message: "no".into(), request_id: None };
    fake.0.lock().unwrap().iam_faults.extend([denied(), denied(), denied()]);
    assert_eq!(vote(&worker, &first, Decision::DeleteRestrict, BOB, "r1").await, None);
    let plan = plans_for(&case(&worker, &first).await, Decision::DeleteRestrict).pop().unwrap().digest;
    let ballot = signed(ALICE, "r2", &first, Decision::DeleteRestrict, &plan);
    worker.journal.cast(&ballot).await.unwrap();
    worker.responder.take_ballots().await.unwrap();
    for _ in 0..400 {
        let stuck = case(&worker, &first).await;
        if stuck.state == State::Stuck && stuck.asked.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(worker.journal.restrictions().await.unwrap().len(), 1);
    // It is not tried again: people leave it at the deletion.
    assert_eq!(vote(&worker, &first, Decision::Keep, BOB, "k1").await, None);
    assert_eq!(case(&worker, &first).await.state, State::Closed);
    assert!(worker.journal.restrictions().await.unwrap().is_empty(), "a claim is left behind");
    decide(&worker, &second, Decision::DeleteRestrict).await;
    assert!(fake.entity("intern").attached.contains(&CAP.to_owned()));
    decide(&worker, &second, Decision::Lift).await;
    assert_eq!(fake.entity("intern"), intern());
}

#[tokio::test]
async fn a_role_is_kept_by_its_true_path_though_the_record_leaves_it_out() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/break-glass/intern");
    fake.0.lock().unwrap().entities.insert("intern".into(), Entity { arn, ..intern() });
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    let case = case(&worker, &id).await;
    assert!(matches!(case.offer(Whose::Caller), Some(Offer::ByHand { why, .. }) if why.contains("protected")));
}

#[tokio::test]
async fn who_takes_it_off_is_noticed_and_it_is_put_on_again() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    decide(&worker, &id, Decision::DeleteRestrict).await;
    let restricted = fake.entity("intern");
    fake.meddle("intern", |role| role.attached.retain(|policy| policy != CAP));
    worker.responder.watch_once().await.unwrap();
    assert_eq!(fake.entity("intern"), restricted);
    let history = worker.journal.history(&id).await.unwrap();
    let effects: Vec<&Effect> = history
        .iter()
        .filter_map(|past| match &past.event {
            CaseEvent::Evidence(Evidence::Restricted { effect, .. }) => Some(effect),
            _ => None,
        })
        .collect();
    assert!(matches!(effects[..], [Effect::Applied, Effect::Tampered { .. }, Effect::Reapplied, ..]), "{effects:?}");
    // Where it cannot be put on again people are told, and it is tried again.
    let denied = || CallError::Refused { code: "AccessDenied".into(), message: "no".into(), request_id: None };
    fake.meddle("intern", |role| role.attached.retain(|policy| policy != CAP));
    fake.0.lock().unwrap().iam_faults.push_back(denied());
    worker.responder.watch_once().await.unwrap();
    let step = case(&worker, &id).await.restrictions().next().unwrap().id;
    assert!(matches!(case(&worker, &id).await.effect(step), Some(Effect::NotReapplied { .. })));
    worker.responder.watch_once().await.unwrap();
    assert_eq!(fake.entity("intern"), restricted);
    decide(&worker, &id, Decision::Lift).await;
    assert_eq!(fake.entity("intern"), intern());
    worker.responder.watch_once().await.unwrap();
    assert_eq!(fake.entity("intern"), intern());
}

#[tokio::test]
async fn it_reminds_and_never_lifts_itself() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    fake.0.lock().unwrap().restriction.as_mut().unwrap().ask_after = Duration::from_millis(300);
    let worker = start(&fake, &dir.path().join("j.db"));
    let id = opened(&worker, "e1", 1, false).await;
    decide(&worker, &id, Decision::DeleteRestrict).await;
    tokio::time::sleep(Duration::from_millis(350)).await;
    for _ in 0..3 {
        worker.responder.watch_once().await.unwrap();
    }
    let notes = async || {
        let history = worker.journal.history(&id).await.unwrap();
        history
            .iter()
            .filter(|past| matches!(&past.event, CaseEvent::Note { text } if text.contains("lift --reason")))
            .count()
    };
    assert_eq!(notes().await, 1);
    tokio::time::sleep(Duration::from_millis(650)).await;
    worker.responder.watch_once().await.unwrap();
    assert_eq!(notes().await, 2);
    assert!(fake.entity("intern").attached.contains(&CAP.to_owned()));
}

fn permitting(extra: &str) -> sluicegate::policy::PolicySet {
    crate::review::stage::policies(extra)
}

const BY_ITSELF: &str =
    r#"@id("restricts-itself") @reason("test") permit (principal, action == Action::"restrict", resource);"#;

/// A case of an event that CloudTrail has or has not.
async fn by_itself(fake: &Fake, dir: &TempDir, policy: &str, in_trail: bool, through: &str) -> (Worker, CaseId) {
    let worker = Worker::start(fake, &dir.path().join("j.db"), permitting(policy), Acts::Enforce);
    let mut record = created("e1", 1, Timestamp::now());
    if !through.is_empty() {
        record["userIdentity"]["invokedBy"] = through.into();
    }
    if in_trail {
        fake.0.lock().unwrap().records.insert("e1".into(), record.to_string());
    }
    worker.receive(&delivered(&record)).await;
    worker.settle().await;
    let id = cases(&worker).await.pop().unwrap();
    // Once to have it confirmed, once for each step.
    for _ in 0..4 {
        worker.responder.gather_offers(&id).await.unwrap();
        worker.responder.restrict_by_itself(&id).await.unwrap();
        worker.settle().await;
    }
    (worker, id)
}

#[tokio::test]
async fn by_itself_only_where_policy_permits_it_and_cloudtrail_has_it() {
    let protected = r#"@id("nobody") @reason("test") forbid (principal, action == Action::"restrict", resource);"#;
    for (policy, in_trail, through, expected) in [
        (BY_ITSELF.to_owned(), true, "", true),
        (BY_ITSELF.to_owned(), false, "", false),
        (BY_ITSELF.to_owned(), true, "cloudformation.amazonaws.com", false),
        (format!("{BY_ITSELF}\n{protected}"), true, "", false),
        (String::new(), true, "", false),
    ] {
        let at = format!("{policy}, in CloudTrail {in_trail}, through {through:?}");
        let dir = TempDir::new().unwrap();
        let fake = account(Mode::Cap);
        let (worker, id) = by_itself(&fake, &dir, &policy, in_trail, through).await;
        assert_eq!(fake.changes(), if expected { vec!["AttachPolicy intern"] } else { vec![] }, "{at}");
        let after = case(&worker, &id).await;
        assert_eq!(after.state, State::AwaitingDecision, "{at}");
        let history = worker.journal.history(&id).await.unwrap();
        let noted = history.iter().any(|past| matches!(&past.event,
            CaseEvent::Note { text } if text.contains("restricted by itself: policy") && text.contains("restricts-itself")));
        assert_eq!(noted, expected, "{at}");
        if expected {
            assert!(
                after.decisions().contains(&Decision::Lift) && !after.decisions().contains(&Decision::DeleteRestrict)
            );
            decide(&worker, &id, Decision::Lift).await;
            assert_eq!(fake.entity("intern"), intern());
            assert_eq!(case(&worker, &id).await.state, State::AwaitingDecision);
            // What people lifted is not put on again.
            worker.responder.restrict_by_itself(&id).await.unwrap();
            worker.settle().await;
            assert_eq!(fake.entity("intern"), intern());
        }
    }
}

#[tokio::test]
async fn in_observe_mode_nothing_is_restricted_or_watched() {
    let dir = TempDir::new().unwrap();
    let fake = account(Mode::Cap);
    let worker = Worker::start(&fake, &dir.path().join("j.db"), permitting(BY_ITSELF), Acts::Observe);
    worker.receive(&event("e1", 1, false)).await;
    worker.settle().await;
    let id = cases(&worker).await.pop().unwrap();
    worker.responder.gather_offers(&id).await.unwrap();
    worker.responder.restrict_by_itself(&id).await.unwrap();
    worker.responder.watch_restrictions().await;
    worker.settle().await;
    assert!(fake.changes().is_empty() && case(&worker, &id).await.evidence.is_empty());
}

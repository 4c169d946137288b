//! Clicks in Slack: whose they are, and every way of getting in that must not work.

use crate::chat::{APP, FakeChat, click};
use crate::common::{created, delivered};
use crate::fake::{Fake, Worker, policies_in, signed};
use jiff::Timestamp;
use sluicegate::case::{Case, Decision, Mode, Outcome, Schedule, State, plan_for};
use sluicegate::clock::SystemClock;
use sluicegate::journal::SqliteJournal;
use sluicegate::policy::PolicySet;
use sluicegate::ports::{Ballot, Journal, Proof};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct Scene {
    worker: Worker,
    fake: Fake,
    chat: FakeChat,
    dir: TempDir,
}

fn policies(extra: &str) -> PolicySet {
    let dir = TempDir::new().unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["allowlist.toml", "rules.cedar", "inventory.toml"] {
        std::fs::copy(shipped.join(name), dir.path().join(name)).unwrap();
    }
    let path = dir.path().join("rules.cedar");
    let rules = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{rules}\n{extra}")).unwrap();
    policies_in(dir.path())
}

impl Scene {
    async fn set(extra: &str, expires_after: Option<Duration>) -> Self {
        let dir = TempDir::new().unwrap();
        let fake = Fake::with_mapping(1, "Enabled");
        let chat = FakeChat::new();
        let journal = SqliteJournal::open(&dir.path().join("j.db"), Arc::new(SystemClock), true).unwrap();
        let schedule = Schedule { remind_after: vec![Duration::from_hours(1)], expires_after };
        let front = Arc::new(journal.clone());
        let slack = Some(Arc::new(chat.clone()) as _);
        let worker = Worker::start_with(&fake, journal, front, policies(extra), Mode::Enforce, slack, schedule);
        worker.receive(&delivered(&created("e1", 1, Timestamp::now()))).await;
        worker.settle().await;
        Self { worker, fake, chat, dir }
    }

    async fn case(&self) -> Case {
        let id = self.worker.journal.cases().await.unwrap()[0].case_id.parse().unwrap();
        self.worker.journal.case(&id).await.unwrap().unwrap()
    }

    async fn ballot(&self, id: &str, decision: Decision, proof: Proof) -> Ballot {
        let case = self.case().await;
        let plan = plan_for(&case, decision).map_or("none".into(), |plan| plan.digest);
        Ballot { proof, ..signed("", id, &case.id, decision, &plan) }
    }

    async fn cast(&self, ballot: &Ballot) -> Option<String> {
        self.worker.journal.cast(ballot).await.unwrap();
        self.worker.responder.take_ballots().await.unwrap();
        self.worker.settle().await;
        self.worker.journal.refusal(&ballot.id).await.unwrap()
    }

    async fn clicks(&self, user: &str, id: &str, decision: Decision) -> Option<String> {
        let ballot = self.ballot(id, decision, click(user)).await;
        self.cast(&ballot).await
    }

    /// Nothing happened, it is in the journal, and the person was told.
    async fn nothing_came_of(&self, refused: Option<String>, user: &str, because: &str) {
        let why = refused.unwrap_or_else(|| panic!("{user} got in"));
        assert!(why.contains(because), "{user}: {why}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let told = self.chat.told(user);
        assert!(told.iter().any(|text| text.contains(because)), "{user} was told {told:?}");
        assert_eq!(self.fake.state(1), "Disabled");
        assert!(self.fake.0.lock().unwrap().deletes.is_empty());
        assert_eq!(self.case().await.state, State::AwaitingDecision);
    }
}

#[tokio::test]
async fn who_belongs_decides_and_is_counted_as_a_person() {
    let scene = Scene::set("", None).await;
    assert_eq!(scene.clicks("U0BOB", "c1", Decision::Delete).await, None);
    assert_eq!((scene.case().await.outcome, scene.fake.state(1).as_str()), (Some(Outcome::Removed), "gone"));
    // The second click is told who was first.
    let refused = scene.clicks("U0ALICE", "c2", Decision::Delete).await.unwrap();
    assert!(refused.contains("already decided by U0BOB at"), "{refused}");
    // alice's Slack account and her AWS identity are one person.
    assert_eq!(scene.clicks("U0ALICE", "c3", Decision::Restore).await, None);
    assert_eq!(scene.case().await.approved.unwrap().people, ["alice"]);
}

#[tokio::test]
async fn who_does_not_belong_gets_nowhere() {
    let scene = Scene::set("", None).await;
    let cases = [
        ("U0CAROL", "policy does not let U0CAROL"),
        ("U0MALLORY", "policy does not let"),
        ("U0GUEST", "guests decide nothing"),
        ("U0ROBOT", "bots decide nothing"),
        ("U0GONE", "deactivated"),
        ("U0EXTERN", "other workspaces"),
        ("U0NOBODY", "cannot be checked now who you are"),
    ];
    for (n, (user, because)) in cases.into_iter().enumerate() {
        let refused = scene.clicks(user, &format!("c{n}"), Decision::Delete).await;
        scene.nothing_came_of(refused, user, because).await;
    }
}

#[tokio::test]
async fn another_team_another_app_a_stale_plan_and_a_forged_case_get_nowhere() {
    let scene = Scene::set("", None).await;
    let other = |team: &str, app: &str| {
        let Proof::Slack(mut proof) = click("U0BOB") else { unreachable!() };
        proof.team_id = team.into();
        proof.app_id = app.into();
        Proof::Slack(proof)
    };
    for (n, (team, app, because)) in
        [("T0OTHER", APP, "another workspace"), ("T0TEAM", "A0OTHER", "another app"), ("T0TEAM", "", "another app")]
            .into_iter()
            .enumerate()
    {
        let ballot = scene.ballot(&format!("c{n}"), Decision::Delete, other(team, app)).await;
        let refused = scene.cast(&ballot).await;
        scene.nothing_came_of(refused, "U0BOB", because).await;
    }
    let mut stale = scene.ballot("stale", Decision::Delete, click("U0BOB")).await;
    stale.plan = "0".repeat(64);
    let refused = scene.cast(&stale).await;
    scene.nothing_came_of(refused, "U0BOB", "another than the one that was shown").await;
    let mut forged = scene.ballot("forged", Decision::Delete, click("U0BOB")).await;
    forged.case_id = "sg-aaaaaaaaaaaaaaaa".parse().unwrap();
    let refused = scene.cast(&forged).await;
    scene.nothing_came_of(refused, "U0BOB", "there is no such case").await;
    // With Slack down nobody can be checked: closed, not open.
    scene.chat.0.lock().unwrap().down = true;
    let refused = scene.clicks("U0BOB", "down", Decision::Delete).await;
    scene.nothing_came_of(refused, "U0BOB", "cannot be checked now who you are").await;
}

#[tokio::test]
async fn nobody_decides_on_what_they_caused_by_whatever_name_they_come() {
    let scene = Scene::set("", None).await;
    // mallory is in the team, under the session's name as Slack has her e-mail.
    {
        let mut people = scene.chat.0.lock().unwrap();
        people.groups.get_mut("S0SECURITY").unwrap().push("U0MALLORY".into());
        people.users.get_mut("U0MALLORY").unwrap().email = "mallory".into();
    }
    let refused = scene.clicks("U0MALLORY", "own", Decision::Restore).await;
    scene.nothing_came_of(refused, "U0MALLORY", "nobody decides on what they caused").await;
}

#[tokio::test]
async fn a_replay_counts_once_and_one_person_twice_is_no_quorum() {
    let two = "@id(\"keep-in-twos\") @approvals(\"2\") @reason(\"r\")
               permit (principal in Team::\"security\", action == Action::\"approve.delete\", resource);";
    let scene = Scene::set(two, None).await;
    let first = scene.ballot("c1", Decision::Delete, click("U0ALICE")).await;
    assert_eq!(scene.cast(&first).await, None);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(scene.chat.told("U0ALICE").iter().any(|text| text.contains("one more person is needed")));
    let again = scene.cast(&first).await;
    scene.nothing_came_of(again, "U0ALICE", "this very click was taken already").await;
    let twice = scene.clicks("U0ALICE", "c2", Decision::Delete).await;
    scene.nothing_came_of(twice, "U0ALICE", "another person is needed").await;
    // The same person under her AWS identity.
    let case = scene.case().await;
    let sso = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecOps_0123456789abcdef/alice@example.com";
    let plan = plan_for(&case, Decision::Delete).unwrap().digest;
    let ballot = signed(sso, "aws", &case.id, Decision::Delete, &plan);
    let refused = scene.cast(&ballot).await.unwrap();
    assert!(refused.contains("another person is needed"), "{refused}");
    assert_eq!(scene.fake.state(1), "Disabled");
    assert_eq!(scene.clicks("U0BOB", "c3", Decision::Delete).await, None);
    assert_eq!(scene.fake.state(1), "gone");
}

#[tokio::test]
async fn two_at_once_are_one_decision_and_one_who_is_told() {
    let scene = Scene::set("", None).await;
    let alice = scene.ballot("a", Decision::Delete, click("U0ALICE")).await;
    let bob = scene.ballot("b", Decision::Restore, click("U0BOB")).await;
    scene.worker.journal.cast(&alice).await.unwrap();
    scene.worker.journal.cast(&bob).await.unwrap();
    let (one, two) = tokio::join!(scene.worker.responder.take_ballots(), scene.worker.responder.take_ballots());
    one.unwrap();
    two.unwrap();
    scene.worker.settle().await;
    let refused = scene.worker.journal.refusal("b").await.unwrap().unwrap();
    assert!(refused.contains("already decided by alice at"), "{refused}");
    assert_eq!((scene.fake.state(1).as_str(), scene.fake.0.lock().unwrap().deletes.len()), ("gone", 1));
}

#[tokio::test]
async fn a_slack_account_alone_is_not_enough_where_policy_wants_the_aws_identity_too() {
    let confirm = "@id(\"confirmed\") @confirm(\"aws\") @reason(\"r\")
                   permit (principal in Team::\"security\", action == Action::\"approve.delete\", resource);";
    let scene = Scene::set(confirm, None).await;
    assert_eq!(scene.clicks("U0ALICE", "c1", Decision::Delete).await, None);
    let case = scene.case().await;
    let (code, vote) = case.unconfirmed[0].clone();
    assert_eq!((case.votes.len(), scene.fake.state(1).as_str()), (0, "Disabled"));
    assert_eq!(scene.worker.journal.case_of_code(&code).await.unwrap(), Some(case.id.clone()));
    let confirms = |who: &str, id: &str| {
        let ballot = signed(who, id, &case.id, Decision::Delete, &vote.plan);
        let unsigned = Ballot { confirms: Some(code.clone()), ..ballot };
        let proof = sluicegate::ports::AwsProof { host: who.into(), headers: vec![("claim".into(), unsigned.claim())] };
        Ballot { proof: Proof::Aws(proof), ..unsigned }
    };
    let bob = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";
    let refused = scene.cast(&confirms(bob, "bob")).await.unwrap();
    assert!(refused.contains("the vote is alice's"), "{refused}");
    assert_eq!(scene.fake.state(1), "Disabled");
    let sso = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecOps_0123456789abcdef/alice@example.com";
    assert_eq!(scene.cast(&confirms(sso, "alice")).await, None);
    assert_eq!(scene.fake.state(1), "gone");
    // The code is used up.
    let refused = scene.cast(&confirms(sso, "again")).await.unwrap();
    assert!(refused.contains("no vote waits for this code"), "{refused}");
}

#[tokio::test]
async fn after_expiry_a_click_does_nothing_and_the_command_line_decides() {
    let scene = Scene::set("", Some(Duration::from_millis(300))).await;
    let late = scene.ballot("late", Decision::Delete, click("U0BOB")).await;
    let keeper = scene.worker.responder.clone();
    let keeping = tokio::spawn(async move { keeper.keep_time().await });
    let mut expired = false;
    for _ in 0..200 {
        expired = scene.case().await.expired_at.is_some();
        if expired {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(expired);
    keeping.abort();
    let case = scene.case().await;
    assert_eq!((case.state, case.outcome), (State::Closed, Some(Outcome::Contained)));
    let refused = scene.cast(&late).await.unwrap();
    assert!(refused.contains("lapsed") && refused.contains("sluicegate decide"), "{refused}");
    assert_eq!((scene.fake.state(1).as_str(), scene.fake.0.lock().unwrap().deletes.len()), ("Disabled", 0));
    let bob = "arn:aws:sts::111122223333:assumed-role/SecurityOps/bob";
    let plan = plan_for(&case, Decision::Restore).unwrap().digest;
    assert_eq!(scene.cast(&signed(bob, "cli", &case.id, Decision::Restore, &plan)).await, None);
    assert_eq!(scene.fake.state(1), "Enabled");
}

#[tokio::test]
async fn a_vote_on_a_case_that_cannot_be_read_holds_up_no_other() {
    let scene = Scene::set("", None).await;
    let broken = sluicegate::case::CaseId::from_parts("1", "r", "x", sluicegate::detection::Detection::MappingCreated);
    let db = rusqlite::Connection::open(scene.dir.path().join("j.db")).unwrap();
    let spoilt =
        "INSERT INTO events SELECT max(seq) + 1, ?, 1, '2026-01-01T00:00:00Z', 'opened', 1, '{}', '', 'x' FROM events";
    db.execute(spoilt, [broken.as_str()]).unwrap();
    let poison = Ballot { case_id: broken, ..scene.ballot("b0", Decision::Keep, click("U0ALICE")).await };
    let refused = scene.cast(&poison).await.unwrap();
    assert!(refused.contains("the journal cannot take it"), "{refused}");
    assert!(scene.worker.journal.ballots().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_case_that_cannot_be_read_does_not_stop_the_clock_of_the_others() {
    let scene = Scene::set("", Some(Duration::from_millis(300))).await;
    let broken = sluicegate::case::CaseId::from_parts("1", "r", "x", sluicegate::detection::Detection::MappingCreated);
    let db = rusqlite::Connection::open(scene.dir.path().join("j.db")).unwrap();
    let spoilt =
        "INSERT INTO events SELECT max(seq) + 1, ?, 1, '2026-01-01T00:00:00Z', 'opened', 1, '{}', '', 'x' FROM events";
    db.execute(spoilt, [broken.as_str()]).unwrap();
    let listed = "INSERT INTO cases SELECT ?, 'containing', NULL, account, region, NULL, principal, confirmed, decided,
                  due_at, opened_at, updated_at, 0, summary FROM cases LIMIT 1";
    db.execute(listed, [broken.as_str()]).unwrap();
    let keeper = scene.worker.responder.clone();
    let keeping = tokio::spawn(async move { keeper.keep_time().await });
    let began = std::time::Instant::now();
    let id = scene.worker.journal.cases().await.unwrap()[1].case_id.parse().unwrap();
    while scene.worker.journal.case(&id).await.unwrap().unwrap().expired_at.is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "the question never lapsed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    keeping.abort();
}

//! What people are told before they decide: it comes after containment, never holds it up, and what cannot be learnt is
//! said, until it is.

use crate::stage::{ACCOUNT, Stage};
use aws_sdk_lambda::primitives::Blob;
use sandbox::{Account, Effect, Fault, Running, SIPHON, allow};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const KEEP: &str = "[evidence]\nkeep_code = \"evidence\"";

/// An attacker who may make whatever it takes.
async fn builder(stage: &Stage) -> Account {
    let root = stage.sandbox.root();
    let may = allow(&["lambda:*", "iam:*", "sqs:*", "sts:AssumeRole"]);
    let role = root.create_role("/people/", "builder", &may).await.unwrap();
    root.assume_role(&role, "eve").await.unwrap()
}

/// It makes a role, a function and a mapping of its own; gives the mapping's UUID.
async fn attack(stage: &Stage, eve: &Account) -> String {
    let runs = eve.create_role("/service/", "drain-role", &allow(&["sqs:*"])).await.unwrap();
    let loot = eve.create_queue("loot", None).await.unwrap();
    eve.create_function("drain", SIPHON, &runs, &[("QUEUE_URL", &loot.url)]).await.unwrap();
    eve.create_mapping(&stage.orders.arn, "drain").await.unwrap()
}

/// The case, its evidence by what it is about, and `unknown` by what and why.
async fn looked_at(stage: &Stage, case: &Value) -> Value {
    let mut whole = stage.whole(case).await;
    let gathered = whole["evidence"]["gathered"].as_array().unwrap().clone();
    whole["evidence"]["unknown"] = json!({});
    for one in gathered.into_iter().map(|mut one| one["evidence"].take()) {
        match one["about"].as_str().unwrap() {
            "unknown" => whole["evidence"]["unknown"][one["what"].as_str().unwrap()] = one["why"].clone(),
            "code_kept" => whole["evidence"]["code"] = one,
            about => whole["evidence"][about] = one.clone(),
        }
    }
    whole
}

/// The case's evidence, once it is as wanted.
async fn evidence(stage: &Stage, uuid: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
    let case = stage.case_in(uuid, "awaiting_decision").await;
    let began = Instant::now();
    loop {
        let whole = looked_at(stage, &case).await;
        if wanted(&whole["evidence"]) {
            return whole;
        }
        assert!(began.elapsed() < within, "{:#}", whole["evidence"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn all_there(evidence: &Value) -> bool {
    let known = |what: &str| !evidence[what].is_null();
    ["function", "source", "code", "history", "processed"].into_iter().all(known)
        && evidence["function"]["made_by_actor"] == true
}

/// The place of each kind of event in the case.
fn place(whole: &Value, kind: &str, about: &str) -> Vec<usize> {
    let events = whole["events"].as_array().unwrap();
    let fits = |event: &Value| event["type"] == kind && (about.is_empty() || event["about"] == about);
    events.iter().enumerate().filter(|(_, event)| fits(event)).map(|(at, _)| at).collect()
}

/// Nothing that opens a door: not in the log, not in the journal, not on standard output.
fn nothing_secret(stage: &Stage, running: &Running, whole: &Value) {
    let journal = stage.product.journal();
    let mut kept = std::fs::read(&journal).unwrap();
    kept.extend(std::fs::read(journal.with_extension("db-wal")).unwrap_or_default());
    let log: Vec<String> = running.log().iter().map(ToString::to_string).collect();
    for text in [String::from_utf8_lossy(&kept).into_owned(), log.join("\n"), whole.to_string()] {
        let line = text.lines().find(|line| line.contains("X-Amz-") || line.contains("lambda-code"));
        let line: Option<String> = line.map(|line| line.chars().take(400).collect());
        assert_eq!(line, None, "the way to the code was told");
    }
}

#[tokio::test]
async fn evidence_of_who_made_what_comes_after_containment_with_the_code_kept() {
    let stage = Stage::with(KEEP).await;
    let root = stage.sandbox.root();
    let tags = [("data-classification", "restricted"), ("team", "orders")];
    for (key, value) in tags {
        root.sqs.tag_queue().queue_url(&stage.orders.url).tags(key, value).send().await.unwrap();
    }
    let running = stage.run().await;
    let eve = builder(&stage).await;
    let uuid = attack(&stage, &eve).await;
    stage.becomes(&uuid, "Disabled").await;
    let whole = evidence(&stage, &uuid, Duration::from_secs(40), all_there).await;
    let told = &whole["evidence"];
    let first = |kind, about| {
        let events = &whole["events"];
        place(&whole, kind, about).first().copied().unwrap_or_else(|| panic!("no {kind} {about}: {events:#}"))
    };
    for about in ["function", "source", "code_kept", "history", "processed"] {
        assert!(first("evidence", about) > first("step_succeeded", ""), "{about} came before the mapping was disabled");
    }
    let function = &told["function"];
    assert_eq!(function["role"], format!("arn:aws:iam::{ACCOUNT}:role/service/drain-role"));
    assert_eq!((&function["same_account"], &function["runtime"]), (&json!(true), &json!("python3.12")));
    let did: Vec<&str> =
        function["changed_by_actor"].as_array().unwrap().iter().map(|call| call["what"].as_str().unwrap()).collect();
    for call in ["lambda:CreateFunction", "iam:CreateRole", "iam:PutRolePolicy"] {
        assert!(did.contains(&call), "{call} is not in {did:?}");
    }
    let calls = told["history"]["calls"].as_array().unwrap();
    let ids: std::collections::BTreeSet<&str> = calls.iter().map(|call| call["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), calls.len(), "a call is told twice");
    assert!(calls.iter().any(|call| call["what"] == "lambda:CreateEventSourceMapping" && call["on"] == "drain"));
    assert!(calls.is_sorted_by(|one, other| one["at"].as_str() >= other["at"].as_str()), "{calls:#?}");
    assert!(told["history"]["query"].as_str().unwrap().contains(&eve.credentials.access_key_id));
    let source = &told["source"];
    assert_eq!(source["sensitive"], json!([["data-classification", "restricted"]]));
    assert_eq!((&source["tags"][1][0], &source["retention_s"]), (&json!("team"), &json!(345_600)));
    assert!(told["cost"]["words"][1].as_str().unwrap().contains("begin to be lost"), "{}", told["cost"]);
    assert!(told["cost"]["half_at"].as_str().unwrap() < told["cost"]["lost_from"].as_str().unwrap());
    let processed = &told["processed"];
    assert_eq!((&processed["settled"], processed["until"].is_string()), (&json!(false), true));
    assert!(processed["looked_at"].as_array().unwrap().len() > 3, "{processed}");
    code_is_kept(&stage, &told["code"], &function["code_sha256"]);
    nothing_secret(&stage, &running, &whole);
    assert_eq!(running.terminate().await.unwrap(), 0);
}

fn code_is_kept(stage: &Stage, kept: &Value, code_sha256: &Value) {
    use sha2::{Digest, Sha256};
    let folder = stage.product.home().join("evidence");
    let hash = kept["sha256"].as_str().unwrap();
    let archive = std::fs::read(folder.join(format!("drain-{hash}.zip"))).unwrap();
    let digest = Sha256::digest(&archive);
    assert_eq!(data_encoding::HEXLOWER.encode(&digest), hash);
    assert_eq!(*code_sha256, data_encoding::BASE64.encode(&digest));
    assert!(kept["differs"].is_null() && kept["bytes"] == archive.len(), "{kept}");
    assert!(archive.starts_with(b"PK"));
}

#[tokio::test]
async fn calls_that_were_denied_and_sessions_that_were_begun_are_told() {
    let stage = Stage::new().await;
    let root = stage.sandbox.root();
    let helper = root.create_role("/people/", "helper", &allow(&["sqs:*"])).await.unwrap();
    let eve = builder(&stage).await;
    eve.assume_role(&helper, "later").await.unwrap();
    let intern = stage.mallory.create_role("/x/", "mine", &allow(&["sqs:*"])).await;
    assert!(intern.is_err(), "mallory may not make roles");
    let _running = stage.run().await;
    let by_eve = attack(&stage, &eve).await;
    let by_mallory = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let there = |evidence: &Value| !evidence["history"].is_null();
    let whole = evidence(&stage, &by_eve, Duration::from_mins(1), there).await;
    let began = whole["evidence"]["history"]["began_sessions"].to_string();
    assert!(began.contains("assumed-role/helper/later") && began.contains("ASIA"), "{began}");
    let whole = evidence(&stage, &by_mallory, Duration::from_mins(1), there).await;
    let calls = whole["evidence"]["history"]["calls"].as_array().unwrap();
    let denied = |call: &&Value| call["what"] == "iam:CreateRole" && call["error"] == "AccessDenied";
    assert!(calls.iter().any(|call| denied(&call)), "{calls:#?}");
    // Code is not kept where nobody said where to, and the function is not mallory's.
    assert!(whole["evidence"]["unknown"]["code"].as_str().unwrap().contains("keep_code"));
    assert_eq!(whole["evidence"]["function"]["made_by_actor"], false);
}

#[tokio::test]
async fn of_a_function_that_is_deleted_at_once_its_absence_is_told() {
    let stage = Stage::with(KEEP).await;
    let eve = builder(&stage).await;
    let uuid = attack(&stage, &eve).await;
    eve.lambda.delete_function().function_name("drain").send().await.unwrap();
    let _running = stage.run().await;
    let told = |evidence: &Value| !evidence["unknown"]["function"].is_null() && !evidence["history"].is_null();
    let whole = evidence(&stage, &uuid, Duration::from_mins(1), told).await;
    let unknown = &whole["evidence"]["unknown"];
    assert!(unknown["function"].as_str().unwrap().contains("exists no more"), "{unknown}");
    assert!(unknown["code"].is_string() && whole["evidence"]["code"].is_null());
    // Its maker is known all the same.
    let calls = whole["evidence"]["history"]["calls"].to_string();
    assert!(calls.contains("lambda:CreateFunction") && calls.contains("lambda:DeleteFunction"), "{calls}");
}

#[tokio::test]
async fn code_that_was_kept_outlives_its_function() {
    let stage = Stage::with(KEEP).await;
    let _running = stage.run().await;
    let eve = builder(&stage).await;
    let uuid = attack(&stage, &eve).await;
    evidence(&stage, &uuid, Duration::from_secs(40), |evidence| !evidence["code"].is_null()).await;
    eve.lambda.delete_function().function_name("drain").send().await.unwrap();
    let whole = evidence(&stage, &uuid, Duration::from_secs(40), all_there).await;
    let hash = whole["evidence"]["code"]["sha256"].as_str().unwrap();
    assert!(stage.product.home().join(format!("evidence/drain-{hash}.zip")).is_file());
}

#[tokio::test]
async fn what_hangs_or_is_down_holds_nothing_up_and_is_told_until_it_comes() {
    let stage = Stage::with(KEEP).await;
    let faults = stage.sandbox.faults();
    let key = stage.sandbox.responder().credentials.access_key_id.clone();
    faults.add(Fault::on("GetMetricData", Effect::HangBefore { ms: 60_000 }).times(1));
    faults.add(Fault::on("LookupEvents", Effect::ServerError).by(&key).times(8));
    faults.add(Fault::on("*", Effect::CutBefore).containing("lambda-code").times(1));
    let running = stage.run().await;
    let eve = builder(&stage).await;
    let began = Instant::now();
    let uuid = attack(&stage, &eve).await;
    stage.becomes(&uuid, "Disabled").await;
    stage.case_in(&uuid, "awaiting_decision").await;
    assert!(began.elapsed() < Duration::from_secs(8), "containment waited: {:?}", began.elapsed());
    let unknown = |evidence: &Value| {
        ["code", "history", "processed"].iter().all(|what| evidence["unknown"][*what].is_string())
            && !evidence["function"].is_null()
            && !evidence["source"].is_null()
    };
    let whole = evidence(&stage, &uuid, Duration::from_secs(40), unknown).await;
    nothing_secret(&stage, &running, &whole);
    let whole = evidence(&stage, &uuid, Duration::from_secs(90), all_there).await;
    assert_eq!(whole["evidence"]["unknown"], json!({}));
}

#[tokio::test]
async fn in_observe_evidence_is_gathered_and_nothing_is_changed() {
    let stage = Stage::with(KEEP).await;
    stage.product.configure("observe", stage.sandbox.queue_url(), KEEP).unwrap();
    let eve = builder(&stage).await;
    let uuid = attack(&stage, &eve).await;
    // The emulator counts an invocation of this kind only; AWS counts them all.
    let nothing = Blob::new(br#"{"Records": []}"#.as_slice());
    eve.lambda.invoke().function_name("drain").payload(nothing).send().await.unwrap();
    let _running = stage.run().await;
    let case = stage.case_in(&uuid, "closed").await;
    let began = Instant::now();
    let whole = loop {
        let whole = looked_at(&stage, &case).await;
        if all_there(&whole["evidence"]) {
            break whole;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{:#}", whole["evidence"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((stage.state(&uuid).await.as_str(), stage.updates_of(&uuid)), ("Enabled", 0));
    assert!(whole["evidence"]["processed"]["until"].is_null() && whole["evidence"]["cost"]["lost_from"].is_null());
    let looked_at = whole["evidence"]["processed"]["looked_at"].as_array().unwrap();
    let invocations = looked_at.iter().find(|looked| looked["at"] == "AWS/Lambda Invocations of drain").unwrap();
    assert_eq!(invocations["processed"], true, "{invocations}");
    assert!(invocations["said"].as_str().unwrap().starts_with("1 invocations; all triggers"), "{invocations}");
}

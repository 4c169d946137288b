//! Decisions on the command line, with and without a worker.

use crate::stage::Stage;
use serde_json::Value;

async fn contained(stage: &Stage) -> (String, String) {
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&uuid, "Disabled").await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    (uuid, case["case_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn who_may_restores_and_who_may_not_is_told_why() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let (uuid, id) = contained(&stage).await;
    let said = stage.product.command_line(&stage.mallory, &["restore", &id]).await.unwrap();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("nobody decides on what they caused"), "{said:?}");
    assert_eq!(stage.state(&uuid).await, "Disabled");
    // Without having seen the plan nothing is decided.
    let blind = ["decide", &id, "keep", "--reason", "r"];
    let said = stage.product.command_line(&stage.security, &blind).await.unwrap();
    assert_eq!(said.code, 2, "{said:?}");
    let wrong = ["decide", &id, "keep", "--reason", "r", "--plan", "0123456789abcdef"];
    let said = stage.product.command_line(&stage.security, &wrong).await.unwrap();
    assert_eq!(said.code, 1, "{said:?}");
    let said = stage.product.command_line(&stage.security, &["restore", &id]).await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(stage.state(&uuid).await, "Enabled");
    let again = stage.product.command_line(&stage.security, &["restore", &id]).await.unwrap();
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("already decided by"), "{again:?}");
    // Its own call is on the trail, and is no new case.
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!((stage.cases().await.len(), stage.state(&uuid).await.as_str()), (1, "Enabled"));
}

#[tokio::test]
async fn with_no_worker_the_command_verifies_and_carries_it_out() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let (uuid, id) = contained(&stage).await;
    assert_eq!(running.terminate().await.unwrap(), 0);
    let said = stage.product.command_line(&stage.mallory, &["restore", &id]).await.unwrap();
    assert_eq!(said.code, 1, "{said:?}");
    // Somebody of the team, whose own credentials may change mappings.
    let root = stage.sandbox.root();
    let policy = sandbox::allow(&["lambda:*"]).to_string();
    let put = root.iam.put_role_policy().role_name("SecurityOps").policy_name("more").policy_document(policy);
    put.send().await.unwrap();
    let show = stage.product.command_line(&stage.security, &["--format", "json", "case", &id]).await.unwrap();
    let whole: Value = serde_json::from_str(&show.out).unwrap();
    let asked =
        whole["events"].as_array().unwrap().iter().rfind(|event| event["type"] == "approval_requested").unwrap();
    let plan = asked["plans"].as_array().unwrap().iter().find(|plan| plan["decision"] == "restore").unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let decide = ["--format", "json", "decide", &id, "restore", "--reason", "it was ours", "--plan", digest];
    let said = stage.product.command_line(&stage.security, &decide).await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    let case: Value = serde_json::from_str(said.out.trim()).unwrap();
    assert_eq!((case["state"].as_str(), case["outcome"].as_str()), (Some("closed"), Some("restored")));
    assert_eq!(stage.state(&uuid).await, "Enabled");
    // The event of that call comes to the worker when it runs again: known by its request id.
    let _running = stage.run().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!((stage.cases().await.len(), stage.state(&uuid).await.as_str()), (1, "Enabled"));
    let audit = stage.product.command_line(&stage.security, &["audit", "verify"]).await.unwrap();
    assert_eq!(audit.code, 0, "{audit:?}");
}

#[tokio::test]
async fn no_secret_is_in_the_journal_or_the_log() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let (_, id) = contained(&stage).await;
    stage.product.command_line(&stage.security, &["restore", &id]).await.unwrap();
    let log: String = running.log().iter().map(ToString::to_string).collect();
    assert_eq!(running.terminate().await.unwrap(), 0);
    let journal = String::from_utf8_lossy(&std::fs::read(stage.product.journal()).unwrap()).into_owned();
    for account in [&stage.security, stage.sandbox.responder(), &stage.mallory] {
        let key = &account.credentials;
        for secret in [Some(&key.secret_access_key), key.session_token.as_ref()].into_iter().flatten() {
            assert!(!log.contains(secret.as_str()), "a secret is in the log");
            assert!(!journal.contains(secret.as_str()), "a secret is in the journal");
        }
    }
}

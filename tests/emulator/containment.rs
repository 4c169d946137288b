//! What an attacker does with real clients is closed; what policy allows is left alone.

use crate::stage::Stage;
use sandbox::DeliveryFaults;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::process::Command;

/// Python with boto3, as an attacker would write it.
async fn boto3(stage: &Stage, code: &str) -> String {
    let mut python = Command::new(stage.sandbox.python());
    python.args(["-c", &format!("import boto3\nlam = boto3.client('lambda')\n{code}")]);
    let output = python.envs(stage.mallory.environment()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn boto3_maps(stage: &Stage, arguments: &str) -> String {
    boto3(stage, &format!("print(lam.create_event_source_mapping(FunctionName='exfil', {arguments})['UUID'])")).await
}

#[tokio::test]
async fn each_kind_of_source_is_closed_and_read_back() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let root = stage.sandbox.root();
    let stream = root.create_stream("clicks").await.unwrap();
    let table = root.create_table("customers").await.unwrap();
    let queue = format!("EventSourceArn='{}'", stage.orders.arn);
    let stream = format!("EventSourceArn='{stream}', StartingPosition='LATEST'");
    let table = format!("EventSourceArn='{table}', StartingPosition='LATEST'");
    for (kind, arguments) in [("sqs", queue), ("kinesis", stream), ("dynamodb", table)] {
        let uuid = boto3_maps(&stage, &arguments).await;
        stage.becomes(&uuid, "Disabled").await;
        let case = stage.case_in(&uuid, "awaiting_decision").await;
        assert_eq!(case["steps"][0]["status"], "succeeded", "{kind}");
        assert_eq!(case["detection"], "mapping-created");
        assert_eq!(case["principal_arn"], "arn:aws:iam::111122223333:role/people/intern");
        let whole = stage.whole(&case).await;
        assert_eq!(whole["events"][0]["finding"]["call"]["source"]["kind"], kind);
        assert_eq!(whole["evidence"]["prior"]["disable_mapping"]["snapshot"]["whole"]["UUID"], uuid);
    }
    assert_eq!(running.terminate().await.unwrap(), 0);
}

#[tokio::test]
async fn a_mapping_made_dormant_is_a_case_and_enabling_it_joins_and_is_undone() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let uuid = boto3_maps(&stage, &format!("EventSourceArn='{}', Enabled=False", stage.orders.arn)).await;
    stage.case_in(&uuid, "awaiting_decision").await;
    boto3(&stage, &format!("lam.update_event_source_mapping(UUID='{uuid}', Enabled=True)")).await;
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.becomes(&uuid, "Disabled").await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    let kinds: Vec<Value> =
        stage.whole(&case).await["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert!(kinds.contains(&json!("joined")) && kinds.contains(&json!("tampered")), "{kinds:?}");
    assert_eq!(stage.cases().await.len(), 1);
}

#[tokio::test]
async fn the_allowed_pipeline_is_left_alone_and_its_mapping_repointed_by_another_is_not() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let root = stage.sandbox.root();
    let runs = root.create_role("/service/", "workers", &sandbox::allow(&["sqs:*"])).await.unwrap();
    root.create_function("orders-worker", sandbox::SIPHON, &runs, &[("QUEUE_URL", "none")]).await.unwrap();
    let deployer = stage.deployer().await;
    let uuid = deployer.create_mapping(&stage.orders.arn, "orders-worker").await.unwrap();
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((stage.state(&uuid).await.as_str(), stage.cases().await.len()), ("Enabled", 0));
    assert_eq!(stage.updates_of(&uuid), 0);
    // CloudFormation restates what is so already: no attack.
    deployer.set_mapping_enabled(&uuid, true).await.unwrap();
    // Somebody else points it at the exfiltrating function.
    boto3(&stage, &format!("lam.update_event_source_mapping(UUID='{uuid}', FunctionName='exfil')")).await;
    stage.becomes(&uuid, "Disabled").await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    assert_eq!(case["detection"], "mapping-repointed");
    let id = case["case_id"].as_str().unwrap();
    let said = stage.product.command_line(&stage.security, &["restore", id]).await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    let restored = root.lambda.get_event_source_mapping().uuid(&uuid).send().await.unwrap();
    assert!(restored.function_arn().unwrap().ends_with(":orders-worker"), "{restored:?}");
    assert_eq!(restored.state(), Some("Enabled"));
}

#[tokio::test]
async fn the_same_message_five_times_is_one_case_and_one_update() {
    let stage = Stage::new().await;
    stage.sandbox.trail().set_delivery_faults(DeliveryFaults { copies: 5, ..DeliveryFaults::default() });
    let running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&uuid, "Disabled").await;
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((stage.cases().await.len(), stage.updates_of(&uuid)), (1, 1));
    assert_eq!(stage.sandbox.root().queue_depth(stage.sandbox.queue_url()).await.unwrap(), (0, 0));
    assert_eq!(running.terminate().await.unwrap(), 0);
}

#[tokio::test]
async fn poison_on_the_queue_does_not_hold_up_its_neighbours() {
    let stage = Stage::new().await;
    for poison in ["{\"detail\": {\"eventName\": \"CreateEventSourceMapping", "not json: EventSourceMapping", " "] {
        stage.sandbox.trail().inject(poison).await;
    }
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let _running = stage.run().await;
    stage.becomes(&uuid, "Disabled").await;
    stage.case_in(&uuid, "awaiting_decision").await;
    // The poison is still there, hidden, for the queue's redrive.
    let root = stage.sandbox.root();
    let hidden = sandbox::eventually(async || {
        Some(root.queue_depth(stage.sandbox.queue_url()).await.unwrap()).filter(|depth| *depth == (0, 3))
    });
    assert_eq!(hidden.await, Some((0, 3)));
}

#[tokio::test]
async fn a_forged_event_about_a_healthy_mapping_changes_nothing() {
    let stage = Stage::new().await;
    stage.sandbox.trail().stop_delivering();
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.sandbox.trail().delivered().await;
    stage.sandbox.trail().deliver_to(stage.sandbox.queue_url());
    let genuine = stage
        .sandbox
        .trail()
        .records()
        .into_iter()
        .rfind(|record| record["eventName"] == "CreateEventSourceMapping20150331")
        .unwrap();
    let _running = stage.run().await;
    let mut forged = genuine.clone();
    forged["eventID"] = json!("11111111-2222-4333-8444-555555555555");
    forged["eventTime"] = json!((jiff::Timestamp::now() + jiff::SignedDuration::from_secs(200)).to_string());
    let envelope = json!({
        "version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda",
        "account": crate::stage::ACCOUNT, "time": forged["eventTime"], "region": "eu-west-1", "resources": [], "detail": forged,
    });
    stage.sandbox.trail().inject(&envelope.to_string()).await;
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    assert_eq!(case["steps"], json!([]));
    assert_eq!((stage.state(&uuid).await.as_str(), stage.updates_of(&uuid)), ("Enabled", 0));
    let whole = stage.whole(&case).await;
    let asked =
        whole["events"].as_array().unwrap().iter().find(|event| event["type"] == "approval_requested").unwrap().clone();
    assert!(asked["why"].as_str().unwrap().contains("not confirmed"), "{asked}");
}

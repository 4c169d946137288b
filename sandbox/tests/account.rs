//! The emulated account does what AWS does: it runs functions, obeys IAM, and records who called.
//!
//! One file for all of it: each test program is linked with every SDK.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_lambda::operation::RequestId as _;
use sandbox::{Account, Credentials, Options, SIPHON, Sandbox, allow, eventually};
use serde_json::{Value, json};

async fn started() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// The bodies in the rule's queue, in order.
async fn events(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.trail().delivered().await;
    let bodies = sandbox.root().take_messages(sandbox.queue_url(), 1).await.unwrap();
    bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

async fn function(root: &Account, name: &str) -> String {
    let role = root.create_role("/service-role/", &format!("{name}-role"), &allow(&["sqs:*"])).await.unwrap();
    root.create_function(name, "def handler(event, context):\n    pass\n", &role, &[]).await.unwrap()
}

#[tokio::test]
async fn a_rogue_mapping_siphons_until_it_is_disabled() {
    let sandbox = started().await;
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    let stolen = root.create_queue("stolen", None).await.unwrap();
    let role = root.create_role("/service-role/", "siphon", &allow(&["sqs:*"])).await.unwrap();
    root.create_function("siphon", SIPHON, &role, &[("QUEUE_URL", &stolen.url)]).await.unwrap();

    let uuid = root.create_mapping(&orders.arn, "siphon").await.unwrap();
    root.send_message(&orders.url, "order 1").await.unwrap();
    let taken = eventually(async || root.take_messages(&stolen.url, 1).await.unwrap().pop()).await;
    assert_eq!(taken.as_deref(), Some("order 1"));

    sandbox.responder().set_mapping_enabled(&uuid, false).await.unwrap();
    assert_eq!(root.mapping_state(&uuid).await.unwrap().as_deref(), Some("Disabled"));
    root.send_message(&orders.url, "order 2").await.unwrap();
    assert!(root.take_messages(&stolen.url, 2).await.unwrap().is_empty());
    assert_eq!(root.queue_depth(&orders.url).await.unwrap(), (1, 0));

    // The function's own calls pass through the proxy too, as its role.
    let key =
        sandbox.calls_of("SendMessage").iter().filter_map(|call| call.access_key_id.clone()).find(|key| key != "test");
    assert!(key.unwrap().starts_with("ASIA"));
}

#[tokio::test]
async fn the_record_of_a_role_that_creates_a_mapping_is_genuine() {
    let sandbox = started().await;
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    let function_arn = function(root, "reader").await;
    let deploy = root.create_role("/cicd/", "deploy", &allow(&["lambda:*", "cloudtrail:*"])).await.unwrap();
    let eve = root.assume_role(&deploy, "eve").await.unwrap();
    let made = eve.lambda.create_event_source_mapping().event_source_arn(&orders.arn).function_name("reader");
    let made = made.batch_size(5).send().await.unwrap();
    assert_eq!(made.state(), Some("Creating"));

    let event = events(&sandbox).await.remove(0);
    let detail = &event["detail"];
    assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
    assert_eq!((&event["source"], &event["region"]), (&json!("aws.lambda"), &json!("eu-west-1")));
    assert_eq!(event["account"], sandbox.account_id());
    assert_eq!(event["time"], detail["eventTime"]);
    assert_eq!(detail["eventName"], "CreateEventSourceMapping20150331");
    assert_eq!(detail["eventSource"], "lambda.amazonaws.com");
    assert_eq!(detail["requestID"], made.request_id().unwrap());
    assert_eq!(detail["readOnly"], false);
    assert!(detail["userAgent"].as_str().unwrap().contains("aws-sdk-rust"));
    assert_eq!(
        detail["requestParameters"],
        json!({ "batchSize": 5, "eventSourceArn": orders.arn, "functionName": "reader" })
    );
    let response = &detail["responseElements"];
    assert_eq!(response["uUID"], made.uuid().unwrap());
    assert_eq!(response["functionArn"], function_arn);
    assert_eq!(response["eventSourceMappingArn"], made.event_source_mapping_arn().unwrap());
    assert_eq!(
        (&response["state"], &response["stateTransitionReason"]),
        (&json!("Creating"), &json!("USER_INITIATED"))
    );
    let modified = response["lastModified"].as_str().unwrap();
    assert!(modified.ends_with(" AM") || modified.ends_with(" PM"), "{modified}");

    let who = &detail["userIdentity"];
    assert_eq!(who["type"], "AssumedRole");
    assert_eq!(who["arn"], format!("arn:aws:sts::{}:assumed-role/deploy/eve", sandbox.account_id()));
    assert_eq!(who["accessKeyId"], eve.credentials.access_key_id);
    let issuer = &who["sessionContext"]["sessionIssuer"];
    assert_eq!((&issuer["arn"], &issuer["userName"]), (&json!(deploy), &json!("deploy")));
    assert!(deploy.contains(":role/cicd/deploy"));
    assert_eq!(who["principalId"], format!("{}:eve", issuer["principalId"].as_str().unwrap()));
    assert_eq!(who["sessionContext"]["attributes"]["mfaAuthenticated"], "false");

    // It can be looked up, by whoever may.
    let id = detail["eventID"].as_str().unwrap();
    let found = look_up(sandbox.responder(), LookupAttributeKey::EventId, id).await;
    assert_eq!(found, vec![detail.clone()]);
    let by_key = look_up(sandbox.responder(), LookupAttributeKey::AccessKeyId, &eve.credentials.access_key_id).await;
    assert_eq!(by_key, vec![detail.clone()]);
    assert!(look_up(sandbox.responder(), LookupAttributeKey::EventId, "another").await.is_empty());
    assert!(look_up(&root.in_region("us-west-2"), LookupAttributeKey::EventId, id).await.is_empty());
}

async fn look_up(account: &Account, key: LookupAttributeKey, value: &str) -> Vec<Value> {
    let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build().unwrap();
    let found = account.cloudtrail.lookup_events().lookup_attributes(attribute).send().await.unwrap();
    let records = found.events().iter().filter_map(|event| event.cloud_trail_event());
    records.map(|record| serde_json::from_str(record).unwrap()).collect()
}

#[tokio::test]
async fn iam_decides_every_mapping_call_and_denials_are_recorded() {
    let sandbox = started().await;
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    function(root, "reader").await;
    let uuid = root.create_mapping(&orders.arn, "reader").await.unwrap();
    let mallory = root.create_user("/people/", "mallory", &allow(&["lambda:ListEventSourceMappings"])).await.unwrap();
    let refused = mallory.lambda.update_event_source_mapping().uuid(&uuid).enabled(false).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
    assert!(mallory.lambda.delete_event_source_mapping().uuid(&uuid).send().await.is_err());
    assert!(mallory.lambda.get_event_source_mapping().uuid(&uuid).send().await.is_err());
    assert!(mallory.lambda.list_event_source_mappings().send().await.is_ok());
    assert_eq!(root.mapping_state(&uuid).await.unwrap().as_deref(), Some("Enabled"));

    let events = events(&sandbox).await;
    assert_eq!(events.len(), 2, "the creation, and the update that was denied");
    let denied = &events[1]["detail"];
    assert_eq!((&denied["errorCode"], &denied["requestParameters"]), (&json!("AccessDenied"), &Value::Null));
    assert!(denied["errorMessage"].as_str().unwrap().contains("lambda:UpdateEventSourceMapping"));
    assert_eq!(events[0]["detail"]["userIdentity"]["type"], "Root");
    let who = &denied["userIdentity"];
    assert_eq!((&who["type"], &who["userName"]), (&json!("IAMUser"), &json!("mallory")));
    assert!(who["arn"].as_str().unwrap().ends_with(":user/people/mallory"));
    assert!(who.get("sessionContext").is_none());

    // IAM's own calls are in the trail, without secrets, and not in the queue.
    let records = sandbox.trail().records();
    let key = records.iter().find(|record| record["eventName"] == "CreateAccessKey").unwrap();
    assert_eq!(key["responseElements"]["accessKey"]["accessKeyId"], mallory.credentials.access_key_id);
    assert!(!key.to_string().contains(&mallory.credentials.secret_access_key));
    assert_eq!(key["awsRegion"], "us-east-1");
}

#[tokio::test]
async fn mappings_of_every_kind_of_source_can_be_kept_and_disabled() {
    let sandbox = started().await;
    let root = sandbox.root();
    function(root, "reader").await;
    let stream = root.create_stream("clicks").await.unwrap();
    let table = root.create_table("orders").await.unwrap();
    let brokers = format!("arn:aws:kafka:eu-west-1:{}:cluster/c/8c2b", sandbox.account_id());
    let mq = format!("arn:aws:mq:eu-west-1:{}:broker:b:b-1", sandbox.account_id());
    for source in [&stream, &table, &brokers, &mq] {
        let uuid = root.create_mapping(source, "reader").await.unwrap();
        root.set_mapping_enabled(&uuid, false).await.unwrap();
        assert_eq!(root.mapping_state(&uuid).await.unwrap().as_deref(), Some("Disabled"), "{source}");
    }
    let kafka = aws_sdk_lambda::types::SelfManagedEventSource::builder()
        .endpoints(aws_sdk_lambda::types::EndPointType::KafkaBootstrapServers, vec!["kafka.example:9092".to_owned()]);
    let made = root.lambda.create_event_source_mapping().function_name("reader").topics("clicks");
    let made = made.self_managed_event_source(kafka.build()).send().await.unwrap();
    assert_eq!(made.event_source_arn(), None);
    let read = root.lambda.get_event_source_mapping().uuid(made.uuid().unwrap()).send().await.unwrap();
    assert_eq!((read.topics(), read.state()), (&["clicks".to_owned()][..], Some("Enabled")));
    assert_eq!(root.lambda.list_event_source_mappings().send().await.unwrap().event_source_mappings().len(), 5);
}

#[tokio::test]
async fn a_function_acts_as_its_role_and_a_service_for_its_caller() {
    let sandbox = started().await;
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    let role = root.create_role("/apps/", "spreader", &allow(&["lambda:*"])).await.unwrap();
    let source = format!(
        "import boto3\ndef handler(event, context):\n    boto3.client('lambda').create_event_source_mapping(\
         EventSourceArn='{}', FunctionName='spreader')\n",
        orders.arn
    );
    root.create_function("spreader", &source, &role, &[]).await.unwrap();
    let invoked = root.lambda.invoke().function_name("spreader").send().await.unwrap();
    assert_eq!(invoked.function_error(), None);
    let who = &events(&sandbox).await[0]["detail"]["userIdentity"];
    let issuer = &who["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["arn"], role);
    assert_eq!(who["principalId"], format!("{}:spreader", issuer["principalId"].as_str().unwrap()));
    assert!(issuer["principalId"].as_str().unwrap().starts_with("AROA"));

    // The emulator's IAM knows it by that id, so that its session can be denied.
    let deny = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "StringEquals": { "aws:userid": who["principalId"] } },
    }]});
    let put = root.iam.put_role_policy().role_name("spreader").policy_name("deny").policy_document(deny.to_string());
    put.send().await.unwrap();
    let invoked = root.lambda.invoke().function_name("spreader").send().await.unwrap();
    assert!(invoked.function_error().is_some());
    assert_eq!(events(&sandbox).await[0]["detail"]["errorCode"], "AccessDenied");

    sandbox.trail().used_by_service("test", "cloudformation.amazonaws.com");
    root.create_mapping(&orders.arn, "spreader").await.unwrap();
    let detail = &events(&sandbox).await[0]["detail"];
    assert_eq!(detail["userIdentity"]["invokedBy"], "cloudformation.amazonaws.com");
    assert_eq!(detail["sourceIPAddress"], "cloudformation.amazonaws.com");
}

#[tokio::test]
async fn other_accounts_and_other_clients_are_seen_too() {
    let sandbox = started().await;
    let other = sandbox.account(Credentials::root_of("210987654321"));
    let orders = other.create_queue("orders", None).await.unwrap();
    function(&other, "reader").await;
    let script = format!(
        "import boto3\nboto3.client('lambda').create_event_source_mapping(EventSourceArn='{}', FunctionName='reader')",
        orders.arn
    );
    let role = other.create_role("/", "deploy", &allow(&["lambda:*"])).await.unwrap();
    let eve = other.assume_role(&role, "eve").await.unwrap();
    let mut python = tokio::process::Command::new(sandbox.python());
    let output = python.args(["-c", &script]).envs(eve.environment()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let event = events(&sandbox).await.remove(0);
    assert_eq!(
        (&event["account"], &event["detail"]["recipientAccountId"]),
        (&json!("210987654321"), &json!("210987654321"))
    );
    assert_eq!(event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], role);
    assert!(event["detail"]["userAgent"].as_str().unwrap().starts_with("Boto3/"));
    assert_eq!(sandbox.calls_of("CreateEventSourceMapping").len(), 1);
}

#[tokio::test]
async fn streams_are_siphoned_too() {
    let sandbox = started().await;
    let root = sandbox.root();
    let stolen = root.create_queue("stolen", None).await.unwrap();
    let role = root.create_role("/", "siphon", &allow(&["sqs:*", "kinesis:*", "dynamodb:*"])).await.unwrap();
    root.create_function("siphon", SIPHON, &role, &[("QUEUE_URL", &stolen.url)]).await.unwrap();
    let taken = async || eventually(async || root.take_messages(&stolen.url, 1).await.unwrap().pop()).await.unwrap();

    let stream = root.create_stream("clicks").await.unwrap();
    root.create_mapping(&stream, "siphon").await.unwrap();
    let data = aws_sdk_kinesis::primitives::Blob::new("click");
    root.kinesis.put_record().stream_name("clicks").partition_key("1").data(data).send().await.unwrap();
    let record: Value = serde_json::from_str(&taken().await).unwrap();
    assert_eq!(record["data"], "Y2xpY2s=");

    let table = root.create_table("orders").await.unwrap();
    root.create_mapping(&table, "siphon").await.unwrap();
    let id = aws_sdk_dynamodb::types::AttributeValue::S("order 1".to_owned());
    root.dynamodb.put_item().table_name("orders").item("id", id).send().await.unwrap();
    let record: Value = serde_json::from_str(&taken().await).unwrap();
    assert_eq!(record["NewImage"]["id"]["S"], "order 1");
}

#[tokio::test]
async fn many_calls_at_once_are_each_recorded_delivered_and_found() {
    let sandbox = started().await;
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    function(root, "reader").await;
    let mut creations = tokio::task::JoinSet::new();
    for _ in 0..120 {
        let (root, arn) = (root.clone(), orders.arn.clone());
        creations.spawn(async move { root.create_mapping(&arn, "reader").await.unwrap() });
    }
    let mut created = creations.join_all().await;

    sandbox.trail().delivered().await;
    let mut delivered = Vec::new();
    loop {
        let bodies = root.take_messages(sandbox.queue_url(), 0).await.unwrap();
        if bodies.is_empty() {
            break;
        }
        let uuid =
            |body: &String| serde_json::from_str::<Value>(body).unwrap()["detail"]["responseElements"]["uUID"].clone();
        delivered.extend(bodies.iter().map(|body| uuid(body).as_str().unwrap().to_owned()));
    }
    created.sort();
    delivered.sort();
    assert_eq!(created, delivered);

    let name = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value("CreateEventSourceMapping20150331")
        .build()
        .unwrap();
    let pages = root.cloudtrail.lookup_events().lookup_attributes(name).into_paginator().send();
    let pages: Vec<usize> = pages.try_collect().await.unwrap().iter().map(|page| page.events().len()).collect();
    assert_eq!(pages, [50, 50, 20]);
}

#[tokio::test]
async fn two_sandboxes_do_not_know_each_other() {
    let (one, two) = tokio::join!(started(), started());
    assert_ne!(one.endpoint_url(), two.endpoint_url());
    one.root().create_queue("orders", None).await.unwrap();
    assert!(two.root().sqs.get_queue_url().queue_name("orders").send().await.is_err());
}

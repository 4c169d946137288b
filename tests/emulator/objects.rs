//! An archive in S3, read by the real client.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const BUCKET: &str = "trail-logs";

fn record(n: usize) -> Value {
    let text = include_str!("../fixtures/cloudtrail/create-sqs.json");
    let mut record: Value = serde_json::from_str(text).unwrap();
    let mut record = if record["detail"].is_object() { record["detail"].take() } else { record };
    record["eventID"] = json!(format!("{n:08}-0000-0000-0000-000000000000"));
    record
}

async fn put(s3: &Client, key: &str, bytes: Vec<u8>) {
    s3.put_object().bucket(BUCKET).key(key).body(bytes.into()).send().await.unwrap();
}

#[tokio::test]
async fn every_day_of_every_region_is_read() {
    let options = Options { progress: Arc::new(|_| ()), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let root = sandbox.root();
    let s3 = Client::new(&root.credentials.sdk_config(sandbox.endpoint_url(), sandbox.region()));
    let place = BucketLocationConstraint::from(sandbox.region());
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    s3.create_bucket().bucket(BUCKET).create_bucket_configuration(place).send().await.unwrap();
    let mut made = 0;
    for region in ["eu-west-1", "us-east-1", "ap-southeast-2"] {
        for day in 1..=12 {
            let key = format!("AWSLogs/111122223333/CloudTrail/{region}/2026/11/{day:02}/log.json");
            made += 1;
            put(&s3, &key, json!({ "Records": [record(made)] }).to_string().into_bytes()).await;
        }
    }
    // A folder of many, so that the listing has pages; digests are no records; one object is damaged.
    let mut many = tokio::task::JoinSet::new();
    for n in 0..1_005 {
        let key = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/13/{n:04}.json");
        let s3 = s3.clone();
        many.spawn(async move { put(&s3, &key, b"[]".to_vec()).await });
        if many.len() >= 16 {
            many.join_next().await.unwrap().unwrap();
        }
    }
    many.join_all().await;
    put(&s3, "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/01/d.json", b"{\"a\": 1}".to_vec()).await;
    put(&s3, "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/14/bad.json", b"{\"Records\": [{".to_vec()).await;
    put(&s3, "other/log.json", record(999_999).to_string().into_bytes()).await;

    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let backtest = |prefix: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sluicegate"));
        command.args(["--format", "json", "backtest", "--policies"]).arg(&policies);
        command.arg(format!("s3://{prefix}")).envs(root.environment()).output().unwrap()
    };
    let output = backtest(&format!("{BUCKET}/AWSLogs/"));
    let told = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(output.status.code(), Some(1), "one object is damaged: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(last["summary"]["findings"], made, "{last}");
    assert_eq!(last["summary"]["files"], made + 1_006, "{last}");
    assert!(told.contains("s3://trail-logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/14/bad.json"), "{told}");

    let output = backtest("no-such-bucket/x");
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("s3://no-such-bucket"), "{told}");
}

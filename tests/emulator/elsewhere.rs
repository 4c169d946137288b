//! Another emulator, which answers an update of an unknown mapping with 200 and an empty body.

use sandbox::{Account, Credentials, Moto, Product, eventually};
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn an_unknown_mapping_there_is_never_contained() {
    let moto = Moto::start().await.unwrap();
    let account = Account::new(Credentials::root(), &moto.endpoint_url(), "eu-west-1");
    let queue = account.create_queue("sluicegate", None).await.unwrap();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let binary = Path::new(env!("CARGO_BIN_EXE_sluicegate"));
    let product = Product::new(binary, &policies, &queue.url, "").unwrap();
    let running = product.run(&account).await.unwrap();
    let id = account.sts.get_caller_identity().send().await.unwrap().account.unwrap();
    let text = include_str!("../fixtures/cloudtrail/create-sqs.json").to_owned();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut record = if record["detail"].is_object() { record["detail"].take() } else { record };
    record["recipientAccountId"] = json!(id);
    record["eventTime"] = json!(jiff::Timestamp::now().to_string());
    account.send_message(&queue.url, &record.to_string()).await.unwrap();
    let case = eventually(async || {
        product.cases(&account).await.unwrap().into_iter().find(|case| case["state"] == "awaiting_decision")
    });
    let case = case.await.unwrap_or_else(|| panic!("no case: {:#?}", running.log()));
    assert!(!case.to_string().contains("succeeded") && case["outcome"].is_null(), "{case}");
    let id = case["case_id"].as_str().unwrap();
    let keep = ["decide", id, "keep", "--reason", "gone", "--yes"];
    let said = product.command_line(&account, &keep).await.unwrap();
    assert!(!said.out.contains("contained"), "{said:?}");
}

//! The emulated account does what AWS does: it runs functions, obeys IAM, and records who called.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use sandbox::{Options, SIPHON, Sandbox, allow, eventually};
use serde_json::Value;

#[tokio::test]
async fn a_rogue_mapping_siphons_until_it_is_disabled() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let root = sandbox.root();
    let orders = root.create_queue("orders", None).await.unwrap();
    let stolen = root.create_queue("stolen", None).await.unwrap();
    let role = root.create_role("/service-role/", "siphon", &allow(&["sqs:*"])).await.unwrap();
    root.create_function("siphon", SIPHON, &role, &[("QUEUE_URL", &stolen.url)]).await.unwrap();

    let deploy = root.create_role("/cicd/", "deploy", &allow(&["lambda:*"])).await.unwrap();
    let eve = root.assume_role(&deploy, "eve").await.unwrap();
    let uuid = eve.create_mapping(&orders.arn, "siphon").await.unwrap();
    root.send_message(&orders.url, "order 1").await.unwrap();
    let taken = eventually(async || root.take_messages(&stolen.url, 1).await.unwrap().pop()).await;
    assert_eq!(taken.as_deref(), Some("order 1"));

    sandbox.responder().set_mapping_enabled(&uuid, false).await.unwrap();
    assert_eq!(root.mapping_state(&uuid).await.unwrap().as_deref(), Some("Disabled"));
    root.send_message(&orders.url, "order 2").await.unwrap();
    assert!(root.take_messages(&stolen.url, 2).await.unwrap().is_empty());
    assert_eq!(root.queue_depth(&orders.url).await.unwrap(), (1, 0));

    sandbox.trail().delivered().await;
    let events = root.take_messages(sandbox.queue_url(), 1).await.unwrap();
    let event: Value = serde_json::from_str(&events[0]).unwrap();
    println!("{event:#}");
    println!("{:#?}", sandbox.calls());
}

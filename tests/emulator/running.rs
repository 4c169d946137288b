//! `run` as an operator sees it: health, observe, reload, the end.

use crate::stage::Stage;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_tells_its_health_and_ends_when_asked() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let address = running.http().unwrap();
    assert!(get(&address, "/healthz").await.starts_with("HTTP/1.1 200"));
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.case_in(&uuid, "awaiting_decision").await;
    let ready = get(&address, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"ready\":true"), "{ready}");
    let began = std::time::Instant::now();
    assert_eq!(running.terminate().await.unwrap(), 0);
    assert!(began.elapsed() < Duration::from_secs(10));
    let wal = stage.product.journal().with_extension("db-wal");
    assert!(!wal.exists() || std::fs::metadata(&wal).unwrap().len() == 0, "the log is in the file");
}

#[tokio::test]
async fn a_case_can_be_followed_in_the_log_by_its_id() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let case = stage.case_in(&uuid, "awaiting_decision").await;
    let id = case["case_id"].as_str().unwrap();
    let about = running.log().into_iter().filter(|line| line.to_string().contains(id)).count();
    assert!(about >= 3, "{:#?}", running.log());
}

#[tokio::test]
async fn in_observe_nothing_is_changed_and_the_plan_is_shown() {
    let stage = Stage::new().await;
    stage.product.configure("observe", stage.sandbox.queue_url(), "").unwrap();
    let _running = stage.run().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    let case = stage.case_in(&uuid, "closed").await;
    assert_eq!((case["outcome"].as_str(), case["response"].as_str()), (Some("observed"), Some("disable")));
    let responder = &stage.sandbox.responder().credentials.access_key_id;
    let changed: Vec<_> = stage
        .sandbox
        .calls()
        .into_iter()
        .filter(|call| {
            call.access_key_id.as_ref() == Some(responder)
                && call.service == "lambda"
                && !call.operation.starts_with("Get")
                && !call.operation.starts_with("List")
        })
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    let id = case["case_id"].as_str().unwrap();
    let said = stage.product.command_line(&stage.security, &["case", id]).await.unwrap();
    assert!(
        said.out.contains(&format!("enforce would have called UpdateEventSourceMapping(UUID={uuid}, Enabled=false)")),
        "{}",
        said.out
    );
    let said = stage.product.command_line(&stage.security, &["restore", id]).await.unwrap();
    assert_eq!(said.code, 1, "{said:?}");
}

#[tokio::test]
async fn a_changed_policy_set_is_taken_whole_and_a_broken_one_is_not() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let allowlist = stage.product.policies().join("allowlist.toml");
    let good = std::fs::read_to_string(&allowlist).unwrap();
    let said = |text: &str| {
        running.log().iter().any(|line| line["message"].as_str().is_some_and(|message| message.contains(text)))
    };
    std::fs::write(&allowlist, format!("{good}\n[[allow]]\nid = \"broken\"\n")).unwrap();
    sandbox::eventually(async || said("are refused").then_some(())).await.expect("the refusal is said");
    // The last good set is in force: the intern is not allowed.
    let first = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    stage.becomes(&first, "Disabled").await;
    let entry = "[[allow]]\nid = \"intern\"\nowner = \"me\"\nreason = \"a test\"\nexpires = 2030-01-01\nprincipal = \"arn:aws:iam::111122223333:role/people/intern\"\n";
    std::fs::write(&allowlist, format!("{good}\n{entry}")).unwrap();
    sandbox::eventually(async || said("new policies are in force").then_some(())).await.expect("the change is said");
    let other = stage.sandbox.root().create_queue("other", None).await.unwrap();
    let second = stage.mallory.create_mapping(&other.arn, "exfil").await.unwrap();
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.state(&second).await, "Enabled");
    assert_eq!(stage.cases().await.len(), 1);
}

#[tokio::test]
async fn a_second_run_on_the_same_journal_is_refused() {
    let stage = Stage::new().await;
    let _running = stage.run().await;
    let said = stage.product.command_line(stage.sandbox.responder(), &["run"]).await.unwrap();
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("another `sluicegate run`"), "{said:?}");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_said_so() {
    let stage = Stage::new().await;
    stage.product.configure("enforce", &format!("{}-missing", stage.sandbox.queue_url()), "").unwrap();
    let said = stage.product.command_line(stage.sandbox.responder(), &["run"]).await.unwrap();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("sluicegate-events-missing"), "{said:?}");
}

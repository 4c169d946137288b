//! `kill -9` at random moments under a stream of events: nothing is lost, nothing is done twice.

use crate::stage::Stage;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

const KILLS: usize = 50;
const ROGUES: usize = 40;

fn random(below: u64) -> u64 {
    std::hash::RandomState::new().build_hasher().finish() % below
}

#[tokio::test]
async fn after_fifty_kills_every_rogue_mapping_is_disabled_and_has_one_case() {
    let stage = Stage::with("[containment]\nmax_calls_per_second = 200").await;
    let creating = async {
        let mut made = Vec::new();
        for _ in 0..ROGUES {
            made.push(stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        made
    };
    let killing = async {
        for _ in 0..KILLS {
            let running = stage.product.launch(stage.sandbox.responder()).unwrap();
            tokio::time::sleep(Duration::from_millis(30 + random(500))).await;
            running.kill().await.unwrap();
        }
    };
    let (made, ()) = tokio::join!(creating, killing);
    let running = stage.run().await;
    // A message that was in the hands of a killed worker is seen again after its visibility time-out of 60 s.
    for _ in 0..240 {
        let cases = stage.cases().await;
        let settled = cases.iter().filter(|case| case["state"] == "awaiting_decision").count();
        if settled == ROGUES {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut cases = BTreeMap::<String, usize>::new();
    for case in stage.cases().await {
        *cases.entry(case["mapping_uuid"].as_str().unwrap().to_owned()).or_default() += 1;
        assert_eq!(case["steps"].as_array().unwrap().len(), 1, "{case}");
        assert_eq!(case["steps"][0]["status"], "succeeded", "{case}");
    }
    for uuid in &made {
        assert_eq!(stage.state(uuid).await, "Disabled");
        assert_eq!(cases.get(uuid), Some(&1), "{uuid}");
    }
    assert_eq!(cases.len(), made.len());
    assert_eq!(stage.sandbox.root().queue_depth(stage.sandbox.dead_letters().url.as_str()).await.unwrap(), (0, 0));
    assert_eq!(running.terminate().await.unwrap(), 0);
    let audit = stage.product.command_line(&stage.security, &["audit", "verify"]).await.unwrap();
    assert_eq!(audit.code, 0, "{audit:?}");
}

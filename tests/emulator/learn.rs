//! `learn` from CloudTrail itself: to the last page, in every region, throttled or not.

use crate::stage::Stage;
use sandbox::{Effect, Fault, allow};
use serde_json::Value;

const CALLS: usize = 56;

#[tokio::test]
async fn cloudtrail_is_asked_to_the_last_page() {
    let stage = Stage::with("").await;
    let root = stage.sandbox.root();
    let role = root.create_role("/ci/", "shop-deployer", &allow(&["lambda:*", "iam:PassRole"])).await.unwrap();
    let deployer = root.assume_role(&role, "GitHubActions").await.unwrap();
    let uuid = deployer.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    for call in 1..CALLS {
        deployer.set_mapping_enabled(&uuid, call % 2 == 0).await.unwrap();
    }
}

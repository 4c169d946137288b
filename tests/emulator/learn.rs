//! `learn` from CloudTrail itself: to the last page, throttled or not, and never silently incomplete.

use crate::stage::Stage;
use sandbox::{Effect, Fault};
use serde_json::Value;

/// Beside the mapping's creation: more than a page of updates.
const UPDATES: usize = 53;

#[tokio::test]
async fn cloudtrail_is_read_to_the_last_page_or_said_not_to_be() {
    let stage = Stage::new().await;
    let uuid = stage.mallory.create_mapping(&stage.orders.arn, "exfil").await.unwrap();
    for _ in 0..UPDATES {
        stage.mallory.set_mapping_enabled(&uuid, true).await.unwrap();
    }
    let learn = async || {
        let arguments = ["learn", "--from-cloudtrail", "--days", "2", "--format", "json"];
        let said = stage.product.command_line(stage.sandbox.responder(), &arguments).await.unwrap();
        let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (said, lines)
    };
    let faults = stage.sandbox.faults();
    // The second page of the updates is the fourth call or so: each call may be throttled once.
    faults.add(Fault::on("LookupEvents", Effect::Throttle { retry_after: 1 }).after(1).times(3));
    let (said, lines) = learn().await;
    assert_eq!(said.code, 0, "{said:?}");
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["findings"], 1 + UPDATES, "{said:?}");
    assert_eq!(
        (&summary["proposals"], &summary["left_out"]),
        (&0.into(), &(1 + UPDATES).into()),
        "one day is no habit"
    );
    let left: Vec<&str> = lines.iter().filter_map(|line| line["left_out"].as_str()).collect();
    assert!(!left.is_empty() && left.iter().all(|who| who.ends_with("role/people/intern")), "{left:?}");

    faults.clear();
    let refused = Fault::on("LookupEvents", Effect::AccessDenied);
    faults.add(refused.containing("UpdateEventSourceMapping20150331"));
    let (said, lines) = learn().await;
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("could not be read whole"), "{said:?}");
    let missing = lines[0]["error"].as_str().unwrap();
    assert!(missing.contains("UpdateEventSourceMapping20150331") && missing.contains("at all"), "{missing}");
    assert_eq!(lines.last().unwrap()["summary"]["findings"], 1, "the rest is still used");
}

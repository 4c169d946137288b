//! The attack: a function of the attacker's own, and two sources wired to it.

use std::time::{Duration, Instant};

use super::screen::Screen;
use super::stage::{INTERN, Stage};
use super::traffic::Traffic;
use super::{Failure, Result};
use jiff::Timestamp;
use sandbox::{DeliveryFaults, SIPHON, allow, eventually};
use serde_json::Value;

/// `CloudTrail` takes some seconds to reach `EventBridge`: here so many, and until the siphon can be seen to work.
const TRAIL_LATENCY: Duration = Duration::from_secs(3);
/// The role that the attacker makes.
pub const MADE: &str = "telemetry-runs";

/// What the attacker made, and how things were before anything was done about it.
#[derive(Debug)]
pub struct Attack {
    /// When the events were put onto the queue, from just before.
    pub seen_at: Timestamp,
    /// The mapping of the payments queue.
    pub queue: String,
    /// The mapping of the customers' table.
    pub stream: String,
    /// All that IAM has of the intern's role and the attacker's.
    pub roles: [Value; 2],
    /// How the queue's mapping was wired.
    pub wiring: Value,
}

pub async fn attack(stage: &Stage, screen: &Screen, traffic: &Traffic) -> Result<Attack> {
    screen.scene("mallory, with the intern's credentials, wires payments-in and the table customers to telemetry");
    let late = DeliveryFaults { withhold: true, ..DeliveryFaults::default() };
    stage.sandbox.trail().set_delivery_faults(late);
    let mallory = &stage.mallory;
    let runs = mallory.create_role("/", MADE, &allow(&["sqs:*", "dynamodb:*"])).await?;
    mallory.create_function("telemetry", SIPHON, &runs, &[("QUEUE_URL", &stage.stolen.url)]).await?;
    screen.line(&format!("first she makes the function telemetry, and the role {MADE} for it to run as"));
    let queue = mallory.create_mapping(&stage.payments.arn, "telemetry").await?;
    let stream = mallory.create_mapping(&stage.table_stream, "telemetry").await?;
    let (made, wiring) = (Instant::now(), stage.sandbox.root().mapping_wiring(&queue).await?);
    let roles = roles(stage).await?;
    let siphoned = eventually(async || {
        screen.changing(&traffic.words());
        Some(traffic.counts().stolen).filter(|stolen| *stolen > 3 && made.elapsed() >= TRAIL_LATENCY)
    });
    let siphoned = siphoned.await.ok_or_else(|| Failure("the siphon does not work, so nothing can be shown".into()))?;
    screen.line(&format!("mapping {queue} siphons: {siphoned} payment records so far"));
    let seen_at = Timestamp::now();
    stage.sandbox.trail().release().await;
    screen.line(&format!(
        "{:.1} seconds after it was made, CloudTrail's event is on the queue",
        made.elapsed().as_secs_f32()
    ));
    Ok(Attack { seen_at, queue, stream, roles, wiring })
}

/// All that IAM has of both roles now.
pub async fn roles(stage: &Stage) -> Result<[Value; 2]> {
    let root = stage.sandbox.root();
    Ok([root.role_as_it_is(INTERN).await?, root.role_as_it_is(MADE).await?])
}

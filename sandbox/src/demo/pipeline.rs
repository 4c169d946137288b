//! The pipeline that policy allows, and that is left alone throughout.

use super::screen::Screen;
use super::stage::Stage;
use super::traffic::Traffic;
use super::{Result, expect};
use sandbox::eventually;

/// It does its work; gives its mapping.
pub async fn deploy(stage: &Stage, screen: &Screen, traffic: &Traffic) -> Result<String> {
    screen.scene("The deploy pipeline wires orders-in to orders-worker, through CloudFormation");
    let uuid = stage.deployer.create_mapping(&stage.orders.arn, "orders-worker").await?;
    let worked = eventually(async || Some(traffic.counts().worked).filter(|worked| *worked > 0)).await;
    expect(worked.is_some(), || "the worker has done nothing".into())?;
    stage.sandbox.trail().delivered().await;
    screen.line(&format!("mapping {uuid}: allowed by the entry orders-pipeline, left alone; the worker works"));
    Ok(uuid)
}

/// How often a mapping was changed or deleted, by whomever.
pub fn changes_of(stage: &Stage, uuid: &str) -> usize {
    let changes = ["UpdateEventSourceMapping", "DeleteEventSourceMapping"].into_iter();
    let calls = changes.flat_map(|operation| stage.sandbox.calls_of(operation));
    calls.filter(|call| call.forwarded && call.resource.as_deref() == Some(uuid)).count()
}

//! It was all right after all: the restriction is lifted, and the mapping is made again as it was.

use std::time::Duration;

use super::attack::{Attack, roles};
use super::case::Case;
use super::deciding::{Wish, decide};
use super::denied::{look, went_through};
use super::people::{ALICE, BOB};
use super::screen::Screen;
use super::stage::Stage;
use super::traffic::Traffic;
use super::{Failure, Result, expect};
use sandbox::eventually;

const LIFT: Wish = Wish {
    decision: "lift",
    button: "Lift restriction…",
    people: &[ALICE, BOB],
    reason: Some("It was the intern after all, on a task that nobody had told us of"),
    is_over: |case| !case.holds("cap_principal"),
};

const RESTORE: Wish = Wish {
    decision: "restore",
    button: "Restore",
    people: &[BOB],
    reason: None,
    is_over: |case| case.is_closed() && matches!(case.outcome(), "restored" | "left"),
};

/// What restoring came to.
#[derive(Debug)]
pub struct Restored {
    pub queue: Case,
    pub stream: Case,
    pub records: usize,
}

pub async fn restore(
    stage: &Stage,
    screen: &Screen,
    traffic: &Traffic,
    attack: &Attack,
    [queue, stream]: [&Case; 2],
) -> Result<Restored> {
    screen.scene("It turns out that the intern's queue mapping was fine after all: lift, and restore");
    let cases = stage.product.cases(&stage.security).await?.len();
    let (before, was_restricted) = (traffic.counts().stolen, queue.holds("cap_principal"));
    if [LIFT, RESTORE].iter().all(|wish| (wish.is_over)(queue)) {
        screen.line("people have restored it already, and nothing is restricted");
    }
    let queue = decide(stage, screen, queue, &[LIFT, RESTORE]).await?;
    let mut stream = stream.clone();
    if stream.holds("cap_principal") {
        screen.line("the table's case holds the restriction as well: it comes off with the last case that does");
        stream = decide(stage, screen, &stream, &[LIFT]).await?;
    }
    let same = roles(stage).await? == attack.roles;
    expect(same, || "IAM is not as it was before".into())?;
    if was_restricted {
        screen.line("both roles read in IAM exactly as they did before: policies, attachments, tags");
        let attempt = look("lambda list-functions", &stage.mallory).await;
        screen.line(&format!("  {} – the intern's session", attempt.words()));
        went_through("the intern, with the restriction lifted,", &attempt)?;
    }
    let uuid = mapping(stage).await?;
    let wiring = stage.sandbox.root().mapping_wiring(&uuid).await?;
    expect(wiring == attack.wiring, || format!("the mapping was {}, and is {wiring} now", attack.wiring))?;
    let made =
        if uuid == attack.queue { "is enabled again" } else { "was made as the deleted one was, and is enabled" };
    screen.line(&format!("mapping {uuid} {made}"));
    let records = eventually(async || {
        screen.changing(&traffic.words());
        Some(traffic.counts().stolen - before).filter(|again| *again > 0)
    });
    let records = records.await.ok_or_else(|| Failure("nothing flows after restore".into()))?;
    own_calls(stage, &uuid, cases).await?;
    screen.line(&format!(
        "records flow again ({records} so far), and sluicegate did not take its own calls for an attack"
    ));
    Ok(Restored { queue, stream, records })
}

/// The mapping of the payments queue, which must be enabled.
async fn mapping(stage: &Stage) -> Result<String> {
    let lambda = &stage.sandbox.root().lambda;
    let listed = lambda.list_event_source_mappings().event_source_arn(&stage.payments.arn).send().await;
    let listed = listed.map_err(|error| Failure(sandbox::aws_error(error)))?;
    let states: Vec<_> = listed.event_source_mappings().iter().map(|one| (one.uuid(), one.state())).collect();
    match states.as_slice() {
        [(Some(uuid), Some("Enabled"))] => Ok((*uuid).to_owned()),
        other => Err(Failure(format!("after restore the queue's mappings read {other:?}"))),
    }
}

/// No new case came of what sluicegate did itself, and it left the mapping alone.
async fn own_calls(stage: &Stage, uuid: &str, cases: usize) -> Result {
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let now = stage.product.cases(&stage.security).await?.len();
    expect(now == cases, || format!("there were {cases} cases, and now there are {now}"))?;
    let state = stage.sandbox.root().mapping_state(uuid).await?;
    expect(state.as_deref() == Some("Enabled"), || "sluicegate took its own restore for an attack".into())
}

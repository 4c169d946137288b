//! What sluicegate does by itself.

use std::time::Duration;

use super::attack::Attack;
use super::case::Case;
use super::screen::Screen;
use super::stage::Stage;
use super::traffic::Traffic;
use super::{Failure, Result, expect};
use sandbox::eventually;

/// How long it is watched that nothing more comes out.
const WATCH: Duration = Duration::from_secs(3);

/// What containment came to.
#[derive(Debug)]
pub struct Contained {
    pub queue: Case,
    pub stream: Case,
    pub siphoned_before: usize,
    pub took_ms: u64,
    pub sent_meanwhile: usize,
    pub siphoned_after: usize,
}

pub async fn watch_it_stop(stage: &Stage, screen: &Screen, traffic: &Traffic, attack: &Attack) -> Result<Contained> {
    screen.scene("sluicegate receives the events, judges, disables, and reads back");
    let root = stage.sandbox.root();
    for uuid in [&attack.queue, &attack.stream] {
        let disabled = eventually(async || {
            screen.changing(&traffic.words());
            root.mapping_state(uuid).await.ok().flatten().filter(|state| state == "Disabled")
        });
        expect(disabled.await.is_some(), || format!("mapping {uuid} was not disabled"))?;
    }
    let queue = Case::awaiting(stage, &attack.queue).await?;
    let stream = Case::awaiting(stage, &attack.stream).await?;
    for case in [&queue, &stream] {
        expect(case.holds("disable_mapping"), || format!("case {} knows of no disabled mapping", case.id()))?;
    }
    let took_ms = took_ms(stage, attack)?;
    screen.line(&format!("both mappings read Disabled in the emulator, {took_ms} ms after the event was on the queue"));
    for reason in queue.reasons() {
        screen.line(&format!("why: {reason}"));
    }
    // What Lambda had in hand when it was disabled is finished first.
    let siphoned_before = quiet(traffic).await?;
    let sent = traffic.counts().sent;
    for _ in 0..WATCH.as_millis() / 200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        screen.changing(&traffic.words());
    }
    let counts = traffic.counts();
    let (sent_meanwhile, siphoned_after) = (counts.sent - sent, counts.stolen - siphoned_before);
    expect(sent_meanwhile > 0, || "no records were sent, so nothing is shown".into())?;
    expect(siphoned_after == 0, || format!("{siphoned_after} records were still siphoned"))?;
    screen.line(&format!("{sent_meanwhile} more records sent, {siphoned_after} siphoned: the siphon is closed"));
    Ok(Contained { queue, stream, siphoned_before, took_ms, sent_meanwhile, siphoned_after })
}

/// Waits until no more is siphoned, and gives how much was.
async fn quiet(traffic: &Traffic) -> Result<usize> {
    let (mut last, mut still) = (traffic.counts().stolen, 0);
    for _ in 0..150 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = traffic.counts().stolen;
        still = if now == last { still + 1 } else { 0 };
        last = now;
        if still >= 8 {
            return Ok(now);
        }
    }
    Err(Failure("the siphon goes on although the mapping reads Disabled".into()))
}

/// From just before the event was put onto the queue to the responder's read that found the mapping disabled, both by
/// the proxy's own clock.
fn took_ms(stage: &Stage, attack: &Attack) -> Result<u64> {
    let calls = stage.sandbox.calls();
    let responder = &stage.sandbox.responder().credentials.access_key_id;
    let of = |operation: &'static str| {
        calls.iter().filter(move |call| {
            call.operation == operation
                && call.resource.as_ref() == Some(&attack.queue)
                && call.access_key_id.as_ref() == Some(responder)
        })
    };
    let update = of("UpdateEventSourceMapping").next();
    let read_back = update.and_then(|update| of("GetEventSourceMapping").find(|call| call.at >= update.at));
    let unseen = || Failure("the proxy has not seen the calls that the journal tells of".into());
    let took = read_back.ok_or_else(unseen)?.at.duration_since(attack.seen_at).as_millis();
    u64::try_from(took).map_err(|_| Failure(format!("the mapping was disabled {took} ms after its event")))
}

//! The attack, and the answer.

use std::time::Duration;

use super::screen::Screen;
use super::stage::Stage;
use super::traffic::{Counts, Traffic};
use super::{Failure, Result};
use sandbox::{DeliveryFaults, eventually};
use serde_json::Value;

/// CloudTrail takes some seconds to reach EventBridge: here so many milliseconds.
const TRAIL_LATENCY_MS: u64 = 3_000;
/// How long it is watched that nothing more comes out.
const WATCH: Duration = Duration::from_secs(4);

pub async fn tell(stage: &Stage, screen: Screen) -> Result {
    let traffic = stage.traffic();
    let allowed = deploy(stage, screen, &traffic).await?;
    screen.wait("let the intern's stolen credentials attack").await;
    let attack = attack(stage, screen, &traffic).await?;
    let contained = watch_it_stop(stage, screen, &traffic, &attack).await?;
    screen.wait("say that it was all right, and restore").await;
    let restored = restore(stage, screen, &traffic, &attack).await?;
    let untouched = stage.sandbox.root().mapping_state(&allowed).await?;
    expect(untouched.as_deref() == Some("Enabled"), || format!("the pipeline's mapping reads {untouched:?}"))?;
    let touched = updates_of(stage, &allowed);
    expect(touched == 0, || format!("the pipeline's mapping was updated {touched} times"))?;
    let audit = stage.product.command_line(&stage.security, &["audit", "verify"]).await?;
    expect(audit.code == 0, || format!("the journal does not hold: {}{}", audit.out, audit.err))?;
    screen.scene("Summary");
    let numbers = [
        ("records siphoned before containment", contained.before.to_string()),
        ("event on the queue to read back as Disabled", format!("{} ms", contained.took_ms)),
        ("records sent while it was disabled", contained.sent_meanwhile.to_string()),
        ("records siphoned of those", contained.after.to_string()),
        ("records that flowed again after restore", restored.to_string()),
        ("changes made to the pipeline's mapping", format!("{touched}; it reads {}", untouched.unwrap_or_default())),
        ("the journal", audit.out.trim().to_owned()),
    ];
    for (what, number) in numbers {
        screen.line(&format!("{what:<46} {number}"));
    }
    Ok(())
}

/// The pipeline that policy allows does its work.
async fn deploy(stage: &Stage, screen: Screen, traffic: &Traffic) -> Result<String> {
    screen.scene("The deploy pipeline wires orders-in to orders-worker, through CloudFormation");
    let uuid = stage.deployer.create_mapping(&stage.orders.arn, "orders-worker").await?;
    let worked = eventually(async || Some(traffic.counts().worked).filter(|worked| *worked > 0)).await;
    expect(worked.is_some(), || "the worker has done nothing".into())?;
    stage.sandbox.trail().delivered().await;
    screen.line(&format!("mapping {uuid}: allowed by the entry orders-pipeline, left alone; the worker works"));
    Ok(uuid)
}

/// The mappings that the attacker made.
#[derive(Debug)]
struct Attack {
    queue: String,
    stream: String,
}

async fn attack(stage: &Stage, screen: Screen, traffic: &Traffic) -> Result<Attack> {
    screen.scene("mallory, with the intern's credentials, wires payments-in and the table customers to telemetry");
    let late = DeliveryFaults { delay_ms: TRAIL_LATENCY_MS, ..DeliveryFaults::default() };
    stage.sandbox.trail().set_delivery_faults(late);
    let queue = stage.mallory.create_mapping(&stage.payments.arn, "telemetry").await?;
    let stream = stage.mallory.create_mapping(&stage.table_stream, "telemetry").await?;
    let siphoned = eventually(async || {
        show(screen, traffic.counts());
        Some(traffic.counts().stolen).filter(|stolen| *stolen > 3)
    });
    let siphoned = siphoned.await.ok_or_else(|| Failure("the siphon does not work, so nothing can be shown".into()))?;
    screen.line(&format!("mapping {queue} siphons: {siphoned} payment records so far"));
    Ok(Attack { queue, stream })
}

/// What containment came to.
#[derive(Debug)]
struct Contained {
    before: usize,
    took_ms: u64,
    sent_meanwhile: usize,
    after: usize,
}

async fn watch_it_stop(stage: &Stage, screen: Screen, traffic: &Traffic, attack: &Attack) -> Result<Contained> {
    screen.scene("CloudTrail's event arrives; sluicegate judges, disables, and reads back");
    let root = stage.sandbox.root();
    for uuid in [&attack.queue, &attack.stream] {
        let disabled = eventually(async || {
            show(screen, traffic.counts());
            root.mapping_state(uuid).await.ok().flatten().filter(|state| state == "Disabled")
        });
        expect(disabled.await.is_some(), || format!("mapping {uuid} was not disabled"))?;
    }
    let case = case_of(stage, &attack.queue).await?;
    let step = case["steps"][0]["status"].as_str().unwrap_or_default();
    expect(step == "succeeded", || format!("the journal says that the disable has {step:?}"))?;
    let took_ms = took_ms(stage, &attack.queue)?;
    screen.line(&format!("both mappings read Disabled in the emulator; case {}", text(&case["case_id"])));
    for reason in reasons(stage, &case).await? {
        screen.line(&format!("why: {reason}"));
    }
    // What Lambda had in hand when it was disabled is finished first.
    let before = quiet(traffic).await?;
    let sent = traffic.counts().sent;
    for _ in 0..WATCH.as_millis() / 200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        show(screen, traffic.counts());
    }
    let counts = traffic.counts();
    let contained = Contained { before, took_ms, sent_meanwhile: counts.sent - sent, after: counts.stolen - before };
    expect(contained.sent_meanwhile > 0, || "no records were sent, so nothing is shown".into())?;
    expect(contained.after == 0, || format!("{} records were still siphoned", contained.after))?;
    screen.line(&format!("{} more records sent, 0 siphoned: the siphon is closed", contained.sent_meanwhile));
    Ok(contained)
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

async fn restore(stage: &Stage, screen: Screen, traffic: &Traffic, attack: &Attack) -> Result<usize> {
    screen.scene("bob of the security team finds that it was all right, and restores it");
    let id = text(&case_of(stage, &attack.queue).await?["case_id"]);
    screen.line(&format!("$ sluicegate restore {id}"));
    let before = traffic.counts().stolen;
    let refused = stage.product.command_line(&stage.mallory, &["restore", &id]).await?;
    expect(refused.code == 1, || format!("mallory could decide on the own case: {}{}", refused.out, refused.err))?;
    screen.line(&format!("(mallory tried first: {})", refused.err.trim()));
    let said = stage.product.command_line(&stage.security, &["restore", &id]).await?;
    expect(said.code == 0, || format!("restore failed: {}{}", said.out, said.err))?;
    screen.line(said.out.trim());
    let state = stage.sandbox.root().mapping_state(&attack.queue).await?;
    expect(state.as_deref() == Some("Enabled"), || format!("after restore the mapping reads {state:?}"))?;
    let again = eventually(async || {
        show(screen, traffic.counts());
        Some(traffic.counts().stolen - before).filter(|again| *again > 0)
    });
    let again = again.await.ok_or_else(|| Failure("nothing flows after restore".into()))?;
    stage.sandbox.trail().delivered().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let state = stage.sandbox.root().mapping_state(&attack.queue).await?;
    expect(state.as_deref() == Some("Enabled"), || "sluicegate took its own restore for an attack".into())?;
    screen.line(&format!("records flow again ({again} so far), and sluicegate knows its own call"));
    Ok(again)
}

/// Stays up, and tells how to attack it.
pub async fn keep(stage: &Stage, screen: Screen) -> Result {
    screen.scene("It is yours now: attack it (Ctrl-C ends it)");
    for (name, value) in stage.mallory.environment() {
        screen.line(&format!("export {name}={value}"));
    }
    let endpoint = stage.sandbox.endpoint_url();
    let source = &stage.orders.arn;
    screen.line(&format!(
        "aws --endpoint-url {endpoint} lambda create-event-source-mapping --function-name telemetry \\\n      \
         --event-source-arn {source}"
    ));
    screen.line(&format!("aws --endpoint-url {endpoint} lambda list-event-source-mappings"));
    let (home, binary) = (stage.product.home().display(), stage.product.binary().display());
    screen.line(&format!("and see: cd {home} && {binary} cases"));
    tokio::signal::ctrl_c().await.map_err(|error| Failure(format!("no signal handler: {error}")))
}

fn show(screen: Screen, counts: Counts) {
    let Counts { sent, worked, stolen } = counts;
    screen.changing(&format!("payments sent {sent:>4}   siphoned {stolen:>4}   orders done {worked:>4}"));
}

fn expect(so: bool, else_what: impl FnOnce() -> String) -> Result {
    if so { Ok(()) } else { Err(Failure(else_what())) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn case_of(stage: &Stage, uuid: &str) -> Result<Value> {
    let found = eventually(async || {
        let cases = stage.product.cases(&stage.security).await.ok()?;
        cases.into_iter().find(|case| case["mapping_uuid"] == uuid && case["state"] == "awaiting_decision")
    });
    found.await.ok_or_else(|| Failure(format!("there is no case of mapping {uuid} that awaits a decision")))
}

async fn reasons(stage: &Stage, case: &Value) -> Result<Vec<String>> {
    let id = text(&case["case_id"]);
    let said = stage.product.command_line(&stage.security, &["--format", "json", "case", &id]).await?;
    let whole: Value = serde_json::from_str(&said.out).map_err(|error| Failure(format!("{error}: {}", said.err)))?;
    let reasons = whole["events"][0]["verdict"]["reasons"].as_array().cloned().unwrap_or_default();
    Ok(reasons.iter().map(text).collect())
}

fn updates_of(stage: &Stage, uuid: &str) -> usize {
    let updates = stage.sandbox.calls_of("UpdateEventSourceMapping");
    updates.iter().filter(|call| call.resource.as_deref() == Some(uuid)).count()
}

/// From the moment at which the proxy put the event into the queue to the responder's read that found it disabled, both
/// by the proxy's own clock.
fn took_ms(stage: &Stage, uuid: &str) -> Result<u64> {
    let calls = stage.sandbox.calls();
    let of = |operation: &'static str| {
        calls.iter().filter(move |call| call.operation == operation && call.resource.as_deref() == Some(uuid))
    };
    let responder = &stage.sandbox.responder().credentials.access_key_id;
    let mallory = &stage.mallory.credentials.access_key_id;
    let created = calls.iter().find(|call| {
        call.operation == "CreateEventSourceMapping"
            && call.access_key_id.as_ref() == Some(mallory)
            && call.request["EventSourceArn"] == stage.payments.arn.as_str()
    });
    let update = of("UpdateEventSourceMapping").next();
    let read_back = update.and_then(|update| {
        of("GetEventSourceMapping").find(|call| call.at >= update.at && call.access_key_id.as_ref() == Some(responder))
    });
    let (Some(created), Some(read_back)) = (created, read_back) else {
        return Err(Failure("the proxy has not seen the calls that the journal tells of".into()));
    };
    let whole = read_back.at.duration_since(created.at).as_millis();
    u64::try_from(whole)
        .ok()
        .and_then(|whole| whole.checked_sub(TRAIL_LATENCY_MS))
        .ok_or_else(|| Failure(format!("the mapping was disabled {whole} ms after it was made, before its event")))
}

//! The story from beginning to end, and what it comes to in numbers.

use super::containment::Contained;
use super::denied::denied_so_far;
use super::pipeline::changes_of;
use super::restoring::Restored;
use super::screen::Screen;
use super::stage::Stage;
use super::{Failure, Result, attack, containment, evidence, expect, pipeline, removal, restoring};

pub async fn tell(stage: &Stage, screen: &Screen) -> Result {
    let traffic = stage.traffic();
    let allowed = pipeline::deploy(stage, screen, &traffic).await?;
    screen.wait("let the intern's stolen credentials attack").await;
    let attack = attack::attack(stage, screen, &traffic).await?;
    let contained = containment::watch_it_stop(stage, screen, &traffic, &attack).await?;
    let queue = evidence::watch_it_come(stage, screen, &contained.queue, &contained.stream).await?;
    let queue = removal::remove(stage, screen, &attack, &queue).await?;
    let stream = removal::keep(stage, screen, &attack, &contained.stream).await?;
    let restored = restoring::restore(stage, screen, &traffic, &attack, [&queue, &stream]).await?;
    summary(stage, screen, &contained, &restored, &allowed).await
}

async fn summary(stage: &Stage, screen: &Screen, contained: &Contained, restored: &Restored, allowed: &str) -> Result {
    let untouched = stage.sandbox.root().mapping_state(allowed).await?;
    expect(untouched.as_deref() == Some("Enabled"), || format!("the pipeline's mapping reads {untouched:?}"))?;
    let touched = changes_of(stage, allowed);
    expect(touched == 0, || format!("the pipeline's mapping was changed {touched} times"))?;
    let audit = stage.product.command_line(&stage.security, &["audit", "verify"]).await?;
    expect(audit.code == 0, || format!("the journal does not hold: {}{}", audit.out, audit.err))?;
    let acknowledged = stage.slack.acknowledgements();
    let missed = acknowledged.iter().filter(|click| !click.in_time).count();
    expect(missed == 0, || format!("{missed} clicks were not acknowledged in time"))?;
    let slowest = acknowledged.iter().filter_map(|click| click.took_ms).max();
    let slowest = slowest.ok_or_else(|| Failure("no click was acknowledged".into()))?;
    let cases = [&restored.queue, &restored.stream];
    let votes: usize = cases.iter().map(|case| case.events_of("voted").count()).sum();
    screen.scene("Summary");
    let numbers = [
        ("records siphoned before containment", contained.siphoned_before.to_string()),
        ("event on the queue to read back as Disabled", format!("{} ms", contained.took_ms)),
        ("records sent while it was disabled, and watched", contained.sent_meanwhile.to_string()),
        ("records siphoned of those", contained.siphoned_after.to_string()),
        ("clicks refused", stage.refusals().to_string()),
        ("votes that counted", votes.to_string()),
        ("slowest acknowledgement of a click", format!("{slowest} ms, of {} clicks and dialogs", acknowledged.len())),
        ("calls of the attacker denied", denied_so_far(stage).to_string()),
        ("records that flowed again after restore", restored.records.to_string()),
        ("changes made to the pipeline's mapping", format!("{touched}; it reads {}", untouched.unwrap_or_default())),
        ("the journal", audit.out.trim().to_owned()),
    ];
    for (what, number) in numbers {
        screen.line(&format!("{what:<48} {number}"));
    }
    Ok(())
}

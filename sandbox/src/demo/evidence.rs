//! The cards, and what comes onto them for people to decide on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Result;
use super::case::{Case, text};
use super::people::in_short;
use super::screen::Screen;
use super::stage::{CHANNEL, Stage};
use serde_json::Value;

/// How long evidence is waited for: it is bounded, and comes when it comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Shows the cards of both cases, and waits until what the story needs is known of the first.
pub async fn watch_it_come(stage: &Stage, screen: &Screen, queue: &Case, stream: &Case) -> Result<Case> {
    screen.scene("In Slack: one card a case, and evidence that comes onto it");
    for case in [queue, stream] {
        let card = stage.card(case).await?;
        screen.line(&format!("#security, case {}:", case.id()));
        for line in in_short(&card) {
            screen.line(&format!("  {line}"));
        }
    }
    let (began, mut shown) = (Instant::now(), BTreeSet::new());
    screen.line(&format!("evidence for case {}, gathered now that the mapping is disabled:", queue.id()));
    loop {
        let now = queue.again(stage).await?;
        let known = known(&now);
        for (what, line) in &known {
            if shown.insert(*what) {
                screen.line(&format!("  {what:<12} {line}"));
            }
        }
        let all = ["source", "function", "code_kept", "history", "caller", "execution"];
        if all.iter().all(|what| shown.contains(what)) {
            return settled(stage, &now).await;
        }
        if began.elapsed() > PATIENCE {
            screen.line("  the rest is not known yet; the card says so");
            return Ok(now);
        }
        screen.changing("  more comes … ");
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}

/// The card shows what the journal has, a moment later.
async fn settled(stage: &Stage, case: &Case) -> Result<Case> {
    let ts = stage.card(case).await?.ts;
    let began = Instant::now();
    let updates = || stage.slack.message(CHANNEL, &ts).map_or(0, |card| card.updates);
    let mut last = (updates(), Instant::now());
    while began.elapsed() < Duration::from_secs(10) && last.1.elapsed() < Duration::from_millis(1_500) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if updates() != last.0 {
            last = (updates(), Instant::now());
        }
    }
    case.again(stage).await
}

/// What is known by now, each in a line.
fn known(case: &Case) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut learnt = |what: &'static str, line: &dyn Fn(&Value) -> Option<String>| {
        lines.extend(case.evidence(what).and_then(line).map(|line| (what, line)));
    };
    learnt("source", &|source| {
        let tags = source["sensitive"].as_array()?.iter();
        let tags: Vec<String> = tags.map(|tag| format!("{}={}", text(&tag[0]), text(&tag[1]))).collect();
        Some(format!("its tags say how sensitive it is: {}", tags.join(", ")))
    });
    learnt("function", &|function| {
        let made = function["made_by_actor"] == true;
        made.then(|| format!("made by the same actor, with its role {}", text(&function["role"])))
    });
    learnt("code_kept", &|code| Some(format!("kept before it can be deleted: SHA-256 {:.16}…", text(&code["sha256"]))));
    learnt("history", &|history| {
        let calls = history["calls"].as_array()?;
        Some(format!("{} calls by the same principal and key lately, by CloudTrail", calls.len()))
    });
    for whose in ["caller", "execution"] {
        lines.extend(case.offer(whose).and_then(offered).map(|line| (whose, line)));
    }
    lines
}

fn offered(offer: &Value) -> Option<String> {
    if offer["can"] != "restrict" {
        return Some(format!("only by hand: {}", text(&offer["why"])));
    }
    let strength = match text(&offer["strength"]["is"]) {
        "weak" => {
            let could = offer["strength"]["could"].as_array()?.iter().map(text);
            format!("weak, since it may {}", could.collect::<Vec<_>>().join(", "))
        }
        "strong" => "strong: it may do nothing that would take it off".to_owned(),
        _ => "how strong is not known".to_owned(),
    };
    Some(format!("can be restricted: {} ({strength})", text(&offer["reach"])))
}

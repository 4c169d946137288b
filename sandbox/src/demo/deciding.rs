//! Waiting for people to decide: what they are asked to click, what comes of it, and the clicks themselves where nobody
//! sits at the browser.

use std::time::{Duration, Instant};

use super::case::{Case, text};
use super::people::{ALL, Person, is_refusal, named, plain};
use super::screen::Screen;
use super::stage::Stage;
use super::{Failure, Result};
use serde_json::Value;

/// How often the case is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long the demo's own clicks may take until something comes of them.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often a person who does nothing is told that the demo can click.
const HINT: Duration = Duration::from_mins(1);

/// Something that people are asked to decide.
pub struct Wish {
    /// The button's action: the decision.
    pub decision: &'static str,
    /// What the button says.
    pub button: &'static str,
    /// Who clicks, in order.
    pub people: &'static [Person],
    /// The reason to be given in the dialog; none: the button opens none.
    pub reason: Option<&'static str>,
    /// Whether it has come true, or another decision has taken its place.
    pub is_over: fn(&Case) -> bool,
}

/// Has people decide, one wish after the other, and gives the case as it is then. Where a person watches, they click,
/// until they press Enter; what they decide instead is told, and is as good.
pub async fn decide(stage: &Stage, screen: &Screen, case: &Case, wishes: &[Wish]) -> Result<Case> {
    let mut teller = Teller::new(stage, case);
    let mut by_itself = !screen.has_person();
    let now = case.again(stage).await?;
    if !by_itself && wishes.iter().any(|wish| !(wish.is_over)(&now)) {
        ask(stage, screen, &now, wishes);
    }
    let (mut began, mut hinted) = (Instant::now(), Instant::now());
    loop {
        let now = case.again(stage).await?;
        if teller.tell(stage, screen, &now) {
            (began, hinted) = (Instant::now(), Instant::now());
        }
        if now.state() == "stuck" {
            return Err(Failure(format!("case {} is stuck", now.id())));
        }
        let Some(next) = wishes.iter().find(|wish| !(wish.is_over)(&now)) else { return Ok(now) };
        if by_itself {
            if began.elapsed() > PATIENCE {
                return Err(Failure(format!("nothing came of {} on case {}", next.decision, now.id())));
            }
            next.click_next(stage, &now).await?;
        } else if screen.entered() {
            screen.line("the demo clicks");
            (by_itself, began) = (true, Instant::now());
        } else {
            if hinted.elapsed() > HINT {
                screen.line("(nobody there? Enter, and the demo clicks)");
                hinted = Instant::now();
            }
            screen.changing(&format!("waiting for \"{}\" in the browser … ", next.button));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn ask(stage: &Stage, screen: &Screen, case: &Case, wishes: &[Wish]) {
    screen.forget_enters();
    screen.line(&screen.bold(&format!("Your turn, in the browser: {}", stage.page())));
    screen.line(&format!("on the card of {}, case {}:", case.source(), case.id()));
    for wish in wishes.iter().filter(|wish| !(wish.is_over)(case)) {
        let who: Vec<&str> = wish.people.iter().map(|person| person.name).collect();
        let reason = if wish.reason.is_some() { ", and give a reason" } else { "" };
        let again = if wish.people.len() > 1 { "; choose who you are at the top right" } else { "" };
        screen.line(&format!("  as {}: \"{}\"{reason}{again}", who.join(", then as "), wish.button));
    }
    screen.line("Or decide something else, and see. Enter: the demo clicks for you.");
}

impl Wish {
    /// The next click that it takes, unless what was clicked is still on its way.
    async fn click_next(&self, stage: &Stage, case: &Case) -> Result {
        if !matches!(case.state(), "awaiting_decision" | "closed") {
            return Ok(());
        }
        let votes = case.votes_for(self.decision);
        let Some(who) = self.people.iter().find(|person| !votes.iter().any(|(voter, _)| person.is(voter))) else {
            return Ok(());
        };
        stage.click(*who, case, self.decision).await?;
        if let Some(reason) = self.reason {
            // The second person votes for what the first has chosen; the first for all that there is.
            let plan = votes.first().map(|(_, plan)| *plan);
            stage.submit(*who, reason, |widest| plan.is_none_or(|plan| plan == widest)).await?;
        }
        self.taken(stage, case, *who).await
    }

    /// Waits until a click has come to something.
    async fn taken(&self, stage: &Stage, before: &Case, who: Person) -> Result {
        let told = stage.told(who).len();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let now = before.again(stage).await?;
            let voted = now.events_of("voted").any(|vote| vote["seq"].as_u64() > last_seq(before));
            if voted || stage.told(who)[told..].iter().any(|text| is_refusal(text)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Failure(format!("nothing came of the click of {} on {}", who.name, self.decision)))
    }
}

fn last_seq(case: &Case) -> Option<u64> {
    case.events().last().and_then(|event| event["seq"].as_u64())
}

/// Tells what happens in a case and to its people, each thing once.
struct Teller {
    seq: Option<u64>,
    told: [usize; ALL.len()],
}

impl Teller {
    fn new(stage: &Stage, case: &Case) -> Self {
        Self { seq: last_seq(case), told: ALL.map(|person| stage.told(person).len()) }
    }

    /// Whether there was anything.
    fn tell(&mut self, stage: &Stage, screen: &Screen, case: &Case) -> bool {
        let new = case.events().iter().filter(|event| event["seq"].as_u64() > self.seq);
        let mut lines: Vec<String> = new.filter_map(|event| words(case, event)).collect();
        self.seq = last_seq(case);
        for (person, told) in ALL.into_iter().zip(&mut self.told) {
            let all = stage.told(person);
            let refused = all.iter().skip(*told).filter(|text| is_refusal(text));
            lines.extend(refused.map(|text| format!("{} is told: {}", person.name, plain(text))));
            *told = all.len();
        }
        for line in &lines {
            screen.line(line);
        }
        !lines.is_empty()
    }
}

fn words(case: &Case, event: &Value) -> Option<String> {
    let step = || {
        let id = &event["id"];
        let prepared = case.events_of("step_prepared").find(|prepared| prepared["id"] == *id)?;
        let whom = text(&prepared["call"]["principal"]["name"]);
        let of = if whom.is_empty() { String::new() } else { format!(" of {whom}") };
        Some(format!("{}{of}", text(&prepared["step"])))
    };
    match text(&event["type"]) {
        "voted" => {
            let (who, decision) = (named(text(&event["person"])), text(&event["decision"]));
            let others = event["needed"].as_u64().filter(|needed| *needed > 1);
            let takes = others.map(|needed| format!(" (it takes {needed} people)")).unwrap_or_default();
            Some(format!("{who} chose {decision}: \"{}\"{takes}", text(&event["reason"])))
        }
        "step_succeeded" => Some(format!("{} is done, and read back", step()?)),
        "step_undone" => Some(format!("{} is taken back, and read back", step()?)),
        "step_released" => Some(format!("{} stays on: another case holds it", step()?)),
        "step_failed" => Some(format!("{} failed: {}", step()?, text(&event["error"]))),
        "closed" => Some(format!("case {} is closed: {}", case.id(), text(&event["outcome"]))),
        _ => None,
    }
}

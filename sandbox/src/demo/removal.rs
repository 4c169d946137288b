//! The queue's case: strangers are refused, two people delete and restrict, and the attacker is out. The stream's case:
//! one click.

use std::time::{Duration, Instant};

use super::attack::Attack;
use super::case::Case;
use super::deciding::{Wish, decide};
use super::denied::{attacker, denied_so_far, look, went_through};
use super::people::{ALICE, BOB, CAROL, MALLORY, Person, is_refusal, plain};
use super::screen::Screen;
use super::stage::{INTERN, Stage};
use super::{Failure, Result, expect};

const WISH: Wish = Wish {
    decision: "delete_restrict",
    button: "Delete and restrict…",
    people: &[ALICE, BOB],
    reason: Some("The intern's session was stolen, and telemetry is not ours"),
    is_over: Case::is_closed,
};

const KEEP: Wish =
    Wish { decision: "keep", button: "Keep disabled", people: &[BOB], reason: None, is_over: Case::is_closed };

/// Who may not decide is refused, and told why.
async fn strangers(stage: &Stage, screen: &Screen, case: &Case) -> Result {
    for who in [MALLORY, CAROL] {
        let told = stage.told(who).len();
        stage.click(who, case, WISH.decision).await?;
        let said = refusal(stage, who, told).await?;
        screen.line(&format!("{} clicks \"{}\" and is told: {}", who.name, WISH.button, plain(&said)));
        expect(stage.slack.open_view_of(who.user).is_none(), || format!("a dialog opened for {}", who.name))?;
    }
    let now = case.again(stage).await?;
    expect(now.state() == "awaiting_decision", || format!("a refused click made the case {}", now.state()))
}

async fn refusal(stage: &Stage, who: Person, after: usize) -> Result<String> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        if let Some(said) = stage.told(who).into_iter().skip(after).find(|text| is_refusal(text)) {
            return Ok(said);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure(format!("{} was not told that the click is refused", who.name)))
}

/// Gives the case as people left it.
pub async fn remove(stage: &Stage, screen: &Screen, attack: &Attack, case: &Case) -> Result<Case> {
    screen.scene("The payments queue's case: delete the mapping, and restrict the credentials behind it");
    strangers(stage, screen, case).await?;
    let case = decide(stage, screen, case, &[WISH]).await?;
    let state = stage.sandbox.root().mapping_state(&attack.queue).await?;
    if case.holds("delete_mapping") {
        expect(state.is_none(), || format!("the deleted mapping reads {state:?}"))?;
        screen.line(&format!("mapping {} is gone from the emulator", attack.queue));
    } else {
        let state = state.unwrap_or_else(|| "gone".into());
        screen.line(&format!("it was decided otherwise ({}): the mapping reads {state}", case.outcome()));
    }
    if case.holds("cap_principal") {
        out(stage, screen).await?;
    } else {
        screen.line("nobody's credentials are restricted: whoever holds the intern's goes on as before");
    }
    Ok(case)
}

/// The attacker's very next calls are denied, and others are spared.
async fn out(stage: &Stage, screen: &Screen) -> Result {
    let intern = stage.sandbox.root().role_as_it_is(INTERN).await?;
    let is_attached = intern["attached"].as_array().is_some_and(|all| all.iter().any(|one| *one == *stage.deny_all));
    expect(is_attached, || format!("{} is not attached to {INTERN}: {}", stage.deny_all, intern["attached"]))?;
    screen.line(&format!("role {INTERN} has {} attached", stage.deny_all));
    screen.line("the attacker goes on, with the same credentials:");
    let before = denied_so_far(stage);
    let attempts = attacker(stage).await;
    for attempt in &attempts {
        screen.line(&format!("  {}", attempt.words()));
        expect(attempt.is_denied(), || format!("the attacker was not denied: {}", attempt.words()))?;
    }
    let denied = denied_so_far(stage) - before;
    expect(denied == attempts.len(), || format!("the proxy saw {denied} denied calls, not {}", attempts.len()))?;
    screen.line("and those who have done nothing are spared:");
    for (who, account) in [("the deploy pipeline", &stage.deployer), ("carol, a colleague", &stage.colleague)] {
        let attempt = look("lambda list-functions", account).await;
        screen.line(&format!("  {} – {who}", attempt.words()));
        went_through(who, &attempt)?;
    }
    Ok(())
}

/// Gives the case as people left it.
pub async fn keep(stage: &Stage, screen: &Screen, attack: &Attack, case: &Case) -> Result<Case> {
    screen.scene("The table's case: one person is enough to keep the mapping disabled");
    let case = decide(stage, screen, case, &[KEEP]).await?;
    let state = stage.sandbox.root().mapping_state(&attack.stream).await?;
    let state = state.unwrap_or_else(|| "gone".into());
    if case.outcome() == "contained" {
        expect(state == "Disabled", || format!("kept disabled, the mapping reads {state}"))?;
    }
    screen.line(&format!("mapping {} reads {state}", attack.stream));
    Ok(case)
}

//! The people in Slack, where nobody sits at the browser: their clicks, by the double's own hands.

use super::case::Case;
use super::stage::{CHANNEL, Stage};
use super::{Failure, Result};
use sandbox::{Message, eventually};
use serde_json::{Value, json};

/// Somebody of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// In Slack.
    pub user: &'static str,
    /// As the page shows them.
    pub name: &'static str,
    /// As votes count them.
    pub id: &'static str,
}

pub const ALICE: Person = Person { user: "U0ALICE", name: "Alice Archer", id: "alice" };
pub const BOB: Person = Person { user: "U0BOB", name: "Bob Baker", id: "U0BOB" };
pub const CAROL: Person = Person { user: "U0CAROL", name: "Carol Carter", id: "U0CAROL" };
pub const MALLORY: Person = Person { user: "U0MALLORY", name: "Mallory Moss", id: "U0MALLORY" };

/// Everybody who is told something in the story.
pub const ALL: [Person; 4] = [ALICE, BOB, CAROL, MALLORY];

impl Person {
    /// Whether a vote or an identity is theirs.
    pub fn is(self, id: &str) -> bool {
        id == self.id || id.ends_with(self.user)
    }
}

/// Somebody as the screen names them.
pub fn named(id: &str) -> &str {
    ALL.iter().find(|person| person.is(id)).map_or(id, |person| person.name)
}

impl Stage {
    /// A case's card as it is now.
    pub async fn card(&self, case: &Case) -> Result<Message> {
        let found = eventually(async || self.slack.cards().remove(case.id()).and_then(|mut all| all.pop())).await;
        found.ok_or_else(|| Failure(format!("no card of case {} was posted", case.id())))
    }

    /// Presses a button of a card.
    pub async fn click(&self, who: Person, case: &Case, action: &str) -> Result {
        let card = self.card(case).await?;
        // The card may be about to change, and have no such button yet.
        let pressed = eventually(async || {
            let button = self.slack.message(CHANNEL, &card.ts)?.button(action);
            button.is_some().then_some(())
        });
        let nothing = || Failure(format!("the card of case {} has no button {action}", case.id()));
        pressed.await.ok_or_else(nothing)?;
        let clicked = self.slack.click(who.user, CHANNEL, &card.ts, action).await;
        let clicked = clicked.map_err(|error| Failure(format!("{} cannot click {action}: {error}", who.name)))?;
        if clicked.is_acknowledged() {
            Ok(())
        } else {
            Err(Failure(format!("the click of {} on {action} was not acknowledged", who.name)))
        }
    }

    /// Fills in and submits the dialog that a click opens. `tick`: whether to tick the box that has this value.
    pub async fn submit(&self, who: Person, reason: &str, tick: impl Fn(&str) -> bool) -> Result {
        let opened = eventually(async || self.slack.open_view_of(who.user)).await;
        let view = opened.ok_or_else(|| Failure(format!("no dialog opened for {}", who.name)))?;
        let mut values = vec![("reason", "reason", json!(reason))];
        let widest = widest(&view);
        if let Some(widest) = widest.filter(|widest| tick(widest)) {
            values.push(("widen", "widen", json!([widest])));
        }
        let id = view["id"].as_str().unwrap_or_default();
        let sent = self.slack.submit(who.user, id, &values).await;
        let sent = sent.map_err(|error| Failure(format!("{} cannot submit the dialog: {error}", who.name)))?;
        if sent.is_acknowledged() && self.slack.open_view_of(who.user).is_none() {
            Ok(())
        } else {
            Err(Failure(format!("the dialog of {} was not taken: {:?}", who.name, sent.response_payload)))
        }
    }

    /// What somebody was told alone, oldest first.
    pub fn told(&self, who: Person) -> Vec<String> {
        self.slack.ephemerals(who.user).into_iter().map(|message| message.text).collect()
    }

    /// How many clicks were refused.
    pub fn refusals(&self) -> usize {
        ALL.iter().flat_map(|who| self.told(*who)).filter(|text| is_refusal(text)).count()
    }
}

/// Whether somebody was told that their click does not count.
pub fn is_refusal(text: &str) -> bool {
    text.contains("* does not count: ")
}

/// The value of the box that a dialog has, if it has one.
fn widest(view: &Value) -> Option<&str> {
    let blocks = view["blocks"].as_array()?;
    let block = blocks.iter().find(|block| block["block_id"] == "widen")?;
    block["element"]["options"][0]["value"].as_str()
}

/// What a card says in short: its headline, what it is about, and its buttons.
pub fn in_short(card: &Message) -> Vec<String> {
    let buttons: Vec<String> = card
        .actions()
        .into_iter()
        .filter(|(_, element)| element["type"] == "button")
        .map(|(_, button)| format!("[{}]", button["text"]["text"].as_str().unwrap_or_default()))
        .collect();
    vec![plain(&card.text), buttons.join(" ")]
}

/// Slack's text without its marks.
pub fn plain(text: &str) -> String {
    let bare: String = text.chars().filter(|c| !matches!(c, '`' | '*')).collect();
    bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

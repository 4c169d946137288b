//! A stage with Slack beside it, and the real binary between the two.

use crate::stage::Stage;
use sandbox::{Acknowledgement, Message, SlackDouble, SlackOptions, eventually};
use serde_json::{Value, json};

pub const CHANNEL: &str = "C0SECURITY";
pub const FALLBACK: &str = "C0FALLBACK";
pub const CAP: &str = "arn:aws:iam::111122223333:policy/SluicegateDenyAll";

pub struct Scene {
    pub stage: Stage,
    pub slack: SlackDouble,
}

/// Tokens that exist before the configuration is written.
impl Scene {
    pub async fn set(more: &str) -> Self {
        let slack = SlackDouble::start(SlackOptions { post_burst: 1_000, ..SlackOptions::default() }).unwrap();
        let config = format!(
            "[slack]\nchannel = \"{CHANNEL}\"\nfallback_channel = \"{FALLBACK}\"\napi_url = \"{}\"\n\
             app_token = \"file:app-token\"\nbot_token = \"file:bot-token\"\n\
             [restriction]\ncap_policy = \"{CAP}\"\n{more}",
            slack.api_url()
        );
        let stage = Stage::with(&config).await;
        std::fs::write(stage.product.home().join("app-token"), slack.app_token()).unwrap();
        std::fs::write(stage.product.home().join("bot-token"), slack.bot_token()).unwrap();
        let made = stage.sandbox.root().create_deny_all("SluicegateDenyAll").await.unwrap();
        assert_eq!(made, CAP);
        Self { stage, slack }
    }

    /// mallory wires the queue; gives the mapping once it is disabled, and its case.
    pub async fn attack(&self) -> (String, String) {
        let uuid = self.stage.mallory.create_mapping(&self.stage.orders.arn, "exfil").await.unwrap();
        self.stage.becomes(&uuid, "Disabled").await;
        let case = self.stage.case_in(&uuid, "awaiting_decision").await;
        (uuid, case["case_id"].as_str().unwrap().to_owned())
    }

    /// The case's one message, once it shows a button for this decision.
    pub async fn card_with(&self, case: &str, action: &str) -> Message {
        let found = eventually(async || self.card(case).filter(|card| card.button(action).is_some()));
        let Some(card) = found.await else {
            panic!("no card of {case} offers {action}: {:?}", self.card(case).map(|card| card.visible_text()))
        };
        card
    }

    /// The case's one message: two of them are one too many.
    pub fn card(&self, case: &str) -> Option<Message> {
        let mut cards = self.slack.cards().remove(case)?;
        assert_eq!(cards.len(), 1, "{case} has {} messages", cards.len());
        cards.pop()
    }

    /// Waits until the card says this.
    pub async fn card_says(&self, case: &str, text: &str) {
        let said = eventually(async || self.card(case).filter(|card| card.visible_text().contains(text)));
        let now = || self.card(case).map(|card| card.visible_text());
        assert!(said.await.is_some(), "the card of {case} never said {text:?}: {:?}", now());
    }

    pub async fn click(&self, user: &str, case: &str, action: &str) -> Acknowledgement {
        let card = self.card_with(case, action).await;
        let clicked = self.slack.click(user, CHANNEL, &card.ts, action).await.unwrap();
        assert!(clicked.is_acknowledged() && clicked.in_time, "{clicked:?}");
        clicked
    }

    /// Clicks a button that opens a modal, and fills it in.
    pub async fn by_modal(&self, user: &str, case: &str, action: &str, reason: &str) -> Acknowledgement {
        let view = self.modal(user, case, action).await;
        let id = view["id"].as_str().unwrap();
        self.slack.submit(user, id, &[("reason", "reason", json!(reason))]).await.unwrap()
    }

    pub async fn modal(&self, user: &str, case: &str, action: &str) -> Value {
        self.click(user, case, action).await;
        let view = eventually(async || self.slack.open_view_of(user)).await;
        view.unwrap_or_else(|| panic!("no modal for {user}: {:?}", self.told(user)))
    }

    /// What somebody was told that nobody else sees.
    pub fn told(&self, user: &str) -> Vec<String> {
        self.slack.ephemerals(user).iter().map(Message::visible_text).collect()
    }

    pub async fn is_told(&self, user: &str, text: &str) {
        let told = eventually(async || self.told(user).iter().any(|told| told.contains(text)).then_some(())).await;
        assert!(told.is_some(), "{user} was never told {text:?}: {:?}", self.told(user));
    }

    pub async fn case(&self, id: &str) -> Value {
        self.stage.whole(&json!({"case_id": id})).await
    }

    pub async fn ends(&self, id: &str, outcome: &str) -> Value {
        let ended = eventually(async || {
            let case = self.case(id).await;
            (case["state"] == "closed" && case["outcome"] == outcome).then_some(case)
        });
        let Some(case) = ended.await else { panic!("{id} is {}", self.case(id).await) };
        case
    }

    /// Refused votes in the journal, by reason.
    pub fn refusals(&self) -> Vec<String> {
        let db = rusqlite::Connection::open(self.stage.product.journal()).unwrap();
        let mut rows =
            db.prepare("SELECT body ->> 'why' FROM events WHERE type = 'vote_refused' ORDER BY seq").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Calls that changed something, by this operation, and reached the account.
    pub fn changes(&self, operation: &str) -> usize {
        self.stage.sandbox.calls_of(operation).iter().filter(|call| call.forwarded).count()
    }
}

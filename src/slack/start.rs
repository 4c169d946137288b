//! Slack as `run` has it: made from the configuration, and started.

use super::Api;
use super::card::About;
use super::client::SlackClient;
use super::health::{Alarms, SlackHealth};
use super::reconcile::{CardParts, CardSettings, Cards};
use super::socket::{SlackSocket, SocketParts, SocketSettings};
use super::token::{AppId, Token, TokenKind};
use crate::case::Case;
use crate::config::{SecretError, SecretReader, SlackConfig};
use crate::ports::{Chat, Clock, Interactions, Journal};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Slack, with its tokens read, and nothing asked of it yet.
pub struct Slack {
    api: Api,
    app_token: Arc<Token>,
    app: AppId,
    client: Arc<SlackClient>,
    health: SlackHealth,
    cards: CardSettings,
}

/// What is not Slack's.
#[derive(Clone)]
pub struct Around {
    /// The cases.
    pub journal: Arc<dyn Journal>,
    /// Where interactions go.
    pub sink: Arc<dyn Interactions>,
    /// What a card needs to know that is not in its case.
    pub about: Arc<dyn Fn(&Case) -> About + Send + Sync>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Slack {
    /// Reads the tokens. Whether they are good is found out later: Slack need not be there for the responder to start.
    pub async fn read(config: &SlackConfig, reader: &Arc<SecretReader>) -> Result<Self, SecretError> {
        let missing = |error: &dyn std::fmt::Display| SecretError::Missing(error.to_string());
        let (bot, app) = config.tokens().map_err(|error| missing(&error))?;
        let api = Api::new(config.api_url()).map_err(|error| missing(&error))?;
        let bot_token = Arc::new(Token::read(TokenKind::Bot, bot, reader).await?);
        let app_token = Arc::new(Token::read(TokenKind::App, app, reader).await?);
        let app = AppId::new(&config.app_id.clone().or_else(|| app_token.app_id()).unwrap_or_default());
        let client = Arc::new(SlackClient::new(api.clone(), bot_token, app.clone()));
        let cards = CardSettings {
            fallback: config.fallback_channel.clone(),
            digest_at: config.digest_at,
            ..CardSettings::new(&config.channel)
        };
        Ok(Self { api, app_token, app, client, health: SlackHealth::default(), cards })
    }

    /// The Web API.
    pub fn chat(&self) -> Arc<dyn Chat> {
        self.client.clone()
    }

    /// How Slack is.
    pub fn health(&self) -> SlackHealth {
        self.health.clone()
    }

    /// Takes clicks and keeps cards until `stopping` turns true; the tasks end within a few seconds then.
    pub fn start(self, around: Around, stopping: &watch::Receiver<bool>) -> JoinSet<()> {
        let alarms = Alarms::new(around.journal.clone());
        let socket = SocketParts {
            api: self.api,
            token: self.app_token,
            app: self.app,
            sink: around.sink,
            chat: self.client.clone(),
            health: self.health.clone(),
            alarms: alarms.clone(),
        };
        let cards = CardParts {
            journal: around.journal,
            chat: self.client,
            about: around.about,
            clock: around.clock,
            health: self.health,
            alarms,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(SlackSocket::new(socket, SocketSettings::default()).run(stopping.clone()));
        tasks.spawn(Cards::new(cards, self.cards, stopping.clone()).run());
        tasks
    }
}

//! Socket Mode: Slack's events come over connections that we open. Two are kept, so that one that ends loses no click;
//! one that Slack is about to end is replaced first, and let go after.

mod connection;
mod envelope;

use super::answer::Effect;
use super::api::{Api, Arguments};
use super::backoff::{LONGEST, backoff};
use super::health::{Alarms, SlackHealth};
use super::token::{AppId, Token};
use crate::ports::{Chat, ChatError, Interactions};
use crate::stopping::pause;
use connection::{Connection, Life};
use envelope::Envelopes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

const PART: &str = "clicks";
/// A connection that lived shorter than this is followed by a wait.
const SHORT_LIVED: Duration = Duration::from_secs(10);
/// That wait is never longer: Slack is there, and clicks may come.
const LONGEST_BETWEEN: Duration = Duration::from_secs(2);
/// So many failures in a row, about a minute of them, are told.
const ALARM_AFTER: u32 = 8;
/// How many connections that Slack is about to end are kept beside the new one.
const LINGERING: usize = 2;

/// How the connections are kept.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// How many.
    pub connections: usize,
    /// How long connecting, and then Slack's hello, may take.
    pub hello_within: Duration,
    /// A connection on which nothing was heard for so long, not even a ping, is dead.
    pub dead_after: Duration,
    /// After so long it is tried again whether Slack takes the token now.
    pub look_again: Duration,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            connections: 2,
            hello_within: Duration::from_secs(10),
            dead_after: Duration::from_mins(1),
            look_again: Duration::from_mins(3),
        }
    }
}

/// What the connections are opened with, and where what comes over them goes.
#[derive(Clone)]
pub struct SocketParts {
    /// The Web API.
    pub api: Api,
    /// The app-level token.
    pub token: Arc<Token>,
    /// Told by Slack's hello.
    pub app: AppId,
    /// Where interactions go.
    pub sink: Arc<dyn Interactions>,
    /// For telling people that what they clicked makes no sense.
    pub chat: Arc<dyn Chat>,
    /// How Slack is.
    pub health: SlackHealth,
    /// What a person must be told.
    pub alarms: Alarms,
}

/// The connections.
pub struct SlackSocket {
    parts: SocketParts,
    settings: SocketSettings,
    envelopes: Envelopes,
}

/// Why there is no connection.
enum NotOpen {
    /// Only a person can put that right.
    Fatal(String),
    /// It is tried again; not before so long, where Slack told it.
    Failed(String, Option<Duration>),
}

impl SlackSocket {
    /// Connections that are not open yet.
    pub fn new(parts: SocketParts, settings: SocketSettings) -> Self {
        let envelopes = Envelopes::new(parts.sink.clone(), parts.chat.clone());
        Self { parts, settings, envelopes }
    }

    /// Keeps the connections until `stopping` turns true; what is in hand then is still acknowledged.
    pub async fn run(self, stopping: watch::Receiver<bool>) {
        let socket = Arc::new(self);
        let mut lanes = JoinSet::new();
        for _ in 0..socket.settings.connections {
            let (socket, stopping) = (socket.clone(), stopping.clone());
            lanes.spawn(async move { socket.keep(stopping).await });
        }
        while let Some(ended) = lanes.join_next().await {
            if ended.is_err() && !*stopping.borrow() {
                tracing::error!(
                    alarm = true,
                    "a defect ended a connection to Slack; another is opened. Please report it"
                );
                tokio::time::sleep(LONGEST_BETWEEN).await;
                let (socket, stopping) = (socket.clone(), stopping.clone());
                lanes.spawn(async move { socket.keep(stopping).await });
            }
        }
    }

    /// Keeps one connection.
    async fn keep(&self, stopping: watch::Receiver<bool>) {
        let mut failures = 0_u32;
        let mut lingering: VecDeque<JoinHandle<()>> = VecDeque::new();
        while !*stopping.borrow() {
            let wait = match self.open().await {
                Ok(connection) => {
                    let began = Instant::now();
                    lingering.retain(|old| !old.is_finished());
                    while lingering.len() >= LINGERING {
                        lingering.pop_front().inspect(JoinHandle::abort);
                    }
                    let (ending, told) = oneshot::channel();
                    lingering.push_back(tokio::spawn(connection.serve(ending, stopping.clone())));
                    // An error means that it ended without a word.
                    let _ = told.await;
                    if began.elapsed() >= SHORT_LIVED {
                        failures = 0;
                        continue;
                    }
                    failures += 1;
                    backoff(failures).min(LONGEST_BETWEEN)
                }
                Err(NotOpen::Fatal(code)) => {
                    self.alarm(&code).await;
                    self.settings.look_again
                }
                Err(NotOpen::Failed(why, told)) => {
                    failures += 1;
                    tracing::warn!(why, "no connection to Slack: clicks do not come in over this one");
                    if self.parts.health.connections() == 0 {
                        self.unreachable(failures, why).await;
                    }
                    told.unwrap_or_default().max(backoff(failures).min(LONGEST))
                }
            };
            pause(&stopping, wait).await;
        }
        for old in lingering {
            // Each ends by itself, within its own bound.
            let _ = old.await;
        }
    }

    async fn open(&self) -> Result<Connection, NotOpen> {
        let parts = &self.parts;
        let answer = parts.api.call(&parts.token, "apps.connections.open", Effect::None, Arguments::Form(&[])).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(ChatError::Later { retry_after, message }) => return Err(NotOpen::Failed(message, retry_after)),
            Err(ChatError::Ambiguous { message }) => return Err(NotOpen::Failed(message, None)),
            Err(error @ (ChatError::Token { .. } | ChatError::Channel { .. } | ChatError::Refused { .. })) => {
                parts.token.read_again().await;
                return Err(NotOpen::Fatal(error.to_string()));
            }
        };
        let url = answer["url"].as_str().unwrap_or_default();
        let life = Life {
            envelopes: self.envelopes.clone(),
            health: parts.health.clone(),
            dead_after: self.settings.dead_after,
        };
        let opened = Connection::open(url, self.settings.hello_within, life).await;
        let (connection, app_id) = opened.map_err(|why| NotOpen::Failed(why, None))?;
        if !app_id.is_empty() {
            parts.app.set(&app_id);
        }
        parts.health.well(PART);
        parts.alarms.over(PART);
        tracing::info!(app_id, "connected to Slack");
        Ok(connection)
    }

    async fn unreachable(&self, failures: u32, why: String) {
        self.parts.health.trouble(PART, why);
        if failures >= ALARM_AFTER {
            let what = "no clicks come in from Slack, which cannot be reached; the log tells why. It is tried again and \
                        again; containment goes on, and `sluicegate decide` works";
            self.parts.alarms.raise(PART, what).await;
        }
    }

    async fn alarm(&self, why: &str) {
        let what = format!(
            "no clicks come in from Slack: {why}. Containment goes on; decide with `sluicegate decide`, and put a good \
             app-level token (scope connections:write) where [slack] app_token says, with Socket Mode on"
        );
        self.parts.health.trouble(PART, why.to_owned());
        self.parts.alarms.raise(PART, &what).await;
    }
}

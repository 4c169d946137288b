//! A double, a journal, and what is under test between them.

use crate::common::opened;
use async_trait::async_trait;
use sandbox::{Message, SlackDouble, SlackOptions};
use serde_json::Value;
use sluicegate::case::{Case, CaseEvent, CaseId, SystemEvent};
use sluicegate::clock::SystemClock;
use sluicegate::config::Secret;
use sluicegate::journal::SqliteJournal;
use sluicegate::ports::{Ack, Chat, Clock, Interaction, Interactions, Journal, JournalError, Opening};
use sluicegate::slack::card::{self, About};
use sluicegate::slack::{
    Alarms, Api, AppId, CardParts, CardSettings, Cards, Pace, SlackClient, SlackHealth, SlackSocket, SocketParts,
    SocketSettings, Token, TokenKind,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub const SECURITY: &str = "C0SECURITY";
pub const FALLBACK: &str = "C0FALLBACK";

/// How long a call to the double may take.
pub const TIME_OUT: Duration = Duration::from_millis(600);

pub struct Stage {
    pub double: SlackDouble,
    pub journal: SqliteJournal,
    pub health: SlackHealth,
    pub app: AppId,
    dir: TempDir,
}

/// Something that runs until it is stopped, or killed.
pub struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("it stops in time").unwrap();
    }

    /// As by SIGKILL: whatever was on its way is lost.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Patient with tests: no waiting for turns.
pub fn hasty() -> SlackOptions {
    SlackOptions { post_interval: Duration::ZERO, ..SlackOptions::default() }
}

pub fn fast() -> CardSettings {
    CardSettings {
        fallback: Some(FALLBACK.into()),
        look: Duration::from_millis(10),
        quiet: Duration::from_millis(20),
        thread_quiet: Duration::from_millis(30),
        second_look: Duration::from_millis(200),
        look_again: Duration::from_millis(400),
        ..CardSettings::new(SECURITY)
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(hasty())
    }

    pub fn with(options: SlackOptions) -> Self {
        Self::at(options, Arc::new(SystemClock))
    }

    pub fn at(options: SlackOptions, clock: Arc<dyn Clock>) -> Self {
        let dir = TempDir::new().unwrap();
        let journal = SqliteJournal::open(&dir.path().join("journal.db"), clock, true).unwrap();
        let double = SlackDouble::start(options).unwrap();
        Self { double, journal, health: SlackHealth::default(), app: AppId::default(), dir }
    }

    pub fn api(&self) -> Api {
        Api::with_time_out(&self.double.api_url(), TIME_OUT).unwrap()
    }

    pub fn chat(&self) -> Arc<SlackClient> {
        let token = Token::new(TokenKind::Bot, &Secret::new(self.double.bot_token())).unwrap();
        let pace = Pace::new(Duration::from_millis(1));
        Arc::new(SlackClient::with_pace(self.api(), Arc::new(token), self.app.clone(), pace))
    }

    pub fn keep_cards(&self, settings: CardSettings) -> Running {
        self.keep_cards_with(settings, self.chat(), Arc::new(SystemClock))
    }

    pub fn keep_cards_with(&self, settings: CardSettings, chat: Arc<dyn Chat>, clock: Arc<dyn Clock>) -> Running {
        self.keep_cards_about(settings, chat, clock, Arc::new(|_| About::default()))
    }

    pub fn keep_cards_about(
        &self,
        settings: CardSettings,
        chat: Arc<dyn Chat>,
        clock: Arc<dyn Clock>,
        about: Arc<dyn Fn(&Case) -> About + Send + Sync>,
    ) -> Running {
        let (stop, stopping) = watch::channel(false);
        let journal: Arc<dyn Journal> = Arc::new(self.journal.clone());
        let parts = CardParts {
            journal: journal.clone(),
            chat,
            about,
            clock,
            health: self.health.clone(),
            alarms: Alarms::new(journal),
        };
        Running { task: tokio::spawn(Cards::new(parts, settings, stopping).run()), stop }
    }

    pub fn connect(&self, sink: Arc<dyn Interactions>) -> Running {
        self.connect_with(sink, SocketSettings { look_again: Duration::from_millis(300), ..SocketSettings::default() })
    }

    pub fn connect_with(&self, sink: Arc<dyn Interactions>, settings: SocketSettings) -> Running {
        let (stop, stopping) = watch::channel(false);
        let token = Token::new(TokenKind::App, &Secret::new(self.double.app_token())).unwrap();
        let parts = SocketParts {
            api: self.api(),
            token: Arc::new(token),
            app: self.app.clone(),
            sink,
            chat: self.chat(),
            health: self.health.clone(),
            alarms: Alarms::new(Arc::new(self.journal.clone())),
        };
        Running { task: tokio::spawn(SlackSocket::new(parts, settings).run(stopping)), stop }
    }

    pub async fn begin(&self, n: u32) -> CaseId {
        match self.journal.open(&opened(&format!("e{n}"), n), &[]).await.unwrap() {
            Opening::Opened(case) => case.id,
            other => panic!("{other:?}"),
        }
    }

    pub async fn case(&self, id: &CaseId) -> Case {
        self.journal.case(id).await.unwrap().unwrap()
    }

    /// Appends, whatever the reconciler appended meanwhile.
    pub async fn append(&self, id: &CaseId, event: CaseEvent) {
        loop {
            let seq = self.case(id).await.seq;
            match self.journal.append(id, seq, std::slice::from_ref(&event)).await {
                Err(JournalError::Conflict { .. }) => {}
                other => return drop(other.unwrap()),
            }
        }
    }

    /// Waits until Slack shows all that the journal has.
    pub async fn settled(&self) {
        self.settled_within(Duration::from_secs(20)).await;
    }

    pub async fn settled_within(&self, longest: Duration) {
        let began = Instant::now();
        loop {
            let behind = self.journal.cards_behind().await.unwrap();
            if behind.is_empty() {
                return;
            }
            assert!(began.elapsed() < longest, "{behind:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The one card of a case, which must be as the case is now.
    pub async fn card_of(&self, id: &CaseId) -> Message {
        let mut cards = self.double.cards().remove(id.as_str()).unwrap_or_default();
        assert_eq!(cards.len(), 1, "one message a case");
        let shown = cards.remove(0);
        let case = self.case(id).await;
        let wanted = card::card(&case, &About::default());
        assert_eq!(shown.text, wanted.text);
        assert_eq!(without_ids(&Value::Array(shown.blocks.clone())), without_ids(&wanted.blocks));
        assert_eq!(case.card, Some((shown.channel.clone(), shown.ts.clone())));
        shown
    }

    pub fn alarms(&self) -> Vec<String> {
        let path = self.dir.path().join("journal.db");
        let db = rusqlite::Connection::open(path).unwrap();
        let mut all = db.prepare("SELECT body FROM events WHERE type = 'alarm' ORDER BY seq").unwrap();
        let bodies = all.query_map([], |row| row.get::<_, String>(0)).unwrap();
        bodies
            .map(|body| match serde_json::from_str(&body.unwrap()).unwrap() {
                SystemEvent::Alarm { what } => what,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

/// Blocks without the ids that Slack gives them.
fn without_ids(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().filter(|(key, _)| *key != "block_id").map(|(key, one)| (key.clone(), without_ids(one))).collect()
        }
        Value::Array(list) => list.iter().map(without_ids).collect(),
        other => other.clone(),
    }
}

/// How often `needle` stands in the replies of a thread.
pub fn told(message: &Message, needle: &str) -> usize {
    message.replies.iter().map(|reply| reply.text.matches(needle).count()).sum()
}

pub async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A sink that keeps what it is given, in a journal as the responder does, and can be told to fail.
#[derive(Default)]
pub struct Sink {
    pub journal: Option<SqliteJournal>,
    pub failing: AtomicBool,
    pub taken: Mutex<Vec<Interaction>>,
}

#[async_trait]
impl Interactions for Sink {
    async fn take(&self, interaction: Interaction) -> Result<Ack, JournalError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(JournalError::Unavailable("as told".into()));
        }
        if let (Some(journal), Interaction::Vote(ballot)) = (&self.journal, &interaction) {
            journal.cast(ballot).await?;
        }
        self.taken.lock().unwrap().push(interaction);
        Ok(Ack::default())
    }
}

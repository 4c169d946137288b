//! The workspace's state, which requests, sockets and clicks share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::envelope::{Acknowledgement, Route};
use super::faults::SlackFaults;
use super::message::Message;
use super::options::{Channel, Group, SlackOptions, TEAM, User};
use super::socket::Sockets;

/// Everything of one double.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: SlackOptions,
    pub(crate) port: u16,
    pub(crate) secrets: Secrets,
    pub(crate) sockets: Sockets,
    pub(crate) faults: SlackFaults,
    state: Mutex<State>,
}

/// What nobody else knows; new for each double.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    pub(crate) bot_token: String,
    pub(crate) app_token: String,
    pub(crate) signing: String,
    /// The deprecated token that each payload carries.
    pub(crate) verification: String,
}

impl Secrets {
    fn new(app_id: &str) -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        Self {
            bot_token: format!("xoxb-100000000001-200000000002-{}", &random()[..24]),
            app_token: format!("xapp-1-{app_id}-300000000003-{}{}", random(), random()),
            signing: random(),
            verification: random()[..24].to_owned(),
        }
    }
}

/// One call of the Web API.
#[derive(Clone, Debug, Serialize)]
pub struct SlackCall {
    /// `chat.postMessage`.
    pub method: String,
    /// When it arrived.
    pub at: Timestamp,
    /// Whether it did what it should; not known to the caller where `status` is none.
    pub ok: bool,
    /// Slack's error.
    pub error: Option<String>,
    /// The HTTP status; none for one that was cut off.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Its arguments, the token left out.
    pub arguments: Value,
}

/// What went wrong before a person's eyes.
#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    /// Who saw it.
    pub user: String,
    /// What Slack showed.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A view that is open on somebody's screen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenView {
    /// Whose screen.
    pub user: String,
    /// The view as Slack shows it to apps.
    pub view: Value,
    /// What the app said about the fields, by block id.
    pub errors: BTreeMap<String, String>,
}

/// Whether the tokens are still good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tokens {
    #[default]
    Good,
    Revoked,
    Inactive,
}

/// A right to open one view.
#[derive(Debug)]
pub(crate) struct Trigger {
    pub(crate) user: String,
    pub(crate) made: Instant,
    pub(crate) used: bool,
}

/// A right to answer an interaction a few times.
#[derive(Debug)]
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) made: Instant,
    pub(crate) uses: u32,
}

/// How many more messages a channel takes.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) left: f64,
    pub(crate) at: Instant,
}

/// What changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Goes up with every change that a person could see.
    pub(crate) version: u64,
    pub(crate) last_ts: i64,
    pub(crate) tokens: Tokens,
    pub(crate) down: bool,
    pub(crate) route: Route,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    /// Every message and reply, oldest first.
    pub(crate) messages: Vec<Message>,
    pub(crate) ephemerals: Vec<Message>,
    pub(crate) views: Vec<OpenView>,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    pub(crate) pace: HashMap<String, Pace>,
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    /// Payloads by envelope, to send them again.
    pub(crate) sent: HashMap<String, Value>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) calls: Vec<SlackCall>,
}

impl State {
    /// A timestamp that no message has.
    pub(crate) fn next_ts(&mut self) -> String {
        self.last_ts = Timestamp::now().as_microsecond().max(self.last_ts.saturating_add(1));
        format!("{}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000)
    }

    pub(crate) fn changed(&mut self) {
        self.version = self.version.wrapping_add(1);
    }

    pub(crate) fn warn(&mut self, user: &str, text: &str) {
        self.warnings.push(Warning { user: user.to_owned(), text: text.to_owned(), at: Timestamp::now() });
        self.changed();
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.channel == channel && message.ts == ts)
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts)
    }

    /// A message, or one that only this person sees.
    pub(crate) fn seen_by(&self, user: &str, channel: &str, ts: &str) -> Option<&Message> {
        let only = self.ephemerals.iter().filter(|message| message.only_for.as_deref() == Some(user));
        self.messages.iter().chain(only).find(|message| message.channel == channel && message.ts == ts)
    }

    pub(crate) fn replies(&self, channel: &str, ts: &str) -> Vec<Message> {
        let reply = |message: &&Message| message.channel == channel && message.thread_ts.as_deref() == Some(ts);
        self.messages.iter().filter(reply).cloned().collect()
    }

    /// A message with its replies.
    pub(crate) fn with_replies(&self, message: &Message) -> Message {
        Message { replies: self.replies(&message.channel, &message.ts), ..message.clone() }
    }

    /// What a channel shows, oldest first: replies below their messages.
    pub(crate) fn shown_in(&self, channel: &str) -> Vec<Message> {
        let shown = |message: &&Message| message.channel == channel && message.thread_ts.is_none();
        self.messages.iter().filter(shown).map(|message| self.with_replies(message)).collect()
    }

    /// The view on top of somebody's screen.
    pub(crate) fn top_view(&self, user: &str) -> Option<&OpenView> {
        self.views.iter().rev().find(|open| open.user == user)
    }

    pub(crate) fn view_mut(&mut self, view_id: &str) -> Option<&mut OpenView> {
        self.views.iter_mut().find(|open| open.view["id"] == view_id)
    }
}

impl World {
    pub(crate) fn new(options: SlackOptions, port: u16) -> Self {
        let bot = User { is_bot: true, email: None, ..User::member(&options.bot_user_id, "sluicegate", "sluicegate") };
        let state = State {
            channels: options.channels.iter().map(|one| (one.id.clone(), one.clone())).collect(),
            groups: options.groups.iter().map(|one| (one.id.clone(), one.clone())).collect(),
            users: options.users.iter().chain([&bot]).map(|one| (one.id.clone(), one.clone())).collect(),
            ..State::default()
        };
        Self {
            secrets: Secrets::new(&options.app_id),
            options,
            port,
            sockets: Sockets::default(),
            faults: SlackFaults::default(),
            state: Mutex::new(state),
        }
    }

    /// The state. Not to be held while waiting for anything.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state().down = down;
        if down {
            self.sockets.cut();
        }
    }

    pub(crate) fn set_tokens(&self, tokens: Tokens) {
        self.state().tokens = tokens;
        if tokens != Tokens::Good {
            self.sockets.disconnect("link_disabled");
        }
    }

    pub(crate) fn set_channel(&self, channel: Channel) {
        let mut state = self.state();
        state.channels.insert(channel.id.clone(), channel);
        state.changed();
    }

    /// Changes a channel; whether there is one.
    pub(crate) fn change_channel(&self, id: &str, change: impl FnOnce(&mut Channel)) -> bool {
        let mut state = self.state();
        state.changed();
        state.channels.get_mut(id).map(change).is_some()
    }

    pub(crate) fn add_user(&self, user: User) {
        let mut state = self.state();
        state.users.insert(user.id.clone(), user);
        state.changed();
    }

    pub(crate) fn set_group(&self, id: &str, users: Vec<String>) {
        let mut state = self.state();
        let handle = id.to_lowercase();
        let group = state.groups.entry(id.to_owned());
        group.or_insert_with(|| Group { id: id.to_owned(), handle, users: Vec::new() }).users = users;
    }

    /// The messages of every case, oldest first.
    pub(crate) fn cards(&self) -> BTreeMap<String, Vec<Message>> {
        let state = self.state();
        let mut cards: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for message in &state.messages {
            if let Some(case) = message.case_id().filter(|_| message.thread_ts.is_none()) {
                cards.entry(case.to_owned()).or_default().push(state.with_replies(message));
            }
        }
        cards
    }

    /// A message as apps see it.
    pub(crate) fn shown(&self, message: &Message, with_metadata: bool) -> Value {
        message.as_slack(&self.options.app_id, TEAM, with_metadata)
    }
}

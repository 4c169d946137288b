//! The double as tests and the demo hold it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::clicks::{ClickError, RawClick, RawSubmission, new_envelope};
use super::envelope::{Acknowledgement, Route};
use super::faults::{SlackFault, SlackFaults, SocketFaults};
use super::message::Message;
use super::options::{Channel, Group, SlackOptions, TEAM, User};
use super::serve::serve;
use super::signed::{self, SignedAnswer, Tampering};
use super::world::{OpenView, SlackCall, Tokens, Warning, World};
use crate::error::SandboxError;

/// A Slack workspace on a port of this machine, open until this is dropped.
///
/// It runs on threads of its own, and so goes on while a test blocks.
#[derive(Debug)]
pub struct SlackDouble {
    world: Arc<World>,
    runtime: Option<Runtime>,
}

impl SlackDouble {
    /// Opens the workspace. Blocks for a moment.
    pub fn start(options: SlackOptions) -> Result<Self, SandboxError> {
        let opening = "opening a port for the Slack double";
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("slack").enable_all().build();
        let runtime = runtime.map_err(SandboxError::io("starting the Slack double's threads"))?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", options.port)).map_err(SandboxError::io(opening))?;
        listener.set_nonblocking(true).map_err(SandboxError::io(opening))?;
        let port = listener.local_addr().map_err(SandboxError::io(opening))?.port();
        let world = Arc::new(World::new(options, port));
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(SandboxError::io(opening))?
        };
        runtime.spawn(serve(listener, Arc::clone(&world)));
        Ok(Self { world, runtime: Some(runtime) })
    }

    /// The app's bot token.
    pub fn bot_token(&self) -> &str {
        &self.world.secrets.bot_token
    }

    /// The app's app-level token.
    pub fn app_token(&self) -> &str {
        &self.world.secrets.app_token
    }

    /// What HTTP requests are signed with.
    pub fn signing_secret(&self) -> &str {
        &self.world.secrets.signing
    }

    /// The Web API's address.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.world.base_url())
    }

    /// The page on which a person clicks.
    pub fn page_url(&self) -> String {
        format!("{}/", self.world.base_url())
    }

    /// The control requests' address.
    pub fn control_url(&self) -> String {
        format!("{}/_slack", self.world.base_url())
    }

    /// The workspace's id.
    pub fn team_id(&self) -> &str {
        TEAM
    }

    /// The app's id.
    pub fn app_id(&self) -> &str {
        &self.world.options.app_id
    }

    /// Does something on the double's own threads.
    async fn apart<T: Send + 'static>(
        &self,
        doing: impl Future<Output = Result<T, ClickError>> + Send + 'static,
    ) -> Result<T, ClickError> {
        match &self.runtime {
            Some(runtime) => match runtime.spawn(doing).await {
                Ok(done) => done,
                Err(error) => Err(ClickError::NoEnvelope(error.to_string())),
            },
            None => doing.await,
        }
    }

    /// Presses a button, confirms where it asks, and waits for the acknowledgement.
    ///
    /// The button must be there as the message is now.
    pub async fn click(
        &self,
        user: &str,
        channel: &str,
        ts: &str,
        action_id: &str,
    ) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        let [user, channel, ts, action_id] = [user, channel, ts, action_id].map(str::to_owned);
        self.apart(async move { world.click(&user, &channel, &ts, &action_id).await }).await
    }

    /// Sends a click that is stale or forged.
    pub async fn click_raw(&self, click: RawClick) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        self.apart(async move { Ok(world.click_raw(&click).await) }).await
    }

    /// Presses a button of the view that the person has open.
    pub async fn click_in_view(&self, user: &str, action_id: &str) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        let [user, action_id] = [user, action_id].map(str::to_owned);
        self.apart(async move { world.click_in_view(&user, &action_id).await }).await
    }

    /// The view on top of somebody's screen, as Slack shows it to apps.
    pub fn open_view_of(&self, user: &str) -> Option<Value> {
        self.world.state().top_view(user).map(|open| open.view.clone())
    }

    /// All views that somebody has open, the lowest first, with what the app said about their fields.
    pub fn views(&self, user: &str) -> Vec<OpenView> {
        self.world.state().views.iter().filter(|open| open.user == user).cloned().collect()
    }

    /// Submits a view with these fields (block, action, value): a string for a text, the value of an option for a menu,
    /// a list of such for boxes. What is not named keeps its initial value; required fields are insisted on.
    pub async fn submit(
        &self,
        user: &str,
        view_id: &str,
        values: &[(&str, &str, Value)],
    ) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        let [user, view_id] = [user, view_id].map(str::to_owned);
        let own =
            |(block, action, value): &(&str, &str, Value)| ((*block).to_owned(), (*action).to_owned(), value.clone());
        let values: Vec<_> = values.iter().map(own).collect();
        self.apart(async move { world.submit(&user, &view_id, &values).await }).await
    }

    /// Sends a forged submission.
    pub async fn submit_raw(&self, forged: RawSubmission) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        self.apart(async move { Ok(world.submit_raw(&forged).await) }).await
    }

    /// Closes a view; the acknowledgement, if the app wanted to know of it.
    pub async fn close_view(&self, user: &str, view_id: &str) -> Result<Option<Acknowledgement>, ClickError> {
        let world = Arc::clone(&self.world);
        let [user, view_id] = [user, view_id].map(str::to_owned);
        self.apart(async move { world.close_view(&user, &view_id).await }).await
    }

    /// Sends an envelope's payload again, under the same or a new envelope id.
    pub async fn replay(&self, envelope_id: &str, new_envelope_id: bool) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        let envelope_id = envelope_id.to_owned();
        self.apart(async move { world.replay(&envelope_id, new_envelope_id).await }).await
    }

    /// Sends any payload.
    pub async fn inject(&self, payload: Value) -> Result<Acknowledgement, ClickError> {
        let world = Arc::clone(&self.world);
        self.apart(async move { Ok(world.deliver(new_envelope(), payload).await) }).await
    }

    /// The payload that went in an envelope.
    pub fn payload_of(&self, envelope_id: &str) -> Option<Value> {
        self.world.state().sent.get(envelope_id).cloned()
    }

    /// Every interaction so far, in the order in which their fates were decided.
    pub fn acknowledgements(&self) -> Vec<Acknowledgement> {
        self.world.state().acknowledgements.clone()
    }

    /// Posts a signed interaction to a URL, with something wrong with it.
    pub async fn post_signed(
        &self,
        url: &str,
        payload: &Value,
        tampering: Tampering,
    ) -> Result<SignedAnswer, SandboxError> {
        let (body, headers) = signed::tampered(self.signing_secret(), payload, tampering);
        signed::post(url, headers, body).await
    }

    /// Sends interactions to a URL from now on, signed, instead of over sockets; none: over sockets again.
    pub fn send_interactions_to(&self, url: Option<&str>) {
        self.world.state().route = url.map_or(Route::Socket, |url| Route::Http(url.to_owned()));
    }
}

/// The workspace, and what goes wrong with it.
impl SlackDouble {
    /// What is scripted to go wrong with the Web API and the sockets.
    pub fn faults(&self) -> &SlackFaults {
        &self.world.faults
    }

    /// Scripts a fault of the Web API.
    pub fn fault(&self, fault: SlackFault) -> u64 {
        self.world.faults.add(fault)
    }

    /// What goes wrong with sockets from now on.
    pub fn set_socket_faults(&self, faults: SocketFaults) {
        self.world.faults.set_sockets(faults);
    }

    /// How many sockets the app has open.
    pub fn connections(&self) -> usize {
        self.world.sockets.count()
    }

    /// Tells all sockets to go (`warning`, `refresh_requested`, `link_disabled`), and ends them unless it is a warning.
    pub fn disconnect_sockets(&self, reason: &str) {
        self.world.sockets.disconnect(reason);
    }

    /// Ends all sockets without a word.
    pub fn cut_sockets(&self) {
        self.world.sockets.cut();
    }

    /// Slack as a whole is gone, or back: connections are closed at once. The page and the control requests go on.
    pub fn set_down(&self, down: bool) {
        self.world.set_down(down);
    }

    /// Both tokens are refused with `token_revoked`, and the sockets end.
    pub fn revoke_tokens(&self) {
        self.world.set_tokens(Tokens::Revoked);
    }

    /// Both tokens are refused with `account_inactive`, and the sockets end.
    pub fn deactivate_account(&self) {
        self.world.set_tokens(Tokens::Inactive);
    }

    /// Both tokens are good again.
    pub fn restore_tokens(&self) {
        self.world.set_tokens(Tokens::Good);
    }

    /// Archives a channel.
    pub fn archive(&self, channel: &str) {
        self.world.change_channel(channel, |channel| channel.is_archived = true);
    }

    /// Takes the bot out of a channel.
    pub fn kick_bot(&self, channel: &str) {
        self.world.change_channel(channel, |channel| channel.is_member = false);
    }

    /// Adds a channel, or replaces it.
    pub fn set_channel(&self, channel: Channel) {
        self.world.set_channel(channel);
    }

    /// Adds a person, or replaces them.
    pub fn add_user(&self, user: User) {
        self.world.add_user(user);
    }

    /// Adds a group, or replaces its members.
    pub fn set_group(&self, id: &str, users: &[&str]) {
        self.world.set_group(id, users.iter().map(ToString::to_string).collect());
    }

    /// A group as it is now.
    pub fn group(&self, id: &str) -> Option<Group> {
        self.world.state().groups.get(id).cloned()
    }
}

/// What can be seen.
impl SlackDouble {
    /// What a channel shows, oldest first, replies with their messages.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        self.world.state().shown_in(channel)
    }

    /// One message with its replies.
    pub fn message(&self, channel: &str, ts: &str) -> Option<Message> {
        let state = self.world.state();
        state.message(channel, ts).map(|message| state.with_replies(message))
    }

    /// The messages of every case, in all channels, oldest first. One each is as it should be.
    pub fn cards(&self) -> BTreeMap<String, Vec<Message>> {
        self.world.cards()
    }

    /// What only this person sees, oldest first.
    pub fn ephemerals(&self, user: &str) -> Vec<Message> {
        let state = self.world.state();
        state.ephemerals.iter().filter(|message| message.only_for.as_deref() == Some(user)).cloned().collect()
    }

    /// Every call of the Web API, in the order in which they ended.
    pub fn calls(&self) -> Vec<SlackCall> {
        self.world.state().calls.clone()
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<SlackCall> {
        self.calls().into_iter().filter(|call| call.method == method).collect()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.world.state().calls.clear();
    }

    /// The errors that people saw.
    pub fn warnings(&self) -> Vec<Warning> {
        self.world.state().warnings.clone()
    }
}

impl Drop for SlackDouble {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}

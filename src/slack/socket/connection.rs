//! One connection: from its ticket to its end.

use super::super::health::SlackHealth;
use super::envelope::{Envelopes, Frame};
use crate::stopping::stopped;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A frame above this ends the connection; an envelope above [`super::envelope::LARGEST`] is refused by itself.
const LARGEST_FRAME: usize = 4 << 20;
/// How long a connection that Slack is about to end is kept: what comes over it until then is taken.
const LINGER: Duration = Duration::from_secs(20);
/// How long what is in hand may take when the connection is ended by us.
const DRAIN: Duration = Duration::from_secs(2);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a connection lives with.
pub(super) struct Life {
    pub(super) envelopes: Envelopes,
    pub(super) health: SlackHealth,
    pub(super) dead_after: Duration,
}

/// A connection that Slack greeted.
pub(super) struct Connection {
    stream: Stream,
    life: Life,
}

/// What becomes of a connection after a frame.
enum Then {
    GoesOn,
    /// Slack is about to end it.
    Ending(String),
    Ended(&'static str),
}

impl Connection {
    /// Connects, and waits for the hello; gives the id of the app that it is for. The URL is a secret, and in no error.
    pub(super) async fn open(url: &str, within: Duration, life: Life) -> Result<(Self, String), String> {
        crate::tls::prepare();
        let is = |scheme: &str| url.starts_with(scheme);
        if !(is("wss://") || is("ws://127.0.0.1:") || is("ws://localhost:") || is("ws://[::1]:")) {
            return Err("Slack gives no address to connect to, or one that is not encrypted".into());
        }
        let config =
            WebSocketConfig::default().max_message_size(Some(LARGEST_FRAME)).max_frame_size(Some(LARGEST_FRAME));
        let connecting = tokio_tungstenite::connect_async_with_config(url, Some(config), true);
        let connected = tokio::time::timeout(within, connecting).await;
        let (mut stream, _) =
            connected.map_err(|_| "connecting took too long".to_owned())?.map_err(|error| told(&error))?;
        let greeted = tokio::time::timeout(within, greeting(&mut stream)).await;
        let app_id = greeted.map_err(|_| "Slack did not say hello".to_owned())??;
        Ok((Self { stream, life }, app_id))
    }

    /// Takes what comes until the connection ends. `ending` is told as soon as another one is needed.
    pub(super) async fn serve(mut self, ending: oneshot::Sender<()>, mut stopping: watch::Receiver<bool>) {
        let open = Open::new(&self.life.health);
        let (acks, mut to_send) = mpsc::unbounded_channel::<String>();
        let mut ending = Some(ending);
        let mut heard = Instant::now();
        let mut until: Option<Instant> = None;
        let why = loop {
            let dead = heard + self.life.dead_after;
            let deadline = until.map_or(dead, |until| until.min(dead));
            let then = tokio::select! {
                frame = self.stream.next() => {
                    heard = Instant::now();
                    self.read(frame, &acks)
                }
                Some(ack) = to_send.recv() => match self.stream.send(Message::text(ack)).await {
                    Ok(()) => Then::GoesOn,
                    Err(_) => Then::Ended("an acknowledgement could not be sent"),
                },
                () = tokio::time::sleep_until(deadline) => {
                    Then::Ended(if until.is_some() { "it was replaced" } else { "nothing was heard for too long" })
                }
                () = stopped(&mut stopping) => Then::Ended("sluicegate stops"),
            };
            match then {
                Then::GoesOn => {}
                Then::Ending(reason) => {
                    tracing::info!(reason, "Slack is about to end a connection; another is opened");
                    until = Some(Instant::now() + LINGER);
                    // Nobody waits for it where sluicegate stops.
                    ending.take().map(|ending| ending.send(()));
                }
                Then::Ended(why) => break why,
            }
        };
        drop(open);
        tracing::info!(why, "a connection to Slack has ended");
        drop(ending);
        drop(acks);
        self.drain(to_send).await;
    }

    /// Acknowledges what is in hand, and takes leave. On a connection that is broken that fails at once.
    async fn drain(mut self, mut to_send: mpsc::UnboundedReceiver<String>) {
        let rest = async {
            while let Some(ack) = to_send.recv().await {
                if self.stream.send(Message::text(ack)).await.is_err() {
                    return;
                }
            }
            let _ = self.stream.close(None).await;
        };
        let _ = tokio::time::timeout(DRAIN, rest).await;
    }

    fn read(&self, frame: Option<Result<Message, Error>>, acks: &mpsc::UnboundedSender<String>) -> Then {
        match frame {
            Some(Ok(Message::Text(text))) => match self.life.envelopes.take(text.as_str(), acks) {
                Frame::Taken => Then::GoesOn,
                Frame::Disconnect(reason) => Then::Ending(reason),
            },
            // A ping is answered by the stream itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => Then::GoesOn,
            Some(Ok(Message::Close(_))) | None => Then::Ended("Slack ended it"),
            Some(Err(Error::Capacity(_))) => Then::Ended("Slack sent more than anything of ours can be"),
            Some(Err(_)) => Then::Ended("it broke"),
        }
    }
}

/// Counts a connection for as long as it is open, however it ends.
struct Open(SlackHealth);

impl Open {
    fn new(health: &SlackHealth) -> Self {
        health.connected(true);
        Self(health.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connected(false);
    }
}

async fn greeting(stream: &mut Stream) -> Result<String, String> {
    while let Some(frame) = stream.next().await {
        let text = match frame {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(_)) => break,
            Ok(_) => continue,
            Err(error) => return Err(told(&error)),
        };
        let said: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
        if said["type"] == "hello" {
            return Ok(said["connection_info"]["app_id"].as_str().unwrap_or_default().to_owned());
        }
        if said["type"] == "disconnect" {
            let reason: String = said["reason"].as_str().unwrap_or("no reason").chars().take(60).collect();
            return Err(format!("Slack takes no connection: {reason}"));
        }
    }
    Err("Slack ended the connection before it said hello".into())
}

/// What went wrong, without the address, which is a secret.
fn told(error: &Error) -> String {
    match error {
        Error::Io(error) => format!("no connection to Slack's socket: {}", error.kind()),
        Error::Tls(_) => "no connection to Slack's socket: TLS failed".to_owned(),
        Error::Http(answer) => format!("Slack's socket answers HTTP {}", answer.status().as_u16()),
        _ => "Slack's socket does not keep to the protocol".to_owned(),
    }
}

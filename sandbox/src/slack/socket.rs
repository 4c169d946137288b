//! Socket Mode: tickets, connections, and what goes over them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::serve::Cut;
use super::world::World;

/// How many connections an app may have.
const CONNECTIONS: usize = 10;
/// How long a connection lives on that was warned of its end.
const GRACE: Duration = Duration::from_millis(500);

/// What a connection is told to do.
#[derive(Debug)]
enum Order {
    Say(String),
    Close,
    Cut,
}

#[derive(Debug)]
struct Connection {
    id: u64,
    orders: mpsc::UnboundedSender<Order>,
}

#[derive(Debug)]
struct Waiting {
    sent: Instant,
    tell: Option<oneshot::Sender<(Duration, Option<Value>)>>,
}

#[derive(Debug, Default)]
struct Inner {
    tickets: HashSet<String>,
    connections: Vec<Connection>,
    made: u64,
    turn: usize,
    waiting: HashMap<String, Waiting>,
}

/// All connections of the app.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Mutex<Inner>);

/// An acknowledgement that is still to come.
pub(crate) type Coming = oneshot::Receiver<(Duration, Option<Value>)>;

impl Sockets {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections have said nothing against being used.
    pub(crate) fn count(&self) -> usize {
        self.inner().connections.len()
    }

    /// Sends an envelope over one of the connections; none where there is no connection.
    pub(crate) fn send(&self, envelope_id: &str, envelope: &Value, twice: bool) -> Option<(u64, Coming)> {
        if self.count() == 0 {
            return None;
        }
        // Before anything is sent: an answer must not come before somebody waits for it.
        let coming = self.wait_for(envelope_id);
        let mut inner = self.inner();
        inner.turn = inner.turn.wrapping_add(1);
        let turn = inner.turn.checked_rem(inner.connections.len())?;
        let other = (turn + 1) % inner.connections.len();
        let id = inner.connections[turn].id;
        let text = envelope.to_string();
        // A connection that ends right now loses it, as on a real network.
        if twice {
            let _ = inner.connections[other].orders.send(Order::Say(text.clone()));
        }
        let _ = inner.connections[turn].orders.send(Order::Say(text));
        Some((id, coming))
    }

    /// An acknowledgement to wait for, whether or not anything is sent.
    pub(crate) fn wait_for(&self, envelope_id: &str) -> Coming {
        let (tell, coming) = oneshot::channel();
        let waiting = Waiting { sent: Instant::now(), tell: Some(tell) };
        self.inner().waiting.insert(envelope_id.to_owned(), waiting);
        coming
    }

    /// Says something on every connection, and ends it unless it is only a warning.
    pub(crate) fn disconnect(&self, reason: &str) {
        for connection in &self.inner().connections {
            let _ = connection.orders.send(Order::Say(goodbye(reason)));
            if reason != "warning" {
                let _ = connection.orders.send(Order::Close);
            }
        }
    }

    /// Ends every connection without a word.
    pub(crate) fn cut(&self) {
        for connection in &self.inner().connections {
            let _ = connection.orders.send(Order::Cut);
        }
    }

    fn enter(&self, orders: mpsc::UnboundedSender<Order>) -> Option<(u64, usize)> {
        let mut inner = self.inner();
        if inner.connections.len() >= CONNECTIONS {
            return None;
        }
        inner.made += 1;
        let id = inner.made;
        inner.connections.push(Connection { id, orders });
        Some((id, inner.connections.len()))
    }

    fn leave(&self, id: u64) {
        self.inner().connections.retain(|connection| connection.id != id);
    }
}

impl World {
    /// The address of one connection.
    pub(crate) fn ticket(&self) -> String {
        let ticket = uuid::Uuid::new_v4().to_string();
        self.sockets.inner().tickets.insert(ticket.clone());
        format!("ws://127.0.0.1:{}/link?ticket={ticket}&app_id={}", self.port, self.options.app_id)
    }

    /// What a client said.
    fn heard(&self, text: &str) {
        let Ok(said) = serde_json::from_str::<Value>(text) else { return };
        let Some(envelope_id) = said["envelope_id"].as_str() else { return };
        let payload = said.get("payload").filter(|payload| !payload.is_null()).cloned();
        let told = {
            let mut inner = self.sockets.inner();
            let Some(waiting) = inner.waiting.get_mut(envelope_id) else { return };
            let took = waiting.sent.elapsed();
            let heard = waiting.tell.take().is_some_and(|tell| tell.send((took, payload)).is_ok());
            (!heard).then_some(took)
        };
        if let Some(took) = told {
            self.late(envelope_id, took);
        }
    }
}

/// Opens a connection.
pub(crate) async fn link(request: Request<Incoming>, world: Arc<World>) -> Result<Response<Body>, Cut> {
    if world.state().down {
        return Err(Cut);
    }
    let faults = world.faults.sockets();
    if faults.refuse {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let (mut parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let ticket = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "ticket");
    let ticket = ticket.map(|(_, value)| value.into_owned()).unwrap_or_default();
    if !world.sockets.inner().tickets.remove(&ticket) {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    Ok(upgrade.on_upgrade(move |socket| connected(socket, world, faults.hang)))
}

async fn connected(mut socket: WebSocket, world: Arc<World>, hang: bool) {
    if hang {
        while let Some(Ok(_)) = socket.recv().await {}
        return;
    }
    let (orders, received) = mpsc::unbounded_channel();
    let Some((id, number)) = world.sockets.enter(orders) else {
        // Whoever is gone does not hear it.
        let _ = socket.send(Frame::text(goodbye("too_many_websockets"))).await;
        let _ = socket.send(Frame::Close(None)).await;
        return;
    };
    world.state().changed();
    if socket.send(Frame::text(hello(&world, number))).await.is_ok() {
        converse(&mut socket, &world, received).await;
    }
    world.sockets.leave(id);
    world.state().changed();
}

async fn converse(socket: &mut WebSocket, world: &World, mut orders: mpsc::UnboundedReceiver<Order>) {
    let faults = world.faults.sockets();
    let mut pings = tokio::time::interval(world.options.ping_interval.max(Duration::from_millis(10)));
    pings.tick().await;
    let lifetime = Duration::from_millis(faults.disconnect_after_ms.unwrap_or(u64::from(u32::MAX)));
    let end = tokio::time::sleep(lifetime);
    tokio::pin!(end);
    loop {
        let sent = tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => { world.heard(&text); Ok(()) }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
            order = orders.recv() => match order {
                Some(Order::Say(text)) => socket.send(Frame::text(text)).await,
                Some(Order::Close) => { let _ = socket.send(Frame::Close(None)).await; return; }
                Some(Order::Cut) | None => return,
            },
            _ = pings.tick() => socket.send(Frame::Ping("Ping from applink-double".into())).await,
            () = &mut end => return ended(socket, faults.disconnect_reason.as_deref()).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn ended(socket: &mut WebSocket, reason: Option<&str>) {
    let Some(reason) = reason else { return };
    let _ = socket.send(Frame::text(goodbye(reason))).await;
    if reason == "warning" {
        tokio::time::sleep(GRACE).await;
    }
    let _ = socket.send(Frame::Close(None)).await;
}

fn hello(world: &World, number: usize) -> String {
    json!({
        "type": "hello",
        "num_connections": number,
        "debug_info": {
            "host": "applink-double",
            "started": jiff::Timestamp::now().to_string(),
            "build_number": 1,
            "approximate_connection_time": 18_060,
        },
        "connection_info": { "app_id": world.options.app_id },
    })
    .to_string()
}

fn goodbye(reason: &str) -> String {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-double" } }).to_string()
}

//! A client for the double: calls of the Web API over plain HTTP, and a socket that acknowledges as it is told.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sandbox::SlackDouble;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The status, the `Retry-After` header and the body of an answer; an error where there was none.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) body: Value,
}

#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answered, String> {
        let asking = self.0.request(request);
        let response = tokio::time::timeout(Duration::from_secs(5), asking).await.map_err(|_| "timed out")?;
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        Ok(Answered { status, retry_after, body })
    }

    pub(crate) async fn json(&self, method: &str, url: &str, body: &Value) -> Result<Answered, String> {
        let request = Request::builder().method(method).uri(url).header("content-type", "application/json");
        self.send(request.body(Full::from(body.to_string())).unwrap()).await
    }
}

/// Calls a method with arguments as a form, JSON in it where they are structured.
pub(crate) async fn form(double: &SlackDouble, method: &str, arguments: Value) -> Value {
    let encoded = arguments.as_object().unwrap().iter().fold(
        form_urlencoded::Serializer::new(String::new()),
        |mut form, (key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form.append_pair(key, &text);
            form
        },
    );
    let request = Request::post(format!("{}/{method}", double.api_url()))
        .header("authorization", format!("Bearer {}", double.bot_token()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from({ encoded }.finish()));
    Http::new().send(request.unwrap()).await.unwrap().body
}

/// Calls a method with arguments as JSON and any token.
pub(crate) async fn try_call(
    double: &SlackDouble,
    token: &str,
    method: &str,
    arguments: &Value,
) -> Result<Answered, String> {
    let request = Request::post(format!("{}/{method}", double.api_url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json; charset=utf-8")
        .body(Full::from(arguments.to_string()));
    Http::new().send(request.unwrap()).await
}

/// Calls a method with arguments as JSON.
pub(crate) async fn call(double: &SlackDouble, method: &str, arguments: Value) -> Value {
    try_call(double, double.bot_token(), method, &arguments).await.unwrap().body
}

/// Posts a message with these blocks; its `ts`.
pub(crate) async fn post(double: &SlackDouble, blocks: Value) -> String {
    let answer =
        call(double, "chat.postMessage", json!({ "channel": "C0SECURITY", "text": "t", "blocks": blocks })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer["ts"].as_str().unwrap().to_owned()
}

/// One button that asks first.
pub(crate) fn buttons() -> Value {
    let text = |text: &str| json!({ "type": "plain_text", "text": text });
    json!([{ "type": "actions", "block_id": "decide", "elements": [
        { "type": "button", "action_id": "keep", "value": "sg-1:abc", "text": text("Keep"), "style": "primary" },
        { "type": "button", "action_id": "delete", "value": "sg-1:def", "text": text("Delete"), "style": "danger",
          "confirm": { "title": text("Sure?"), "text": text("Really."), "confirm": text("Yes"), "deny": text("No") } },
    ]}])
}

/// A view with a text, boxes and a menu.
pub(crate) fn view() -> Value {
    let text = |text: &str| json!({ "type": "plain_text", "text": text });
    json!({
        "type": "modal", "title": text("Decide"), "submit": text("Go"), "close": text("No"),
        "callback_id": "sluicegate_decide", "private_metadata": "sg-1:abc",
        "blocks": [
            { "type": "input", "block_id": "reason", "label": text("Why"),
              "element": { "type": "plain_text_input", "action_id": "reason", "max_length": 20 } },
            { "type": "input", "block_id": "more", "label": text("What"), "optional": true,
              "element": { "type": "checkboxes", "action_id": "boxes", "options": [
                  { "text": text("One"), "value": "1" }, { "text": text("Two"), "value": "2" } ] } },
            { "type": "input", "block_id": "which", "label": text("Which"),
              "element": { "type": "static_select", "action_id": "menu",
                  "initial_option": { "text": text("A"), "value": "a" },
                  "options": [{ "text": text("A"), "value": "a" }, { "text": text("B"), "value": "b" }] } },
        ],
    })
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The address of a new connection.
pub(crate) async fn ticket(double: &SlackDouble) -> String {
    let answer = try_call(double, double.app_token(), "apps.connections.open", &json!({})).await.unwrap().body;
    answer["url"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A connection, and the hello.
pub(crate) async fn connect(double: &SlackDouble) -> (Socket, Value) {
    let (mut socket, _) = connect_async(ticket(double).await).await.unwrap();
    let hello = next(&mut socket).await.unwrap();
    (socket, hello)
}

/// The next thing that Slack says; none once the connection has ended.
pub(crate) async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await {
            Some(Ok(Frame::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Frame::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// What an app does with an envelope: how long it waits, and with what it acknowledges; none: it does not.
pub(crate) type Manner = fn(&Value) -> Option<(Duration, Value)>;

/// An app with one connection.
pub(crate) struct App {
    pub(crate) envelopes: mpsc::UnboundedReceiver<Value>,
}

impl App {
    pub(crate) async fn start(double: &SlackDouble, manner: Manner) -> Self {
        let (mut socket, hello) = connect(double).await;
        assert_eq!(hello["type"], "hello");
        let (tell, envelopes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(envelope) = next(&mut socket).await {
                let answer = manner(&envelope);
                let _ = tell.send(envelope.clone());
                if let Some((wait, payload)) = answer {
                    tokio::time::sleep(wait).await;
                    let mut said = json!({ "envelope_id": envelope["envelope_id"] });
                    if !payload.is_null() {
                        said["payload"] = payload;
                    }
                    let _ = socket.send(Frame::text(said.to_string())).await;
                }
            }
        });
        Self { envelopes }
    }

    /// Acknowledges all at once.
    pub(crate) async fn prompt(double: &SlackDouble) -> Self {
        Self::start(double, |_| Some((Duration::ZERO, Value::Null))).await
    }

    pub(crate) async fn payload(&mut self) -> Value {
        self.envelopes.recv().await.unwrap()["payload"].clone()
    }
}

//! The way from the proxy to the emulator.

use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::wire::Reply;

/// The emulator could not be reached, or broke off.
#[derive(Debug, thiserror::Error)]
#[error("the emulator did not answer: {0}")]
pub(crate) struct Unreachable(String);

/// A client of the emulator.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    port: OnceLock<u16>,
    region: String,
}

impl Upstream {
    pub(crate) fn new(region: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, port: OnceLock::new(), region: region.to_owned() }
    }

    /// Says where the emulator listens, once it does.
    pub(crate) fn found_at(&self, port: u16) {
        // It is set once, by the sandbox that started it.
        let _ = self.port.set(port);
    }

    /// Sends a client's request on, as it was signed.
    pub(crate) async fn forward(&self, parts: &Parts, body: Bytes) -> Result<Reply, Unreachable> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = self.uri(path)?;
        *request.headers_mut() = parts.headers.clone();
        request.headers_mut().remove(CONNECTION);
        request.headers_mut().remove(TRANSFER_ENCODING);
        self.send(request).await
    }

    /// Asks something of the launcher.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Unreachable> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.uri(path)?;
        self.send(request).await
    }

    /// Puts a message into a queue, as the account's root: the emulator does not check root's signatures.
    pub(crate) async fn send_message(&self, queue_url: &str, body: &str) -> Result<(), Unreachable> {
        let message = serde_json::json!({ "QueueUrl": queue_url, "MessageBody": body });
        let reply = self.as_root("sqs", "AmazonSQS.SendMessage", &message).await?;
        if reply.is_success() { Ok(()) } else { Err(Unreachable(format!("SendMessage: {:?}", reply.error_code()))) }
    }

    async fn as_root(&self, service: &str, target: &str, body: &Value) -> Result<Reply, Unreachable> {
        let scope = format!("test/20260101/{}/{service}/aws4_request", self.region);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri("/")?)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Unreachable(error.to_string()))?;
        self.send(request).await
    }

    fn uri(&self, path: &str) -> Result<Uri, Unreachable> {
        let port = self.port.get().ok_or_else(|| Unreachable("it has not started yet".to_owned()))?;
        Uri::builder()
            .scheme("http")
            .authority(format!("127.0.0.1:{port}"))
            .path_and_query(path)
            .build()
            .map_err(|error| Unreachable(error.to_string()))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, Unreachable> {
        let response = self.client.request(request).await.map_err(|error| Unreachable(format!("{error:?}")))?;
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| Unreachable(error.to_string()))?.to_bytes();
        parts.headers.remove(CONNECTION);
        parts.headers.remove(TRANSFER_ENCODING);
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

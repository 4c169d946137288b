//! The port: Slack's own requests, the page and the control requests.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use super::world::World;
use super::{api, control, page, respond, socket};

/// The connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut off")]
pub(crate) struct Cut;

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: Bytes,
    pub(crate) retry_after: Option<u32>,
}

impl Answer {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", value.to_string())
    }

    pub(crate) fn text(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, kind, body: body.into(), retry_after: None }
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Accepts connections for as long as the runtime lives.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&world)));
            }
            Err(error) => {
                // Out of file handles, mostly: others will close theirs.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, world: Arc<World>) {
    // A hint only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&world)));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    if let Err(error) = serving.await {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(request: Request<Incoming>, world: Arc<World>) -> Result<Response<Body>, Cut> {
    let path = request.uri().path().to_owned();
    if path == "/link" {
        return socket::link(request, world).await;
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    // A task of its own: a client that goes away must not take back what it asked for.
    let task = tokio::spawn(async move {
        if let Some(rest) = path.strip_prefix(control::PREFIX) {
            return Ok(control::answer(&world, rest, &parts, &body).await);
        }
        if path == "/" {
            return Ok(Answer::text(200, "text/html; charset=utf-8", page::HTML));
        }
        if world.state().down {
            return Err(Cut);
        }
        if let Some(method) = path.strip_prefix("/api/") {
            return api::call(&world, method, &parts, &body).await;
        }
        if let Some(id) = path.strip_prefix("/respond/") {
            return Ok(respond::answer(&world, id, &body));
        }
        Ok(Answer::text(404, "text/plain", "there is nothing here"))
    });
    let answer = task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request could not be handled");
        Err(Cut)
    })?;
    Ok(answer.into_response())
}

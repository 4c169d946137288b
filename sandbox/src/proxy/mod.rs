//! The endpoint of every client: passes calls on to the emulator, and sees each.

mod control;
mod handle;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::calls::Calls;
use crate::faults::{Faults, Transitions};
use crate::trail::Trail;
use crate::upstream::Upstream;
use crate::wire::Reply;

/// What the proxy's requests share.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) calls: Calls,
    pub(crate) faults: Faults,
    pub(crate) transitions: Transitions,
}

/// The connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut off")]
pub(crate) struct Cut;

/// Accepts connections for as long as the runtime lives.
pub(crate) async fn serve(listener: TcpListener, proxy: Arc<Proxy>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&proxy)));
            }
            Err(error) => {
                // Out of file handles, mostly: others will close theirs.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, proxy: Arc<Proxy>) {
    // A hint only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&proxy)));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(request: Request<Incoming>, proxy: Arc<Proxy>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    // A task of its own: a client that goes away must not take the call's record with it.
    let task = tokio::spawn(async move { proxy.handle(parts, body).await });
    let reply = task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a call could not be handled");
        Err(Cut)
    })?;
    Ok(response(reply))
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    response
}

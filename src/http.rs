//! The local HTTP server: `/healthz` (the process lives) and `/readyz` (events can come in and cases can be kept).

use crate::intake::Health;
use crate::ports::Journal;
use crate::slack::SlackHealth;
use crate::stopping::stopped;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    /// Where cases are kept.
    pub journal: Arc<dyn Journal>,
    /// Where events come in.
    pub intake: Health,
    /// Slack, where it is configured: told, and nothing depends on it.
    pub slack: Option<SlackHealth>,
}

/// Listens, and serves until `stopping` turns true; gives the address, whose port may have been left to the system.
pub async fn serve(
    listen: SocketAddr,
    readiness: Readiness,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let router =
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(readiness);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stopped(&mut stopping).await;
    });
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the HTTP server has ended");
        }
    });
    Ok(address)
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, Json<Value>) {
    let journal = readiness.journal.length().await.map(|_| ()).map_err(|error| error.to_string());
    let intake = readiness.intake.check();
    let code = if journal.is_ok() && intake.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |check: Result<(), String>| check.err().unwrap_or_else(|| "ok".to_owned());
    let mut told = json!({"ready": code == StatusCode::OK, "journal": word(journal), "intake": word(intake)});
    if let Some(slack) = &readiness.slack {
        told["slack"] = slack.word().into();
    }
    (code, Json(told))
}

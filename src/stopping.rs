//! Coming to an end: what waits, waits no longer than until it has to stop.

use std::time::Duration;
use tokio::sync::watch;

/// Waits until `stopping` turns true.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Waits for so long, but not longer than until `stopping` turns true.
pub async fn pause(stopping: &watch::Receiver<bool>, wait: Duration) {
    let mut stopping = stopping.clone();
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopped(&mut stopping) => {}
    }
}

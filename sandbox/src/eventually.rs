//! Waiting for what happens by itself.

use std::time::Duration;

/// How long things that happen by themselves are waited for in [`eventually`].
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until the answer is some, for as long as it may take in a test; none if it never is.
pub async fn eventually<T, F>(mut ask: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.ok()
}

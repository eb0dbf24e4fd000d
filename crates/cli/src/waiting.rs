//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Asks until there is an answer; `None` when the time is up.
pub(crate) async fn until<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(STEP).await;
    }
}

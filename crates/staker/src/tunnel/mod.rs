//! The worker's side of the tunnel: how kube-apiserver reaches the kubelet and pods of a node that has no open port.

mod connect;
mod rules;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::{Duration, Instant};

use daas_supervise::Backoff;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use connect::connect;
pub use rules::{Forbidden, KUBELET_PORT, Rules};
pub use session::{serve, websocket_limits};

use crate::error::Error;
use crate::http_client::Peer;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);
/// A tunnel that was up for so long was a good one.
const SETTLED: Duration = Duration::from_secs(30);

/// What happens to a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelEvent {
    /// It is up.
    Up,
    /// It ended, or did not come up: a worker whose identity is over learns it here first.
    Down,
}

/// Keeps a tunnel up until `stop`, each with the certificate of its moment.
pub async fn keep<F>(gateway: impl Fn() -> F, rules: Rules, events: mpsc::Sender<TunnelEvent>, stop: CancellationToken)
where
    F: Future<Output = Result<Peer, Error>>,
{
    let mut backoff = Backoff::new(FIRST, LONGEST, SETTLED);
    loop {
        let started = Instant::now();
        let once = async {
            let socket = connect(&gateway().await?).await?;
            tracing::info!("the tunnel is up");
            // A full queue holds an event already.
            let _ = events.try_send(TunnelEvent::Up);
            Ok::<_, Error>(serve(socket, rules, stop.child_token()).await)
        };
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = once => ended,
        };
        if stop.is_cancelled() {
            return;
        }
        match ended {
            Ok(why) => tracing::warn!(why, "the tunnel ended"),
            Err(error) => tracing::warn!(%error, "no tunnel"),
        }
        let _ = events.try_send(TunnelEvent::Down);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(backoff.after(started.elapsed())) => {}
        }
    }
}

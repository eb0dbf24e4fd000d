//! Whose identity is over is put out: forgotten, unknown to the join gateway, its Node and its pods deleted.
//!
//! The registry's word alone does that, and only while it is young enough to judge by: a chain that cannot be reached, or a worker that
//! is silent, empties no cluster.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daas_chain::registry::Changes;
use daas_seal_token::{NodeName, Refusal};
use futures::future::join_all;
use tokio::time::Instant;

use super::Workers;

/// What no change announces: a token's end on chain; and what did not work is tried again.
const PERIOD: Duration = Duration::from_secs(1);

/// How often Nodes are looked for that somebody else deleted, or that are nobody's.
const LOOK: Duration = Duration::from_secs(30);
/// A registration that goes on is left alone.
const SETTLED_MS: u64 = 60_000;
/// A Node that nobody registers with for so long is left over. A worker that comes back registers within seconds.
const ABANDONED_MS: u64 = 3 * SETTLED_MS;

/// Follows the registry until it is dropped.
pub async fn follow(workers: Arc<Workers>, mut changes: Changes) {
    let mut looked = Instant::now();
    loop {
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            let_go(&workers, crate::clock::now_ms()).await;
        }
        put_out(&workers, crate::clock::now_ms()).await;
        tokio::select! {
            next = changes.next() => if next.is_none() { return },
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Judges every worker anew, and puts out who is over.
pub async fn put_out(workers: &Workers, now_ms: u64) {
    for known in workers.book.known() {
        match workers.view.is_alive(&known.token, now_ms) {
            Ok(()) => {}
            Err(Refusal::Stale(_)) => return,
            Err(why) => {
                tracing::warn!(name = %known.name, %why, "worker is put out");
                workers.book.leave(&known.name);
            }
        }
    }
    // Side by side: one whose pods are many does not keep another's Node alive.
    let leaving = workers.book.leaving();
    join_all(leaving.iter().map(|name| async move {
        match remove(workers, name).await {
            Ok(()) => workers.book.left(name),
            Err(why) => tracing::warn!(%name, why, "a worker's remains are removed again in a second"),
        }
    }))
    .await;
}

/// Lets go of workers whose Node an administrator has deleted, or which is another one by now: their next heartbeat is answered with
/// "register first", and they come back with a Node and addresses of their own. Nodes that the master made, and that are no worker's any
/// more, go.
pub async fn let_go(workers: &Workers, now_ms: u64) {
    if !workers.serves.load(Ordering::Relaxed) {
        return;
    }
    // Before the Nodes are listed: whoever registers meanwhile is not judged by them.
    let known = workers.book.known();
    let Ok(nodes) = workers.nodes.all().await else { return };
    for known in known.iter().filter(|known| now_ms.saturating_sub(known.registered_ms) > SETTLED_MS) {
        if nodes.get(known.name.as_str()).map(|node| node.pods) != Some(known.pods) {
            tracing::warn!(name = %known.name, "its Node was deleted: the worker has to register again");
            workers.book.leave(&known.name);
        }
    }
    let of_workers: HashSet<_> = known.iter().map(|known| known.name.as_str()).collect();
    let strangers = nodes.iter().filter(|(name, node)| node.is_ours && !of_workers.contains(name.as_str()));
    let strangers: Vec<NodeName> = strangers.filter_map(|(name, _)| name.parse().ok()).collect();
    for name in workers.abandoned(&strangers, ABANDONED_MS, now_ms) {
        if workers.book.leave_unless_known(&name) {
            tracing::warn!(%name, "this Node is no worker's: it is removed");
        }
    }
}

async fn remove(workers: &Workers, name: &NodeName) -> Result<(), String> {
    let gate = workers.gate.remove_node(name).await;
    workers.nodes.remove(name).await.map_err(|error| error.to_string())?;
    gate.map_err(|error| error.to_string())
}

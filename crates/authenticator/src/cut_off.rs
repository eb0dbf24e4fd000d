//! Slash → out: when the registry changes, everything that runs is judged anew, and exactly what has ended is closed.

use std::sync::Arc;
use std::time::Duration;

use daas_chain::registry::{Change, Registry};
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::connections::Connections;
use crate::gateway::Gateway;
use crate::tunnel::Tunnels;
use crate::verdicts::{RegistryView, Standing, Verdicts};

/// Without any change: tokens expire, graces end, the registry grows stale.
const EVERY: Duration = Duration::from_secs(1);
/// Many changes at once are one reason to look.
const GATHER: Duration = Duration::from_millis(10);
/// Service-account tokens live no longer (kube-apiserver's `--service-account-max-token-expiration` must say so).
const MINTED_LIFE: Duration = Duration::from_hours(24);

/// Closes what has ended.
pub struct CutOff<V> {
    verdicts: Arc<Verdicts<V>>,
    connections: Arc<Connections>,
    tunnels: Arc<Tunnels>,
}

impl<V: RegistryView> CutOff<V> {
    /// Judges these connections and tunnels.
    pub fn new(verdicts: Arc<Verdicts<V>>, connections: Arc<Connections>, tunnels: Arc<Tunnels>) -> Self {
        Self { verdicts, connections, tunnels }
    }

    /// Judges everything that runs at this time. Gives back how many connections and tunnels were closed.
    pub fn sweep(&self, now_ms: u64) -> usize {
        let good = |standing: &Standing| self.verdicts.standing(standing, now_ms).is_ok();
        let connections = self.connections.recheck(good);
        let tunnels = self.tunnels.recheck(|subject| good(&Standing::Node(subject.clone())));
        if connections + tunnels > 0 {
            tracing::info!(connections, tunnels, "identities ended");
        }
        let life = u64::try_from(MINTED_LIFE.as_millis()).unwrap_or(u64::MAX);
        self.verdicts.forget_minted_before(now_ms.saturating_sub(life));
        connections + tunnels
    }
}

/// Sweeps at every change of the registry and every second, until `stop`.
pub async fn follow(
    cut_off: CutOff<Registry>,
    gateway: Arc<Gateway<Registry>>,
    registry: Registry,
    stop: CancellationToken,
) {
    let mut changes = registry.subscribe();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
            change = changes.next() => {
                let Some(change) = change else { return };
                forget(&gateway, &change);
                // At once for whoever ended; what else comes within a moment is looked at together.
                cut_off.sweep(now_ms());
                // Until a fixed moment: a flood of changes does not put the next look off.
                let until = tokio::time::Instant::now() + GATHER;
                while let Ok(Some(change)) = tokio::time::timeout_at(until, changes.next()).await {
                    forget(&gateway, &change);
                }
            }
        }
        cut_off.sweep(now_ms());
    }
}

fn forget(gateway: &Gateway<Registry>, change: &Change) {
    if let Change::Ended { name, reason: daas_chain::registry::EndReason::Withdrawn, .. } = change {
        gateway.forget(name);
    }
}

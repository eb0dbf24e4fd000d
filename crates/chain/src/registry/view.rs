use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use daas_seal_token::{
    ClusterId, Expectation, ExpectedPurpose, Identity, LiveToken, NetworkId, NodeName, Refusal, SealToken, StakeId,
    Stale, Tier, TokenId, TokenView, WalletAddress,
};
use tokio::sync::{broadcast, watch};

use super::changes::{BACKLOG, Change, Changes};
use super::config::{MAX_STALENESS, RegistryConfig};
use super::follower;
use super::health::{Board, Health};
use super::tables::{ClusterState, StakeRecord, Tables};
use crate::error::Error;

/// The live registry of one cluster. Cheap to clone; following stops when the last clone is dropped.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
    _follower: Arc<Follower>,
}

/// What readers see and the follower writes.
pub(super) struct Shared {
    tables: ArcSwapOption<Tables>,
    sequence: AtomicU64,
    timestamp_ms: AtomicU64,
    /// Milliseconds after `started` at which the newest checkpoint arrived.
    arrived_ms: AtomicU64,
    started: Instant,
    staleness_ms: u64,
    network: NetworkId,
    cluster: ClusterId,
    changes: broadcast::Sender<Change>,
    /// The newest checkpoint applied; `None` until a state is loaded.
    head: watch::Sender<Option<u64>>,
    pub(super) board: Board,
}

struct Follower(tokio::task::AbortHandle);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Registry {
    /// Starts following. The registry refuses everything until its first state is loaded: see [`Self::ready`].
    ///
    /// Must be called inside a tokio runtime.
    pub fn start(config: RegistryConfig) -> Result<Self, Error> {
        config.check()?;
        let shared = Arc::new(Shared::new(&config));
        let task = tokio::spawn(follower::run(config, Arc::clone(&shared)));
        Ok(Self { shared, _follower: Arc::new(Follower(task.abort_handle())) })
    }

    /// Waits until the first state is loaded.
    pub async fn ready(&self, within: Duration) -> Result<(), Error> {
        self.reached(0, within).await
    }

    /// Waits until a checkpoint has been applied: what a receipt of it says can then be seen here.
    pub async fn reached(&self, checkpoint: u64, within: Duration) -> Result<(), Error> {
        let mut head = self.shared.head.subscribe();
        let ready = head.wait_for(|head| head.is_some_and(|head| head >= checkpoint));
        match tokio::time::timeout(within, ready).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(self.shared.trouble(within)),
        }
    }

    /// How it is doing.
    pub fn health(&self) -> Health {
        Health {
            ready: self.shared.tables.load().is_some(),
            sequence: self.shared.sequence.load(Ordering::Acquire),
            timestamp_ms: self.shared.timestamp_ms.load(Ordering::Acquire),
            nodes: self.shared.board.nodes(),
            problem: self.shared.board.problem(),
        }
    }

    /// Changes from now on.
    pub fn subscribe(&self) -> Changes {
        Changes::new(self.shared.changes.subscribe())
    }

    /// The whole present state; `None` before the first is loaded. Its age is not checked: see
    /// [`TokenView::check_fresh`].
    pub fn tables(&self) -> Option<Arc<Tables>> {
        self.shared.tables.load_full()
    }

    /// What there is once a cluster: settings, endpoints, releases, registrations, grants, the active instance.
    pub fn cluster(&self) -> Option<Arc<ClusterState>> {
        self.tables().map(|tables| tables.cluster())
    }

    /// The stake of a node.
    pub fn stake_of(&self, name: &NodeName) -> Option<Arc<StakeRecord>> {
        self.tables()?.stake_of(name)
    }

    /// A stake.
    pub fn stake(&self, id: &StakeId) -> Option<Arc<StakeRecord>> {
        self.tables()?.stake(id)
    }

    /// The stakes of a wallet.
    pub fn stakes_of(&self, owner: &WalletAddress) -> Vec<Arc<StakeRecord>> {
        self.tables().map(|tables| tables.stakes_of(owner)).unwrap_or_default()
    }

    /// The verdict on a Seal token. `now_ms` is the Unix time in milliseconds.
    pub fn verify(&self, token: &SealToken, purpose: ExpectedPurpose<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        daas_seal_token::verify(token, &self.expectation(purpose), self, now_ms)
    }

    /// What a token that is shown for this purpose must be for: this network and this cluster.
    pub fn expectation<'a>(&self, purpose: ExpectedPurpose<'a>) -> Expectation<'a> {
        Expectation { network: self.shared.network, cluster: self.shared.cluster, purpose }
    }

    /// The verdict on a certificate: its token must be alive, its key generation good.
    pub fn verify_certificate(
        &self,
        token: &TokenId,
        key_generation: u64,
        now_ms: u64,
    ) -> Result<Arc<LiveToken>, Refusal> {
        self.check_fresh(now_ms)?;
        let tables = self.tables().ok_or(Refusal::Unknown)?;
        let live = tables.token(token).ok_or(Refusal::Unknown)?;
        live.check_alive(now_ms)?;
        if !tables.is_key_generation_good(&live, key_generation, now_ms) {
            return Err(Refusal::Signature);
        }
        Ok(live)
    }
}

impl TokenView for Registry {
    fn check_fresh(&self, now_ms: u64) -> Result<(), Stale> {
        self.shared.check_fresh(now_ms)
    }

    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        self.shared.tables.load().as_ref()?.token(id)
    }

    fn admits(&self, owner: &WalletAddress, tier: Tier) -> bool {
        self.shared.tables.load().as_ref().is_some_and(|tables| tables.admits(owner, tier))
    }
}

impl Shared {
    pub(super) fn new(config: &RegistryConfig) -> Self {
        let staleness = config.staleness.min(MAX_STALENESS);
        Self {
            tables: ArcSwapOption::empty(),
            sequence: AtomicU64::new(0),
            timestamp_ms: AtomicU64::new(0),
            arrived_ms: AtomicU64::new(0),
            started: Instant::now(),
            staleness_ms: millis(staleness),
            network: NetworkId(*config.chain.inner()),
            cluster: ClusterId(config.cluster.into_inner()),
            changes: broadcast::Sender::new(BACKLOG),
            head: watch::Sender::new(None),
            board: Board::new(&config.nodes),
        }
    }

    /// The older of two ages: by the checkpoint's own time, and by when it arrived here. So neither a node that
    /// repeats old checkpoints nor a chain whose clock is ahead can make an old view look young.
    pub(super) fn check_fresh(&self, now_ms: u64) -> Result<(), Stale> {
        let by_time = now_ms.saturating_sub(self.timestamp_ms.load(Ordering::Acquire));
        let by_arrival = millis(self.started.elapsed()).saturating_sub(self.arrived_ms.load(Ordering::Acquire));
        let loaded = self.tables.load().is_some();
        let age_ms = if loaded { by_time.max(by_arrival) } else { u64::MAX };
        if age_ms <= self.staleness_ms { Ok(()) } else { Err(Stale { age_ms, bound_ms: self.staleness_ms }) }
    }

    /// Number of the newest checkpoint that readers see.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// A whole new state, at a checkpoint.
    pub(super) fn publish(&self, tables: Arc<Tables>, sequence: u64, timestamp_ms: u64) {
        self.tables.store(Some(tables));
        self.advance(sequence, timestamp_ms, vec![Change::Reloaded]);
    }

    /// A checkpoint has been applied.
    pub(super) fn advance(&self, sequence: u64, timestamp_ms: u64, changes: Vec<Change>) {
        for change in changes {
            self.tell(change);
        }
        self.arrived_ms.store(millis(self.started.elapsed()), Ordering::Release);
        self.timestamp_ms.store(timestamp_ms, Ordering::Release);
        self.sequence.store(sequence, Ordering::Release);
        self.head.send_replace(Some(sequence));
    }

    fn tell(&self, change: Change) {
        // Nobody may be listening.
        let _ = self.changes.send(change);
    }

    fn trouble(&self, within: Duration) -> Error {
        let endpoint = self.board.nodes().into_iter().map(|node| node.endpoint).collect::<Vec<_>>().join(", ");
        match self.board.problem() {
            Some(problem) => Error::AnswerInvalid { endpoint, what: format!("the cluster's state ({problem})") },
            None => Error::Timeout { endpoint, after: within },
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

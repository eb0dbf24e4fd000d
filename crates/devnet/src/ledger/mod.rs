//! The ledger: durable objects, transactions and checkpoints, written by one thread and read by many.

mod checkpoint;
mod clock;
mod committee;
mod committer;
mod genesis;
mod intake;
mod records;
mod round;
mod state;
mod store;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::{self, JoinHandle},
    time::Duration,
};

use arc_swap::ArcSwap;
use daas_move_vm::AttestationVerifier;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_sdk_types::{Address, Digest, EpochId, Object, Owner, Transaction, TypeTag, ValidatorCommittee, Version};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    execution::{self, Checks, Environment, Executed, ModuleCache, ObjectReader},
};

pub use intake::VerifiedTransaction;
pub use records::{CheckpointRecord, ExecutedRecord, FullCheckpoint, Position, TransactionRecord};
pub(crate) use state::{OwnedKey, TypeFilter, coin_balance};
pub use writer::{Pace, Submitted};

use committee::Committee;
use genesis::{EPOCH, IDENTITY, Identity};
use state::LiveState;
use store::Store;
use writer::{Job, Writer};

/// Price of one unit of gas in MIST; constant, as there is one epoch.
pub const REFERENCE_GAS_PRICE: u64 = 1_000;
/// Transactions that wait for the writer; more make the senders wait.
const QUEUE: usize = 4_096;
/// Checkpoints that a subscriber may lag behind before it is dropped.
const SUBSCRIPTION_LAG: usize = 128;

/// A handle on the chain; clones are the same chain.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    stop: CancellationToken,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What verifies Nitro attestation documents for the contract.
pub type Attestation = Arc<dyn AttestationVerifier + Send + Sync>;

/// How much of a checkpoint's transactions is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Summary, signature and contents.
    Checkpoint,
    /// The transactions too, without their objects.
    Transactions,
    /// The transactions with the objects they read and wrote.
    Objects,
}

impl Ledger {
    /// Opens the chain in `dir` or makes a new one, and starts its writer. Blocks on the disk.
    pub fn open(dir: &Path, pace: Pace, attestation: Option<Attestation>) -> Result<Self, Error> {
        let shared = Arc::new(Shared::open(dir, attestation)?);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let writer = Writer::new(shared.clone(), pace, stop.clone())?;
        let writer = thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|source| Error::DataDir { dir: dir.to_owned(), source })?;
        Ok(Self { shared, jobs, stop, writer: Arc::new(Mutex::new(Some(writer))) })
    }

    /// The chain's identifier: digest of its first checkpoint.
    pub fn chain_id(&self) -> Digest {
        self.shared.chain
    }

    /// Who signs the checkpoints.
    pub fn committee(&self) -> &ValidatorCommittee {
        self.shared.committee.public()
    }

    /// The one epoch and when it began, in Unix milliseconds.
    pub fn epoch(&self) -> (EpochId, u64) {
        (EPOCH, self.shared.identity.epoch_start_ms)
    }

    /// Executes a transaction; when this returns it is durable. The same transaction again gives the same answer.
    pub async fn submit(&self, transaction: VerifiedTransaction) -> Result<Submitted, Error> {
        let (done, answer) = oneshot::channel();
        self.send(Job::Execute { transaction: Box::new(transaction), done }).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// Executes a transaction on the live state without any consequence. CPU-bound: call it from a blocking thread.
    pub fn simulate(&self, transaction: &Transaction, checks: Checks) -> Result<Executed, Error> {
        let environment = self.shared.environment(self.now_ms());
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            execution::simulate(transaction, &*self.shared, &self.shared.modules, &environment, checks)
        }));
        result.map_err(|_| Error::Crashed { digest: transaction.digest() })?.map_err(Into::into)
    }

    /// Moves the chain's clock forward and seals a checkpoint; returns the time that the chain shows then, in Unix
    /// milliseconds. The clock keeps its lead over the host's, also after a restart.
    pub async fn advance_clock(&self, by: Duration) -> Result<u64, Error> {
        let (done, answer) = oneshot::channel();
        self.send(Job::Advance { by, done }).await?;
        answer.await.map_err(|_| stopped())?
    }

    /// The time that the chain's Clock shows, in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.shared.object(&clock::CLOCK).as_deref().and_then(clock::timestamp_ms).unwrap_or(0)
    }

    /// The newest checkpoint.
    pub fn head(&self) -> Arc<FullCheckpoint> {
        self.shared.head.load_full()
    }

    /// Checkpoints from now on. Whoever lags behind too far gets an error instead of the missed ones.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FullCheckpoint>> {
        self.shared.checkpoints.subscribe()
    }

    /// A live object.
    pub fn object(&self, id: &Address) -> Option<Arc<Object>> {
        self.shared.object(id)
    }

    /// One version of an object, live or past. Reads the disk.
    pub fn object_version(&self, id: &Address, version: Version) -> Result<Option<Object>, Error> {
        self.shared.store.object(id, version)
    }

    /// A transaction, with its objects if wanted. Reads the disk.
    pub fn transaction(
        &self,
        digest: &Digest,
        detail: Detail,
    ) -> Result<Option<(ExecutedRecord, Option<Position>)>, Error> {
        if detail == Detail::Objects {
            return self.shared.store.executed(digest);
        }
        let found = self.shared.store.transaction(digest)?;
        Ok(found.map(|(record, position)| (ExecutedRecord { record, objects: Vec::new() }, position)))
    }

    /// A checkpoint by its number. Reads the disk.
    pub fn checkpoint(&self, sequence_number: u64, detail: Detail) -> Result<Option<FullCheckpoint>, Error> {
        let Some(checkpoint) = self.shared.store.checkpoint(sequence_number)? else { return Ok(None) };
        let mut transactions = Vec::new();
        if detail > Detail::Checkpoint {
            for info in checkpoint.contents.transactions() {
                let digest = info.transaction();
                let (executed, _) =
                    self.transaction(digest, detail)?.ok_or_else(|| Error::Missing(format!("transaction {digest}")))?;
                transactions.push(Arc::new(executed));
            }
        }
        Ok(Some(FullCheckpoint { checkpoint, transactions }))
    }

    /// The number of the checkpoint with this digest. Reads the disk.
    pub fn checkpoint_number(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.shared.store.checkpoint_number(digest)
    }

    /// Up to `limit` of an owner's objects after a key, and where the next page begins.
    pub(crate) fn owned(
        &self,
        owner: &Address,
        filter: &TypeFilter,
        after: Option<OwnedKey>,
        limit: usize,
    ) -> (Vec<Arc<Object>>, Option<OwnedKey>) {
        self.shared.state().owned(owner, filter, after, limit)
    }

    /// An owner's coin balances by coin type.
    pub fn balances(&self, owner: &Address) -> std::collections::BTreeMap<TypeTag, u64> {
        self.shared.state().balances(owner)
    }

    /// Up to `limit` objects owned by an object (dynamic fields among them), and where the next page begins.
    pub(crate) fn children(
        &self,
        parent: &Address,
        after: Option<Address>,
        limit: usize,
    ) -> (Vec<Arc<Object>>, Option<Address>) {
        self.shared.state().children(parent, after, limit)
    }

    /// The faucet's key.
    pub(crate) fn faucet_key(&self) -> Ed25519PrivateKey {
        Ed25519PrivateKey::new(self.shared.identity.faucet)
    }

    /// Tells the writer to stop without waiting for it.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the writer after what waits in its queue. Blocks until it has stopped.
    pub fn stop(&self) {
        self.stop.cancel();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer was reported by its own thread.
            let _ = writer.join();
        }
    }

    async fn send(&self, job: Job) -> Result<(), Error> {
        self.jobs.send(job).await.map_err(|_| stopped())
    }
}

/// What the writer and the readers share.
pub(crate) struct Shared {
    store: Store,
    state: RwLock<LiveState>,
    head: ArcSwap<FullCheckpoint>,
    checkpoints: broadcast::Sender<Arc<FullCheckpoint>>,
    modules: ModuleCache,
    committee: Committee,
    identity: Identity,
    chain: Digest,
    attestation: Option<Attestation>,
}

impl Shared {
    fn open(dir: &Path, attestation: Option<Attestation>) -> Result<Self, Error> {
        let store = Store::open(dir, genesis::genesis)?;
        let identity: Identity = store.meta(IDENTITY)?.ok_or_else(|| Error::Missing("its identity".to_owned()))?;
        let committee = Committee::new(&identity.committee, EPOCH)?;
        let genesis = store.checkpoint(0)?.ok_or_else(|| Error::Missing("its genesis checkpoint".to_owned()))?;
        let state = RwLock::new(store.live_state()?);
        let head = FullCheckpoint { checkpoint: store.head()?, transactions: Vec::new() };
        let mut shared = Self {
            state,
            head: ArcSwap::from_pointee(head),
            checkpoints: broadcast::channel(SUBSCRIPTION_LAG).0,
            modules: ModuleCache::new(),
            committee,
            identity,
            chain: genesis.summary.digest(),
            attestation,
            store,
        };
        shared.load_head_transactions()?;
        Ok(shared)
    }

    /// A subscription begins with the newest checkpoint, so its transactions must be at hand.
    fn load_head_transactions(&mut self) -> Result<(), Error> {
        let checkpoint = self.head.load().checkpoint.clone();
        let mut transactions = Vec::new();
        for info in checkpoint.contents.transactions() {
            let digest = info.transaction();
            let (executed, _) =
                self.store.executed(digest)?.ok_or_else(|| Error::Missing(format!("transaction {digest}")))?;
            transactions.push(Arc::new(executed));
        }
        self.head.store(Arc::new(FullCheckpoint { checkpoint, transactions }));
        Ok(())
    }

    fn environment(&self, now_ms: u64) -> Environment {
        Environment {
            epoch: EPOCH,
            epoch_start_ms: self.identity.epoch_start_ms,
            now_ms,
            reference_gas_price: REFERENCE_GAS_PRICE,
            chain: self.chain,
            limits: execution::Limits::default(),
            attestation: self.attestation.clone(),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, LiveState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, LiveState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ObjectReader for Shared {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        self.state().object(id).cloned()
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}

fn stopped() -> Error {
    Error::Stopped("its writer has ended".to_owned())
}

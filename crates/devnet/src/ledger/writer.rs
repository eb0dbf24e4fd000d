//! The one thread that changes the chain.
//!
//! It takes what waits in the queue, executes it on top of the live state, makes the results durable with one fsync,
//! and only then shows them to readers and answers the clients. Checkpoints are sealed by the same thread, in the same
//! durable batch, so that no crash can tear them apart.

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Duration,
};

use sui_sdk_types::{Address, Digest, Object, Owner};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    checkpoint::{self, Totals},
    clock,
    genesis::CLOCK_OFFSET,
    intake::VerifiedTransaction,
    records::{ExecutedRecord, FullCheckpoint, Position, TransactionRecord},
    store::{Batch, encode},
};
use crate::{
    Error,
    execution::{self, Executed, ObjectReader},
};

/// The most transactions of one durable batch.
const ROUND_TRANSACTIONS: usize = 512;
/// The longest that a batch executes before it is made durable.
const ROUND_TIME: Duration = Duration::from_millis(25);

/// A transaction as the chain has it.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The transaction and what it did.
    pub executed: Arc<ExecutedRecord>,
    /// Its place, when it was submitted before and is in a checkpoint already.
    pub position: Option<Position>,
}

/// What the writer can be asked for.
pub(crate) enum Job {
    /// Execute a transaction, or give back what it did when it was executed before.
    Execute { transaction: Box<VerifiedTransaction>, done: oneshot::Sender<Result<Submitted, Error>> },
    /// Move the chain's clock forward; answers with the time it then shows, in Unix milliseconds.
    Advance { by: Duration, done: oneshot::Sender<Result<u64, Error>> },
}

/// When checkpoints are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From a transaction to its checkpoint.
    pub interval: Duration,
    /// Between checkpoints when nothing happens.
    pub heartbeat: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: Duration::from_millis(50), heartbeat: Duration::from_secs(1) }
    }
}

/// State of the writing thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    pace: Pace,
    stop: CancellationToken,
    /// Durable transactions that wait for their checkpoint.
    pending: Vec<Arc<ExecutedRecord>>,
    pending_since: Instant,
    last_checkpoint: Instant,
    totals: Totals,
    /// Number of the next transaction in the order of execution.
    next_number: u64,
    offset_ms: u64,
}

impl Writer {
    /// Takes up the chain where the store has it.
    pub(crate) fn new(shared: Arc<Shared>, pace: Pace, stop: CancellationToken) -> Result<Self, Error> {
        let store = &shared.store;
        let mut pending = Vec::new();
        for (_, digest) in store.pending()? {
            let (executed, _) =
                store.executed(&digest)?.ok_or_else(|| Error::Missing(format!("transaction {digest}")))?;
            pending.push(Arc::new(executed));
        }
        let totals = Totals::of(&shared.head.load().checkpoint.summary);
        let next_number = store.transaction_count()?;
        let offset_ms = store.meta(CLOCK_OFFSET)?.unwrap_or(0);
        let now = Instant::now();
        Ok(Self {
            pace,
            stop,
            pending,
            pending_since: now,
            last_checkpoint: now,
            totals,
            next_number,
            offset_ms,
            shared,
        })
    }

    /// Works until it is stopped or the store fails. What was acknowledged is durable at any time.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "the writer cannot start");
                return;
            }
        };
        let stop = self.stop.clone();
        loop {
            let deadline = self.deadline();
            let first = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => None,
                    job = timeout_at(deadline, jobs.recv()) => Some(job),
                }
            });
            let first = match first {
                Some(Ok(Some(job))) => Some(job),
                Some(Err(_deadline)) => None,
                Some(Ok(None)) | None => break,
            };
            if let Err(error) = self.round(first, &mut jobs) {
                tracing::error!(%error, "the chain stops: its store failed");
                return;
            }
        }
        jobs.close();
        while let Ok(job) = jobs.try_recv() {
            if self.round(Some(job), &mut jobs).is_err() {
                return;
            }
        }
    }

    /// When the next checkpoint is due.
    fn deadline(&self) -> Instant {
        if self.pending.is_empty() {
            self.last_checkpoint + self.pace.heartbeat
        } else {
            self.pending_since + self.pace.interval
        }
    }

    /// One durable batch. An error means that the store failed and nothing more can be promised.
    fn round(&mut self, first: Option<Job>, jobs: &mut mpsc::Receiver<Job>) -> Result<(), Error> {
        let mut round = Round::new(self.shared.clone());
        let started = Instant::now();
        let mut job = first;
        while let Some(next) = job.take() {
            match next {
                Job::Execute { transaction, done } => self.execute(&mut round, *transaction, done),
                Job::Advance { by, done } => self.advance(&mut round, by, done),
            }
            if round.answers.len() < ROUND_TRANSACTIONS && started.elapsed() < ROUND_TIME {
                job = jobs.try_recv().ok();
            }
        }

        let due = Instant::now() >= self.deadline() || round.advanced.is_some();
        if due && self.pending.is_empty() && round.executed.is_empty() {
            self.begin_commit(&mut round);
        }
        if !due && !round.has_users {
            // Nothing but a clock tick for transactions that were all refused: leave no trace.
            round.forget();
        }
        let result = self.finish(&mut round, due);
        round.answer(&result);
        result
    }

    /// Executes one transaction in the round, or answers it from what was executed before.
    fn execute(
        &mut self,
        round: &mut Round,
        verified: VerifiedTransaction,
        done: oneshot::Sender<Result<Submitted, Error>>,
    ) {
        let result = self.execute_once(round, verified);
        round.answers.push(Answer::Execute { done, result });
    }

    fn execute_once(&mut self, round: &mut Round, verified: VerifiedTransaction) -> Result<Submitted, Error> {
        if let Some(executed) = round.by_digest.get(&verified.digest) {
            return Ok(Submitted { executed: executed.clone(), position: None });
        }
        if let Some((executed, position)) = self.shared.store.executed(&verified.digest)? {
            return Ok(Submitted { executed: Arc::new(executed), position });
        }
        if self.pending.is_empty() && round.executed.is_empty() {
            self.begin_commit(round);
        }
        let clock = round.object(&clock::CLOCK).ok_or_else(|| Error::Missing("the Clock".to_owned()))?;
        let environment = self.shared.environment(clock::timestamp_ms(&clock).unwrap_or(0));
        let executed = panic::catch_unwind(AssertUnwindSafe(|| {
            execution::execute(&verified.transaction, &*round, &self.shared.modules, &environment)
        }))
        .map_err(|_| Error::Crashed { digest: verified.digest })??;
        round.has_users = true;
        let executed = round.apply(verified, executed);
        Ok(Submitted { executed, position: None })
    }

    /// Moves the clock and seals a checkpoint at once, so that everybody sees the new time.
    fn advance(&mut self, round: &mut Round, by: Duration, done: oneshot::Sender<Result<u64, Error>>) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.offset_ms = self.offset_ms.saturating_add(by_ms);
        round.advanced = Some(self.offset_ms);
        let now_ms = self.begin_commit(round);
        round.answers.push(Answer::Advance { done, now_ms });
    }

    /// Begins a commit: the Clock moves to the present. Time never goes back, whatever the host's clock does.
    fn begin_commit(&mut self, round: &mut Round) -> u64 {
        let Some(clock) = round.object(&clock::CLOCK) else { return 0 };
        let last_ms = clock::timestamp_ms(&clock).unwrap_or(0);
        let now_ms = clock::host_time_ms().saturating_add(self.offset_ms).max(last_ms);
        let (executed, moved) = clock::prologue(&clock, now_ms);
        round.write(moved);
        round.push(executed);
        now_ms
    }

    /// Seals a checkpoint if one is due, makes the round durable, then shows it.
    fn finish(&mut self, round: &mut Round, due: bool) -> Result<(), Error> {
        if round.executed.is_empty() && !due {
            return Ok(());
        }
        let mut batch = Batch::default();
        for executed in &round.executed {
            batch.executed.push((self.next_number, executed.clone()));
            self.next_number += 1;
        }
        batch.written = mem::take(&mut round.written);
        let overlay = round.overlay.take();
        batch.removed = overlay.iter().filter(|(_, object)| object.is_none()).map(|(id, _)| *id).collect();
        if let Some(offset_ms) = round.advanced {
            batch.meta.push((CLOCK_OFFSET, encode(CLOCK_OFFSET, &offset_ms)?));
        }

        if self.pending.is_empty() {
            self.pending_since = Instant::now();
        }
        self.pending.append(&mut round.executed);
        if due {
            batch.checkpoint = Some(self.seal(&overlay)?);
        }
        self.shared.store.commit(&batch)?;

        {
            let mut state = self.shared.state_mut();
            for (id, object) in overlay {
                match object {
                    Some(object) => state.insert(object),
                    None => state.remove(&id),
                }
            }
        }
        if let Some(checkpoint) = batch.checkpoint {
            self.totals = Totals::of(&checkpoint.summary);
            self.last_checkpoint = Instant::now();
            let full = Arc::new(FullCheckpoint { checkpoint, transactions: mem::take(&mut self.pending) });
            self.shared.head.store(full.clone());
            // An error only says that nobody listens.
            let _ = self.shared.checkpoints.send(full);
        }
        Ok(())
    }

    fn seal(&self, overlay: &HashMap<Address, Option<Arc<Object>>>) -> Result<super::records::CheckpointRecord, Error> {
        let clock = match overlay.get(&clock::CLOCK) {
            Some(Some(clock)) => Some(clock.clone()),
            _ => self.shared.object(&clock::CLOCK),
        };
        let timestamp_ms = clock.as_deref().and_then(clock::timestamp_ms).unwrap_or(0);
        let head = self.shared.head.load();
        checkpoint::seal(
            &self.pending,
            timestamp_ms,
            Some(&head.checkpoint.summary),
            &self.totals,
            &self.shared.committee,
        )
    }
}

/// Results of one round, not durable yet: the writer sees them, nobody else does.
struct Round {
    shared: Arc<Shared>,
    /// Objects as this round left them; `None` where it removed them.
    overlay: RefCell<HashMap<Address, Option<Arc<Object>>>>,
    written: Vec<Arc<Object>>,
    executed: Vec<Arc<ExecutedRecord>>,
    by_digest: HashMap<Digest, Arc<ExecutedRecord>>,
    answers: Vec<Answer>,
    has_users: bool,
    /// The clock's new offset, if the round moved it.
    advanced: Option<u64>,
}

/// What a client gets once the round is durable.
enum Answer {
    Execute { done: oneshot::Sender<Result<Submitted, Error>>, result: Result<Submitted, Error> },
    Advance { done: oneshot::Sender<Result<u64, Error>>, now_ms: u64 },
}

impl Round {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            overlay: RefCell::default(),
            written: Vec::new(),
            executed: Vec::new(),
            by_digest: HashMap::new(),
            answers: Vec::new(),
            has_users: false,
            advanced: None,
        }
    }

    fn write(&mut self, object: Arc<Object>) {
        self.overlay.get_mut().insert(object.object_id(), Some(object.clone()));
        self.written.push(object);
    }

    fn push(&mut self, executed: ExecutedRecord) -> Arc<ExecutedRecord> {
        let executed = Arc::new(executed);
        self.by_digest.insert(executed.record.digest(), executed.clone());
        self.executed.push(executed.clone());
        executed
    }

    /// Takes over what an execution did.
    fn apply(&mut self, verified: VerifiedTransaction, executed: Executed) -> Arc<ExecutedRecord> {
        let Executed { effects, events, written, deleted, wrapped, inputs, balance_changes, .. } = executed;
        let mut objects = inputs;
        for id in deleted.into_iter().chain(wrapped) {
            self.overlay.get_mut().insert(id, None);
        }
        for object in written {
            let object = Arc::new(object);
            objects.push(object.clone());
            self.write(object);
        }
        objects.sort_by_key(|object| (object.object_id(), object.version()));
        objects.dedup_by_key(|object| (object.object_id(), object.version()));
        let record = TransactionRecord {
            transaction: verified.transaction,
            signatures: verified.signatures,
            effects,
            events,
            balance_changes,
            objects: objects.iter().map(|object| (object.object_id(), object.version())).collect(),
        };
        self.push(ExecutedRecord { record, objects })
    }

    fn forget(&mut self) {
        self.overlay.get_mut().clear();
        self.written.clear();
        self.executed.clear();
        self.by_digest.clear();
    }

    /// Answers the clients; if the round did not become durable, none of it happened.
    fn answer(&mut self, durable: &Result<(), Error>) {
        for answer in mem::take(&mut self.answers) {
            let stopped = || durable.as_ref().err().map(|error| Error::Stopped(error.to_string()));
            // A client that went away needs no answer.
            match answer {
                Answer::Execute { done, result } => {
                    let _ = done.send(stopped().map_or(result, Err));
                }
                Answer::Advance { done, now_ms } => {
                    let _ = done.send(stopped().map_or(Ok(now_ms), Err));
                }
            }
        }
    }
}

impl ObjectReader for Round {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        match self.overlay.borrow().get(id) {
            Some(object) => object.clone(),
            None => self.shared.object(id),
        }
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}

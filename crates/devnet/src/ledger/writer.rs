//! The one thread that changes the chain.
//!
//! It takes what waits in the queue and executes it on top of the live state. What it executed goes to the
//! [committer](super::committer) as a round, becomes durable with one fsync, and only then do readers see it and clients get
//! their answers; meanwhile the next round is executed on top of it. Checkpoints are sealed by this thread, in the
//! same durable batch, so that no crash can tear them apart.

use std::{
    mem,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, mpsc as std_mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use sui_sdk_types::CheckpointSummary;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    checkpoint::{self, Totals},
    clock,
    committer::{self, Commit},
    genesis::CLOCK_OFFSET,
    intake::VerifiedTransaction,
    records::{CheckpointRecord, ExecutedRecord, Position},
    round::{Answer, Round},
    store::{Batch, encode},
};
use crate::{
    Error,
    execution::{self, ObjectReader},
};

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
    /// Transactions of earlier rounds that wait for their checkpoint.
    pending: Vec<Arc<ExecutedRecord>>,
    pending_since: Instant,
    last_checkpoint: Instant,
    /// The newest checkpoint sealed, durable or on its way.
    head: CheckpointSummary,
    /// Number of the next transaction in the order of execution.
    next_number: u64,
    offset_ms: u64,
}

/// What the writer does next.
enum Next {
    Take(Option<Job>),
    Commit(OwnedSemaphorePermit),
    /// A checkpoint is due.
    Due,
    Stop,
}

impl Writer {
    /// Takes up the chain where the store has it.
    pub(crate) fn new(shared: Arc<Shared>, pace: Pace, stop: CancellationToken) -> Result<Self, Error> {
        let store = &shared.store;
        let mut pending = Vec::new();
        for digest in store.pending()? {
            let (executed, _) =
                store.executed(&digest)?.ok_or_else(|| Error::Missing(format!("transaction {digest}")))?;
            pending.push(Arc::new(executed));
        }
        let head = shared.head.load().checkpoint.summary.clone();
        let next_number = store.transaction_count()?;
        let offset_ms = store.meta(CLOCK_OFFSET)?.unwrap_or(0);
        let now = Instant::now();
        Ok(Self { pace, stop, pending, pending_since: now, last_checkpoint: now, head, next_number, offset_ms, shared })
    }

    /// Works until it is stopped or the store fails. What was acknowledged is durable at any time.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let turns = Arc::new(Semaphore::new(1));
        let (commits, queue) = std_mpsc::sync_channel(1);
        let started = self.start_committer(turns.clone(), queue).and_then(|committer| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            Ok((committer, runtime))
        });
        match started {
            Ok((committer, runtime)) => {
                if let Err(error) = runtime.block_on(self.work(&mut jobs, &turns, &commits)) {
                    tracing::error!(%error, "the chain stops");
                }
                drop(commits);
                // A panic of the committer was reported by its own thread.
                let _ = committer.join();
            }
            Err(error) => tracing::error!(%error, "the writer cannot start"),
        }
    }

    fn start_committer(
        &self,
        turns: Arc<Semaphore>,
        queue: std_mpsc::Receiver<Commit>,
    ) -> Result<JoinHandle<()>, std::io::Error> {
        let shared = self.shared.clone();
        thread::Builder::new().name("ledger-commit".to_owned()).spawn(move || committer::run(&shared, &queue, &turns))
    }

    /// Rounds, one after another, until there is nothing more to do. An error means that nothing more can be promised.
    async fn work(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        turns: &Arc<Semaphore>,
        commits: &std_mpsc::SyncSender<Commit>,
    ) -> Result<(), Error> {
        let mut round = Round::new(self.shared.clone(), Arc::default());
        let stop = self.stop.clone();
        let mut stopping = false;
        loop {
            let deadline = self.deadline(&round);
            let is_ready = !round.answers.is_empty() || Instant::now() >= deadline;
            // While the store is free a round is handed over as soon as nothing waits; else it grows.
            let takes = if turns.available_permits() > 0 { round.has_room() } else { round.has_room_while_waiting() };
            let next = tokio::select! {
                biased;
                () = stop.cancelled(), if !stopping => Next::Stop,
                job = jobs.recv(), if takes => Next::Take(job),
                turn = turns.clone().acquire_owned(), if is_ready => Next::Commit(turn.map_err(|_| stopped())?),
                () = sleep_until(deadline), if !is_ready => Next::Due,
            };
            match next {
                Next::Take(Some(job)) => self.take(&mut round, job),
                Next::Commit(turn) => round = self.commit(round, turn, commits)?,
                Next::Due => {}
                Next::Stop => {
                    jobs.close();
                    stopping = true;
                }
                Next::Take(None) => {
                    // The queue is closed and empty.
                    if !round.answers.is_empty() {
                        let turn = turns.clone().acquire_owned().await.map_err(|_| stopped())?;
                        self.commit(round, turn, commits)?;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// When the next checkpoint is due.
    fn deadline(&self, round: &Round) -> Instant {
        if round.advanced.is_some() {
            self.last_checkpoint
        } else if self.pending.is_empty() && round.executed.is_empty() {
            self.last_checkpoint + self.pace.heartbeat
        } else {
            self.pending_since + self.pace.interval
        }
    }

    fn take(&mut self, round: &mut Round, job: Job) {
        match job {
            Job::Execute { transaction, done } => {
                let result = self.execute(round, *transaction);
                round.answer(Answer::Execute { done, result });
            }
            Job::Advance { by, done } => {
                let now_ms = self.advance(round, by);
                round.answer(Answer::Advance { done, now_ms });
            }
        }
    }

    /// Executes one transaction in the round, or answers it from what was executed before.
    fn execute(&mut self, round: &mut Round, verified: VerifiedTransaction) -> Result<Submitted, Error> {
        if let Some(executed) = round.known(&verified.digest) {
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
        Ok(Submitted { executed: round.apply(verified, executed), position: None })
    }

    /// Moves the clock; a checkpoint is sealed at once, so that everybody sees the new time.
    fn advance(&mut self, round: &mut Round, by: Duration) -> u64 {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.offset_ms = self.offset_ms.saturating_add(by_ms);
        round.advanced = Some(self.offset_ms);
        self.begin_commit(round)
    }

    /// Begins a commit: the Clock moves to the present. Time never goes back, whatever the host's clock does.
    fn begin_commit(&mut self, round: &mut Round) -> u64 {
        if self.pending.is_empty() && round.executed.is_empty() {
            self.pending_since = Instant::now();
        }
        let Some(clock) = round.object(&clock::CLOCK) else { return 0 };
        let last_ms = clock::timestamp_ms(&clock).unwrap_or(0);
        let now_ms = clock::host_time_ms().saturating_add(self.offset_ms).max(last_ms);
        let (executed, moved) = clock::prologue(&clock, now_ms);
        round.write(moved);
        round.push(executed);
        now_ms
    }

    /// Hands the round over to the committer, with a checkpoint if one is due; gives the round that follows it.
    fn commit(
        &mut self,
        mut round: Round,
        turn: OwnedSemaphorePermit,
        commits: &std_mpsc::SyncSender<Commit>,
    ) -> Result<Round, Error> {
        let is_due = Instant::now() >= self.deadline(&round);
        if is_due && self.pending.is_empty() && round.executed.is_empty() {
            self.begin_commit(&mut round);
        }
        if !is_due && !round.has_users {
            // Nothing but a clock tick for transactions that were all refused: leave no trace.
            round.forget();
        }
        if round.executed.is_empty() && !is_due {
            // Whose turn it is knows that the rounds before are durable.
            round.answers.into_iter().for_each(|answer| answer.send(None));
            return Ok(Round::new(self.shared.clone(), Arc::default()));
        }
        let mut batch = Batch::default();
        for executed in &round.executed {
            batch.executed.push((self.next_number, executed.clone()));
            self.next_number += 1;
        }
        self.pending.append(&mut round.executed);
        let mut checkpointed = Vec::new();
        if is_due {
            let checkpoint = self.seal(&round)?;
            self.head = checkpoint.summary.clone();
            self.last_checkpoint = Instant::now();
            checkpointed = mem::take(&mut self.pending);
            batch.checkpoint = Some(checkpoint);
        }
        batch.written = mem::take(&mut round.written);
        batch.removed = mem::take(&mut round.removed);
        if let Some(offset_ms) = round.advanced {
            batch.meta.push((CLOCK_OFFSET, encode(CLOCK_OFFSET, &offset_ms)?));
        }
        let handed_over = Arc::new(round.hand_over());
        let next = Round::new(self.shared.clone(), handed_over.clone());
        let commit = Commit { batch, round: handed_over, checkpointed, answers: round.answers, turn };
        if let Err(std_mpsc::SendError(commit)) = commits.send(commit) {
            commit.answers.into_iter().for_each(|answer| answer.send(Some(stopped())));
            return Err(stopped());
        }
        Ok(next)
    }

    fn seal(&self, round: &Round) -> Result<CheckpointRecord, Error> {
        let timestamp_ms = round.object(&clock::CLOCK).as_deref().and_then(clock::timestamp_ms).unwrap_or(0);
        let totals = Totals::of(&self.head);
        checkpoint::seal(&self.pending, timestamp_ms, Some(&self.head), &totals, &self.shared.committee)
    }
}

fn stopped() -> Error {
    Error::Stopped("its store failed".to_owned())
}

//! The thread that makes rounds durable, one after another, while the writer executes the next.

use std::sync::{Arc, mpsc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Shared,
    records::{ExecutedRecord, FullCheckpoint},
    round::{Answer, HandedOver},
    store::Batch,
};
use crate::Error;

/// A round on its way to the disk.
pub(super) struct Commit {
    pub(super) batch: Batch,
    pub(super) round: Arc<HandedOver>,
    /// The transactions of the batch's checkpoint.
    pub(super) checkpointed: Vec<Arc<ExecutedRecord>>,
    pub(super) answers: Vec<Answer>,
    /// Given back when the round is durable and everybody can see it.
    pub(super) turn: OwnedSemaphorePermit,
}

/// Works until the writer has gone or the store fails; `turns` closes when no more can become durable.
pub(super) fn run(shared: &Shared, commits: &mpsc::Receiver<Commit>, turns: &Semaphore) {
    while let Ok(commit) = commits.recv() {
        let Commit { batch, round, checkpointed, answers, turn } = commit;
        if let Err(error) = shared.store.commit(&batch) {
            tracing::error!(%error, "the chain stops: its store failed");
            turns.close();
            for answer in answers {
                answer.send(Some(Error::Stopped(error.to_string())));
            }
            return;
        }
        show(shared, batch, &round, checkpointed);
        drop(turn);
        for answer in answers {
            answer.send(None);
        }
    }
}

/// Shows to readers what has become durable.
fn show(shared: &Shared, batch: Batch, round: &HandedOver, transactions: Vec<Arc<ExecutedRecord>>) {
    let mut state = shared.state_mut();
    for (id, object) in &round.overlay {
        match object {
            Some(object) => state.insert(object.clone()),
            None => state.remove(id),
        }
    }
    drop(state);
    if let Some(checkpoint) = batch.checkpoint {
        let full = Arc::new(FullCheckpoint { checkpoint, transactions });
        shared.head.store(full.clone());
        // An error only says that nobody listens.
        let _ = shared.checkpoints.send(full);
    }
}

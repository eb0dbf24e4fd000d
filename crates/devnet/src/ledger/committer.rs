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
        let turn = Turn { turn: Some(turn), turns };
        if let Err(error) = shared.store.commit(&batch) {
            tracing::error!(%error, "the chain stops: its store failed");
            drop(turn);
            for answer in answers {
                answer.send(Some(Error::Stopped(error.to_string())));
            }
            return;
        }
        show(shared, batch, &round, checkpointed);
        turn.give_back();
        for answer in answers {
            answer.send(None);
        }
    }
}

/// The turn of the round at work. Dropped in any other way than given back, by a panic too, it closes the turns before anybody can take it:
/// whose turn it is believes that the rounds before are durable.
struct Turn<'a> {
    turn: Option<OwnedSemaphorePermit>,
    turns: &'a Semaphore,
}

impl Turn<'_> {
    fn give_back(mut self) {
        self.turn = None;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.turns.close();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the next round, of nothing but repetitions, would be acknowledged although what it repeats is lost.
    #[tokio::test]
    async fn a_round_that_panics_gives_nobody_a_turn() {
        let turns = Arc::new(Semaphore::new(1));
        let taken = || async { Turn { turn: turns.clone().acquire_owned().await.ok(), turns: &turns } };
        taken().await.give_back();
        assert_eq!(turns.available_permits(), 1);
        let turn = taken().await;
        let next = tokio::spawn(turns.clone().acquire_owned());
        tokio::task::yield_now().await;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _turn = turn;
            panic!("the store crashed");
        }));
        assert!(panicked.is_err());
        assert!(next.await.unwrap().is_err(), "who waits is told that there is no turn any more");
        assert!(turns.clone().acquire_owned().await.is_err());
    }
}

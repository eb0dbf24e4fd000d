//! Answers challenges: one document for all callers of an instant, and so many documents a second at most.
//!
//! The device takes tens of milliseconds a document and answers one question at a time, so that ten thousand challengers must not
//! mean ten thousand questions. Those who wait while it works share the next document, whose nonce is the root of a Merkle tree over theirs
//! (`daas_attestation::merkle`).

use std::future::Future;
use std::time::Duration;

use daas_attestation::Answer;
use daas_attestation::merkle::{NONCE_LENGTH, path, root};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::device::Device;
use crate::instance::Instance;

/// Between the beginnings of two documents: twenty a second at most.
const INTERVAL: Duration = Duration::from_millis(50);
/// Who shares a document. Each path costs as many hashes as there are callers.
const BATCH: usize = 256;
/// Who may wait.
const WAITING: usize = 2048;
/// How long a caller waits at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Too many wait already.
    #[error("too many challenges at once: come again in a second")]
    Busy,
    /// The module did not answer.
    #[error("the security module gave no document")]
    Module,
}

/// Makes documents.
pub trait Documents: Send + 'static {
    /// A document with this nonce.
    fn with_nonce(&self, nonce: [u8; 32]) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

/// The instance's documents.
#[derive(Debug)]
pub struct OfInstance {
    /// The module.
    pub device: Device,
    /// Whose.
    pub instance: Instance,
}

impl Documents for OfInstance {
    async fn with_nonce(&self, nonce: [u8; 32]) -> Option<Vec<u8>> {
        let made = self.device.document(self.instance.request(Some(nonce))).await;
        made.inspect_err(|error| tracing::error!(%error, "no attestation document")).ok().map(|document| document.bytes)
    }
}

/// Answers challenges.
#[derive(Debug, Clone)]
pub struct Attestation {
    waiting: mpsc::Sender<Challenge>,
}

struct Challenge {
    nonce: [u8; NONCE_LENGTH],
    answer: oneshot::Sender<Option<Answer>>,
}

impl Attestation {
    /// Starts answering. Ends when the last clone is dropped.
    pub fn start(documents: impl Documents + Sync) -> Self {
        let (waiting, challenges) = mpsc::channel(WAITING);
        tokio::spawn(serve(documents, challenges));
        Self { waiting }
    }

    /// The answer to a challenge.
    pub async fn answer(&self, nonce: [u8; NONCE_LENGTH]) -> Result<Answer, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Challenge { nonce, answer }).map_err(|_| NoAnswer::Busy)?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(_) => Err(NoAnswer::Module),
            Err(_) => Err(NoAnswer::Busy),
        }
    }
}

async fn serve(documents: impl Documents, mut challenges: mpsc::Receiver<Challenge>) {
    let mut next = Instant::now();
    while let Some(first) = challenges.recv().await {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + INTERVAL;
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(challenge) = challenges.try_recv()
        {
            batch.push(challenge);
        }
        // Who has gone needs no answer.
        batch.retain(|challenge| !challenge.answer.is_closed());
        let nonces: Vec<_> = batch.iter().map(|challenge| challenge.nonce).collect();
        let Some(nonce) = root(&nonces) else { continue };
        let document = documents.with_nonce(nonce).await;
        for (index, challenge) in batch.into_iter().enumerate() {
            let answer = document.as_ref().zip(path(&nonces, index));
            let answer = answer.map(|(document, nonce_path)| Answer { document: document.clone(), nonce_path });
            let _ = challenge.answer.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    /// The "document" is its nonce.
    struct Counted(Arc<AtomicUsize>);

    impl Documents for Counted {
        async fn with_nonce(&self, nonce: [u8; 32]) -> Option<Vec<u8>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(30)).await;
            Some(nonce.to_vec())
        }
    }

    fn nonce(number: u32) -> [u8; 32] {
        let mut nonce = [0; 32];
        nonce[..4].copy_from_slice(&number.to_le_bytes());
        nonce
    }

    #[tokio::test]
    async fn a_flood_of_challenges_is_a_handful_of_documents_and_everybody_finds_the_own_nonce() {
        let asked = Arc::new(AtomicUsize::new(0));
        let attestation = Attestation::start(Counted(Arc::clone(&asked)));
        let answers = join_all((0..1500).map(|number| {
            let attestation = attestation.clone();
            async move { (number, attestation.answer(nonce(number)).await.unwrap()) }
        }))
        .await;
        for (number, answer) in answers {
            assert_eq!(answer.nonce_path.root(&nonce(number)).unwrap().to_vec(), answer.document, "{number}");
        }
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= 1500_usize.div_ceil(BATCH) + 1, "{asked} documents");
    }

    #[tokio::test]
    async fn documents_are_made_twenty_times_a_second_at_most_however_patient_the_flood() {
        let asked = Arc::new(AtomicUsize::new(0));
        let attestation = Attestation::start(Counted(Arc::clone(&asked)));
        let begun = Instant::now();
        let flood = (0..64).map(|caller| {
            let attestation = attestation.clone();
            async move {
                let mut number = caller;
                while begun.elapsed() < Duration::from_secs(1) {
                    attestation.answer(nonce(number)).await.unwrap();
                    number += 64;
                }
            }
        });
        join_all(flood).await;
        let asked = asked.load(Ordering::Relaxed);
        assert!((3..=22).contains(&asked), "{asked} documents in a second");
    }

    #[tokio::test]
    async fn who_finds_no_room_to_wait_is_told_at_once() {
        let attestation = Attestation::start(Counted(Arc::default()));
        let answers = join_all((0..4000).map(|number| attestation.answer(nonce(number)))).await;
        let busy = answers.iter().filter(|answer| **answer == Err(NoAnswer::Busy)).count();
        assert!((4000 - WAITING - BATCH..4000).contains(&busy), "{busy}");
    }

    #[tokio::test]
    async fn a_module_that_fails_is_no_answer() {
        struct Broken;
        impl Documents for Broken {
            async fn with_nonce(&self, _nonce: [u8; 32]) -> Option<Vec<u8>> {
                None
            }
        }
        assert_eq!(Attestation::start(Broken).answer([0; 32]).await, Err(NoAnswer::Module));
    }
}

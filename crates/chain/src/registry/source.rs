//! One node's checkpoints, in order and without gaps.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::Address;
use tokio::sync::{mpsc, watch};

use super::checkpoint::{PARTS, VerifiedCheckpoint};
use super::health::NodeState;
use super::quorum::WINDOW;
use super::view::Shared;
use crate::client::Node;
use crate::error::Error;

/// A longer gap is not filled: loading everything again is cheaper.
pub(super) const MAX_GAP: u64 = 5_000;
/// A checkpoint with more bytes of the cluster's events than this waits for its turn at its node: what a node says of checkpoints to come
/// is kept, and must not fill the memory.
const HEAVY: usize = 64 * 1024;
/// First and longest pause before a lost stream is opened again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A vote on its way to the quorum.
pub(super) struct Vote {
    pub(super) node: usize,
    pub(super) checkpoint: VerifiedCheckpoint,
}

/// What a node's task needs.
pub(super) struct Source {
    pub(super) number: usize,
    pub(super) node: Node,
    pub(super) package: Address,
    pub(super) cluster: Address,
    pub(super) silence: Duration,
    pub(super) votes: mpsc::Sender<Vote>,
    /// The checkpoint that is agreed on next.
    pub(super) next: watch::Receiver<u64>,
    pub(super) shared: Arc<Shared>,
}

impl Source {
    /// Follows the node for ever; ends when nobody wants its votes.
    pub(super) async fn run(mut self) {
        let mut wanted = *self.next.borrow();
        let mut pause = PAUSES.0;
        loop {
            let before = wanted;
            let Err(error) = self.follow(&mut wanted).await else { return };
            self.shared.board.set(self.number, NodeState::Failing { reason: error.to_string() });
            tracing::debug!(node = self.node.endpoint(), %error, "checkpoint stream lost");
            pause = if wanted > before { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Opens one stream and passes on what it brings. `Ok` when nobody wants votes any more.
    async fn follow(&mut self, wanted: &mut u64) -> Result<(), Error> {
        let request = pb::SubscribeCheckpointsRequest::default().with_read_mask(FieldMask::from_paths(PARTS));
        let mut client = self.node.rpc();
        let opened = self
            .node
            .ask("SubscribeCheckpoints", async { client.subscription_client().subscribe_checkpoints(request).await });
        let mut stream = opened.await?;
        loop {
            let frame = tokio::time::timeout(self.silence, stream.next()).await;
            let frame = frame
                .map_err(|_| Error::Timeout { endpoint: self.node.endpoint().to_owned(), after: self.silence })?
                .ok_or_else(|| self.node.invalid("a checkpoint: the stream ended"))?
                .map_err(|status| {
                    Error::of_status(self.node.endpoint(), "SubscribeCheckpoints", self.silence, status)
                })?;
            let Some(checkpoint) = frame.checkpoint else { continue };
            let checkpoint = self.verify(&checkpoint, None)?;
            *wanted = (*wanted).max(*self.next.borrow());
            let sequence = checkpoint.sequence;
            if sequence.saturating_sub(*wanted) > MAX_GAP {
                return Err(self.node.invalid("checkpoints without a large gap"));
            }
            while *wanted < sequence {
                let missing = self.fetch(*wanted).await?;
                if !self.vote(missing, wanted).await {
                    return Ok(());
                }
            }
            if sequence == *wanted && !self.vote(checkpoint, wanted).await {
                return Ok(());
            }
        }
    }

    async fn fetch(&self, sequence: u64) -> Result<VerifiedCheckpoint, Error> {
        let mut request = pb::GetCheckpointRequest::default().with_read_mask(FieldMask::from_paths(PARTS));
        request.checkpoint_id = Some(pb::get_checkpoint_request::CheckpointId::SequenceNumber(sequence));
        let mut client = self.node.rpc();
        let answer =
            self.node.ask("GetCheckpoint", async { client.ledger_client().get_checkpoint(request).await }).await?;
        let checkpoint = answer.checkpoint.ok_or_else(|| self.node.invalid("a checkpoint"))?;
        self.verify(&checkpoint, Some(sequence))
    }

    fn verify(&self, checkpoint: &pb::Checkpoint, sequence: Option<u64>) -> Result<VerifiedCheckpoint, Error> {
        let verified = VerifiedCheckpoint::verify(checkpoint, &self.package, &self.cluster)
            .map_err(|error| self.node.invalid(&format!("a checkpoint: {error}")))?;
        if sequence.is_some_and(|sequence| sequence != verified.sequence) {
            return Err(self.node.invalid("the checkpoint that was asked for"));
        }
        Ok(verified)
    }

    /// Passes a checkpoint on, once it is not too far ahead of what the others agree on. False when nobody wants it.
    async fn vote(&mut self, checkpoint: VerifiedCheckpoint, wanted: &mut u64) -> bool {
        let sequence = checkpoint.sequence;
        let ahead = if checkpoint.weight() > HEAVY { 1 } else { WINDOW };
        if self.next.wait_for(|next| sequence < next.saturating_add(ahead)).await.is_err() {
            return false;
        }
        *wanted = sequence + 1;
        self.shared.board.set(self.number, NodeState::Following { sequence });
        self.votes.send(Vote { node: self.number, checkpoint }).await.is_ok()
    }
}

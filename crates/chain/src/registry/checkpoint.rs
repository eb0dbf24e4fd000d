use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{Address, CheckpointContents, CheckpointSummary, Digest, TransactionEffects, TransactionEvents};

use crate::types::{Event, EventError};

/// Parts of a checkpoint that a follower asks for.
pub(super) const PARTS: [&str; 5] =
    ["sequence_number", "summary.bcs", "contents.bcs", "transactions.effects.bcs", "transactions.events.bcs"];

/// A checkpoint whose events hang on its digest by hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    /// Digest of the summary: what nodes must agree on.
    pub digest: Digest,
    /// Digest of the one before it.
    pub previous: Option<Digest>,
    /// Its number.
    pub sequence: u64,
    /// Its time.
    pub timestamp_ms: u64,
    /// The cluster's events, in order.
    pub events: Vec<Event>,
}

/// A checkpoint that does not hold together: its node lies or is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A part is missing or malformed.
    #[error("the {0} of the checkpoint is missing or malformed")]
    Part(&'static str),
    /// The contents are not those of the summary.
    #[error("the contents are not those that the summary names")]
    Contents,
    /// More, fewer or other transactions than the contents name.
    #[error("the transactions are not those that the contents name")]
    Transactions,
    /// Effects that the contents do not name.
    #[error("the effects of transaction {0} are not those that the contents name")]
    Effects(Digest),
    /// Events that the effects do not name.
    #[error("the events of transaction {0} are not those that its effects name")]
    Events(Digest),
    /// An event of the package that is not understood.
    #[error(transparent)]
    Event(#[from] EventError),
}

impl VerifiedCheckpoint {
    /// Checks every link from the summary down to the events and keeps the cluster's own.
    pub fn verify(checkpoint: &pb::Checkpoint, package: &Address, cluster: &Address) -> Result<Self, LinkError> {
        let summary: CheckpointSummary =
            read(checkpoint.summary.as_ref().and_then(|summary| summary.bcs.as_ref()), "summary")?;
        let contents: CheckpointContents =
            read(checkpoint.contents.as_ref().and_then(|contents| contents.bcs.as_ref()), "contents")?;
        if contents.digest() != summary.content_digest {
            return Err(LinkError::Contents);
        }
        if contents.transactions().len() != checkpoint.transactions.len() {
            return Err(LinkError::Transactions);
        }
        let mut events = Vec::new();
        for (named, given) in contents.transactions().iter().zip(&checkpoint.transactions) {
            let effects: TransactionEffects =
                read(given.effects.as_ref().and_then(|effects| effects.bcs.as_ref()), "effects")?;
            if effects.digest() != *named.effects() || effects.transaction_digest() != named.transaction() {
                return Err(LinkError::Effects(*named.transaction()));
            }
            let Some(digest) = effects.events_digest() else { continue };
            let given: TransactionEvents =
                read(given.events.as_ref().and_then(|events| events.bcs.as_ref()), "events")?;
            if given.digest() != *digest {
                return Err(LinkError::Events(*named.transaction()));
            }
            for event in &given.0 {
                // Anybody can publish a module that has the same names: only the package's own types count.
                if Event::cluster(&event.contents) == Some(*cluster) {
                    events.extend(Event::decode(&event.type_, package, &event.contents)?);
                }
            }
        }
        Ok(Self {
            digest: summary.digest(),
            previous: summary.previous_digest,
            sequence: summary.sequence_number,
            timestamp_ms: summary.timestamp_ms,
            events,
        })
    }

    /// How many bytes its events have.
    pub(super) fn weight(&self) -> usize {
        self.events.iter().map(|event| bcs::serialized_size(event).unwrap_or(usize::MAX)).fold(0, usize::saturating_add)
    }
}

fn read<'a, T: serde::Deserialize<'a>>(bytes: Option<&'a pb::Bcs>, what: &'static str) -> Result<T, LinkError> {
    bytes.and_then(|bytes| bytes.deserialize().ok()).ok_or(LinkError::Part(what))
}

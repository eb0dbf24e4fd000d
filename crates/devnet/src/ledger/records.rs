//! What the chain remembers: executed transactions and checkpoints.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sui_sdk_types::{
    Address, BalanceChange, CheckpointContents, CheckpointSummary, Digest, Object, Transaction, TransactionEffects,
    TransactionEvents, UserSignature, ValidatorAggregatedSignature, Version,
};

/// A transaction with everything that its execution gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// The transaction.
    pub transaction: Transaction,
    /// Who authorized it; empty for the system's own transactions.
    pub signatures: Vec<UserSignature>,
    /// What it did.
    pub effects: TransactionEffects,
    /// What it emitted.
    pub events: Option<TransactionEvents>,
    /// How balances changed, gas included.
    pub balance_changes: Vec<BalanceChange>,
    /// Objects that it read or wrote, by id and version, in that order.
    pub objects: Vec<(Address, Version)>,
}

impl TransactionRecord {
    /// Digest of the transaction.
    pub fn digest(&self) -> Digest {
        *self.effects.transaction_digest()
    }
}

/// A transaction record together with the objects it names.
#[derive(Debug, Clone)]
pub struct ExecutedRecord {
    /// The record.
    pub record: TransactionRecord,
    /// The record's objects, sorted by id and version.
    pub objects: Vec<Arc<Object>>,
}

/// Where in the chain a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Sequence number of the checkpoint.
    pub checkpoint: u64,
    /// Place among the checkpoint's transactions.
    pub index: u64,
    /// The checkpoint's timestamp in Unix milliseconds.
    pub timestamp_ms: u64,
}

/// A signed checkpoint without its transactions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// The summary.
    pub summary: CheckpointSummary,
    /// Signature of the validator committee over the summary.
    pub signature: ValidatorAggregatedSignature,
    /// Digests of the transactions and of their effects.
    pub contents: CheckpointContents,
}

/// A signed checkpoint with its transactions in order.
#[derive(Debug, Clone)]
pub struct FullCheckpoint {
    /// The checkpoint.
    pub checkpoint: CheckpointRecord,
    /// Its transactions.
    pub transactions: Vec<Arc<ExecutedRecord>>,
}

impl FullCheckpoint {
    /// The checkpoint's sequence number.
    pub fn sequence_number(&self) -> u64 {
        self.checkpoint.summary.sequence_number
    }
}

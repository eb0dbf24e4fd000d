use serde::Serialize;
use sui_sdk_types::{Address, Digest, ObjectChange, TransactionEffects};

use crate::types::Event;

/// A transaction that was executed and is in a checkpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// The transaction.
    pub digest: Digest,
    /// The checkpoint that holds it.
    pub checkpoint: u64,
    /// MIST paid for gas, rebate taken off; negative when the rebate was larger.
    pub gas_paid: i64,
    /// The package's events, in order.
    pub events: Vec<Event>,
    /// Objects that it made.
    #[serde(skip)]
    pub effects: Box<TransactionEffects>,
}

impl Receipt {
    /// Objects that the transaction made.
    pub fn created(&self) -> impl Iterator<Item = Address> {
        self.effects
            .object_changes()
            .filter(|change| matches!(change, ObjectChange::Created { .. }))
            .map(|change| *change.object_id())
    }
}

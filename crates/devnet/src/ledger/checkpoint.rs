//! Sealing a checkpoint over executed transactions.

use std::sync::Arc;

use sui_sdk_types::{CheckpointContents, CheckpointSummary, CheckpointTransactionInfo, GasCostSummary};

use super::{
    committee::Committee,
    genesis::EPOCH,
    records::{CheckpointRecord, ExecutedRecord},
};
use crate::Error;

/// What the chain had counted up to the previous checkpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Transactions in checkpoints.
    pub(crate) transactions: u64,
    /// Gas of the epoch.
    pub(crate) gas: GasCostSummary,
}

impl Totals {
    /// The totals that the newest checkpoint states.
    pub(crate) fn of(head: &CheckpointSummary) -> Self {
        Self { transactions: head.network_total_transactions, gas: head.epoch_rolling_gas_cost_summary.clone() }
    }
}

/// The checkpoint after `previous` with these transactions, signed.
pub(crate) fn seal(
    transactions: &[Arc<ExecutedRecord>],
    timestamp_ms: u64,
    previous: Option<&CheckpointSummary>,
    totals: &Totals,
    committee: &Committee,
) -> Result<CheckpointRecord, Error> {
    let contents = CheckpointContents::new_v1(
        transactions
            .iter()
            .map(|executed| {
                let record = &executed.record;
                CheckpointTransactionInfo::new(record.digest(), record.effects.digest(), record.signatures.clone())
            })
            .collect(),
    );
    let mut gas = totals.gas.clone();
    for executed in transactions {
        add(&mut gas, executed.record.effects.gas_summary());
    }
    let summary = CheckpointSummary {
        epoch: EPOCH,
        sequence_number: previous.map_or(0, |previous| previous.sequence_number + 1),
        network_total_transactions: totals.transactions + transactions.len() as u64,
        content_digest: contents.digest(),
        previous_digest: previous.map(CheckpointSummary::digest),
        epoch_rolling_gas_cost_summary: gas,
        timestamp_ms,
        checkpoint_commitments: Vec::new(),
        end_of_epoch_data: None,
        version_specific_data: Vec::new(),
    };
    let signature = committee.sign(&summary)?;
    Ok(CheckpointRecord { summary, signature, contents })
}

fn add(total: &mut GasCostSummary, gas: &GasCostSummary) {
    total.computation_cost = total.computation_cost.saturating_add(gas.computation_cost);
    total.storage_cost = total.storage_cost.saturating_add(gas.storage_cost);
    total.storage_rebate = total.storage_rebate.saturating_add(gas.storage_rebate);
    total.non_refundable_storage_fee = total.non_refundable_storage_fee.saturating_add(gas.non_refundable_storage_fee);
}

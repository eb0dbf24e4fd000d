//! The cases: each prepares a state with our own execution and names one transaction to execute on both machines.

mod arithmetic;
mod cluster;
mod enclave;
mod gateway;
mod labels;
mod releases;
mod settings;
mod staking;
mod upgrades;

use crate::stage::Stage;
use crate::transaction::Transaction;

/// One transaction to be judged.
pub(crate) struct Case {
    /// The module that the case is about.
    pub(crate) module: &'static str,
    /// What is true if the case passes.
    pub(crate) name: &'static str,
    /// `"ok"`, or the module and code of the abort, or `"primitive"` and the module.
    pub(crate) expected: &'static str,
    /// Makes the state before and the transaction.
    pub(crate) prepare: fn(&mut Stage) -> Transaction,
}

/// Every case, module by module.
pub(crate) fn all() -> Vec<Case> {
    [
        arithmetic::cases(),
        cluster::cases(),
        settings::cases(),
        labels::cases(),
        staking::cases(),
        gateway::cases(),
        releases::cases(),
        enclave::cases(),
        upgrades::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn case(
    module: &'static str,
    name: &'static str,
    expected: &'static str,
    prepare: fn(&mut Stage) -> Transaction,
) -> Case {
    Case { module, name, expected, prepare }
}

//! Simulation of transactions that are not complete yet: the node fills in object versions, gas price, budget and coins.

use sui_rpc::proto::sui::rpc::v2::{self as pb, input::InputKind};
use sui_sdk_types::{
    Address, Input, Mutability, Object, ObjectReference, Owner, SharedInput, StructTag, Transaction, TransactionEffects,
};
use tonic::Status;

use super::status;
use crate::{
    execution::{Checks, Executed, Limits},
    ledger::{Ledger, REFERENCE_GAS_PRICE, TypeFilter, coin_balance},
};

/// Objects that users may only read.
const READ_ONLY: Address = Address::from_static("0x6");

/// Completes the transaction and executes it without consequences.
pub(super) fn simulate(
    ledger: &Ledger,
    unresolved: &pb::Transaction,
    checks: Checks,
    select_gas: bool,
) -> Result<(Transaction, Executed), Status> {
    let run = |transaction: &Transaction| ledger.simulate(transaction, checks).map_err(status::from_error);
    let mut transaction = resolve(ledger, unresolved, checks)?;
    let limits = Limits::default();
    let has_budget = transaction.gas_payment.budget != 0;
    if !has_budget {
        transaction.gas_payment.budget = limits.gas_budget;
    }
    if !select_gas {
        // Without a budget of its own the transaction is tried with what its coins hold.
        if !has_budget && !transaction.gas_payment.objects.is_empty() {
            transaction.gas_payment.budget = limits.gas_budget.min(paying(ledger, &transaction));
        }
        let executed = run(&transaction)?;
        return Ok((transaction, executed));
    }

    if !has_budget {
        let mut estimate = transaction.clone();
        estimate.gas_payment.objects.clear();
        let executed = run(&estimate)?;
        let TransactionEffects::V2(effects) = &executed.effects else {
            return Err(Status::internal("effects of an old version"));
        };
        if *effects.status() != sui_sdk_types::ExecutionStatus::Success {
            return Ok((transaction, executed));
        }
        let gas = effects.gas_summary();
        // A tenth more: deleting merged gas coins and a little more work at the real state must fit.
        let cost = gas.computation_cost.saturating_add(gas.storage_cost);
        let overhead = REFERENCE_GAS_PRICE.saturating_mul(1000);
        transaction.gas_payment.budget = cost.saturating_add(cost / 10).saturating_add(overhead).min(limits.gas_budget);
    }
    if transaction.gas_payment.objects.is_empty() {
        transaction.gas_payment.objects = select_coins(ledger, &transaction, limits.gas_coins)?;
    }
    let executed = run(&transaction)?;
    Ok((transaction, executed))
}

/// A complete transaction, except that gas coins and budget may be missing (empty, 0).
fn resolve(ledger: &Ledger, unresolved: &pb::Transaction, checks: Checks) -> Result<Transaction, Status> {
    if unresolved.bcs.is_some() {
        return Transaction::try_from(unresolved).map_err(|error| status::from_proto_error(&error));
    }
    let mut complete = unresolved.clone();
    complete.version = Some(1);
    if complete.sender.is_none() && checks == Checks::Disabled {
        complete.sender = Some(Address::ZERO.to_string());
    }
    let sender = complete.sender.clone().ok_or_else(|| status::missing("transaction.sender"))?;

    let kind = complete.kind.get_or_insert_default();
    if let Some(pb::transaction_kind::Data::ProgrammableTransaction(programmable)) = &mut kind.data {
        if kind.kind.is_none() {
            kind.kind = Some(pb::transaction_kind::Kind::ProgrammableTransaction.into());
        }
        for input in &mut programmable.inputs {
            resolve_input(ledger, input)?;
        }
    }

    let payment = complete.gas_payment.get_or_insert_default();
    payment.owner.get_or_insert(sender);
    payment.price.get_or_insert(REFERENCE_GAS_PRICE);
    payment.budget.get_or_insert(0);
    for coin in &mut payment.objects {
        if coin.version.is_none() || coin.digest.is_none() {
            let object = live(ledger, "gas_payment.objects", coin.object_id.as_deref())?;
            coin.version.get_or_insert(object.version());
            coin.digest.get_or_insert(object.digest().to_string());
        }
    }
    if complete.expiration.is_none() {
        complete.expiration = Some(sui_sdk_types::TransactionExpiration::None.into());
    }
    Transaction::try_from(&complete).map_err(|error| status::from_proto_error(&error.nested("transaction")))
}

/// An input that names an object only by its id becomes a complete one.
fn resolve_input(ledger: &Ledger, input: &mut pb::Input) -> Result<(), Status> {
    if input.literal.is_some() {
        return Err(status::unserved("JSON literals as inputs; send `pure` BCS bytes"));
    }
    if input.pure.is_some() || input.kind() == InputKind::FundsWithdrawal || input.object_id.is_none() {
        if input.pure.is_some() && input.kind.is_none() {
            input.kind = Some(InputKind::Pure.into());
        }
        return Ok(());
    }
    let complete = input.version.is_some()
        && match input.kind() {
            InputKind::Shared => input.mutable.is_some() || input.mutability.is_some(),
            InputKind::ImmutableOrOwned | InputKind::Receiving => input.digest.is_some(),
            _ => false,
        };
    if complete {
        return Ok(());
    }
    let object = live(ledger, "inputs.object_id", input.object_id.as_deref())?;
    let resolved = match (object.owner(), input.kind()) {
        (Owner::Shared(since) | Owner::ConsensusAddress { start_version: since, .. }, _) => {
            // Which it is stands in the called function; what may be changed may also be only read.
            let mutable = input.mutable.unwrap_or(object.object_id() != READ_ONLY);
            let mutability = if mutable { Mutability::Mutable } else { Mutability::Immutable };
            Input::Shared(SharedInput::new(object.object_id(), *since, mutability))
        }
        (_, InputKind::Receiving) => Input::Receiving(reference(&object)),
        _ => Input::ImmutableOrOwned(reference(&object)),
    };
    *input = resolved.into();
    Ok(())
}

fn live(ledger: &Ledger, field: &str, id: Option<&str>) -> Result<std::sync::Arc<Object>, Status> {
    let id = status::address(field, id)?;
    ledger.object(&id).ok_or_else(|| Status::not_found(format!("Object {id} not found")))
}

fn reference(object: &Object) -> ObjectReference {
    ObjectReference::new(object.object_id(), object.version(), object.digest())
}

fn paying(ledger: &Ledger, transaction: &Transaction) -> u64 {
    let coins = transaction.gas_payment.objects.iter();
    coins
        .filter_map(|coin| ledger.object(coin.object_id()))
        .filter_map(|coin| coin_balance(&coin))
        .fold(0, u64::saturating_add)
}

/// The payer's largest coins that cover the budget and that the transaction does not use otherwise.
fn select_coins(ledger: &Ledger, transaction: &Transaction, limit: usize) -> Result<Vec<ObjectReference>, Status> {
    let payment = &transaction.gas_payment;
    let used: Vec<Address> = match &transaction.kind {
        sui_sdk_types::TransactionKind::ProgrammableTransaction(programmable) => programmable
            .inputs
            .iter()
            .filter_map(|input| match input {
                Input::ImmutableOrOwned(reference) | Input::Receiving(reference) => Some(*reference.object_id()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let filter = TypeFilter::new(StructTag::gas_coin());
    let (coins, _) = ledger.owned(&payment.owner, &filter, None, limit + used.len());
    let mut selected = Vec::new();
    let mut sum: u64 = 0;
    for coin in coins.iter().filter(|coin| !used.contains(&coin.object_id())).take(limit) {
        selected.push(reference(coin));
        sum = sum.saturating_add(coin_balance(coin).unwrap_or(0));
        if sum >= payment.budget {
            return Ok(selected);
        }
    }
    Err(Status::invalid_argument(format!(
        "unable to perform gas selection due to insufficient SUI balance for account {} to satisfy required budget {}: \
         its free coins hold {sum}",
        payment.owner, payment.budget
    )))
}

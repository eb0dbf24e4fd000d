//! What transactions cost and who pays.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use execution_chain::{ALICE, Asked, BOB, Chain, PRICE, Ptb, SUI};
use sui_sdk_types::{Address, Argument, ExecutionError, ExecutionStatus};

fn gas_status(command: Option<u64>) -> ExecutionStatus {
    ExecutionStatus::Failure { error: ExecutionError::InsufficientGas, command }
}

#[test]
fn the_payer_loses_exactly_what_the_summary_says() {
    let mut chain = Chain::new();
    let gas = chain.gas_of(ALICE);
    let before = chain.value(gas);
    let mut ptb = Ptb::default();
    let part = ptb.split(Argument::Gas, &[5]);
    ptb.transfer(vec![part], BOB);
    let executed = chain.succeed(ALICE, ptb);
    let cost = executed.v2().gas_used.net_gas_usage();
    assert_eq!(i128::from(chain.value(gas)), i128::from(before) - 5 - i128::from(cost));
    let alice = executed.balance_changes.iter().find(|change| change.address == ALICE).unwrap();
    assert_eq!(alice.amount, -5 - i128::from(cost));
}

#[test]
fn cost_grows_with_the_price() {
    let mut costs = Vec::new();
    for price in [PRICE, 10 * PRICE] {
        let mut chain = Chain::new();
        let mut transaction = chain.transaction(ALICE, Ptb::default());
        transaction.gas_payment.price = price;
        costs.push(chain.execute(&transaction).unwrap().v2().gas_used.computation_cost);
    }
    assert_eq!(costs, [1_000 * PRICE, 10_000 * PRICE]);
}

#[test]
fn cost_grows_with_the_work() {
    let (mut chain, package) = Chain::with_rules();
    let mut cost = |n: u64| {
        let mut ptb = Ptb::default();
        let n = ptb.pure(&n);
        ptb.call(package, "calls::grow", vec![n]);
        chain.succeed(ALICE, ptb).v2().gas_used.computation_cost
    };
    let (little, much) = (cost(1), cost(20_000));
    assert_eq!(little, 1_000 * PRICE);
    assert!(much > little, "{much}");
}

#[test]
fn deleting_an_object_gives_its_storage_fee_back_less_one_percent() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    let id = chain.succeed(ALICE, ptb).created("items::Item")[0];
    let paid = chain.get(id).storage_rebate() + chain.get(chain.gas_of(ALICE)).storage_rebate();
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::delete", vec![argument]);
    let gas = chain.succeed(ALICE, ptb).v2().gas_used.clone();
    assert_eq!(gas.storage_rebate + gas.non_refundable_storage_fee, paid);
    assert_eq!(gas.non_refundable_storage_fee, paid.div_ceil(100));
    assert!(gas.storage_rebate > gas.storage_cost);
}

#[test]
fn a_larger_object_costs_more_storage() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    ptb.call(package, "fields::own", vec![]);
    let executed = chain.succeed(ALICE, ptb);
    let small = chain.get(executed.created("items::Item")[0]).storage_rebate();
    let large = chain.get(executed.created("fields::Book")[0]).storage_rebate();
    assert!(large > small, "{large} {small}");
}

#[test]
fn several_gas_coins_become_one() {
    let mut chain = Chain::new();
    let coins: Vec<Address> = [SUI / 2, SUI / 2, 7].into_iter().map(|balance| chain.coin(ALICE, balance)).collect();
    let mut transaction = chain.transaction(ALICE, Ptb::default());
    transaction.gas_payment.objects = coins.iter().map(|id| chain.reference(*id)).collect();
    let executed = chain.execute(&transaction).unwrap();
    assert_eq!(*executed.status(), ExecutionStatus::Success);
    let mut deleted = executed.deleted.clone();
    let mut expected = coins[1..].to_vec();
    deleted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(deleted, expected);
    let cost = i128::from(executed.v2().gas_used.net_gas_usage());
    assert_eq!(i128::from(chain.value(coins[0])), i128::from(SUI) + 7 - cost);
}

#[test]
fn gas_coins_become_one_even_when_the_commands_fail() {
    let mut chain = Chain::new();
    let coins = [chain.coin(ALICE, SUI), chain.coin(ALICE, 9)];
    let mut ptb = Ptb::default();
    ptb.call(Address::TWO, "nobody::nothing", vec![]);
    let mut transaction = chain.transaction(ALICE, ptb);
    transaction.gas_payment.objects = coins.iter().map(|id| chain.reference(*id)).collect();
    let executed = chain.execute(&transaction).unwrap();
    assert!(executed.failure.is_some());
    assert_eq!(executed.deleted, vec![coins[1]]);
    let cost = i128::from(executed.v2().gas_used.net_gas_usage());
    assert_eq!(i128::from(chain.value(coins[0])), i128::from(SUI) + 9 - cost);
}

#[test]
fn a_budget_that_does_not_pay_for_storage_fails_and_costs_all_of_it() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    let mut transaction = chain.transaction(ALICE, ptb);
    transaction.gas_payment.budget = 1_000 * PRICE;
    let gas = chain.gas_of(ALICE);
    let before = chain.value(gas);
    let executed = chain.execute(&transaction).unwrap();
    assert_eq!(*executed.status(), gas_status(None));
    assert!(executed.created("items::Item").is_empty());
    let cost = executed.v2().gas_used.net_gas_usage();
    assert!(cost <= 1_000_000);
    assert_eq!(i128::from(chain.value(gas)), i128::from(before) - i128::from(cost));
}

#[test]
fn a_failed_transaction_gives_its_mutable_inputs_new_versions_and_nothing_else() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    let id = chain.succeed(ALICE, ptb).created("items::Item")[0];
    let before = chain.get(id).clone();
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "calls::change_then_fail", vec![argument]);
    let executed = chain.run(ALICE, ptb);
    assert!(executed.failure.is_some());
    assert_eq!(chain.value(id), 5);
    assert_eq!(chain.get(id).owner(), before.owner());
    assert_eq!(chain.get(id).version(), executed.v2().lamport_version, "as on Sui: references go stale");
    assert_eq!(executed.v2().changed_objects.len(), 2);
}

//! Arguments and results of commands: what may be passed where, how often, and what must be used up.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use execution_chain::{ALICE, Asked, BOB, Chain, Ptb};
use sui_sdk_types::{
    Address, Argument, Command, CommandArgumentError, ExecutionError, SplitCoins, TransferObjects, TypeArgumentError,
};

fn item(chain: &mut Chain, package: Address) -> Address {
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    chain.succeed(ALICE, ptb).created("items::Item")[0]
}

fn wrong(argument: u16, kind: CommandArgumentError) -> ExecutionError {
    ExecutionError::CommandArgumentError { argument, kind }
}

fn unused(result: u16, subresult: u16) -> (ExecutionError, Option<u64>) {
    (ExecutionError::UnusedValueWithoutDrop { result, subresult }, None)
}

/// Calls a function of `calls` with one pure input of these bytes.
fn call_with_bytes(chain: &mut Chain, package: Address, function: &str, bytes: &[u8]) -> Ptb {
    let _ = chain;
    let mut ptb = Ptb::default();
    let argument = ptb.bytes(bytes);
    ptb.call(package, function, vec![argument]);
    ptb
}

#[test]
fn pure_bytes_become_numbers_addresses_strings_options_ids_and_vectors() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let arguments = vec![
        ptb.pure(&true),
        ptb.pure(&1u8),
        ptb.pure(&2u16),
        ptb.pure(&3u32),
        ptb.pure(&4u64),
        ptb.pure(&5u128),
        ptb.bytes(&[6; 32]),
        ptb.pure(&BOB),
    ];
    ptb.call(package, "calls::take_many", arguments);
    let string = ptb.pure(&"깃발");
    ptb.call(package, "calls::take_string", vec![string]);
    let ascii = ptb.pure(&"flag");
    ptb.call(package, "calls::take_ascii", vec![ascii]);
    let option = ptb.pure(&Some(3u64));
    ptb.call(package, "calls::take_option", vec![option]);
    let id = ptb.pure(&BOB);
    ptb.call(package, "calls::take_id", vec![id]);
    let nested = ptb.pure(&vec![vec![Some("a"), None], vec![]]);
    ptb.call(package, "calls::take_nested", vec![nested]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn bytes_that_are_no_value_of_the_type_are_refused() {
    let (mut chain, package) = Chain::with_rules();
    for (function, bytes) in [
        ("calls::take_string", [2, 0xff, 0xfe].as_slice()),
        ("calls::take_ascii", [1, 0x80].as_slice()),
        ("calls::take_option", [2].as_slice()),
        ("calls::public_only", [0; 7].as_slice()),
        ("calls::public_only", [0; 9].as_slice()),
    ] {
        let ptb = call_with_bytes(&mut chain, package, function, bytes);
        let expected = (wrong(0, CommandArgumentError::InvalidBcsBytes), Some(0));
        assert_eq!(chain.fail(ALICE, ptb), expected, "{function}");
    }
}

#[test]
fn structs_never_come_from_bytes() {
    let (mut chain, package) = Chain::with_rules();
    for (function, bytes) in [
        ("calls::take_note", 5u64.to_le_bytes().to_vec()),
        ("calls::take_notes", vec![0]),
        ("items::read_ref", 5u64.to_le_bytes().to_vec()),
        ("items::delete", vec![7; 40]),
        ("items::value", vec![7; 40]),
    ] {
        let ptb = call_with_bytes(&mut chain, package, function, &bytes);
        let expected = (wrong(0, CommandArgumentError::InvalidUsageOfPureArgument), Some(0));
        assert_eq!(chain.fail(ALICE, ptb), expected, "{function}");
    }
}

#[test]
fn one_pure_input_serves_as_values_of_several_types() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let bytes = ptb.bytes(&[1; 32]);
    ptb.call(package, "calls::take_id", vec![bytes]);
    let item = ptb.pure(&1u64);
    let item = ptb.call(package, "items::new", vec![item]);
    ptb.call(package, "items::give", vec![item, bytes]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_pure_input_lent_mutably_keeps_its_change_and_its_type() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "calls::take_mut", vec![number]);
    ptb.call(package, "calls::take_mut", vec![number]);
    ptb.call(package, "calls::fails", vec![number]);
    let (error, command) = chain.fail(ALICE, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { code: 7, .. }), "{error:?}");
    assert_eq!(command, Some(2));

    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "calls::take_mut", vec![number]);
    let some = ptb.call(package, "calls::take_option", vec![number]);
    let _ = some;
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::TypeMismatch), Some(1)));
}

#[test]
fn indices_out_of_bounds_fail_at_their_argument() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "calls::public_only", vec![Argument::Input(3)]);
    let kind = CommandArgumentError::IndexOutOfBounds { index: 3 };
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, kind), Some(0)));

    let mut ptb = Ptb::default();
    ptb.call(package, "calls::public_only", vec![Argument::Result(0)]);
    let kind = CommandArgumentError::IndexOutOfBounds { index: 0 };
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, kind), Some(0)));

    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "items::pair", vec![number]);
    ptb.call(package, "calls::public_only", vec![Argument::NestedResult(0, 2)]);
    let kind = CommandArgumentError::SecondaryIndexOutOfBounds { result: 0, subresult: 2 };
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, kind), Some(1)));
}

#[test]
fn nested_results_name_one_value_and_a_result_all_of_them() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let pair = ptb.call(package, "items::pair", vec![number]);
    ptb.call(package, "items::read", vec![pair.nested(1).unwrap()]);
    ptb.call(package, "calls::public_only", vec![pair.nested(0).unwrap()]);
    chain.succeed(ALICE, ptb);

    let mut ptb = Ptb::default();
    let coins = ptb.split(Argument::Gas, &[1, 2, 3]);
    ptb.transfer(vec![coins], BOB);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.v2().changed_objects.len(), 4);

    let mut ptb = Ptb::default();
    let coins = ptb.split(Argument::Gas, &[1, 2, 3]);
    ptb.command(Command::SplitCoins(SplitCoins { coin: coins, amounts: vec![Argument::Input(0)] }));
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::InvalidArgumentArity), Some(1)));
}

#[test]
fn a_value_without_copy_can_be_used_once() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.transfer(vec![argument], BOB);
    ptb.call(package, "items::delete", vec![argument]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::ArgumentWithoutValue), Some(1)));

    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let potato = ptb.call(package, "items::potato", vec![number]);
    ptb.call(package, "items::eat", vec![potato]);
    ptb.call(package, "items::peek", vec![potato]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::ArgumentWithoutValue), Some(2)));
}

#[test]
fn a_value_with_copy_can_be_used_often() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let note = ptb.call(package, "items::note", vec![number]);
    ptb.call(package, "items::read", vec![note]);
    ptb.call(package, "items::read", vec![note]);
    let type_ = format!("{package}::items::Note");
    ptb.call_with(package, "calls::is_same", &[&type_], vec![note, note]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_result_without_drop_must_be_used() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "items::nothing", vec![]);
    ptb.call(package, "items::potato", vec![number]);
    assert_eq!(chain.fail(ALICE, ptb), unused(1, 0));

    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "items::new", vec![number]);
    assert_eq!(chain.fail(ALICE, ptb), unused(0, 0));

    let mut ptb = Ptb::default();
    ptb.split(Argument::Gas, &[1, 2]);
    ptb.transfer(vec![Argument::NestedResult(0, 0)], BOB);
    assert_eq!(chain.fail(ALICE, ptb), unused(0, 1));
}

#[test]
fn a_result_with_drop_may_be_left() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "items::leaf", vec![number]);
    ptb.call(package, "items::note", vec![number]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_mutable_loan_excludes_every_other_use_in_the_same_call() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&5u64));
    ptb.call(package, "items::set_both", vec![argument, argument, value]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, CommandArgumentError::InvalidReferenceArgument), Some(0)));

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::read_and_set", vec![argument, argument]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, CommandArgumentError::InvalidReferenceArgument), Some(0)));

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.merge(Argument::Gas, vec![Argument::Gas]);
    let _ = argument;
    let (error, _) = chain.fail(ALICE, ptb);
    assert_eq!(error, wrong(1, CommandArgumentError::CannotMoveBorrowedValue));
}

#[test]
fn immutable_loans_share_one_object() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    let sum = ptb.call(package, "items::read_both", vec![argument, argument]);
    ptb.call(package, "calls::fails", vec![sum]);
    let (error, _) = chain.fail(ALICE, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { code: 10, .. }), "{error:?}");
}

#[test]
fn an_object_of_another_type_is_refused() {
    let (mut chain, package) = Chain::with_rules();
    let coin = chain.coin(ALICE, 10);
    for function in ["items::delete", "items::value"] {
        let mut ptb = Ptb::default();
        let argument = ptb.object(&chain, coin);
        ptb.call(package, function, vec![argument]);
        assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::TypeMismatch), Some(0)));
    }
    let mut ptb = Ptb::default();
    let note = ptb.pure(&5u64);
    let note = ptb.call(package, "items::note", vec![note]);
    ptb.call(package, "items::press", vec![note]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::TypeMismatch), Some(1)));
}

#[test]
fn the_number_of_arguments_and_type_arguments_must_match() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "calls::public_only", vec![]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::ArityMismatch, Some(0)));

    let mut ptb = Ptb::default();
    ptb.call_with(package, "items::nothing", &["u8"], vec![]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::TypeArityMismatch, Some(0)));

    let mut ptb = Ptb::default();
    ptb.call(package, "calls::needs_store", vec![]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::TypeArityMismatch, Some(0)));
}

#[test]
fn type_arguments_must_exist_and_satisfy_their_constraints() {
    let (mut chain, package) = Chain::with_rules();
    let potato = format!("{package}::items::Potato");
    let mut ptb = Ptb::default();
    ptb.call_with(package, "calls::needs_store", &[&potato], vec![]);
    let kind = TypeArgumentError::ConstraintNotSatisfied;
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::TypeArgumentError { type_argument: 0, kind }, Some(0)));

    let missing = format!("{package}::items::Nobody");
    let mut ptb = Ptb::default();
    ptb.call_with(package, "calls::needs_store", &[&missing], vec![]);
    let kind = TypeArgumentError::TypeNotFound;
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::TypeArgumentError { type_argument: 0, kind }, Some(0)));
}

#[test]
fn generic_objects_keep_their_type_arguments_apart() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let holder = ptb.call_with(package, "items::holder", &["vector<u8>"], vec![]);
    ptb.transfer(vec![holder], ALICE);
    let id = chain.succeed(ALICE, ptb).created("items::Holder<vector<u8>>")[0];
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call_with(package, "items::check_holder", &["vector<u8>"], vec![argument]);
    chain.succeed(ALICE, ptb);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call_with(package, "items::check_holder", &["u8"], vec![argument]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::TypeMismatch), Some(0)));
}

#[test]
fn the_gas_coin_moves_only_by_transfer_objects() {
    let (mut chain, package) = Chain::with_rules();
    let usage = CommandArgumentError::InvalidGasCoinUsage;
    let coin = chain.coin(ALICE, 10);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, coin);
    ptb.merge(argument, vec![Argument::Gas]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, usage.clone()), Some(0)));

    let mut ptb = Ptb::default();
    ptb.vector(None, vec![Argument::Gas]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, usage.clone()), Some(0)));

    let mut ptb = Ptb::default();
    let type_ = "0x2::coin::Coin<0x2::sui::SUI>";
    ptb.call_with(Address::TWO, "transfer::public_freeze_object", &[type_], vec![Argument::Gas]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, usage), Some(0)));

    let gas = chain.gas_of(ALICE);
    let before = chain.value(gas);
    let mut ptb = Ptb::default();
    ptb.transfer(vec![Argument::Gas], BOB);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(*chain.get(gas).owner(), sui_sdk_types::Owner::Address(BOB));
    let cost = executed.v2().gas_used.net_gas_usage();
    assert_eq!(i128::from(chain.value(gas)), i128::from(before) - i128::from(cost));
    let _ = package;
}

#[test]
fn commands_cannot_spend_the_gas_budget() {
    let mut chain = Chain::new();
    let gas = chain.gas_of(ALICE);
    let free = chain.value(gas) - execution_chain::BUDGET;
    let mut ptb = Ptb::default();
    let part = ptb.split(Argument::Gas, &[free + 1]);
    ptb.transfer(vec![part], BOB);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::InsufficientCoinBalance, Some(0)));
}

#[test]
fn objects_without_store_are_not_transferred_by_the_command() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let soul = ptb.call(package, "items::soul", vec![number]);
    ptb.transfer(vec![soul], BOB);
    let (error, command) = chain.fail(ALICE, ptb);
    assert_eq!((error, command), (wrong(0, CommandArgumentError::InvalidTransferObject), Some(1)));

    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let soul = ptb.call(package, "items::soul", vec![number]);
    let to = ptb.pure(&BOB);
    ptb.call(package, "items::soul_to", vec![soul, to]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn only_objects_are_transferred_and_only_to_an_address() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let note = ptb.call(package, "items::note", vec![number]);
    ptb.transfer(vec![note], BOB);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, CommandArgumentError::TypeMismatch), Some(1)));

    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, address) = (ptb.object(&chain, id), ptb.pure(&5u64));
    ptb.command(Command::TransferObjects(TransferObjects { objects: vec![argument], address }));
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, CommandArgumentError::InvalidBcsBytes), Some(0)));
}

#[test]
fn only_coins_of_one_type_are_split_and_merged() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mismatch = CommandArgumentError::TypeMismatch;
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.split(argument, &[1]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, mismatch.clone()), Some(0)));

    let type_ = format!("{package}::items::Note");
    let other = chain.coin_of(&type_, ALICE, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, other);
    ptb.merge(Argument::Gas, vec![argument]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, mismatch), Some(0)));
}

#[test]
fn a_coin_cannot_give_more_than_it_has_nor_hold_more_than_u64() {
    let mut chain = Chain::new();
    let (small, large) = (chain.coin(ALICE, 10), chain.coin(ALICE, u64::MAX - 5));
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, small);
    let parts = ptb.split(argument, &[6, 5]);
    ptb.transfer(vec![parts], BOB);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::InsufficientCoinBalance, Some(0)));

    let mut ptb = Ptb::default();
    let (one, two) = (ptb.object(&chain, small), ptb.object(&chain, large));
    ptb.merge(one, vec![two]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::CoinBalanceOverflow, Some(0)));
}

#[test]
fn a_vector_of_values_needs_its_type_and_one_of_objects_does_not() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (one, two) = (ptb.pure(&1u64), ptb.pure(&2u64));
    let vector = ptb.vector(Some("u64"), vec![one, two]);
    ptb.call(package, "calls::entry_vector", vec![vector]);
    chain.succeed(ALICE, ptb);

    let mut ptb = Ptb::default();
    let one = ptb.pure(&1u64);
    ptb.vector(None, vec![one]);
    let kind = CommandArgumentError::InvalidMakeMoveVecNonObjectArgument;
    assert_eq!(chain.fail(ALICE, ptb), (wrong(0, kind), Some(0)));

    let id = item(&mut chain, package);
    let coin = chain.coin(ALICE, 1);
    let mut ptb = Ptb::default();
    let (one, two) = (ptb.object(&chain, id), ptb.object(&chain, coin));
    ptb.vector(None, vec![one, two]);
    assert_eq!(chain.fail(ALICE, ptb), (wrong(1, CommandArgumentError::TypeMismatch), Some(0)));
}

#[test]
fn a_vector_of_values_without_drop_must_be_used() {
    let (mut chain, package) = Chain::with_rules();
    let number = 5u64;
    let mut ptb = Ptb::default();
    let number = ptb.pure(&number);
    let potato = ptb.call(package, "items::potato", vec![number]);
    let type_ = format!("{package}::items::Potato");
    ptb.vector(Some(&type_), vec![potato]);
    assert_eq!(chain.fail(ALICE, ptb), unused(1, 0));
}

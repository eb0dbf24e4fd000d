//! Calls: visibility, entry functions, aborts and where they happened, bounds, events, simulation.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use daas_devnet::execution::Checks;
use execution_chain::{ALICE, Asked, BOB, CLOCK, Chain, Ptb};
use sui_sdk_types::{Address, Argument, CommandArgumentError, ExecutionError, ExecutionStatus, MoveLocation};

fn item(chain: &mut Chain, package: Address) -> Address {
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    chain.succeed(ALICE, ptb).created("items::Item")[0]
}

fn hot() -> CommandArgumentError {
    CommandArgumentError::InvalidArgumentToPrivateEntryFunction
}

fn abort(error: ExecutionError) -> (MoveLocation, u64) {
    match error {
        ExecutionError::MoveAbort { location, code } => (location, code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn public_and_entry_functions_can_be_called_and_others_not() {
    let (mut chain, package) = Chain::with_rules();
    for function in ["calls::public_only", "calls::entry_number", "calls::public_entry", "calls::through_package"] {
        let mut ptb = Ptb::default();
        let number = ptb.pure(&5u64);
        ptb.call(package, function, vec![number]);
        chain.succeed(ALICE, ptb);
    }
    for function in ["calls::package_only", "calls::private_only", "calls::deeper", "start::init"] {
        let mut ptb = Ptb::default();
        let number = ptb.pure(&5u64);
        ptb.call(package, function, vec![number]);
        assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::NonEntryFunctionInvoked, Some(0)), "{function}");
    }
}

#[test]
fn missing_functions_and_modules_fail() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "calls::nobody", vec![]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::FunctionNotFound, Some(0)));
    let mut ptb = Ptb::default();
    ptb.call(package, "nobody::calls", vec![]);
    let error = ExecutionError::VmVerificationOrDeserializationError;
    assert_eq!(chain.fail(ALICE, ptb), (error, Some(0)));
}

#[test]
fn functions_that_return_references_cannot_be_called() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::borrow", vec![argument]);
    let error = ExecutionError::InvalidPublicFunctionReturnType { index: 0 };
    assert_eq!(chain.fail(ALICE, ptb), (error, Some(0)));
}

#[test]
fn private_transfers_and_events_of_the_framework_cannot_be_called() {
    let (mut chain, package) = Chain::with_rules();
    let type_ = format!("{package}::items::Item");
    for function in ["transfer::transfer", "transfer::share_object", "transfer::freeze_object"] {
        let id = item(&mut chain, package);
        let mut ptb = Ptb::default();
        let mut arguments = vec![ptb.object(&chain, id)];
        if function == "transfer::transfer" {
            arguments.push(ptb.pure(&BOB));
        }
        ptb.call_with(Address::TWO, function, &[&type_], arguments);
        assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::NonEntryFunctionInvoked, Some(0)), "{function}");
    }
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    let note = ptb.call(package, "items::note", vec![number]);
    ptb.call_with(Address::TWO, "event::emit", &[&format!("{package}::items::Note")], vec![note]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::NonEntryFunctionInvoked, Some(1)));

    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, to) = (ptb.object(&chain, id), ptb.pure(&BOB));
    ptb.call_with(Address::TWO, "transfer::public_transfer", &[&type_], vec![argument, to]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_private_entry_function_takes_what_public_functions_gave_and_changed() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    ptb.call(package, "calls::only_entry", vec![argument, value]);
    let note = ptb.call(package, "items::note", vec![value]);
    ptb.call(package, "calls::entry_value", vec![note]);
    let number = ptb.call(package, "calls::public_only", vec![value]);
    let vector = ptb.vector(Some("u64"), vec![number]);
    ptb.call(package, "calls::entry_vector", vec![vector]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_private_entry_function_takes_nothing_that_met_a_living_hot_potato() {
    let (mut chain, package) = Chain::with_rules();
    let error = ExecutionError::CommandArgumentError { argument: 0, kind: hot() };
    let mut ptb = Ptb::default();
    let number = ptb.pure(&6u64);
    let potato = ptb.call(package, "items::potato", vec![number]);
    ptb.call(package, "calls::entry_number", vec![number]);
    ptb.call(package, "items::eat", vec![potato]);
    assert_eq!(chain.fail(ALICE, ptb), (error, Some(1)));

    let mut ptb = Ptb::default();
    let (number, other) = (ptb.pure(&6u64), ptb.pure(&7u64));
    let potato = ptb.call(package, "items::potato", vec![number]);
    ptb.call(package, "calls::entry_number", vec![other]);
    ptb.call(package, "items::eat", vec![potato]);
    ptb.call(package, "calls::entry_number", vec![number]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn a_private_entry_function_takes_nothing_that_met_a_consumed_shared_object() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let value = ptb.pure(&5u64);
    let shared = ptb.call(package, "items::new", vec![value]);
    ptb.call(package, "items::share", vec![shared]);
    let shared = chain.succeed(ALICE, ptb).created("items::Item")[0];
    let mut ptb = Ptb::default();
    let value = ptb.pure(&5u64);
    let item = ptb.call(package, "items::new", vec![value]);
    let boxed = ptb.call(package, "items::wrap", vec![item]);
    let shared = ptb.object(&chain, shared);
    let swapped = ptb.call(package, "items::swap_items", vec![boxed, shared]);
    ptb.call(package, "calls::only_entry", vec![swapped, value]);
    let error = ExecutionError::CommandArgumentError { argument: 0, kind: hot() };
    assert_eq!(chain.fail(ALICE, ptb), (error, Some(3)));
}

#[test]
fn a_public_entry_function_takes_values_of_public_functions() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&6u64);
    let number = ptb.call(package, "calls::public_only", vec![number]);
    ptb.call(package, "calls::public_entry", vec![number]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn an_abort_names_code_module_function_and_command() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let code = ptb.pure(&4711u64);
    ptb.call(package, "items::nothing", vec![]);
    ptb.call(package, "calls::fails_deep", vec![code]);
    let (error, command) = chain.fail(ALICE, ptb);
    let (location, code) = abort(error);
    assert_eq!(command, Some(1));
    assert_eq!(code, 4711);
    assert_eq!((location.package, location.module.as_str()), (package, "calls"));
    assert_eq!(location.function_name.unwrap().as_str(), "deeper");

    let mut ptb = Ptb::default();
    ptb.call(package, "calls::fails_named", vec![]);
    let (location, code) = abort(chain.fail(ALICE, ptb).0);
    assert_eq!((code, location.function_name.unwrap().as_str()), (7, "fails_named"));

    let mut ptb = Ptb::default();
    ptb.call(package, "calls::fails_clever", vec![]);
    let (_, code) = abort(chain.fail(ALICE, ptb).0);
    assert_eq!(code >> 63, 1, "a clever error carries its tag in the highest bit");
}

#[test]
fn arithmetic_and_vector_errors_name_their_place() {
    let (mut chain, package) = Chain::with_rules();
    for (function, argument) in
        [("calls::overflow", Some(1u64)), ("calls::divide", Some(0)), ("calls::out_of_bounds", None)]
    {
        let mut ptb = Ptb::default();
        let arguments = argument.map(|number| ptb.pure(&number)).into_iter().collect();
        ptb.call(package, function, arguments);
        let (error, command) = chain.fail(ALICE, ptb);
        let ExecutionError::MovePrimitiveRuntimeError { location: Some(location) } = error else {
            panic!("{function}: {error:?}");
        };
        assert_eq!(command, Some(0));
        let name = function.strip_prefix("calls::").unwrap();
        assert_eq!(location.function_name.unwrap().as_str(), name);
    }
}

#[test]
fn what_a_failing_call_changed_is_undone_and_its_events_are_lost() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "calls::change_then_fail", vec![argument]);
    let (_, code) = abort(chain.fail(ALICE, ptb).0);
    assert_eq!(code, 7);
    assert_eq!(chain.value(id), 5);
}

#[test]
fn events_come_in_order_with_sender_package_module_and_type() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (number, what) = (ptb.pure(&8u64), ptb.pure(&"seal"));
    ptb.call(package, "calls::say", vec![number, what]);
    let count = ptb.pure(&3u64);
    ptb.call(package, "calls::say_many", vec![count]);
    ptb.call_with(package, "calls::say_typed", &["vector<bool>"], vec![number]);
    let executed = chain.succeed(BOB, ptb);
    let events = executed.events();
    assert_eq!(events.len(), 5);
    assert_eq!(events[0].contents, bcs::to_bytes(&(8u64, BOB, "seal")).unwrap());
    assert_eq!((events[0].package_id, events[0].module.as_str(), events[0].sender), (package, "calls", BOB));
    assert_eq!(events[0].type_.to_string(), format!("{package}::calls::Happened"));
    let ticks: Vec<_> = events[1..4].iter().map(|event| event.contents.clone()).collect();
    assert_eq!(ticks, [0u64, 1, 2].map(|n| n.to_le_bytes().to_vec()));
    assert_eq!(events[4].type_.to_string(), format!("{package}::calls::Tagged<vector<bool>>"));
}

#[test]
fn too_many_events_fail_the_transaction() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let count = ptb.pure(&1024u64);
    ptb.call(package, "calls::say_many", vec![count]);
    chain.succeed(ALICE, ptb);
    let mut ptb = Ptb::default();
    let count = ptb.pure(&1025u64);
    ptb.call(package, "calls::say_many", vec![count]);
    let (error, _) = chain.fail(ALICE, ptb);
    assert!(matches!(error, ExecutionError::MovePrimitiveRuntimeError { .. }), "{error:?}");
}

#[test]
fn an_endless_loop_ends_when_gas_is_used_up() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "calls::forever", vec![]);
    let mut transaction = chain.transaction(ALICE, ptb);
    transaction.gas_payment.budget = 20_000_000;
    let before = chain.value(chain.gas_of(ALICE));
    let executed = chain.execute(&transaction).unwrap();
    let failure = ExecutionStatus::Failure { error: ExecutionError::InsufficientGas, command: Some(0) };
    assert_eq!(*executed.status(), failure);
    assert_eq!(executed.v2().gas_used.computation_cost, 20_000_000);
    assert_eq!(chain.value(chain.gas_of(ALICE)), before - 20_000_000);
}

#[test]
fn the_context_tells_epoch_time_and_sender() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "calls::epoch", vec![]);
    let transaction = chain.transaction(BOB, ptb);
    let simulated = chain.simulate(&transaction, Checks::Enabled).unwrap();
    let values: Vec<_> = simulated.command_outputs[0].return_values.iter().map(|value| value.bcs.clone()).collect();
    assert_eq!(values[0], 3u64.to_le_bytes());
    assert_eq!(values[1], 1_000u64.to_le_bytes());
    assert_eq!(values[2], BOB.as_bytes());
    chain.execute(&transaction).unwrap();
}

#[test]
fn simulation_gives_results_and_the_same_gas_as_execution_and_changes_nothing() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    ptb.call(package, "items::value", vec![argument]);
    let transaction = chain.transaction(ALICE, ptb);
    let objects = chain.objects.clone();
    let simulated = chain.simulate(&transaction, Checks::Enabled).unwrap();
    assert_eq!(objects, chain.objects);
    let (changed, value) = &simulated.command_outputs[0].mutated[0];
    assert_eq!(*changed, Argument::Input(0));
    assert!(value.bcs.ends_with(&6u64.to_le_bytes()));
    let returned = &simulated.command_outputs[1].return_values[0];
    assert_eq!(
        (returned.type_tag.to_string().as_str(), returned.bcs.as_slice()),
        ("u64", 6u64.to_le_bytes().as_slice())
    );
    let executed = chain.execute(&transaction).unwrap();
    assert_eq!(simulated.effects, executed.effects);
    assert!(executed.command_outputs.is_empty());
}

#[test]
fn simulation_without_gas_coins_is_paid_by_a_mock_coin() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let clock = ptb.read(&chain, CLOCK);
    ptb.call(package, "calls::now", vec![clock]);
    let mut transaction = chain.transaction(ALICE, ptb);
    transaction.gas_payment.objects.clear();
    transaction.gas_payment.budget = 0;
    transaction.gas_payment.price = 0;
    let simulated = chain.simulate(&transaction, Checks::Enabled).unwrap();
    assert_eq!(*simulated.status(), ExecutionStatus::Success);
    assert_eq!(simulated.command_outputs[0].return_values[0].bcs, 42_000u64.to_le_bytes());
    assert!(simulated.v2().gas_used.computation_cost >= 1_000_000);
    assert_eq!(
        chain.refuse(&transaction),
        daas_devnet::execution::Refused::GasPrice { price: 0, min: 1_000, max: 100_000 }
    );
}

#[test]
fn unchecked_simulation_calls_private_functions_and_takes_any_bytes() {
    let (chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let number = ptb.pure(&5u64);
    ptb.call(package, "calls::private_only", vec![number]);
    ptb.call(package, "calls::take_note", vec![number]);
    ptb.call(package, "items::potato", vec![number]);
    let transaction = chain.transaction(ALICE, ptb);
    let simulated = chain.simulate(&transaction, Checks::Disabled).unwrap();
    assert_eq!(*simulated.status(), ExecutionStatus::Success, "{:?}", simulated.failure);
    assert_eq!(simulated.command_outputs[2].return_values[0].bcs, 5u64.to_le_bytes());
    let checked = chain.simulate(&transaction, Checks::Enabled).unwrap();
    assert!(matches!(checked.status(), ExecutionStatus::Failure { .. }));
}

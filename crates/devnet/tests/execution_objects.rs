//! What transactions do to objects: ownership, wrapping, children, sharing, and what the effects say about it.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use execution_chain::{ALICE, Asked, BOB, CLOCK, Chain, Ptb};
use sui_sdk_types::{
    Address, CommandArgumentError, ExecutionError, IdOperation, ObjectIn, ObjectOut, Owner, UnchangedConsensusKind,
};

/// An item of Alice with the value.
fn item(chain: &mut Chain, package: Address, value: u64) -> Address {
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&value), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    chain.succeed(ALICE, ptb).created("items::Item")[0]
}

/// The item, shared from the start.
fn shared_item(chain: &mut Chain, package: Address, value: u64) -> Address {
    let mut ptb = Ptb::default();
    let value = ptb.pure(&value);
    let item = ptb.call(package, "items::new", vec![value]);
    ptb.call(package, "items::share", vec![item]);
    chain.succeed(ALICE, ptb).created("items::Item")[0]
}

fn frozen_item(chain: &mut Chain, package: Address, value: u64) -> Address {
    let id = item(chain, package, value);
    let mut ptb = Ptb::default();
    let argument = ptb.object(chain, id);
    ptb.call(package, "items::freeze_item", vec![argument]);
    chain.succeed(ALICE, ptb);
    id
}

fn boxed_item(chain: &mut Chain, package: Address, value: u64) -> (Address, Address) {
    let id = item(chain, package, value);
    let mut ptb = Ptb::default();
    let argument = ptb.object(chain, id);
    let boxed = ptb.call(package, "items::wrap", vec![argument]);
    ptb.transfer(vec![boxed], ALICE);
    let box_id = chain.succeed(ALICE, ptb).created("items::Box")[0];
    (id, box_id)
}

fn book(chain: &mut Chain, package: Address) -> Address {
    let mut ptb = Ptb::default();
    ptb.call(package, "fields::open", vec![]);
    chain.succeed(ALICE, ptb).created("fields::Book")[0]
}

#[test]
fn a_created_object_belongs_to_its_recipient_and_its_id_derives_from_the_transaction() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&BOB));
    ptb.call(package, "items::create", vec![value, to]);
    let executed = chain.succeed(ALICE, ptb);
    let id = executed.created("items::Item")[0];
    assert_eq!(id, Address::derive_id(executed.v2().transaction_digest, 0));
    assert_eq!(*chain.get(id).owner(), Owner::Address(BOB));
    assert_eq!(chain.value(id), 5);
    let change = executed.change(id);
    assert_eq!((&change.input_state, change.id_operation), (&ObjectIn::NotExist, IdOperation::Created));
}

#[test]
fn a_changed_object_keeps_its_owner_and_its_old_state_stands_in_the_effects() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let before = chain.get(id).clone();
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(chain.value(id), 6);
    let change = executed.change(id);
    assert_eq!(
        change.input_state,
        ObjectIn::Exist { version: before.version(), digest: before.digest(), owner: *before.owner() }
    );
    assert_eq!(change.id_operation, IdOperation::None);
    assert!(executed.v2().dependencies.contains(&before.previous_transaction()));
}

#[test]
fn an_owned_input_that_is_only_read_still_gets_a_new_version() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let version = chain.get(id).version();
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::value", vec![argument]);
    let executed = chain.succeed(ALICE, ptb);
    assert!(chain.get(id).version() > version);
    assert_eq!(chain.get(id).version(), executed.v2().lamport_version);
}

#[test]
fn transferred_objects_change_their_owner() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.transfer(vec![argument], BOB);
    chain.succeed(ALICE, ptb);
    assert_eq!(*chain.get(id).owner(), Owner::Address(BOB));
    assert_eq!(chain.value(id), 5);
}

#[test]
fn a_deleted_object_is_gone_and_the_effects_say_deleted() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::delete", vec![argument]);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.deleted, vec![id]);
    let change = executed.change(id);
    assert!(matches!(change.input_state, ObjectIn::Exist { .. }));
    assert_eq!((&change.output_state, change.id_operation), (&ObjectOut::NotExist, IdOperation::Deleted));
    assert!(!chain.objects.contains_key(&id));
}

#[test]
fn an_object_made_and_deleted_in_one_transaction_leaves_no_trace() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let value = ptb.pure(&5u64);
    let new = ptb.call(package, "items::new", vec![value]);
    ptb.call(package, "items::delete", vec![new]);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.v2().changed_objects.len(), 1, "only the gas coin");
}

#[test]
fn wrapping_hides_an_object_and_unwrapping_brings_back_the_same_id() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    let boxed = ptb.call(package, "items::wrap", vec![argument]);
    ptb.transfer(vec![boxed], ALICE);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.wrapped, vec![id]);
    let change = executed.change(id);
    assert!(matches!(change.input_state, ObjectIn::Exist { .. }));
    assert_eq!((&change.output_state, change.id_operation), (&ObjectOut::NotExist, IdOperation::None));
    let wrapped_at = executed.v2().lamport_version;
    assert!(!chain.objects.contains_key(&id));

    let box_id = executed.created("items::Box")[0];
    let mut ptb = Ptb::default();
    let boxed = ptb.object(&chain, box_id);
    let argument = ptb.call(package, "items::unwrap", vec![boxed]);
    ptb.transfer(vec![argument], BOB);
    let executed = chain.succeed(ALICE, ptb);
    let change = executed.change(id);
    assert_eq!((&change.input_state, change.id_operation), (&ObjectIn::NotExist, IdOperation::None));
    assert!(matches!(change.output_state, ObjectOut::ObjectWrite { owner: Owner::Address(BOB), .. }));
    assert!(chain.get(id).version() > wrapped_at);
    assert_eq!(chain.value(id), 5);
    assert_eq!(executed.deleted, vec![box_id]);
}

#[test]
fn an_object_deleted_inside_its_wrapper_is_unwrapped_then_deleted() {
    let (mut chain, package) = Chain::with_rules();
    let (id, box_id) = boxed_item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let boxed = ptb.object(&chain, box_id);
    ptb.call(package, "items::smash", vec![boxed]);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.deleted, vec![box_id]);
    let change = executed.change(id);
    assert_eq!(
        (&change.input_state, &change.output_state, change.id_operation),
        (&ObjectIn::NotExist, &ObjectOut::NotExist, IdOperation::Deleted)
    );
}

#[test]
fn a_wrapped_object_is_changed_through_its_wrapper() {
    let (mut chain, package) = Chain::with_rules();
    let (id, box_id) = boxed_item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (boxed, value) = (ptb.object(&chain, box_id), ptb.pure(&9u64));
    ptb.call(package, "items::set_inside", vec![boxed, value]);
    let executed = chain.succeed(ALICE, ptb);
    assert!(!executed.changed(id));
    assert!(execution_chain::contents(chain.get(box_id)).ends_with(&9u64.to_le_bytes()));
}

#[test]
fn a_shared_object_is_shared_since_the_version_that_made_it() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    assert_eq!(*chain.get(id).owner(), Owner::Shared(chain.get(id).version()));
    let owner = *chain.get(id).owner();
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    chain.succeed(BOB, ptb);
    assert_eq!(chain.value(id), 6, "anyone may use it");
    assert_eq!(*chain.get(id).owner(), owner, "the initial version stays");
}

#[test]
fn a_shared_object_that_is_only_read_keeps_its_version_and_is_listed_as_unchanged() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let before = chain.get(id).clone();
    let mut ptb = Ptb::default();
    let argument = ptb.read(&chain, id);
    ptb.call(package, "items::value", vec![argument]);
    let executed = chain.succeed(BOB, ptb);
    assert_eq!(*chain.get(id), before);
    let listed = &executed.v2().unchanged_consensus_objects;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].object_id, id);
    let expected = UnchangedConsensusKind::ReadOnlyRoot { version: before.version(), digest: before.digest() };
    assert_eq!(listed[0].kind, expected);
    assert!(executed.v2().lamport_version > before.version());
}

#[test]
fn a_shared_object_declared_read_only_cannot_be_changed() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.read(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    let kind = CommandArgumentError::InvalidObjectByMutRef;
    assert_eq!(chain.fail(BOB, ptb), (ExecutionError::CommandArgumentError { argument: 0, kind }, Some(0)));
}

#[test]
fn a_shared_object_declared_read_only_cannot_be_taken() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.read(&chain, id);
    ptb.call(package, "items::delete", vec![argument]);
    let kind = CommandArgumentError::InvalidObjectByValue;
    assert_eq!(chain.fail(BOB, ptb), (ExecutionError::CommandArgumentError { argument: 0, kind }, Some(0)));
}

#[test]
fn a_shared_object_can_be_deleted() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::delete", vec![argument]);
    let executed = chain.succeed(BOB, ptb);
    assert_eq!(executed.deleted, vec![id]);
}

#[test]
fn a_shared_object_taken_by_value_can_be_shared_again() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let owner = *chain.get(id).owner();
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::share", vec![argument]);
    chain.succeed(BOB, ptb);
    assert_eq!(*chain.get(id).owner(), owner);
}

#[test]
fn a_shared_object_cannot_become_owned_frozen_or_wrapped() {
    let (mut chain, package) = Chain::with_rules();
    let id = shared_item(&mut chain, package, 5);
    let allowed = ExecutionError::ConsensusObjectOperationNotAllowed;

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.transfer(vec![argument], BOB);
    assert_eq!(chain.fail(BOB, ptb), (allowed.clone(), None));

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::freeze_item", vec![argument]);
    assert_eq!(chain.fail(BOB, ptb), (allowed.clone(), None));

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    let boxed = ptb.call(package, "items::wrap", vec![argument]);
    ptb.transfer(vec![boxed], BOB);
    assert_eq!(chain.fail(BOB, ptb), (allowed, None));
}

#[test]
fn an_object_that_existed_before_cannot_be_shared_any_more() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::share", vec![argument]);
    let (error, _) = chain.fail(ALICE, ptb);
    let ExecutionError::MoveAbort { location, code } = error else { panic!("{error:?}") };
    assert_eq!((location.package, location.module.as_str(), code), (Address::TWO, "transfer", 0));
}

#[test]
fn a_frozen_object_can_be_read_by_all_and_changed_or_taken_by_none() {
    let (mut chain, package) = Chain::with_rules();
    let id = frozen_item(&mut chain, package, 5);
    assert_eq!(*chain.get(id).owner(), Owner::Immutable);
    let before = chain.get(id).clone();

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::value", vec![argument]);
    let executed = chain.succeed(BOB, ptb);
    assert!(!executed.changed(id));
    assert_eq!(*chain.get(id), before);

    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    let kind = CommandArgumentError::InvalidObjectByMutRef;
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::CommandArgumentError { argument: 0, kind }, Some(0)));

    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.transfer(vec![argument], ALICE);
    let kind = CommandArgumentError::InvalidObjectByValue;
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::CommandArgumentError { argument: 0, kind }, Some(0)));
}

#[test]
fn an_object_can_rest_in_a_shared_object_and_come_back() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    ptb.call(package, "items::shelf", vec![]);
    let shelf = chain.succeed(ALICE, ptb).created("items::Shelf")[0];
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (place, argument) = (ptb.object(&chain, shelf), ptb.object(&chain, id));
    ptb.call(package, "items::put", vec![place, argument]);
    assert_eq!(chain.succeed(ALICE, ptb).wrapped, vec![id]);

    let mut ptb = Ptb::default();
    let place = ptb.object(&chain, shelf);
    let argument = ptb.call(package, "items::take", vec![place]);
    ptb.transfer(vec![argument], BOB);
    chain.succeed(BOB, ptb);
    assert_eq!(*chain.get(id).owner(), Owner::Address(BOB));
}

#[test]
fn dynamic_fields_are_objects_owned_by_their_parent() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, name, value) = (ptb.object(&chain, book), ptb.pure(&3u8), ptb.pure(&77u64));
    ptb.call(package, "fields::note", vec![argument, name, value]);
    let executed = chain.succeed(ALICE, ptb);
    let field = executed.created("dynamic_field::Field<u8, u64>")[0];
    assert_eq!(field, book.derive_dynamic_child_id(&"u8".parse().unwrap(), &[3]));
    assert_eq!(*chain.get(field).owner(), Owner::Object(book));

    let mut ptb = Ptb::default();
    let (argument, name) = (ptb.object(&chain, book), ptb.pure(&3u8));
    ptb.call(package, "fields::erase", vec![argument, name]);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.deleted, vec![field]);
    assert!(matches!(executed.change(field).input_state, ObjectIn::Exist { owner: Owner::Object(_), .. }));
}

#[test]
fn table_entries_are_written_read_changed_and_removed_across_transactions() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    for value in [10u64, 11] {
        let mut ptb = Ptb::default();
        let (argument, page, text) = (ptb.object(&chain, book), ptb.pure(&1u64), ptb.pure(&value));
        ptb.call(package, "fields::write", vec![argument, page, text]);
        chain.succeed(BOB, ptb);
    }
    let mut ptb = Ptb::default();
    let (argument, page) = (ptb.read(&chain, book), ptb.pure(&1u64));
    let read = ptb.call(package, "fields::page", vec![argument, page]);
    ptb.call(package, "calls::public_only", vec![read]);
    let executed = chain.succeed(BOB, ptb);
    assert_eq!(executed.v2().changed_objects.len(), 1, "reading an entry changes nothing but gas");

    let mut ptb = Ptb::default();
    let (argument, page) = (ptb.object(&chain, book), ptb.pure(&1u64));
    let torn = ptb.call(package, "fields::tear", vec![argument, page]);
    ptb.call(package, "calls::fails", vec![torn]);
    let (error, command) = chain.fail(BOB, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { code: 11, .. }), "{error:?}");
    assert_eq!(command, Some(1));
}

#[test]
fn a_change_of_an_entry_is_undone_when_a_later_command_fails() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, page) = (ptb.object(&chain, book), ptb.pure(&1u64));
    ptb.call(package, "fields::write_then_fail", vec![argument, page]);
    let (error, _) = chain.fail(BOB, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { code: 3, .. }), "{error:?}");
}

#[test]
fn an_object_stored_in_a_table_is_changed_inside_and_comes_back_with_its_id() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (place, at, argument) = (ptb.object(&chain, book), ptb.pure(&BOB), ptb.object(&chain, id));
    ptb.call(package, "fields::keep", vec![place, at, argument]);
    assert_eq!(chain.succeed(ALICE, ptb).wrapped, vec![id]);

    let mut ptb = Ptb::default();
    let (place, at, value) = (ptb.object(&chain, book), ptb.pure(&BOB), ptb.pure(&8u64));
    ptb.call(package, "fields::change", vec![place, at, value]);
    chain.succeed(BOB, ptb);

    let mut ptb = Ptb::default();
    let (place, at) = (ptb.object(&chain, book), ptb.pure(&BOB));
    let argument = ptb.call(package, "fields::fetch", vec![place, at]);
    ptb.transfer(vec![argument], BOB);
    chain.succeed(BOB, ptb);
    assert_eq!(chain.value(id), 8);
    assert_eq!(*chain.get(id).owner(), Owner::Address(BOB));
}

#[test]
fn a_dynamic_object_field_stays_an_object_with_its_id_under_its_parent() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (place, name, argument) = (ptb.object(&chain, book), ptb.pure(&1u8), ptb.object(&chain, id));
    ptb.call(package, "fields::hang", vec![place, name, argument]);
    let executed = chain.succeed(ALICE, ptb);
    let Owner::Object(field) = *chain.get(id).owner() else { panic!("not a child") };
    assert_eq!(*chain.get(field).owner(), Owner::Object(book));
    assert_eq!(executed.change(field).id_operation, IdOperation::Created);
    assert!(matches!(executed.change(id).input_state, ObjectIn::Exist { owner: Owner::Address(ALICE), .. }));

    let mut ptb = Ptb::default();
    let (place, name, value) = (ptb.object(&chain, book), ptb.pure(&1u8), ptb.pure(&6u64));
    ptb.call(package, "fields::repaint", vec![place, name, value]);
    let executed = chain.succeed(BOB, ptb);
    assert_eq!(chain.value(id), 6);
    assert!(executed.changed(id) && !executed.changed(field));

    let mut ptb = Ptb::default();
    let (place, name) = (ptb.object(&chain, book), ptb.pure(&1u8));
    let argument = ptb.call(package, "fields::unhang", vec![place, name]);
    ptb.transfer(vec![argument], BOB);
    let executed = chain.succeed(BOB, ptb);
    assert_eq!(executed.deleted, vec![field]);
    assert_eq!(*chain.get(id).owner(), Owner::Address(BOB));
    assert!(matches!(executed.change(id).input_state, ObjectIn::Exist { owner: Owner::Object(_), .. }));
}

#[test]
fn a_child_object_cannot_be_an_input() {
    let (mut chain, package) = Chain::with_rules();
    let book = book(&mut chain, package);
    let mut ptb = Ptb::default();
    let (argument, name, value) = (ptb.object(&chain, book), ptb.pure(&3u8), ptb.pure(&77u64));
    ptb.call(package, "fields::note", vec![argument, name, value]);
    let field = chain.succeed(ALICE, ptb).created("dynamic_field::Field<u8, u64>")[0];
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, field);
    ptb.transfer(vec![argument], ALICE);
    let transaction = chain.transaction(ALICE, ptb);
    let refused = chain.refuse(&transaction);
    assert_eq!(refused, daas_devnet::execution::Refused::ChildObject { id: field, parent: book });
}

#[test]
fn the_clock_shows_the_time_of_the_environment() {
    let (mut chain, package) = Chain::with_rules();
    for now in [42_000u64, 99_000] {
        chain.environment.now_ms = now;
        let mut ptb = Ptb::default();
        let clock = ptb.read(&chain, CLOCK);
        ptb.call(package, "calls::tick", vec![clock]);
        let executed = chain.succeed(ALICE, ptb);
        assert_eq!(executed.events()[0].contents, now.to_le_bytes());
        assert!(!executed.changed(CLOCK));
    }
}

#[test]
fn splitting_and_merging_move_balance_between_coins() {
    let mut chain = Chain::new();
    let (one, two) = (chain.coin(ALICE, 1_000), chain.coin(ALICE, 500));
    let mut ptb = Ptb::default();
    let (a, b) = (ptb.object(&chain, one), ptb.object(&chain, two));
    let parts = ptb.split(a, &[100, 0]);
    ptb.merge(a, vec![b]);
    ptb.transfer(vec![parts], BOB);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(chain.value(one), 1_400);
    assert_eq!(executed.deleted, vec![two]);
    let mut made: Vec<u64> = executed
        .created("Coin<0x0000000000000000000000000000000000000000000000000000000000000002::sui::SUI>")
        .iter()
        .map(|id| chain.value(*id))
        .collect();
    made.sort_unstable();
    assert_eq!(made, vec![0, 100]);
    let bob = executed.balance_changes.iter().find(|change| change.address == BOB).unwrap();
    assert_eq!(bob.amount, 100);
}

#[test]
fn a_vector_of_objects_is_consumed_or_given_on() {
    let (mut chain, package) = Chain::with_rules();
    let (one, two) = (item(&mut chain, package, 5), item(&mut chain, package, 6));
    let mut ptb = Ptb::default();
    let elements = vec![ptb.object(&chain, one), ptb.object(&chain, two)];
    let vector = ptb.vector(None, elements);
    let to = ptb.pure(&BOB);
    ptb.call(package, "items::give_all", vec![vector, to]);
    chain.succeed(ALICE, ptb);
    assert_eq!(*chain.get(one).owner(), Owner::Address(BOB));

    let mut ptb = Ptb::default();
    let elements = vec![ptb.object(&chain, one), ptb.object(&chain, two)];
    let type_ = format!("{package}::items::Item");
    let vector = ptb.vector(Some(&type_), elements);
    let total = ptb.call(package, "items::total", vec![vector]);
    ptb.call(package, "calls::fails", vec![total]);
    let (error, _) = chain.fail(BOB, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { code: 11, .. }), "{error:?}");
}

#[test]
fn a_sponsor_pays_with_several_coins_while_the_sender_uses_his_objects() {
    let (mut chain, package) = Chain::with_rules();
    let id = item(&mut chain, package, 5);
    let mut ptb = Ptb::default();
    let (argument, value) = (ptb.object(&chain, id), ptb.pure(&6u64));
    ptb.call(package, "items::set", vec![argument, value]);
    let mut transaction = chain.transaction(ALICE, ptb);
    let (first, second) = (chain.gas_of(BOB), chain.coin(BOB, 70));
    transaction.gas_payment.owner = BOB;
    transaction.gas_payment.objects = vec![chain.reference(first), chain.reference(second)];
    let before = chain.value(first);
    let executed = chain.execute(&transaction).unwrap();
    assert_eq!(chain.value(id), 6);
    assert_eq!(executed.deleted, vec![second]);
    let cost = i128::from(executed.v2().gas_used.net_gas_usage());
    assert_eq!(i128::from(chain.value(first)), i128::from(before) + 70 - cost);
    assert_eq!(
        executed.v2().gas_object_index.map(|index| executed.v2().changed_objects[index as usize].object_id),
        Some(first)
    );
    assert!(executed.balance_changes.iter().all(|change| change.address == BOB));
}

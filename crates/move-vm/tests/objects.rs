//! Objects, balances, dynamic fields and events, across transactions.

#![allow(clippy::unwrap_used)]

mod world;

use daas_move_vm::{Fault, Passing, Recipient, Session, Slot, Value};
use sui_sdk_types::{Address, Digest};
use world::{SENDER, World, address, bcs, call, context_argument, own, tag};

const COIN: &str = "0x2::coin::Coin<0x2::sui::SUI>";

fn opened(session: &mut Session<'_>) -> Slot {
    let name = Value::bytes(b"first".to_vec());
    let context = context_argument(session);
    let bank = call(session, "bank", "open", &[], vec![name, context]).unwrap().remove(0);
    session.hold(bank).unwrap()
}

fn coin(session: &mut Session<'_>, amount: u64) -> Value {
    session.decode(&tag(COIN), &bcs(&(address(0x77), amount))).unwrap()
}

fn deposit(session: &mut Session<'_>, bank: Slot, amount: u64) -> Value {
    let clock = session.decode(&tag("0x2::clock::Clock"), &bcs(&(address(6), 42_u64))).unwrap();
    let clock = session.hold(clock).unwrap();
    let arguments = vec![
        session.lend(bank, Passing::MutableReference).unwrap(),
        coin(session, amount),
        session.lend(clock, Passing::Reference).unwrap(),
        context_argument(session),
    ];
    call(session, "bank", "deposit", &[], arguments).unwrap().remove(0)
}

fn with_bank(session: &mut Session<'_>, bank: Slot, function: &str, more: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let signature =
        session.signature(&world::id("bank"), &sui_sdk_types::Identifier::new(function).unwrap(), &[]).unwrap();
    let mut arguments = vec![session.lend(bank, signature.parameters[0].passing).unwrap()];
    arguments.extend(more);
    call(session, "bank", function, &[], arguments).map_err(|e| e.fault)
}

#[test]
fn a_deposit_moves_the_balance_writes_the_table_and_emits_the_event() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let bank_id = session.object_id(session.peek(bank).unwrap()).unwrap();
    assert_eq!(bank_id, Address::derive_id(Digest::new([7; 32]), 0));
    let receipt = deposit(&mut session, bank, 1_000);
    assert_eq!(with_bank(&mut session, bank, "funds", vec![]).unwrap()[0].as_u64(), Some(1_000));
    assert_eq!(with_bank(&mut session, bank, "last", vec![]).unwrap()[0].as_u64(), Some(1_000));
    let held = with_bank(&mut session, bank, "held", vec![Value::address(SENDER)]).unwrap();
    assert_eq!(held[0].as_u64(), Some(1_000));
    let bank = session.take(bank).unwrap();
    call(&mut session, "bank", "share", &[], vec![bank]).unwrap();
    let context = session.tx_context(Passing::Reference).unwrap();
    call(&mut session, "bank", "keep", &[], vec![receipt, context]).unwrap();
    let changes = session.finish().unwrap();
    assert_eq!(changes.objects.len(), 2);
    assert_eq!((changes.objects[0].id, &changes.objects[0].recipient), (bank_id, &Recipient::Shared));
    assert_eq!(changes.objects[1].recipient, Recipient::Address(SENDER));
    assert_eq!(changes.deleted, vec![address(0x77)]);
    assert_eq!(changes.events.len(), 1);
    assert_eq!(changes.events[0].contents, bcs(&(bank_id, SENDER, 1_000_u64, 42_u64)));
    assert_eq!(sui_sdk_types::TypeTag::Struct(Box::new(changes.events[0].type_.clone())), own("bank", "Deposited"));
    assert_eq!(changes.children.len(), 1);
    let child = &changes.children[0];
    assert_eq!(child.id, child.parent.derive_dynamic_child_id(&tag("address"), SENDER.as_bytes()));
    assert_eq!(child.contents, bcs(&(child.id, SENDER, 1_000_u64)));
    assert_eq!(child.type_.to_string().replace(&"0".repeat(63), ""), "0x2::dynamic_field::Field<address, u64>");
}

#[test]
fn withdrawing_gives_the_coin_back_and_deletes_the_receipt() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let receipt = deposit(&mut session, bank, 500);
    let context = context_argument(&mut session);
    let coin = with_bank(&mut session, bank, "withdraw", vec![receipt, context]).unwrap().remove(0);
    assert_eq!(session.coin_value(&coin), Some(500));
    let slot = session.hold(coin).unwrap();
    let part = session.split_coin(slot, 200).unwrap().unwrap();
    assert_eq!((session.coin_value(&part), session.coin_value(session.peek(slot).unwrap())), (Some(200), Some(300)));
    assert!(session.split_coin(slot, 301).unwrap().is_none());
    session.join_coin(slot, part).unwrap();
    assert_eq!(session.coin_value(session.peek(slot).unwrap()), Some(500));
}

#[test]
fn framework_aborts_name_the_framework_function() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let arguments = vec![session.lend(bank, Passing::MutableReference).unwrap(), context_argument(&mut session)];
    let error = call(&mut session, "bank", "overdraw", &[], arguments).unwrap_err();
    let (location, code) = error.abort().unwrap();
    assert_eq!((location.module.to_string().as_str(), location.function.as_str(), code), ("0x2::balance", "split", 2));
    let mut session = world.session();
    let bank = opened(&mut session);
    let error = {
        let lent = session.lend(bank, Passing::Reference).unwrap();
        call(&mut session, "bank", "last", &[], vec![lent]).unwrap_err()
    };
    let (location, code) = error.abort().unwrap();
    assert_eq!((location.function.as_str(), code), ("borrow", 0x40001));
}

#[test]
fn dynamic_fields_are_found_again_in_the_next_transaction() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let key = || Value::bytes(b"k".to_vec());
    with_bank(&mut session, bank, "name", vec![key(), Value::u64(5)]).unwrap();
    assert_eq!(with_bank(&mut session, bank, "name", vec![key(), Value::u64(5)]), Err(Fault::Abort(0)));
    let mut session = world.session();
    let bank = opened(&mut session);
    with_bank(&mut session, bank, "name", vec![key(), Value::u64(5)]).unwrap();
    let bytes = session.encode_slot(bank).unwrap();
    world.apply(&session.finish().unwrap());

    let again = |digest: u8| {
        let mut session = Session::new(&world, &world, world::context(digest), daas_move_vm::Limits::default());
        let bank = session.decode(&own("bank", "Bank"), &bytes).unwrap();
        let bank = session.hold(bank).unwrap();
        (session, bank)
    };
    let (mut session, bank) = again(8);
    with_bank(&mut session, bank, "bump", vec![key()]).unwrap();
    let missing = with_bank(&mut session, bank, "bump", vec![Value::bytes(b"other".to_vec())]);
    assert_eq!(missing, Err(Fault::Abort(1)));
    let (mut session, bank) = again(8);
    assert_eq!(with_bank(&mut session, bank, "mistyped", vec![key()]), Err(Fault::Abort(2)));
    let (mut session, bank) = again(8);
    with_bank(&mut session, bank, "bump", vec![key()]).unwrap();
    let changes = session.finish().unwrap();
    assert_eq!((changes.children.len(), changes.loaded_children.len(), changes.created.len()), (1, 1, 0));
    world.apply(&changes);
    let (mut session, bank) = again(9);
    assert_eq!(with_bank(&mut session, bank, "rename", vec![key()]).unwrap()[0].as_u64(), Some(6));
    let changes = session.finish().unwrap();
    assert_eq!((changes.removed_children.len(), changes.deleted.len(), changes.children.len()), (1, 1, 0));
    world.apply(&changes);
    let (mut session, bank) = again(10);
    let named = with_bank(&mut session, bank, "named", vec![key()]).unwrap().remove(0);
    assert_eq!(session.encode(&named, &tag("bool")).unwrap(), bcs(&false));
}

#[test]
fn object_fields_keep_the_object_under_its_own_id() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let receipt = deposit(&mut session, bank, 9);
    let receipt_id = session.object_id(&receipt).unwrap();
    with_bank(&mut session, bank, "attach", vec![receipt]).unwrap();
    assert_eq!(with_bank(&mut session, bank, "attached", vec![]).unwrap()[0].as_u64(), Some(9));
    let bytes = session.encode_slot(bank).unwrap();
    let changes = session.finish().unwrap();
    assert!(changes.children.iter().any(|c| c.id == receipt_id && c.has_public_transfer));
    world.apply(&changes);
    let mut session = Session::new(&world, &world, world::context(8), daas_move_vm::Limits::default());
    let bank = session.decode(&own("bank", "Bank"), &bytes).unwrap();
    let bank = session.hold(bank).unwrap();
    let receipt = with_bank(&mut session, bank, "detach", vec![]).unwrap().remove(0);
    assert_eq!(session.object_id(&receipt), Some(receipt_id));
    call(&mut session, "bank", "freeze_it", &[], vec![receipt]).unwrap();
    let changes = session.finish().unwrap();
    assert_eq!(changes.objects[0].recipient, Recipient::Immutable);
    assert_eq!(changes.removed_children.len(), 2);
    assert_eq!(changes.deleted.len(), 1);
}

#[test]
fn sharing_an_object_of_an_earlier_transaction_aborts() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let bytes = session.encode_slot(bank).unwrap();
    let mut session = Session::new(&world, &world, world::context(8), daas_move_vm::Limits::default());
    let bank = session.decode(&own("bank", "Bank"), &bytes).unwrap();
    let error = call(&mut session, "bank", "reshare", &[], vec![bank]).unwrap_err();
    let (location, code) = error.abort().unwrap();
    assert_eq!((location.function.as_str(), code), ("share_object_impl", 0));
}

#[test]
fn private_transfer_and_emit_cannot_be_called_from_outside() {
    let world = World::new();
    let mut session = world.session();
    let bank = opened(&mut session);
    let bank = session.take(bank).unwrap();
    let module = daas_move_vm::ModuleId::new(address(2), sui_sdk_types::Identifier::new("transfer").unwrap());
    let function = sui_sdk_types::Identifier::new("share_object").unwrap();
    let error = session.call(&module, &function, &[own("bank", "Bank")], vec![bank]).unwrap_err();
    assert!(matches!(error.fault, Fault::Unverified(_)));
}

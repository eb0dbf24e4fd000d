//! What never enters the chain: each refusal leaves every object as it was and charges nothing.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use daas_devnet::execution::Refused;
use execution_chain::{ALICE, Asked, BOB, BUDGET, CLOCK, Chain, PRICE, Ptb, SUI};
use sui_sdk_types::{
    Address, Command, Digest, GenesisTransaction, Input, Mutability, ObjectReference, Owner, Publish, SharedInput,
    TransactionExpiration, TransactionKind, TransferObjects,
};

/// Transfers one coin of Alice to Bob.
fn coin_transfer(chain: &mut Chain) -> (sui_sdk_types::Transaction, Address) {
    let coin = chain.coin(ALICE, 10);
    let mut ptb = Ptb::default();
    let argument = ptb.object(chain, coin);
    ptb.transfer(vec![argument], BOB);
    (chain.transaction(ALICE, ptb), coin)
}

fn replace_first_input(transaction: &mut sui_sdk_types::Transaction, input: Input) {
    let TransactionKind::ProgrammableTransaction(programmable) = &mut transaction.kind else { panic!() };
    programmable.inputs[0] = input;
}

#[test]
fn a_missing_object_is_refused() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    let id = Address::from_static("0xdead");
    replace_first_input(&mut transaction, Input::ImmutableOrOwned(ObjectReference::new(id, 1, Digest::ZERO)));
    assert_eq!(chain.refuse(&transaction), Refused::MissingObject { id });
}

#[test]
fn a_stale_version_is_refused_so_that_no_owned_object_is_used_twice() {
    let mut chain = Chain::new();
    let (transaction, coin) = coin_transfer(&mut chain);
    let gas = chain.gas_of(ALICE);
    chain.execute(&transaction).unwrap();
    let refused = chain.refuse(&transaction);
    assert!(matches!(refused, Refused::StaleVersion { id, named: 1, .. } if id == gas), "{refused:?}");

    let mut again = transaction.clone();
    again.gas_payment.objects = vec![chain.reference(gas)];
    let refused = chain.refuse(&again);
    assert!(matches!(refused, Refused::StaleVersion { id, named: 1, .. } if id == coin), "{refused:?}");
}

#[test]
fn a_wrong_digest_is_refused() {
    let mut chain = Chain::new();
    let (mut transaction, id) = coin_transfer(&mut chain);
    let named = Digest::new([3; 32]);
    replace_first_input(&mut transaction, Input::ImmutableOrOwned(ObjectReference::new(id, 1, named)));
    let live = chain.get(id).digest();
    assert_eq!(chain.refuse(&transaction), Refused::WrongDigest { id, version: 1, named, live });
}

#[test]
fn an_object_of_somebody_else_is_refused() {
    let mut chain = Chain::new();
    let id = chain.coin(BOB, 10);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.transfer(vec![argument], ALICE);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::WrongOwner { id, owner: BOB, signer: ALICE });
}

#[test]
fn the_gas_coin_of_somebody_else_is_refused() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    let id = chain.gas_of(BOB);
    transaction.gas_payment.objects = vec![chain.reference(id)];
    assert_eq!(chain.refuse(&transaction), Refused::WrongOwner { id, owner: BOB, signer: ALICE });
}

#[test]
fn a_shared_object_named_as_owned_is_refused_and_the_reverse() {
    let mut chain = Chain::new();
    let (mut transaction, coin) = coin_transfer(&mut chain);
    replace_first_input(&mut transaction, Input::ImmutableOrOwned(chain.reference(CLOCK)));
    assert!(matches!(chain.refuse(&transaction), Refused::WrongInputKind { id: CLOCK, actual: "shared", .. }));
    replace_first_input(&mut transaction, Input::Shared(SharedInput::new(coin, 1, true)));
    assert!(matches!(chain.refuse(&transaction), Refused::WrongInputKind { named: "shared", .. }));
}

#[test]
fn a_wrong_initial_shared_version_is_refused() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    replace_first_input(&mut transaction, Input::Shared(SharedInput::new(CLOCK, 2, false)));
    let refused = Refused::WrongInitialSharedVersion { id: CLOCK, actual: 1, named: 2 };
    assert_eq!(chain.refuse(&transaction), refused);
}

#[test]
fn the_clock_cannot_be_borrowed_mutably() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    replace_first_input(&mut transaction, Input::Shared(SharedInput::new(CLOCK, 1, true)));
    assert_eq!(chain.refuse(&transaction), Refused::ImmutableSystemObject { id: CLOCK });
}

#[test]
fn an_object_named_twice_is_refused_also_as_gas_and_input() {
    let mut chain = Chain::new();
    let coin = chain.coin(ALICE, 10);
    let mut ptb = Ptb::default();
    let (one, two) = (ptb.object(&chain, coin), ptb.object(&chain, coin));
    ptb.transfer(vec![one, two], BOB);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::DuplicateInput { id: coin });

    let gas = chain.gas_of(ALICE);
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, gas);
    ptb.transfer(vec![argument], BOB);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::DuplicateInput { id: gas });

    let mut transaction = chain.transaction(ALICE, Ptb::default());
    transaction.gas_payment.objects = vec![chain.reference(gas), chain.reference(gas)];
    assert_eq!(chain.refuse(&transaction), Refused::DuplicateInput { id: gas });
}

#[test]
fn a_package_is_no_object_and_an_object_no_package() {
    let (mut chain, package) = Chain::with_rules();
    let (mut transaction, coin) = coin_transfer(&mut chain);
    replace_first_input(&mut transaction, Input::ImmutableOrOwned(chain.reference(package)));
    assert_eq!(chain.refuse(&transaction), Refused::PackageAsObject { id: package });

    let mut ptb = Ptb::default();
    ptb.call(coin, "items::nothing", vec![]);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::NotAPackage { id: coin });
}

#[test]
fn a_missing_package_is_refused_whether_called_depended_on_or_in_a_type() {
    let mut chain = Chain::new();
    let id = Address::from_static("0xdead");
    let mut ptb = Ptb::default();
    ptb.call(id, "m::f", vec![]);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::MissingObject { id });

    let mut ptb = Ptb::default();
    ptb.command(Command::Publish(Publish { modules: execution_chain::modules("rules"), dependencies: vec![id] }));
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::MissingObject { id });

    let mut ptb = Ptb::default();
    ptb.vector(Some("vector<0xdead::m::T>"), vec![]);
    let transaction = chain.transaction(ALICE, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::MissingObject { id });
}

#[test]
fn gas_price_and_budget_have_bounds() {
    let mut chain = Chain::new();
    let (transaction, _) = coin_transfer(&mut chain);
    let mut cheap = transaction.clone();
    cheap.gas_payment.price = PRICE - 1;
    assert!(matches!(chain.refuse(&cheap), Refused::GasPrice { price: 999, min: PRICE, .. }));
    let mut dear = transaction.clone();
    dear.gas_payment.price = u64::MAX;
    assert!(matches!(chain.refuse(&dear), Refused::GasPrice { .. }));
    let mut small = transaction.clone();
    small.gas_payment.budget = PRICE * 1_000 - 1;
    assert!(matches!(chain.refuse(&small), Refused::GasBudget { min: 1_000_000, .. }));
    let mut large = transaction;
    large.gas_payment.budget = 51 * SUI;
    assert!(matches!(chain.refuse(&large), Refused::GasBudget { .. }));
}

#[test]
fn gas_coins_must_exist_be_sui_and_hold_the_budget() {
    let mut chain = Chain::new();
    let (transaction, _) = coin_transfer(&mut chain);
    let mut none = transaction.clone();
    none.gas_payment.objects.clear();
    assert_eq!(chain.refuse(&none), Refused::NoGasPayment);

    let poor = chain.coin(ALICE, BUDGET - 1);
    let mut transaction_of_poor = transaction.clone();
    transaction_of_poor.gas_payment.objects = vec![chain.reference(poor)];
    let refused = Refused::GasTooPoor { balance: BUDGET - 1, budget: BUDGET };
    assert_eq!(chain.refuse(&transaction_of_poor), refused);

    let id = chain.coin_of("0x5::token::TOKEN", ALICE, 10 * SUI);
    let mut other = transaction.clone();
    other.gas_payment.objects = vec![chain.reference(id)];
    assert_eq!(chain.refuse(&other), Refused::NotAGasCoin { id });

    let mut many = transaction;
    let coins: Vec<Address> = (0..257).map(|_| chain.coin(ALICE, SUI)).collect();
    many.gas_payment.objects = coins.into_iter().map(|id| chain.reference(id)).collect();
    assert!(matches!(chain.refuse(&many), Refused::TooLarge { what: "gas coins", found: 257, limit: 256 }));
}

#[test]
fn expired_transactions_and_those_of_other_chains_are_refused() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    transaction.expiration = TransactionExpiration::Epoch(2);
    assert!(matches!(chain.refuse(&transaction), Refused::Expired(_)));
    let valid = |chain: Digest, min_epoch, max_epoch| TransactionExpiration::ValidDuring {
        min_epoch,
        max_epoch,
        min_timestamp: None,
        max_timestamp: None,
        chain,
        nonce: 1,
    };
    let here = chain.environment.chain;
    for expiration in
        [valid(Digest::new([8; 32]), Some(3), Some(3)), valid(here, Some(4), Some(4)), valid(here, Some(2), Some(2))]
    {
        transaction.expiration = expiration;
        assert!(matches!(chain.refuse(&transaction), Refused::Expired(_)));
    }
    transaction.expiration = valid(here, Some(3), Some(3));
    chain.execute(&transaction).unwrap();
}

#[test]
fn system_transactions_are_refused() {
    let mut chain = Chain::new();
    let (mut transaction, _) = coin_transfer(&mut chain);
    transaction.kind = TransactionKind::Genesis(GenesisTransaction { objects: vec![] });
    assert_eq!(chain.refuse(&transaction), Refused::SystemOnly("Genesis"));
}

#[test]
fn receiving_and_non_exclusive_writes_are_refused_with_a_reason() {
    let mut chain = Chain::new();
    let (mut transaction, coin) = coin_transfer(&mut chain);
    replace_first_input(&mut transaction, Input::Receiving(chain.reference(coin)));
    assert!(matches!(chain.refuse(&transaction), Refused::Unsupported(what) if what.contains("receiving")));
    let shared = SharedInput::new(CLOCK, 1, Mutability::NonExclusiveWrite);
    replace_first_input(&mut transaction, Input::Shared(shared));
    assert!(matches!(chain.refuse(&transaction), Refused::Unsupported(_)));
}

#[test]
fn commands_of_nothing_and_transactions_beyond_the_limits_are_refused() {
    let mut chain = Chain::new();
    let mut ptb = Ptb::default();
    let address = ptb.pure(&BOB);
    ptb.command(Command::TransferObjects(TransferObjects { objects: vec![], address }));
    let transaction = chain.transaction(ALICE, ptb);
    assert!(matches!(chain.refuse(&transaction), Refused::Malformed(_)));

    let mut ptb = Ptb::default();
    ptb.vector(None, vec![]);
    let transaction = chain.transaction(ALICE, ptb);
    assert!(matches!(chain.refuse(&transaction), Refused::Malformed(_)));

    let mut ptb = Ptb::default();
    for _ in 0..1025 {
        ptb.vector(Some("u8"), vec![]);
    }
    let transaction = chain.transaction(ALICE, ptb);
    assert!(matches!(chain.refuse(&transaction), Refused::TooLarge { what: "commands", .. }));

    let mut ptb = Ptb::default();
    ptb.vector(Some(&format!("{}u8{}", "vector<".repeat(16), ">".repeat(16))), vec![]);
    let transaction = chain.transaction(ALICE, ptb);
    assert!(matches!(
        chain.refuse(&transaction),
        Refused::TooLarge { what: "depth of a type argument", found: 17, .. }
    ));

    let mut ptb = Ptb::default();
    ptb.bytes(&vec![0; 16 * 1024 + 1]);
    let transaction = chain.transaction(ALICE, ptb);
    assert!(matches!(chain.refuse(&transaction), Refused::TooLarge { what: "bytes of a pure input", .. }));
}

#[test]
fn a_package_that_needs_an_unknown_framework_function_is_refused_with_its_name() {
    let mut chain = Chain::new();
    let mut ptb = Ptb::default();
    let cap = ptb.publish("unknown");
    ptb.transfer(vec![cap], ALICE);
    let transaction = chain.transaction(ALICE, ptb);
    let function = "0x2::bls12381::bls12381_min_sig_verify".to_owned();
    assert_eq!(chain.refuse(&transaction), Refused::FrameworkFunction { function });
}

#[test]
fn a_deleted_shared_object_is_missing_for_the_next_transaction() {
    let (mut chain, package) = Chain::with_rules();
    let mut ptb = Ptb::default();
    let value = ptb.pure(&5u64);
    let item = ptb.call(package, "items::new", vec![value]);
    ptb.call(package, "items::share", vec![item]);
    let id = chain.succeed(ALICE, ptb).created("items::Item")[0];
    let Owner::Shared(version) = *chain.get(id).owner() else { panic!() };
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, id);
    ptb.call(package, "items::delete", vec![argument]);
    let delete = chain.transaction(BOB, ptb);
    chain.execute(&delete).unwrap();
    let mut ptb = Ptb::default();
    let argument = ptb.input(Input::Shared(SharedInput::new(id, version, true)));
    ptb.call(package, "items::delete", vec![argument]);
    let transaction = chain.transaction(BOB, ptb);
    assert_eq!(chain.refuse(&transaction), Refused::MissingObject { id });
}

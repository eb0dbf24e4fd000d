//! Random programmable transactions: whatever they are, SUI is conserved, versions rise strictly, no object is in two
//! places, a failed transaction changes nothing but gas and versions, and nothing panics.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use execution_chain::{ALICE, Asked, BOB, Chain, Ptb, SUI, contents};
use proptest::prelude::*;
use sui_sdk_types::{
    Address, Argument, Command, ExecutionStatus, MakeMoveVector, MergeCoins, SplitCoins, TransferObjects,
};

/// One command, with arguments still to be bound to what exists.
#[derive(Debug, Clone)]
enum Step {
    Split(u8, Vec<u8>),
    Merge(u8, Vec<u8>),
    Transfer(Vec<u8>, u8),
    Vector(bool, Vec<u8>),
    Call(u8, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let arguments = || prop::collection::vec(any::<u8>(), 0..4);
    prop_oneof![
        (any::<u8>(), arguments()).prop_map(|(coin, amounts)| Step::Split(coin, amounts)),
        (any::<u8>(), arguments()).prop_map(|(coin, others)| Step::Merge(coin, others)),
        (arguments(), any::<u8>()).prop_map(|(objects, to)| Step::Transfer(objects, to)),
        (any::<bool>(), arguments()).prop_map(|(typed, elements)| Step::Vector(typed, elements)),
        (any::<u8>(), arguments()).prop_map(|(function, arguments)| Step::Call(function, arguments)),
    ]
}

const FUNCTIONS: [&str; 16] = [
    "items::new",
    "items::set",
    "items::delete",
    "items::share",
    "items::freeze_item",
    "items::wrap",
    "items::unwrap",
    "items::smash",
    "items::swap_items",
    "items::potato",
    "items::eat",
    "items::note",
    "items::total",
    "fields::own",
    "fields::write",
    "calls::take_mut",
];

/// The chain on which transactions run: coins, an item, a boxed item and a shared one.
fn prepared() -> (Chain, Address, Vec<Address>) {
    let (mut chain, package) = Chain::with_rules();
    let mut objects = vec![chain.coin(ALICE, 1_000), chain.coin(ALICE, 7)];
    let mut ptb = Ptb::default();
    let (value, to) = (ptb.pure(&5u64), ptb.pure(&ALICE));
    ptb.call(package, "items::create", vec![value, to]);
    let item = ptb.call(package, "items::new", vec![value]);
    let boxed = ptb.call(package, "items::wrap", vec![item]);
    ptb.transfer(vec![boxed], ALICE);
    let item = ptb.call(package, "items::new", vec![value]);
    ptb.call(package, "items::share", vec![item]);
    ptb.call(package, "fields::own", vec![]);
    let executed = chain.succeed(ALICE, ptb);
    for type_ in ["items::Item", "items::Box", "fields::Book"] {
        objects.extend(executed.created(type_));
    }
    (chain, package, objects)
}

fn build(chain: &Chain, package: Address, objects: &[Address], steps: &[Step]) -> Ptb {
    let mut ptb = Ptb::default();
    for id in objects {
        ptb.object(chain, *id);
    }
    ptb.pure(&3u64);
    ptb.pure(&BOB);
    for step in steps {
        let (inputs, commands) = (ptb.inputs.len(), ptb.commands.len());
        let pick = |byte: u8| {
            let choices = 1 + inputs + 2 * commands;
            match usize::from(byte) % choices {
                0 => Argument::Gas,
                n if n <= inputs => Argument::Input(u16::try_from(n - 1).unwrap()),
                n if n <= inputs + commands => Argument::Result(u16::try_from(n - inputs - 1).unwrap()),
                n => Argument::NestedResult(u16::try_from(n - inputs - commands - 1).unwrap(), 0),
            }
        };
        let all = |bytes: &[u8]| bytes.iter().map(|byte| pick(*byte)).collect::<Vec<_>>();
        let number = Argument::Input(u16::try_from(objects.len()).unwrap());
        let bob = Argument::Input(u16::try_from(objects.len() + 1).unwrap());
        match step {
            Step::Split(coin, amounts) => {
                let amounts = std::iter::once(number).chain(all(amounts)).collect();
                ptb.command(Command::SplitCoins(SplitCoins { coin: pick(*coin), amounts }));
            }
            Step::Merge(coin, others) if !others.is_empty() => {
                ptb.command(Command::MergeCoins(MergeCoins { coin: pick(*coin), coins_to_merge: all(others) }));
            }
            Step::Transfer(objects, to) if !objects.is_empty() => {
                let address = if to % 8 == 0 { pick(*to) } else { bob };
                ptb.command(Command::TransferObjects(TransferObjects { objects: all(objects), address }));
            }
            Step::Vector(typed, elements) if *typed || !elements.is_empty() => {
                let element = typed.then(|| format!("{package}::items::Item").parse().unwrap());
                ptb.command(Command::MakeMoveVector(MakeMoveVector { type_: element, elements: all(elements) }));
            }
            Step::Call(function, arguments) => {
                let function = FUNCTIONS[usize::from(*function) % FUNCTIONS.len()];
                let arguments =
                    if function == "items::new" || function == "items::note" { vec![number] } else { all(arguments) };
                ptb.call(package, function, arguments);
            }
            _ => {}
        }
    }
    ptb
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_transaction_is_its_result_is_sound(steps in prop::collection::vec(step(), 0..8)) {
        let (mut chain, package, objects) = prepared();
        let ptb = build(&chain, package, &objects, &steps);
        let before = chain.objects.clone();
        let gas = chain.gas_of(ALICE);
        // `execute` of the test chain checks conservation, versions and places.
        let executed = chain.run(ALICE, ptb);
        if let ExecutionStatus::Failure { .. } = executed.status() {
            prop_assert_eq!(before.keys().collect::<Vec<_>>(), chain.objects.keys().collect::<Vec<_>>());
            for (id, old) in &before {
                let new = chain.get(*id);
                prop_assert_eq!(old.owner(), new.owner());
                prop_assert!(*id == gas || contents(old) == contents(new));
            }
        }
        for (id, old) in &before {
            if executed.changed(*id) && let Some(new) = chain.objects.get(id) {
                prop_assert!(new.version() > old.version());
            }
        }
    }

    #[test]
    fn execution_is_deterministic(steps in prop::collection::vec(step(), 0..6)) {
        let (mut one, package, objects) = prepared();
        let (mut two, _, _) = prepared();
        let ptb = build(&one, package, &objects, &steps);
        let transaction = one.transaction(ALICE, ptb);
        let (one, two) = (one.execute(&transaction).unwrap(), two.execute(&transaction).unwrap());
        prop_assert_eq!(one.effects, two.effects);
        prop_assert_eq!(one.written, two.written);
    }

    #[test]
    fn gas_is_conserved_for_every_budget_price_and_number_of_coins(
        budget in 1_000_000u64..20_000_000,
        price in 1_000u64..1_020,
        coins in prop::collection::vec(0..SUI, 0..4),
        amount in 0..SUI,
    ) {
        let (mut chain, package, _) = prepared();
        let mut ptb = Ptb::default();
        let part = ptb.split(Argument::Gas, &[amount]);
        ptb.transfer(vec![part], BOB);
        let number = ptb.pure(&500u64);
        ptb.call(package, "calls::grow", vec![number]);
        let mut transaction = chain.transaction(ALICE, ptb);
        for balance in coins {
            let coin = chain.coin(ALICE, balance);
            transaction.gas_payment.objects.push(chain.reference(coin));
        }
        transaction.gas_payment.budget = budget.max(price * 1_000);
        transaction.gas_payment.price = price;
        let executed = chain.execute(&transaction).unwrap();
        let gas = &executed.v2().gas_used;
        prop_assert!(gas.net_gas_usage() <= i64::try_from(transaction.gas_payment.budget).unwrap());
    }
}

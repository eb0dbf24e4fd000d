//! Random programmable transactions: whatever they are, SUI is conserved, versions rise strictly, no object is in two
//! places, a failed transaction changes nothing but gas and versions, and nothing panics.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use execution_chain::{ALICE, Asked, BOB, Chain, Ptb, SUI, contents};
use proptest::{prelude::*, strategy::ValueTree};
use sui_sdk_types::{
    Address, Argument, Command, ExecutionStatus, MakeMoveVector, MergeCoins, Owner, SplitCoins, TransferObjects,
};

/// One command: what kind, bytes that choose its arguments, and whether they come from anywhere or fit their place.
#[derive(Debug, Clone)]
struct Step {
    kind: u8,
    bytes: Vec<u8>,
    wild: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (0..14u8, prop::collection::vec(any::<u8>(), 1..4), prop::bool::weighted(0.08))
        .prop_map(|(kind, bytes, wild)| Step { kind, bytes, wild })
}

/// Values that commands may still use, by what they are.
struct Bench {
    ptb: Ptb,
    package: Address,
    coins: Vec<Argument>,
    items: Vec<Argument>,
    boxes: Vec<Argument>,
    potatoes: Vec<Argument>,
    book: Argument,
    number: Argument,
}

impl Bench {
    fn new(chain: &Chain, package: Address, objects: &[Address]) -> Self {
        let mut ptb = Ptb::default();
        let inputs: Vec<Argument> = objects.iter().map(|id| ptb.object(chain, *id)).collect();
        let number = ptb.pure(&3u64);
        let [one, two, item, shared, boxed, book] = inputs[..] else { panic!("{} objects", inputs.len()) };
        Self {
            ptb,
            package,
            coins: vec![Argument::Gas, one, two],
            items: vec![item, shared],
            boxes: vec![boxed],
            potatoes: vec![],
            book,
            number,
        }
    }

    fn call(&mut self, function: &str, arguments: Vec<Argument>) -> Argument {
        self.ptb.call(self.package, function, arguments)
    }

    fn wild_step(&mut self, step: &Step) {
        let arguments: Vec<Argument> = step.bytes.iter().map(|byte| wild(*byte)).collect();
        let functions = ["items::set", "items::wrap", "items::total", "items::eat", "fields::write", "calls::take_mut"];
        match step.kind % 5 {
            0 => {
                let (coin, amounts) = (arguments[0], arguments);
                self.ptb.command(Command::SplitCoins(SplitCoins { coin, amounts }));
            }
            1 => {
                let (coin, coins_to_merge) = (arguments[0], arguments);
                self.ptb.command(Command::MergeCoins(MergeCoins { coin, coins_to_merge }));
            }
            2 => {
                let (address, objects) = (arguments[0], arguments);
                self.ptb.command(Command::TransferObjects(TransferObjects { objects, address }));
            }
            3 => {
                self.ptb.command(Command::MakeMoveVector(MakeMoveVector { type_: None, elements: arguments }));
            }
            _ => {
                let function = functions[usize::from(step.bytes[0]) % functions.len()];
                self.call(function, arguments);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        if step.wild {
            return self.wild_step(step);
        }
        let byte = usize::from(step.bytes[0]);
        let coin = self.coins[byte % self.coins.len()];
        let item = (!self.items.is_empty()).then(|| byte % self.items.len());
        let boxed = (!self.boxes.is_empty()).then(|| byte % self.boxes.len());
        match (step.kind, item, boxed) {
            (0 | 1, ..) => {
                let amounts = vec![self.number; step.bytes.len()];
                let parts = self.ptb.command(Command::SplitCoins(SplitCoins { coin, amounts }));
                let count = u16::try_from(step.bytes.len()).unwrap();
                self.coins.extend((0..count).filter_map(|part| parts.nested(part)));
            }
            (2, ..) if self.coins.len() > 1 => {
                let other = self.coins.remove(1 + byte % (self.coins.len() - 1));
                self.ptb.merge(Argument::Gas, vec![other]);
            }
            (3, ..) if self.coins.len() > 1 => {
                let other = self.coins.remove(1 + byte % (self.coins.len() - 1));
                self.ptb.transfer(vec![other], BOB);
            }
            (4, ..) => {
                let new = self.call("items::new", vec![self.number]);
                self.items.push(new);
            }
            (5, Some(at), _) => {
                self.call("items::set", vec![self.items[at], self.number]);
            }
            (6, Some(at), _) => {
                let item = self.items.remove(at);
                let function = ["items::delete", "items::share", "items::freeze_item"][byte % 3];
                self.call(function, vec![item]);
            }
            (7, Some(at), _) => {
                let item = self.items.remove(at);
                let boxed = self.call("items::wrap", vec![item]);
                self.boxes.push(boxed);
            }
            (8, _, Some(at)) => {
                let boxed = self.boxes.remove(at);
                let item = self.call("items::unwrap", vec![boxed]);
                self.items.push(item);
            }
            (9, Some(item), Some(boxed)) => {
                let item = self.items.remove(item);
                let swapped = self.call("items::swap_items", vec![self.boxes[boxed], item]);
                self.items.push(swapped);
            }
            (10, Some(at), _) => {
                let item = self.items.remove(at);
                let vector = self.ptb.vector(None, vec![item]);
                self.call("items::total", vec![vector]);
            }
            (11, ..) => {
                let potato = self.call("items::potato", vec![self.number]);
                self.potatoes.push(potato);
            }
            (12, ..) => {
                self.call("fields::write", vec![self.book, self.number, self.number]);
            }
            (13, _, Some(at)) => {
                let boxed = self.boxes.remove(at);
                self.call("items::smash", vec![boxed]);
            }
            _ => {}
        }
    }

    /// Uses up what results are left.
    fn finish(mut self) -> Ptb {
        for potato in std::mem::take(&mut self.potatoes) {
            self.call("items::eat", vec![potato]);
        }
        let is_result = |value: &Argument| matches!(value, Argument::Result(_) | Argument::NestedResult(..));
        let left = self.coins.iter().chain(&self.items).chain(&self.boxes);
        let left: Vec<Argument> = left.filter(|value| is_result(value)).copied().collect();
        if !left.is_empty() {
            self.ptb.transfer(left, BOB);
        }
        self.ptb
    }
}

/// Any argument that exists, and some that do not.
fn wild(byte: u8) -> Argument {
    let index = u16::from(byte / 4 % 16);
    match byte % 4 {
        0 => Argument::Gas,
        1 => Argument::Input(index),
        2 => Argument::Result(index),
        _ => Argument::NestedResult(index, 0),
    }
}

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
    objects[2..4].sort_by_key(|id| !matches!(chain.get(*id).owner(), Owner::Address(_)));
    (chain, package, objects)
}

fn build(chain: &Chain, package: Address, objects: &[Address], steps: &[Step]) -> Ptb {
    let mut bench = Bench::new(chain, package, objects);
    for step in steps {
        bench.step(step);
    }
    bench.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

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

/// The properties above say little if nearly every random transaction fails.
#[test]
fn random_transactions_succeed_often_enough_to_mean_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 1..8);
    let (chain, package, objects) = prepared();
    let mut succeeded = 0;
    for _ in 0..400 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let ptb = build(&chain, package, &objects, &steps);
        let commands = ptb.commands.len();
        let transaction = chain.transaction(ALICE, ptb);
        let executed = chain.simulate(&transaction, daas_devnet::execution::Checks::Enabled).unwrap();
        succeeded += usize::from(commands > 0 && *executed.status() == ExecutionStatus::Success);
    }
    println!("{succeeded} of 400 succeeded");
    assert!((100..400).contains(&succeeded), "{succeeded} of 400");
}

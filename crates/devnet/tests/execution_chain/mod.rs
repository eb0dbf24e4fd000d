//! A chain of objects in memory and a builder of transactions, for the tests of execution.

#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::sync::Arc;

use daas_devnet::execution::{
    Checks, Environment, Executed, Limits, ModuleCache, ObjectReader, Refused, execute, package_digest, simulate,
};
use serde::Serialize;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Event, ExecutionError, ExecutionStatus, GasPayment, Identifier, Input,
    MakeMoveVector, MergeCoins, MoveCall, MoveStruct, Object, ObjectData, ObjectReference, Owner,
    ProgrammableTransaction, Publish, SharedInput, SplitCoins, StructTag, Transaction, TransactionEffectsV2,
    TransactionExpiration, TransactionKind, TransferObjects, TypeTag, Upgrade,
};

pub const ALICE: Address = Address::from_static("0xa11ce");
pub const BOB: Address = Address::from_static("0xb0b");
pub const CLOCK: Address = Address::from_static("0x6");
pub const STD: Address = Address::from_static("0x1");
pub const SUI: u64 = 1_000_000_000;
pub const PRICE: u64 = 1_000;
pub const BUDGET: u64 = SUI;

/// Bytecode of a fixture package (`tests/fixtures/execution/README.md`).
pub fn modules(package: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/fixtures/execution/bytecode/{package}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

pub struct Chain {
    pub objects: BTreeMap<Address, Arc<Object>>,
    pub modules: ModuleCache,
    pub environment: Environment,
    gas: BTreeMap<Address, Address>,
    made: u64,
}

impl ObjectReader for Chain {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        self.objects.get(id).cloned()
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}

impl Chain {
    /// A chain with the Clock, and a gas coin of 100 SUI each for Alice and Bob.
    pub fn new() -> Self {
        let environment = Environment {
            epoch: 3,
            epoch_start_ms: 1_000,
            now_ms: 42_000,
            reference_gas_price: PRICE,
            chain: Digest::new([7; 32]),
            limits: Limits::default(),
            attestation: None,
        };
        let mut chain =
            Self { objects: BTreeMap::new(), modules: ModuleCache::new(), environment, gas: BTreeMap::new(), made: 0 };
        let clock = [CLOCK.as_bytes(), 0u64.to_le_bytes().as_slice()].concat();
        chain.put("0x2::clock::Clock", clock, Owner::Shared(1), 1);
        for owner in [ALICE, BOB] {
            let coin = chain.coin(owner, 100 * SUI);
            chain.gas.insert(owner, coin);
        }
        chain
    }

    /// A chain with the package `rules`, and its id.
    pub fn with_rules() -> (Self, Address) {
        let mut chain = Self::new();
        let (executed, package) = chain.publish("rules");
        assert_eq!(executed.failure, None);
        (chain, package)
    }

    /// Publishes a fixture package as Alice; the UpgradeCap goes to her.
    pub fn publish(&mut self, package: &str) -> (Executed, Address) {
        let mut ptb = Ptb::default();
        let cap = ptb.publish(package);
        ptb.transfer(vec![cap], ALICE);
        let executed = self.run(ALICE, ptb);
        let id = executed
            .written
            .iter()
            .find(|object| matches!(object.data(), ObjectData::Package(_)))
            .map_or(Address::ZERO, Object::object_id);
        (executed, id)
    }

    pub fn put(&mut self, type_: &str, contents: Vec<u8>, owner: Owner, version: u64) -> Address {
        let type_: StructTag = type_.parse().unwrap();
        let stored = MoveStruct::new(type_, true, version, contents).unwrap();
        let object = Object::new(ObjectData::Struct(stored), owner, Digest::new([1; 32]), 1_000_000);
        let id = object.object_id();
        self.objects.insert(id, Arc::new(object));
        id
    }

    /// A new SUI coin.
    pub fn coin(&mut self, owner: Address, balance: u64) -> Address {
        self.coin_of("0x2::sui::SUI", owner, balance)
    }

    pub fn coin_of(&mut self, coin_type: &str, owner: Address, balance: u64) -> Address {
        self.made += 1;
        let id = Address::derive_id(Digest::new([9; 32]), self.made);
        let contents = [id.as_bytes(), balance.to_le_bytes().as_slice()].concat();
        self.put(&format!("0x2::coin::Coin<{coin_type}>"), contents, Owner::Address(owner), 1)
    }

    pub fn gas_of(&self, owner: Address) -> Address {
        self.gas[&owner]
    }

    pub fn reference(&self, id: Address) -> ObjectReference {
        let object = &self.objects[&id];
        ObjectReference::new(id, object.version(), object.digest())
    }

    pub fn get(&self, id: Address) -> &Object {
        &self.objects[&id]
    }

    /// The `u64` after the id, which in most fixture objects and in coins is the value.
    pub fn value(&self, id: Address) -> u64 {
        value_of(self.get(id))
    }

    pub fn transaction(&self, sender: Address, ptb: Ptb) -> Transaction {
        Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                inputs: ptb.inputs,
                commands: ptb.commands,
            }),
            sender,
            gas_payment: GasPayment {
                objects: vec![self.reference(self.gas[&sender])],
                owner: sender,
                price: PRICE,
                budget: BUDGET,
            },
            expiration: TransactionExpiration::None,
        }
    }

    /// Executes and keeps what came of it.
    pub fn execute(&mut self, transaction: &Transaction) -> Result<Executed, Refused> {
        let executed = execute(transaction, self, &self.modules, &self.environment)?;
        check_invariants(&executed);
        for id in executed.deleted.iter().chain(&executed.wrapped) {
            assert!(self.objects.remove(id).is_some(), "{id} did not exist");
        }
        for object in &executed.written {
            self.objects.insert(object.object_id(), Arc::new(object.clone()));
        }
        Ok(executed)
    }

    pub fn simulate(&self, transaction: &Transaction, checks: Checks) -> Result<Executed, Refused> {
        simulate(transaction, self, &self.modules, &self.environment, checks)
    }

    pub fn run(&mut self, sender: Address, ptb: Ptb) -> Executed {
        let transaction = self.transaction(sender, ptb);
        self.execute(&transaction).unwrap()
    }

    /// Runs what must succeed.
    pub fn succeed(&mut self, sender: Address, ptb: Ptb) -> Executed {
        let executed = self.run(sender, ptb);
        assert_eq!(executed.status(), &ExecutionStatus::Success, "{:?}", executed.failure);
        executed
    }

    /// Runs what must fail, and sees that nothing but gas changed; gives error and command.
    pub fn fail(&mut self, sender: Address, ptb: Ptb) -> (ExecutionError, Option<u64>) {
        let before = self.objects.clone();
        let executed = self.run(sender, ptb);
        let ExecutionStatus::Failure { error, command } = executed.status().clone() else {
            panic!("succeeded");
        };
        assert_eq!(executed.events, None);
        let gas = self.gas[&sender];
        assert_eq!(before.keys().collect::<Vec<_>>(), self.objects.keys().collect::<Vec<_>>());
        for (id, old) in &before {
            let new = self.get(*id);
            assert_eq!(old.owner(), new.owner());
            if *id != gas {
                assert_eq!(contents(old), contents(new), "a failed transaction changed {id}");
            }
        }
        assert!(value_of(&before[&gas]) > self.value(gas), "a failed transaction pays");
        (error, command)
    }

    /// Runs what never enters the chain.
    pub fn refuse(&mut self, transaction: &Transaction) -> Refused {
        let before = self.objects.clone();
        let refused = self.execute(transaction).unwrap_err();
        assert_eq!(before, self.objects);
        refused
    }
}

/// What must hold after every execution, whatever it did.
fn check_invariants(executed: &Executed) {
    let effects = executed.v2();
    let gas = &effects.gas_used;
    // SUI is conserved: coins and rebates that went in are coins, rebates and fees that came out.
    let before: u128 = executed
        .inputs
        .iter()
        .filter(|object| executed.changed(object.object_id()))
        .map(|object| u128::from(sui_inside(object)) + u128::from(object.storage_rebate()))
        .sum();
    let after: u128 = executed
        .written
        .iter()
        .map(|object| u128::from(sui_inside(object)) + u128::from(object.storage_rebate()))
        .sum();
    let fees = u128::from(gas.computation_cost) + u128::from(gas.non_refundable_storage_fee);
    assert_eq!(before, after + fees, "SUI is not conserved: {gas:?}");
    // Versions rise, strictly and together; every written object names this transaction.
    let highest = executed.inputs.iter().map(|object| object.version()).max().unwrap();
    assert!(effects.lamport_version > highest);
    for object in &executed.written {
        assert_eq!(object.previous_transaction(), effects.transaction_digest);
        if object.as_struct().is_some() {
            assert_eq!(object.version(), effects.lamport_version);
        }
    }
    // No object is in two places, and effects say what was written.
    let mut ids: Vec<Address> = executed.written.iter().map(Object::object_id).collect();
    ids.extend(executed.deleted.iter().chain(&executed.wrapped));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an object is in two places");
    for object in &executed.written {
        let change = executed.change(object.object_id());
        let digest = match &change.output_state {
            sui_sdk_types::ObjectOut::ObjectWrite { digest, owner } => {
                assert_eq!(owner, object.owner());
                digest
            }
            sui_sdk_types::ObjectOut::PackageWrite { digest, .. } => digest,
            other => panic!("{other:?}"),
        };
        assert_eq!(*digest, object.digest());
    }
    let index = effects.gas_object_index.unwrap() as usize;
    assert!(effects.changed_objects[index].output_state != sui_sdk_types::ObjectOut::NotExist);
    // The format holds: effects survive encoding.
    let bytes = bcs::to_bytes(&executed.effects).unwrap();
    assert_eq!(bcs::from_bytes::<sui_sdk_types::TransactionEffects>(&bytes).unwrap(), executed.effects);
    assert_eq!(effects.events_digest, executed.events.as_ref().map(sui_sdk_types::TransactionEvents::digest));
}

/// SUI that the object holds: a coin of SUI, or a stake of the project's contract.
pub fn sui_inside(object: &Object) -> u64 {
    let Some(stored) = object.as_struct() else { return 0 };
    let type_ = stored.object_type();
    if *type_ == StructTag::gas_coin() {
        return value_of(object);
    }
    if type_.module().as_str() == "staking" && type_.name().as_str() == "Stake" {
        // Id, cluster and owner; node id and name; tier, status, suspended; then the balance.
        let bytes = stored.contents();
        let name_at = 96 + 1 + usize::from(bytes[96]);
        let balance_at = name_at + 1 + usize::from(bytes[name_at]) + 3;
        return u64::from_le_bytes(bytes[balance_at..balance_at + 8].try_into().unwrap());
    }
    0
}

pub fn value_of(object: &Object) -> u64 {
    u64::from_le_bytes(contents(object)[32..40].try_into().unwrap())
}

pub fn contents(object: &Object) -> Vec<u8> {
    match object.data() {
        ObjectData::Struct(stored) => stored.contents().to_vec(),
        ObjectData::Package(package) => bcs::to_bytes(package).unwrap(),
    }
}

/// What tests ask about an execution.
pub trait Asked {
    fn v2(&self) -> &TransactionEffectsV2;
    fn status(&self) -> &ExecutionStatus;
    fn change(&self, id: Address) -> &sui_sdk_types::ChangedObject;
    fn changed(&self, id: Address) -> bool;
    fn created(&self, type_: &str) -> Vec<Address>;
    fn events(&self) -> &[Event];
}

impl Asked for Executed {
    fn v2(&self) -> &TransactionEffectsV2 {
        match &self.effects {
            sui_sdk_types::TransactionEffects::V2(effects) => effects,
            sui_sdk_types::TransactionEffects::V1(_) => panic!("effects V1"),
        }
    }

    fn status(&self) -> &ExecutionStatus {
        self.effects.status()
    }

    fn change(&self, id: Address) -> &sui_sdk_types::ChangedObject {
        self.v2().changed_objects.iter().find(|change| change.object_id == id).unwrap()
    }

    fn changed(&self, id: Address) -> bool {
        self.v2().changed_objects.iter().any(|change| change.object_id == id)
    }

    /// Ids of created objects whose type ends so.
    fn created(&self, type_: &str) -> Vec<Address> {
        self.written
            .iter()
            .filter(|object| object.as_struct().is_some_and(|stored| stored.object_type().to_string().ends_with(type_)))
            .map(Object::object_id)
            .filter(|id| self.change(*id).id_operation == sui_sdk_types::IdOperation::Created)
            .collect()
    }

    fn events(&self) -> &[Event] {
        self.events.as_ref().map_or(&[], |events| &events.0)
    }
}

/// A programmable transaction under construction.
#[derive(Default, Clone)]
pub struct Ptb {
    pub inputs: Vec<Input>,
    pub commands: Vec<Command>,
}

impl Ptb {
    pub fn input(&mut self, input: Input) -> Argument {
        self.inputs.push(input);
        Argument::Input(u16::try_from(self.inputs.len() - 1).unwrap())
    }

    pub fn pure(&mut self, value: &impl Serialize) -> Argument {
        self.input(Input::Pure(bcs::to_bytes(value).unwrap()))
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Argument {
        self.input(Input::Pure(bytes.to_vec()))
    }

    /// The live object: shared ones mutably.
    pub fn object(&mut self, chain: &Chain, id: Address) -> Argument {
        match chain.get(id).owner() {
            Owner::Shared(version) => self.input(Input::Shared(SharedInput::new(id, *version, true))),
            _ => self.input(Input::ImmutableOrOwned(chain.reference(id))),
        }
    }

    /// The shared object, to read only.
    pub fn read(&mut self, chain: &Chain, id: Address) -> Argument {
        let Owner::Shared(version) = chain.get(id).owner() else { panic!("{id} is not shared") };
        self.input(Input::Shared(SharedInput::new(id, *version, false)))
    }

    pub fn command(&mut self, command: Command) -> Argument {
        self.commands.push(command);
        Argument::Result(u16::try_from(self.commands.len() - 1).unwrap())
    }

    /// `function` is `module::name`.
    pub fn call(&mut self, package: Address, function: &str, arguments: Vec<Argument>) -> Argument {
        self.call_with(package, function, &[], arguments)
    }

    pub fn call_with(
        &mut self,
        package: Address,
        function: &str,
        type_arguments: &[&str],
        arguments: Vec<Argument>,
    ) -> Argument {
        let (module, function) = function.split_once("::").unwrap();
        self.command(Command::MoveCall(MoveCall {
            package,
            module: Identifier::new(module).unwrap(),
            function: Identifier::new(function).unwrap(),
            type_arguments: type_arguments.iter().map(|type_| type_.parse::<TypeTag>().unwrap()).collect(),
            arguments,
        }))
    }

    pub fn transfer(&mut self, objects: Vec<Argument>, recipient: Address) {
        let address = self.pure(&recipient);
        self.command(Command::TransferObjects(TransferObjects { objects, address }));
    }

    pub fn split(&mut self, coin: Argument, amounts: &[u64]) -> Argument {
        let amounts = amounts.iter().map(|amount| self.pure(amount)).collect();
        self.command(Command::SplitCoins(SplitCoins { coin, amounts }))
    }

    pub fn merge(&mut self, coin: Argument, coins_to_merge: Vec<Argument>) {
        self.command(Command::MergeCoins(MergeCoins { coin, coins_to_merge }));
    }

    pub fn vector(&mut self, type_: Option<&str>, elements: Vec<Argument>) -> Argument {
        let type_ = type_.map(|type_| type_.parse().unwrap());
        self.command(Command::MakeMoveVector(MakeMoveVector { type_, elements }))
    }

    pub fn publish(&mut self, package: &str) -> Argument {
        let dependencies = vec![STD, Address::TWO];
        self.command(Command::Publish(Publish { modules: modules(package), dependencies }))
    }

    /// Authorizes, upgrades and commits; `policy` is what the ticket asks for.
    pub fn upgrade(&mut self, chain: &Chain, cap: Address, package: Address, modules: Vec<Vec<u8>>, policy: u8) {
        let dependencies = vec![STD, Address::TWO];
        let digest = package_digest(&modules, &dependencies);
        self.upgrade_with_digest(chain, cap, package, modules, policy, digest.as_bytes());
    }

    pub fn upgrade_with_digest(
        &mut self,
        chain: &Chain,
        cap: Address,
        package: Address,
        modules: Vec<Vec<u8>>,
        policy: u8,
        digest: &[u8],
    ) {
        let dependencies = vec![STD, Address::TWO];
        let cap = self.object(chain, cap);
        let policy = self.pure(&policy);
        let digest = self.pure(&digest.to_vec());
        let ticket = self.call(Address::TWO, "package::authorize_upgrade", vec![cap, policy, digest]);
        let receipt = self.command(Command::Upgrade(Upgrade { modules, dependencies, package, ticket }));
        self.call(Address::TWO, "package::commit_upgrade", vec![cap, receipt]);
    }
}

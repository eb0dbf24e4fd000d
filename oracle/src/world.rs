//! The state before a case: objects as the development chain's own execution left them.

use std::collections::BTreeMap;
use std::sync::Arc;

use daas_devnet::execution::{
    Checks, Environment, Executed, Limits, ModuleCache, ObjectReader, Refused, execute, simulate,
};
use sui_sdk_types::{
    Address, Command, Digest, ExecutionStatus, GasPayment, MoveStruct, Object, ObjectData, Owner,
    ProgrammableTransaction, Publish, StructTag, TransactionEffects, TransactionExpiration, TransactionKind,
};

use crate::transaction::Transaction;

/// The Clock.
pub(crate) const CLOCK: Address = Address::from_static("0x6");
/// Reference gas price, which also is what transactions pay.
pub(crate) const GAS_PRICE: u64 = 1_000;
/// The first time that the Clock shows: some day of 2026.
const START_MS: u64 = 1_780_000_000_000;
const GAS_BALANCE: u64 = 100_000_000_000;

/// Objects, time and the published package.
#[derive(Clone)]
pub(crate) struct World {
    objects: BTreeMap<Address, Arc<Object>>,
    modules: Arc<ModuleCache>,
    now_ms: u64,
    made: u64,
    /// The package under test.
    pub(crate) package: Address,
    /// Its UpgradeCap.
    pub(crate) upgrade_cap: Address,
}

impl ObjectReader for World {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        self.objects.get(id).cloned()
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}

impl World {
    /// A chain with nothing but the package, published by `publisher`.
    pub(crate) fn with_package(modules: Vec<Vec<u8>>, publisher: Address) -> Self {
        let mut world = Self {
            objects: BTreeMap::new(),
            modules: Arc::new(ModuleCache::new()),
            now_ms: START_MS,
            made: 0,
            package: Address::ZERO,
            upgrade_cap: Address::ZERO,
        };
        world.set_time(START_MS);
        let publish = Publish { modules, dependencies: vec![Address::from_static("0x1"), Address::TWO] };
        let transfer = Command::TransferObjects(sui_sdk_types::TransferObjects {
            objects: vec![sui_sdk_types::Argument::Result(0)],
            address: sui_sdk_types::Argument::Input(0),
        });
        let programmable = ProgrammableTransaction {
            inputs: vec![sui_sdk_types::Input::Pure(publisher.as_bytes().to_vec())],
            commands: vec![Command::Publish(publish), transfer],
        };
        let (_, executed) = world.execute_programmable(publisher, programmable, false);
        let executed = executed.expect("the chain admits the package");
        assert_eq!(failure(&executed), None, "{:?}", executed.failure);
        for object in &executed.written {
            match object.data() {
                ObjectData::Package(package) => world.package = package.id,
                ObjectData::Struct(data) if data.object_type().name().as_str() == "UpgradeCap" => {
                    world.upgrade_cap = data.object_id();
                }
                ObjectData::Struct(_) => {}
            }
        }
        world.apply(&executed);
        world
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(crate) fn set_time(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let contents = [CLOCK.as_bytes(), now_ms.to_le_bytes().as_slice()].concat();
        self.insert(framework_type("clock", "Clock"), false, contents, Owner::Shared(1));
    }

    /// A new coin with this many MIST.
    pub(crate) fn coin(&mut self, owner: Address, mist: u64) -> Address {
        self.made += 1;
        let id = Address::derive_id(Digest::ZERO, self.made);
        let contents = [id.as_bytes(), mist.to_le_bytes().as_slice()].concat();
        self.insert(StructTag::gas_coin(), true, contents, Owner::Address(owner));
        id
    }

    /// Puts an object with these contents in the place of the one with its id.
    pub(crate) fn overwrite(&mut self, id: Address, change: impl FnOnce(&mut Vec<u8>)) {
        let object = self.expect(&id);
        let data = object.as_struct().expect("not a package");
        let mut contents = data.contents().to_vec();
        change(&mut contents);
        self.insert(data.object_type().clone(), data.has_public_transfer(), contents, *object.owner());
    }

    pub(crate) fn expect(&self, id: &Address) -> Arc<Object> {
        self.object(id).unwrap_or_else(|| panic!("there is no object {id}"))
    }

    /// Dynamic fields and child objects of `parent`.
    pub(crate) fn children<'a>(&'a self, parent: &'a Address) -> impl Iterator<Item = &'a Arc<Object>> + 'a {
        self.objects.values().filter(move |object| *object.owner() == Owner::Object(*parent))
    }

    /// Executes without consequence; the digest is that of the transaction.
    pub(crate) fn execute(&mut self, transaction: &Transaction) -> (Digest, Result<Executed, Refused>) {
        let programmable = transaction.programmable(self);
        self.execute_programmable(transaction.sender, programmable, transaction.unchecked)
    }

    /// Takes over what the transaction did.
    pub(crate) fn apply(&mut self, executed: &Executed) {
        for id in executed.deleted.iter().chain(&executed.wrapped) {
            self.objects.remove(id);
        }
        for object in &executed.written {
            self.objects.insert(object.object_id(), Arc::new(object.clone()));
        }
    }

    fn insert(&mut self, type_: StructTag, has_public_transfer: bool, contents: Vec<u8>, owner: Owner) {
        let data = MoveStruct::new(type_, has_public_transfer, 1, contents).expect("contents begin with an id");
        let object = Object::new(ObjectData::Struct(data), owner, Digest::ZERO, 0);
        self.objects.insert(object.object_id(), Arc::new(object));
    }

    fn execute_programmable(
        &mut self,
        sender: Address,
        programmable: ProgrammableTransaction,
        unchecked: bool,
    ) -> (Digest, Result<Executed, Refused>) {
        let gas = self.coin(sender, GAS_BALANCE);
        let coin = self.expect(&gas);
        let reference = sui_sdk_types::ObjectReference::new(gas, coin.version(), coin.digest());
        let transaction = sui_sdk_types::Transaction {
            kind: TransactionKind::ProgrammableTransaction(programmable),
            sender,
            gas_payment: GasPayment {
                objects: vec![reference],
                owner: sender,
                price: GAS_PRICE,
                budget: GAS_BALANCE / 2,
            },
            expiration: TransactionExpiration::None,
        };
        let environment = Environment {
            epoch: 0,
            epoch_start_ms: START_MS,
            now_ms: self.now_ms,
            reference_gas_price: GAS_PRICE,
            chain: Digest::ZERO,
            limits: Limits::default(),
            attestation: None,
        };
        let executed = if unchecked {
            simulate(&transaction, self, &self.modules, &environment, Checks::Disabled)
        } else {
            execute(&transaction, self, &self.modules, &environment)
        };
        self.objects.remove(&gas);
        let executed = executed.map(|mut executed| {
            executed.written.retain(|object| object.object_id() != gas);
            executed.deleted.retain(|id| *id != gas);
            executed
        });
        (transaction.digest(), executed)
    }
}

/// A type of the framework without type parameters.
pub(crate) fn framework_type(module: &'static str, name: &'static str) -> StructTag {
    use sui_sdk_types::Identifier;
    StructTag::new(Address::TWO, Identifier::from_static(module), Identifier::from_static(name), Vec::new())
}

/// Why and at which command the transaction failed.
pub(crate) fn failure(executed: &Executed) -> Option<(&sui_sdk_types::ExecutionError, Option<u64>)> {
    let status = match &executed.effects {
        TransactionEffects::V2(effects) => effects.status(),
        TransactionEffects::V1(_) => unreachable!("execution makes effects of version 2"),
    };
    match status {
        ExecutionStatus::Success => None,
        ExecutionStatus::Failure { error, command } => Some((error, *command)),
    }
}

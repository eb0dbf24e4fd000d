//! Published modules and stored objects in memory.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use daas_move_vm::{
    CallSignature, Changes, ChildSource, CompiledModule, ExecutionError, Limits, ModuleId, ModuleSource, Passing,
    Session, StoredObject, TxContext, Value,
};
use sui_sdk_types::{Address, Digest, Identifier, StructTag, TypeTag};

pub const SENDER: Address = address(0xa);
pub const PACKAGE: Address = address(0xabcd);

pub const fn address(low: u16) -> Address {
    let mut bytes = [0; 32];
    [bytes[30], bytes[31]] = low.to_be_bytes();
    Address::new(bytes)
}

#[derive(Default)]
pub struct World {
    pub modules: HashMap<ModuleId, Arc<CompiledModule>>,
    pub objects: RefCell<HashMap<(Address, Address), StoredObject>>,
}

impl ModuleSource for World {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        self.modules.get(id).cloned()
    }
}

impl ChildSource for World {
    fn child(&self, parent: Address, id: Address) -> Result<Option<StoredObject>, String> {
        Ok(self.objects.borrow().get(&(parent, id)).cloned())
    }
}

pub fn fixtures() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../fixtures/machine/bytecode/bank.mv").to_vec(),
        include_bytes!("../fixtures/machine/bytecode/numbers.mv").to_vec(),
        include_bytes!("../fixtures/machine/bytecode/shapes.mv").to_vec(),
    ]
}

impl World {
    /// The test package, published.
    pub fn new() -> Self {
        let mut world = Self::default();
        for bytes in fixtures() {
            let module = CompiledModule::with_self_address(&bytes, PACKAGE).unwrap().0;
            world.modules.insert(module.id().clone(), Arc::new(module));
        }
        world
    }

    pub fn session(&self) -> Session<'_> {
        self.session_with(Limits::default())
    }

    pub fn session_with(&self, limits: Limits) -> Session<'_> {
        Session::new(self, self, context(7), limits)
    }

    /// Keeps what a transaction did to dynamic fields.
    pub fn apply(&self, changes: &Changes) {
        let mut objects = self.objects.borrow_mut();
        for removed in &changes.removed_children {
            objects.remove(&(removed.parent, removed.id));
        }
        for child in &changes.children {
            let stored = StoredObject { version: 2, type_: child.type_.clone(), contents: child.contents.clone() };
            objects.insert((child.parent, child.id), stored);
        }
    }
}

pub fn context(digest: u8) -> TxContext {
    TxContext {
        sender: SENDER,
        digest: Digest::new([digest; 32]),
        epoch: 3,
        epoch_timestamp_ms: 1_000,
        reference_gas_price: 1_000,
        gas_price: 1_000,
        gas_budget: 50_000_000,
        sponsor: None,
    }
}

pub fn id(module: &str) -> ModuleId {
    ModuleId::new(PACKAGE, Identifier::new(module).unwrap())
}

pub fn call(
    session: &mut Session<'_>,
    module: &str,
    function: &str,
    types: &[TypeTag],
    arguments: Vec<Value>,
) -> Result<Vec<Value>, ExecutionError> {
    session.call(&id(module), &Identifier::new(function).unwrap(), types, arguments)
}

/// Calls with BCS arguments and gives BCS results.
pub fn pure(
    session: &mut Session<'_>,
    module: &str,
    function: &str,
    types: &[TypeTag],
    arguments: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, ExecutionError> {
    let signature: CallSignature = session.signature(&id(module), &Identifier::new(function).unwrap(), types)?;
    let mut values = Vec::new();
    for (parameter, bytes) in signature.parameters.iter().zip(arguments) {
        values.push(session.decode(&parameter.type_, bytes)?);
    }
    let results = call(session, module, function, types, values)?;
    results.iter().zip(&signature.returns).map(|(v, t)| session.encode(v, &t.type_)).collect()
}

pub fn tag(text: &str) -> TypeTag {
    text.parse().unwrap()
}

pub fn own(module: &str, name: &str) -> TypeTag {
    let tag = StructTag::new(PACKAGE, Identifier::new(module).unwrap(), Identifier::new(name).unwrap(), Vec::new());
    TypeTag::Struct(Box::new(tag))
}

pub fn bcs<T: serde::Serialize>(value: &T) -> Vec<u8> {
    bcs::to_bytes(value).unwrap()
}

pub fn context_argument(session: &mut Session<'_>) -> Value {
    session.tx_context(Passing::MutableReference).unwrap()
}

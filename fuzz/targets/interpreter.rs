//! Arbitrary bytes as a module that is linked and run: every function, with arguments cut from the same bytes. Nothing hangs,
//! crashes or outgrows its bounds.
#![no_main]

use std::sync::Arc;

use daas_move_vm::{
    ChildSource, CompiledModule, Limits, ModuleId, ModuleSource, Passing, Session, StoredObject, TxContext,
    TypeSignature, Value, check_publishable,
};
use libfuzzer_sys::fuzz_target;
use sui_sdk_types::{Address, Digest, TypeTag};

fuzz_target!(|bytes: &[u8]| {
    let Ok((module, _)) = CompiledModule::with_self_address(bytes, PACKAGE) else { return };
    let world = World(Arc::new(module));
    let _ = check_publishable(&[Arc::clone(&world.0)], &world);
    for (index, _) in world.0.functions().iter().enumerate().take(32) {
        run(&world, index, &bytes[bytes.len().saturating_sub(ARGUMENT_BYTES)..]);
    }
});

const PACKAGE: Address = Address::new([0xab; 32]);
const ARGUMENT_BYTES: usize = 96;

fn run(world: &World, function: usize, pool: &[u8]) -> Option<()> {
    let limits = Limits { steps: 2_000, value_bytes: 1 << 20, ..Limits::default() };
    let mut session = Session::new(world, world, context(), limits);
    let function = &world.0.functions()[function];
    let types = vec![TypeTag::U64; function.type_parameters.len()];
    let signature = session.signature(world.0.id(), &function.name, &types).ok()?;
    let mut arguments = Vec::new();
    for (parameter, written) in signature.parameters.iter().zip(&function.parameters) {
        let value = argument(&mut session, &parameter.type_, pool)?;
        arguments.push(match written {
            TypeSignature::Reference(_) | TypeSignature::MutableReference(_) => {
                let slot = session.hold(value).ok()?;
                session.lend(slot, Passing::MutableReference).ok()?
            }
            _ => value,
        });
    }
    session.call(world.0.id(), &function.name, &types, arguments).ok()?;
    session.finish().ok().map(|_| ())
}

/// A value of the type: from the pool if some beginning of it is one, else of zeros.
fn argument(session: &mut Session<'_>, type_: &TypeTag, pool: &[u8]) -> Option<Value> {
    (0..=pool.len())
        .find_map(|length| session.decode(type_, &pool[..length]).ok())
        .or_else(|| (0..200).find_map(|length| session.decode(type_, &vec![0; length]).ok()))
}

/// One published module and nothing stored.
struct World(Arc<CompiledModule>);

impl ModuleSource for World {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        (self.0.id() == id).then(|| Arc::clone(&self.0))
    }
}

impl ChildSource for World {
    fn child(&self, _parent: Address, _id: Address) -> Result<Option<StoredObject>, String> {
        Ok(None)
    }
}

fn context() -> TxContext {
    TxContext {
        sender: Address::new([0xa; 32]),
        digest: Digest::new([7; 32]),
        epoch: 3,
        epoch_timestamp_ms: 1_000,
        reference_gas_price: 1_000,
        gas_price: 1_000,
        gas_budget: 50_000_000,
        sponsor: None,
    }
}

//! The framework packages `0x1` and `0x2`: declarations from a list, functions in Rust.

mod declarations;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use sui_sdk_types::{Address, Identifier};

use crate::{
    CompiledModule, Location, ModuleId,
    interpreter::{At, Native},
};

/// Functions of one module: name and implementation.
type Functions = &'static [(&'static str, Native)];

/// Implemented functions by module: package (1 or 2), name, functions.
const MODULES: &[(u8, &str, Functions)] = &[];

/// Whether the address is a framework package (`0x1`, `0x2`, `0x3` and the other reserved ones below 0x1000 are not
/// published by anyone).
pub(crate) fn is_framework(address: &Address) -> bool {
    let bytes = address.inner();
    bytes[..31].iter().all(|b| *b == 0) && matches!(bytes[31], 1..=3)
}

/// A framework module.
pub(crate) fn module(id: &ModuleId) -> Option<&'static Arc<CompiledModule>> {
    modules().get(id)
}

/// The location of an abort inside a framework function.
pub(crate) fn location(at: At) -> Option<Location> {
    let id = ModuleId::new(address(at.package), Identifier::new(at.module).ok()?);
    let function = Identifier::new(at.function).ok()?;
    let function_index = module(&id)?.function_index(&function)?;
    Some(Location { module: id, function_index, function, instruction: 0 })
}

/// `0x1` or `0x2`.
pub(crate) fn address(package: u8) -> Address {
    let mut bytes = [0; 32];
    bytes[31] = package;
    Address::new(bytes)
}

fn modules() -> &'static HashMap<ModuleId, Arc<CompiledModule>> {
    static LOADED: OnceLock<HashMap<ModuleId, Arc<CompiledModule>>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let native = |id: &ModuleId, function: &str| {
            let package = id.address.inner()[31];
            let module = MODULES.iter().find(|m| m.0 == package && *m.1 == *id.name.as_str())?;
            module.2.iter().find(|f| f.0 == function).map(|f| f.1)
        };
        declarations::parse(include_str!("declarations.txt"), &native)
            .into_iter()
            .map(|module| (module.id().clone(), Arc::new(module)))
            .collect()
    })
}

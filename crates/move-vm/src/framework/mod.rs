//! The framework packages `0x1` and `0x2`: declarations from a list, functions in Rust.

mod address;
mod ascii;
mod balance;
mod bcs;
mod call;
mod clock;
mod coin;
mod collections;
mod declarations;
mod dynamic_field;
mod dynamic_object_field;
mod ed25519;
mod event;
mod hash;
mod hex;
mod integer;
mod nitro_attestation;
mod object;
mod option;
mod package;
mod string;
mod transfer;
mod tx_context;
mod type_name;
mod vec_map;
mod vec_set;
mod vector;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use sui_sdk_types::{Address, Identifier};

use crate::{CompiledModule, Location, ModuleId, interpreter::Native};

/// Functions of one module: name and implementation.
type Functions = &'static [(&'static str, Native)];

/// Implemented functions by module: package (1 or 2), name, functions.
const MODULES: &[(u8, &str, Functions)] = &[
    (1, "address", address::STD),
    (1, "ascii", ascii::FUNCTIONS),
    (1, "bcs", bcs::STD),
    (1, "hash", hash::STD),
    (1, "option", option::FUNCTIONS),
    (1, "string", string::FUNCTIONS),
    (1, "type_name", type_name::FUNCTIONS),
    (1, "u8", integer::U8),
    (1, "u16", integer::U16),
    (1, "u32", integer::U32),
    (1, "u64", integer::U64),
    (1, "u128", integer::U128),
    (1, "u256", integer::U256_TYPE),
    (1, "vector", vector::FUNCTIONS),
    (2, "address", address::SUI),
    (2, "bag", collections::BAG),
    (2, "balance", balance::FUNCTIONS),
    (2, "bcs", bcs::SUI),
    (2, "clock", clock::FUNCTIONS),
    (2, "coin", coin::FUNCTIONS),
    (2, "dynamic_field", dynamic_field::FUNCTIONS),
    (2, "dynamic_object_field", dynamic_object_field::FUNCTIONS),
    (2, "ed25519", ed25519::FUNCTIONS),
    (2, "event", event::FUNCTIONS),
    (2, "hash", hash::SUI),
    (2, "hex", hex::FUNCTIONS),
    (2, "math", integer::MATH),
    (2, "nitro_attestation", nitro_attestation::FUNCTIONS),
    (2, "object", object::FUNCTIONS),
    (2, "package", package::FUNCTIONS),
    (2, "table", collections::TABLE),
    (2, "transfer", transfer::FUNCTIONS),
    (2, "tx_context", tx_context::FUNCTIONS),
    (2, "vec_map", vec_map::FUNCTIONS),
    (2, "vec_set", vec_set::FUNCTIONS),
];

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
fn location(package: u8, name: &str, function: &str) -> Option<Location> {
    let id = ModuleId::new(address(package), Identifier::new(name).ok()?);
    let function = Identifier::new(function).ok()?;
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

/// Modules from declarations alone, for tests of types.
#[cfg(test)]
pub(crate) fn declared(text: &str) -> Vec<CompiledModule> {
    declarations::parse(text, &|_, _| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions with an implementation, one line a module: what the README lists.
    fn implemented() -> String {
        let mut lines = Vec::new();
        for (package, module, _) in MODULES {
            let id = ModuleId::new(address(*package), Identifier::new(*module).unwrap());
            let loaded = super::module(&id).unwrap();
            let names: Vec<_> = loaded
                .functions()
                .iter()
                .enumerate()
                .filter(|(index, _)| loaded.native(*index as u16).is_some())
                .map(|(_, f)| f.name.to_string())
                .collect();
            lines.push(format!("- `{id}`: {}", names.join(", ")));
        }
        lines.join("\n")
    }

    #[test]
    fn the_readme_lists_exactly_the_functions() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&implemented()), "the list should be:\n{}", implemented());
    }

    #[test]
    fn every_implementation_is_declared() {
        for (package, module, functions) in MODULES {
            let id = ModuleId::new(address(*package), Identifier::new(*module).unwrap());
            let loaded = super::module(&id).unwrap();
            for (name, _) in *functions {
                assert!(loaded.function(name).is_some(), "{id}::{name} is not declared");
            }
        }
    }

    #[test]
    fn every_declaration_is_read() {
        let text = include_str!("declarations.txt");
        let written = text.lines().filter(|l| l.starts_with("fun ") || l.starts_with("struct ")).count();
        let read: usize = modules().values().map(|m| m.functions().len() + m.structs().len()).sum();
        assert_eq!(read, written);
    }
}

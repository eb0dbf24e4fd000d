//! No bytes and no bytecode crash, hang or exhaust the interpreter.

#![allow(clippy::unwrap_used)]

mod world;

use std::sync::Arc;

use daas_move_vm::{CompiledModule, Limits, Passing, TypeSignature, check_publishable};
use proptest::prelude::*;
use world::{PACKAGE, World, fixtures};

/// Parses, links and runs every function of the module with arguments of zeros.
fn exercise(bytes: &[u8]) {
    let Ok((module, _)) = CompiledModule::with_self_address(bytes, PACKAGE) else { return };
    let module = Arc::new(module);
    let mut world = World::new();
    let _ = check_publishable(&[Arc::clone(&module)], &world);
    let _ = (module.listing(), module.structs(), module.dependencies(), module.friends());
    world.modules.insert(module.id().clone(), Arc::clone(&module));
    let limits = Limits { steps: 2_000, value_bytes: 1 << 20, ..Limits::default() };
    for function in module.functions() {
        let mut session = world.session_with(limits.clone());
        let types = vec![sui_sdk_types::TypeTag::U64; function.type_parameters.len()];
        let Ok(signature) = session.signature(module.id(), &function.name, &types) else { continue };
        let mut arguments = Vec::new();
        for (parameter, written) in signature.parameters.iter().zip(&function.parameters) {
            // Zeros are a value of most types.
            let value = (0..400).find_map(|n| session.decode(&parameter.type_, &vec![0; n]).ok());
            let Some(value) = value else { break };
            arguments.push(match written {
                TypeSignature::Reference(_) | TypeSignature::MutableReference(_) => {
                    let slot = session.hold(value).unwrap();
                    session.lend(slot, Passing::MutableReference).unwrap()
                }
                _ => value,
            });
        }
        if session.call(module.id(), &function.name, &types, arguments).is_ok() {
            let _ = session.finish();
        }
    }
}

#[test]
fn every_function_of_the_fixtures_survives_zeros() {
    for bytes in fixtures() {
        exercise(&bytes);
    }
}

#[test]
fn every_truncation_is_refused() {
    for bytes in fixtures() {
        for length in 0..bytes.len() {
            assert!(CompiledModule::parse(&bytes[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn a_flipped_bit_in_any_byte_does_no_harm() {
    for bytes in fixtures() {
        for position in 8..bytes.len() {
            let mut mutated = bytes.clone();
            mutated[position] ^= 1 << (position % 8);
            exercise(&mutated);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(CompiledModule::parse(&bytes).is_err());
    }

    #[test]
    fn mutated_modules_do_no_harm(
        which in 0..3_usize,
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = fixtures().remove(which);
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        exercise(&bytes);
    }
}

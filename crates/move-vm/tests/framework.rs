//! Framework functions against published test vectors and the abort codes of the framework's source.
#![allow(clippy::unwrap_used)]

mod world;

use daas_move_vm::{
    AttestationDocument, AttestationError, AttestationVerifier, ExecutionError, Fault, ModuleId, Passing, Session,
    Value,
};
use sui_sdk_types::{Identifier, TypeTag};
use world::{World, address, bcs, tag};

/// Calls a framework function with BCS arguments; results by value.
fn framework(
    session: &mut Session<'_>,
    path: &str,
    types: &[TypeTag],
    arguments: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, ExecutionError> {
    let parts: Vec<&str> = path.split("::").collect();
    let package = u16::from_str_radix(parts[0].trim_start_matches("0x"), 16).unwrap();
    let module = ModuleId::new(address(package), Identifier::new(parts[1]).unwrap());
    let function = Identifier::new(parts[2]).unwrap();
    let signature = session.signature(&module, &function, types)?;
    let mut values = Vec::new();
    for (parameter, bytes) in signature.parameters.iter().zip(arguments) {
        let value = session.decode(&parameter.type_, bytes)?;
        values.push(if parameter.passing == Passing::Value {
            value
        } else {
            let slot = session.hold(value)?;
            session.lend(slot, parameter.passing)?
        });
    }
    let results = session.call(&module, &function, types, values)?;
    results.iter().zip(&signature.returns).map(|(v, t)| session.encode(v, &t.type_)).collect()
}

fn run(path: &str, types: &[TypeTag], arguments: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, ExecutionError> {
    let world = World::new();
    framework(&mut world.session(), path, types, arguments)
}

/// Function and code of an abort.
fn aborted(path: &str, types: &[TypeTag], arguments: &[Vec<u8>]) -> (String, u64) {
    let error = run(path, types, arguments).unwrap_err();
    let (location, code) = error.abort().unwrap();
    (format!("{}::{}", location.module, location.function), code)
}

#[test]
fn hashes_have_their_published_values() {
    for (function, input, digest) in [
        ("0x1::hash::sha2_256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("0x1::hash::sha3_256", "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ("0x2::hash::blake2b256", "abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        ("0x2::hash::keccak256", "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ] {
        assert_eq!(run(function, &[], &[bcs(&input)]).unwrap(), vec![bcs(&hex::decode(digest).unwrap())], "{function}");
    }
}

#[test]
fn ed25519_accepts_the_first_vector_of_rfc_8032_and_no_other_message() {
    let key = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    let signature = hex::decode(concat!(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ))
    .unwrap();
    let verify = |signature: &Vec<u8>, key: &Vec<u8>, message: &str| {
        run("0x2::ed25519::ed25519_verify", &[], &[bcs(signature), bcs(key), bcs(&message)]).unwrap()
    };
    assert_eq!(verify(&signature, &key, ""), vec![bcs(&true)]);
    assert_eq!(verify(&signature, &key, "x"), vec![bcs(&false)]);
    assert_eq!(verify(&signature[..63].to_vec(), &key, ""), vec![bcs(&false)]);
    assert_eq!(verify(&signature, &vec![0; 31], ""), vec![bcs(&false)]);
}

#[test]
fn aborts_have_the_code_and_the_place_of_the_framework() {
    let u64s = [TypeTag::U64];
    let (none, some) = (vec![0], [vec![1], bcs(&5_u64)].concat());
    let id = address(9);
    for (path, types, arguments, place, code) in [
        ("0x1::option::destroy_some", &u64s[..], vec![none.clone()], "0x1::option::destroy_some", 0x40001),
        ("0x1::option::destroy_none", &u64s, vec![some.clone()], "0x1::option::destroy_none", 0x40000),
        ("0x1::option::fill", &u64s, vec![some, bcs(&1_u64)], "0x1::option::fill", 0x40000),
        ("0x1::option::extract", &u64s, vec![none], "0x1::option::extract", 0x40001),
        ("0x1::string::utf8", &[], vec![bcs(&vec![0xff_u8])], "0x1::string::utf8", 1),
        ("0x1::string::to_ascii", &[], vec![bcs(&"é")], "0x1::ascii::string", 0x10000),
        ("0x1::vector::remove", &u64s, vec![vec![0], bcs(&0_u64)], "0x1::vector::remove", 0x20000),
        ("0x2::balance::split", &u64s, vec![bcs(&1_u64), bcs(&2_u64)], "0x2::balance::split", 2),
        ("0x2::balance::destroy_zero", &u64s, vec![bcs(&1_u64)], "0x2::balance::destroy_zero", 0),
        ("0x2::coin::destroy_zero", &u64s, vec![bcs(&(id, 1_u64))], "0x2::balance::destroy_zero", 0),
        ("0x2::bcs::peel_u64", &[], vec![vec![0]], "0x2::bcs::peel_u64", 0),
        ("0x2::bcs::peel_bool", &[], vec![bcs(&vec![2_u8])], "0x2::bcs::peel_bool", 1),
        ("0x2::object::id_from_bytes", &[], vec![vec![0]], "0x2::address::from_bytes", 0),
        ("0x2::hex::decode", &[], vec![bcs(&"abc")], "0x2::hex::decode", 0),
        ("0x2::hex::decode", &[], vec![bcs(&"zz")], "0x2::hex::decode_byte", 1),
        ("0x2::vec_set::from_keys", &u64s, vec![bcs(&vec![1_u64, 1])], "0x2::vec_set::insert", 0),
    ] {
        assert_eq!(aborted(path, types, &arguments), (place.to_owned(), code), "{path}");
    }
    let cap = |package: u8, policy: u8| bcs(&(id, [package; 32], 1_u64, policy));
    let authorize = |cap, policy: u8| aborted("0x2::package::authorize_upgrade", &[], &[cap, bcs(&policy), bcs(&"")]).1;
    assert_eq!((authorize(cap(0, 0), 0), authorize(cap(1, 128), 0)), (2, 1));
    let commit = |cap, of| aborted("0x2::package::commit_upgrade", &[], &[cap, bcs(&(of, id))]).1;
    assert_eq!((commit(cap(0, 0), address(8)), commit(cap(1, 0), id)), (4, 3));
    assert_eq!(aborted("0x2::package::only_additive_upgrades", &[], &[cap(1, 192)]).0, "0x2::package::restrict");
}

#[test]
fn type_names_are_full() {
    let name = run("0x1::type_name::get", &[tag("0x2::coin::Coin<0x2::sui::SUI>")], &[]).unwrap();
    let two = format!("{}2", "0".repeat(63));
    assert_eq!(name, vec![bcs(&format!("{two}::coin::Coin<{two}::sui::SUI>"))]);
}

struct Verifier;

impl AttestationVerifier for Verifier {
    fn verify(&self, document: &[u8], now_ms: u64) -> Result<AttestationDocument, AttestationError> {
        if document == b"good" {
            let pcrs = vec![(0, vec![7; 48])];
            Ok(AttestationDocument { timestamp: now_ms, pcrs, nonce: Some(vec![1]), ..AttestationDocument::default() })
        } else {
            Err(AttestationError::Verify)
        }
    }
}

#[test]
fn attestation_documents_need_a_verifier_and_are_read_by_the_accessors() {
    let clock = bcs(&(address(6), 42_u64));
    let load = "0x2::nitro_attestation::load_nitro_attestation";
    let missing = run(load, &[], &[bcs(&"good"), clock.clone()]).unwrap_err();
    assert_eq!(missing.fault, Fault::NoAttestationVerifier);
    let world = World::new();
    let mut session = world.session().with_attestation_verifier(&Verifier);
    let document = framework(&mut session, load, &[], &[bcs(&"good"), clock.clone()]).unwrap().remove(0);
    let nothing: Vec<u8> = Vec::new();
    let expected =
        (&nothing, 42_u64, &nothing, vec![(0_u8, vec![7_u8; 48])], None::<Vec<u8>>, None::<Vec<u8>>, Some(vec![1_u8]));
    assert_eq!(document, bcs(&expected));
    let error = framework(&mut session, load, &[], &[bcs(&"bad"), clock]).unwrap_err();
    let (location, code) = error.abort().unwrap();
    assert_eq!((location.function.as_str(), code), ("load_nitro_attestation_internal", 2));
}

#[test]
fn values_of_another_type_are_not_encoded() {
    let world = World::new();
    let mut session = world.session();
    assert!(session.encode(&Value::u64(1), &TypeTag::Bool).is_err());
}

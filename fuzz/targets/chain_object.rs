//! Arbitrary bytes as the BCS of each object and dynamic field of the contract.
#![no_main]

use daas_chain::types::decode_any_object;
use libfuzzer_sys::fuzz_target;

/// More than there are kinds of objects and fields.
const KINDS: u8 = 16;

fuzz_target!(|bytes: &[u8]| {
    let mut chosen = Vec::with_capacity(bytes.len() + 1);
    chosen.push(0);
    chosen.extend_from_slice(bytes);
    for kind in 0..KINDS {
        chosen[0] = kind;
        decode_any_object(&chosen);
    }
});

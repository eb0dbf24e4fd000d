//! Arbitrary bytes as the BCS of each event of the contract.
#![no_main]

use daas_chain::types::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for (module, name) in Event::NAMES {
        let _ = Event::decode_named(module, name, bytes);
    }
});

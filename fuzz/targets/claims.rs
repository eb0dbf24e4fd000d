//! Arbitrary bytes as claims: a refusal, or claims that are written as the same bytes again.
#![no_main]

mod bounded;

use std::time::Duration;

use daas_attestation::Claims;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    bounded::run(bytes, Duration::from_millis(1), |bytes| {
        if let Ok(claims) = Claims::parse(bytes) {
            assert_eq!(claims.to_bytes()[..], *bytes);
        }
    });
});

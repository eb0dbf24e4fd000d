//! Arbitrary bytes as claims: a refusal, or claims that are written as the same bytes again.
#![no_main]

use daas_attestation::Claims;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(claims) = Claims::parse(bytes) {
        assert_eq!(claims.to_bytes()[..], *bytes);
    }
});

//! Arbitrary bytes as an attestation document: a refusal or a document, never a panic, in bounded time and memory.
#![no_main]

use daas_attestation::{AgeRule, Network, NonceRule, Policy, Unchecked, UnixTime, Unverified, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(said) = Unverified::parse(bytes) {
        let _ = said.certificate_summaries();
        let _ = said.signed_message();
    }
    // No release is expected, so nothing is accepted; signature and certificates are judged before that is asked.
    let policy = Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(1_708_931_000),
        releases: &[],
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    assert!(verify(bytes, &policy, None).is_err());
});

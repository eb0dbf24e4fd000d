//! Arbitrary bytes as an attestation document: a refusal or a document, never a panic, within 10 ms and 16 MB.
#![no_main]

mod bounded;

use std::time::Duration;

use daas_attestation::{AgeRule, Network, NonceRule, Policy, Unchecked, UnixTime, Unverified, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    bounded::run(bytes, Duration::from_millis(10), |bytes| {
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
});

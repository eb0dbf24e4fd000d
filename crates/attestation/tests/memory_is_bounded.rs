//! No input of a megabyte or less makes the verifier take 16 MB (docs/threat-model.md, 12). Alone in its process, whose peak it reads.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use daas_attestation::{AgeRule, MAX_DOCUMENT_BYTES, Network, NonceRule, Policy, Unchecked, UnixTime, verify};

const PRODUCTION: &[u8] = include_bytes!("vectors/production_2024-02-26.bin");
const MEGABYTE: usize = 1 << 20;

/// The most memory that this process had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn no_input_of_a_megabyte_takes_16_megabytes() {
    let policy = Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(1_708_931_000),
        releases: &[],
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    let mut input = vec![0_u8; MEGABYTE];
    assert!(verify(PRODUCTION, &policy, None).is_err(), "no release is expected");
    let before = peak();
    for head in 0..=u8::MAX {
        for length in [MAX_DOCUMENT_BYTES, MEGABYTE] {
            // A good beginning whose rest promises all that CBOR can promise.
            input[..length].fill(head);
            let kept = usize::from(head) * 17;
            input[..kept].copy_from_slice(&PRODUCTION[..kept]);
            assert!(verify(&input[..length], &policy, None).is_err());
        }
    }
    assert!(peak() - before < 16 * MEGABYTE, "{} bytes", peak() - before);
}

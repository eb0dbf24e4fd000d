//! No input of a megabyte or less makes the verifier take 16 MB (docs/threat-model.md, 12). Alone in its process, whose memory is counted
//! as it is asked for: room that is never written to counts, too.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use daas_attestation::{
    AgeRule, MAX_DOCUMENT_BYTES, Network, NonceRule, Policy, Unchecked, UnixTime, Unverified, verify,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const PRODUCTION: &[u8] = include_bytes!("vectors/production_2024-02-26.bin");
const MEGABYTE: usize = 1 << 20;

/// What judging and showing the input takes beside it.
fn memory_for(input: &[u8]) -> usize {
    let policy = Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(1_708_931_000),
        releases: &[],
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    assert!(verify(input, &policy, None).is_err(), "no release is expected");
    if let Ok(said) = Unverified::parse(input) {
        drop((said.certificate_summaries(), said.signed_message()));
    }
    ALLOCATOR.peak_usage() - before
}

#[test]
fn no_input_of_a_megabyte_takes_16_megabytes() {
    let mut input = vec![0_u8; MEGABYTE];
    let mut most = memory_for(PRODUCTION);
    for head in 0..=u8::MAX {
        for length in [MAX_DOCUMENT_BYTES, MEGABYTE] {
            // A good beginning whose rest promises all that CBOR can promise.
            input[..length].fill(head);
            let kept = usize::from(head) * 17;
            input[..kept].copy_from_slice(&PRODUCTION[..kept]);
            most = most.max(memory_for(&input[..length]));
        }
    }
    // A document in which one length after another promises 268 MB, in certificates too, where a library reads it.
    for at in 0..PRODUCTION.len() - 5 {
        let mut input = PRODUCTION.to_vec();
        input[at..at + 5].copy_from_slice(&[0x84, 0x0f, 0xff, 0xff, 0xff]);
        most = most.max(memory_for(&input));
    }
    assert!(most < 16 * MEGABYTE, "{most} bytes");
}

//! Attestation documents from bytes to verdict, beside three public verifiers. The peers do less: `docs/attestation.md` says what.

use std::hint::black_box;

use daas_attestation::{
    AgeRule, ChainCache, Measurements, Network, NonceRule, Policy, Release, Unchecked, UnixTime, Unverified, verify,
};
use fastcrypto::nitro_attestation::{parse_nitro_attestation, verify_nitro_attestation};

use crate::contest::contest;

const DOCUMENT: &[u8] = include_bytes!("../../crates/attestation/tests/vectors/production_2024-02-26.bin");
const NOW: u64 = 1_708_931_000;

pub(crate) fn run() {
    let said = Unverified::parse(DOCUMENT).expect("AWS' document");
    let pcr = |index| *said.pcrs().get(index).expect("a measured register");
    let releases = [Release::active(Measurements::new(pcr(0), pcr(1), pcr(2)).expect("not zero"))];
    let policy = Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(NOW),
        releases: &releases,
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    let mut cache = ChainCache::new(16);
    let cold = || drop(black_box(verify(black_box(DOCUMENT), &policy, None)).expect("good"));
    let warm = || drop(black_box(verify(black_box(DOCUMENT), &policy, Some(&mut cache))).expect("good"));
    let ic_tee = || drop(black_box(ic_tee_nitro_attestation::parse_and_verify(black_box(DOCUMENT))).expect("good"));
    let times = contest(
        "an attestation document, five certificates",
        5,
        [
            ("ours, cold", Box::new(cold)),
            ("ours, chain cached", Box::new(warm)),
            ("fastcrypto 0.1.11", Box::new(fastcrypto)),
            ("ic_tee_nitro_attestation 0.8.0", Box::new(ic_tee)),
            ("nitro_attest 0.2.0", Box::new(nitro_attest)),
        ],
    );
    let fastest = times[2..].iter().copied().fold(f64::INFINITY, f64::min);
    println!("  fastest peer / ours, cold          {:>9.2}   (goal 3.3)", fastest / times[0]);
    println!("  fastest peer / ours, chain cached  {:>9.2}   (goal 15)", fastest / times[1]);
}

fn fastcrypto() {
    let (signature, message, document) = parse_nitro_attestation(black_box(DOCUMENT), true, true, true).expect("good");
    verify_nitro_attestation(&signature, &message, &document, NOW * 1000).expect("good");
}

fn nitro_attest() {
    let now = time::OffsetDateTime::from_unix_timestamp(NOW.cast_signed()).expect("a time");
    let document = nitro_attest::UnparsedAttestationDoc::from(black_box(DOCUMENT)).parse_and_verify(now);
    drop(black_box(document).expect("good"));
}

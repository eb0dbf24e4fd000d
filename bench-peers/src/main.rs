//! Attestation documents from bytes to verdict, beside three public verifiers in the same run.
//!
//! `cargo run --release -p daas-bench-peers`. The peers do less: `docs/attestation.md` and its table of rules say what.
#![allow(clippy::print_stdout, reason = "figures are this program's output")]
#![allow(clippy::expect_used, reason = "a benchmark of what fails means nothing")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use daas_attestation::{
    AgeRule, ChainCache, Measurements, Network, NonceRule, Policy, Release, Unchecked, UnixTime, Unverified, verify,
};
use fastcrypto::nitro_attestation::{parse_nitro_attestation, verify_nitro_attestation};

const DOCUMENT: &[u8] = include_bytes!("../../crates/attestation/tests/vectors/production_2024-02-26.bin");
const NOW: u64 = 1_708_931_000;
/// Rounds; in each every verifier has its turn, so that a slow moment of the machine falls on all.
const ROUNDS: usize = 60;
const TURN: usize = 5;

fn main() {
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
    let mut contestants: [(&str, Box<dyn FnMut()>); 5] = [
        ("ours, cold", Box::new(|| drop(black_box(verify(black_box(DOCUMENT), &policy, None)).expect("good")))),
        (
            "ours, warm",
            Box::new(|| {
                drop(black_box(verify(black_box(DOCUMENT), &policy, Some(&mut cache))).expect("good"));
            }),
        ),
        ("fastcrypto 0.1.11", Box::new(fastcrypto)),
        (
            "ic_tee_nitro_attestation 0.8.0",
            Box::new(|| {
                drop(black_box(ic_tee_nitro_attestation::parse_and_verify(black_box(DOCUMENT))).expect("good"));
            }),
        ),
        ("nitro_attest 0.2.0", Box::new(nitro_attest)),
    ];
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contestants.len()];
    for _ in 0..ROUNDS {
        for ((_, run), times) in contestants.iter_mut().zip(&mut times) {
            for _ in 0..TURN {
                let start = Instant::now();
                run();
                times.push(start.elapsed());
            }
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    println!("attestation document, 5 certificates, {} verifications each, median", ROUNDS * TURN);
    for ((name, _), median) in contestants.iter().zip(&medians) {
        println!("  {name:<32} {median:>8.3} ms");
    }
    let fastest = medians[2..].iter().copied().fold(f64::INFINITY, f64::min);
    println!("  fastest peer / ours, cold        {:>8.2}   (goal 3.3)", fastest / medians[0]);
    println!("  fastest peer / ours, warm        {:>8.2}   (goal 15)", fastest / medians[1]);
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

/// In milliseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

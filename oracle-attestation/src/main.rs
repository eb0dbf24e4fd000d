//! Holds our verifier of attestation documents against Sui's own (`fastcrypto::nitro_attestation`).
//!
//! `cargo run -p daas-oracle-attestation -- [CASES] [SEED]`: every document and every mutation goes through both parsers;
//! those that both read are compared field by field, and both judge signature and certificates wherever what is signed was left
//! alone. What we accept Sui's verifier must accept. What it accepts and we refuse must break a rule of which
//! `docs/attestation.md` says so.
#![allow(clippy::print_stdout, reason = "the comparison is this program's output")]

mod compare;
mod mutate;
mod tree;

use std::process::ExitCode;

use compare::Tally;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tree::Node;

/// Documents of AWS' hardware, and a second in which their certificates are valid.
const DOCUMENTS: [(&[u8], u64); 2] = [
    (include_bytes!("../../crates/attestation/tests/vectors/production_2024-02-26.bin"), 1_708_931_000),
    (include_bytes!("../../crates/attestation/tests/vectors/debug_zero_pcrs_2024-08-16.bin"), 1_723_800_000),
];
const CASES: u64 = 100_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().ok());
    let (Some(cases), Some(seed)) = (arguments.next().unwrap_or(Some(CASES)), arguments.next().unwrap_or(Some(1)))
    else {
        println!("usage: daas-oracle-attestation [CASES] [SEED]");
        return ExitCode::from(2);
    };
    let mut tally = Tally::default();
    for (document, _) in DOCUMENTS {
        tally.genuine.extend(daas_attestation::Unverified::parse(document).ok().map(|said| said.signed_message()));
        for now in interesting_times(document) {
            tally.judge_both(document, now);
        }
    }
    let mut random = StdRng::seed_from_u64(seed);
    let trees = DOCUMENTS.map(|(document, now)| (document, Node::of_document(document), now));
    for case in 0..cases {
        let (document, tree, now) = &trees[case as usize % trees.len()];
        let mutant = mutate::mutant(tree.as_ref(), document, &mut random);
        tally.compare(&mutant, *now);
    }
    tally.report(cases);
    if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The first and last second of each certificate, the seconds beside them, and the ends of time.
fn interesting_times(document: &[u8]) -> Vec<u64> {
    let mut times = vec![0, 1, u64::from(u32::MAX), 253_402_300_800];
    if let Ok(said) = daas_attestation::Unverified::parse(document) {
        for certificate in said.certificate_summaries().into_iter().flatten() {
            for edge in [certificate.not_before, certificate.not_after] {
                times.extend((edge.seconds().saturating_sub(1))..=edge.seconds() + 1);
            }
        }
    }
    times
}

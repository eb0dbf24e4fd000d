//! Random changes of genuine documents: an error each time, no panic, and quickly (docs/threat-model.md, 12).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;

use std::time::{Duration, Instant};

use daas_attestation::{Claims, Unverified};
use proptest::prelude::*;
use scene::*;

const PRODUCTION: &[u8] = include_bytes!("vectors/production_2024-02-26.bin");
const DEBUG: &[u8] = include_bytes!("vectors/debug_zero_pcrs_2024-08-16.bin");

#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (at(), 1..9_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => at().prop_map(Change::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    match change {
        Change::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Change::Insert(at, added) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, added.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + count);
            bytes.drain(at..end);
        }
        Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_document_parses_or_does_not_and_never_panics(
        changes in prop::collection::vec(change(), 1..4),
        debug in any::<bool>(),
    ) {
        let mut bytes = if debug { DEBUG } else { PRODUCTION }.to_vec();
        for change in &changes {
            apply(&mut bytes, change);
        }
        if let Ok(said) = Unverified::parse(&bytes) {
            // Certificates are read only by who looks at them.
            prop_assert_eq!(said.certificate_summaries().len(), said.certificates().count());
        }
    }

    #[test]
    fn any_bytes_parse_or_do_not_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Unverified::parse(&bytes);
        let _ = Claims::parse(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_document_is_refused(changes in prop::collection::vec(change(), 1..4)) {
        let scene = scene();
        let good = scene.document();
        let mut bytes = good.clone();
        for change in &changes {
            apply(&mut bytes, change);
        }
        prop_assert!(bytes == good || scene.judge(&bytes).is_err());
    }

    /// The signature is right here: what is read was changed before it was signed.
    #[test]
    fn a_changed_payload_is_accepted_only_if_it_says_the_same(change in change()) {
        let scene = scene();
        let mut payload = scene.payload().encode();
        apply(&mut payload, &change);
        if let Ok(verdict) = scene.judge(&scene.sign(&payload)) {
            prop_assert_eq!(verdict.claims().cluster, CLAIMS.cluster);
            prop_assert_eq!(verdict.document().nonce(), Some(&NONCE[..]));
            prop_assert_eq!(verdict.document().pcrs().get(0), Some(&PCRS[0]));
        }
    }
}

/// The limit of the product is 10 ms in a release build; unoptimised code gets thirty times as long.
#[test]
fn the_longest_chain_takes_a_bounded_time() {
    let scene = scene();
    let document = scene.document();
    let start = Instant::now();
    let _ = scene.judge(&document);
    let _ = Unverified::parse(&vec![0xa9; daas_attestation::MAX_DOCUMENT_BYTES]);
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}

//! Documents that AWS' hardware made: one of a production enclave, one of an enclave in debug mode.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use daas_attestation::{
    AgeRule, ChainCache, Measurements, Network, NonceRule, Pcr, Policy, Refusal, Release, Unbound, Unchecked, UnixTime,
    Unverified, verify,
};

const PRODUCTION: &[u8] = include_bytes!("vectors/production_2024-02-26.bin");
const DEBUG: &[u8] = include_bytes!("vectors/debug_zero_pcrs_2024-08-16.bin");
/// The first and last second of the leaf certificate, as `openssl x509 -dates` shows them.
const FIRST_SECOND: u64 = 1_708_930_773;
const LAST_SECOND: u64 = 1_708_941_576;
const DEBUG_SECOND: u64 = 1_723_800_000;

/// As published with the document; `attestation/README.md` shows how to read them with a CBOR tool.
const PRODUCTION_PCRS: [&str; 3] = [
    "17bf8f048519797be90497001a7559a3d555395937117d76f8baaedf56ca6d97952de79479bc0c76e5d176d20f663790",
    "5d3938eb05288e20a981038b1861062ff4174884968a39aee5982b312894e60561883576cc7381d1a7d05b809936bd16",
    "249037310daa90f4eb0703e7b105a241fdb09f12d3c40b7aea2f39e57b07b887e6ff4e4f9757943e127e391626b5e4d5",
];

fn pcr(hex: &str) -> Pcr {
    Pcr(std::array::from_fn(|index| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).unwrap()))
}

fn production_pcrs() -> [Pcr; 3] {
    PRODUCTION_PCRS.map(pcr)
}

fn release([pcr0, pcr1, pcr2]: [Pcr; 3]) -> Release {
    Release::active(Measurements::new(pcr0, pcr1, pcr2).unwrap())
}

fn judge(document: &[u8], pcrs: [Pcr; 3], now: u64, nonce: NonceRule<'_>) -> Result<Unbound, Refusal> {
    let policy = Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(now),
        releases: &[release(pcrs)],
        nonce,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    verify(document, &policy, None)
}

#[test]
fn the_production_document_is_measured_and_unbound_while_its_certificate_is_valid() {
    for now in [FIRST_SECOND, 1_708_931_000, LAST_SECOND] {
        let verdict = judge(PRODUCTION, production_pcrs(), now, NonceRule::None).unwrap();
        assert!(verdict.is_production() && !verdict.is_simulated());
        assert_eq!(verdict.certified_until(), UnixTime::from_seconds(LAST_SECOND));
        let document = verdict.document();
        assert_eq!(document.module_id(), "i-0df237f0418feb41e-enc018d1c7ef94eb110");
        assert_eq!(document.public_key().map(<[u8]>::len), Some(32));
        assert_eq!(document.user_data().map(<[u8]>::len), Some(42));
        assert_eq!(document.nonce(), None);
        assert_eq!(document.pcrs().iter().count(), 16);
    }
}

#[test]
fn one_second_outside_its_certificate_it_is_refused() {
    let early = judge(PRODUCTION, production_pcrs(), FIRST_SECOND - 1, NonceRule::None).unwrap_err();
    assert!(matches!(early, Refusal::NotYetValid { ref certificate, .. } if certificate == "certificate"), "{early}");
    let late = judge(PRODUCTION, production_pcrs(), LAST_SECOND + 1, NonceRule::None).unwrap_err();
    assert!(matches!(late, Refusal::Expired { ref certificate, .. } if certificate == "certificate"), "{late}");
}

#[test]
fn with_one_bit_of_an_expected_pcr_changed_it_is_refused() {
    for index in 0..3 {
        let mut pcrs = production_pcrs();
        pcrs[usize::from(index)].0[47] ^= 1;
        let refusal = judge(PRODUCTION, pcrs, FIRST_SECOND, NonceRule::None).unwrap_err();
        assert!(matches!(refusal, Refusal::Measurement { index: wrong, .. } if wrong == index), "{refusal}");
    }
}

#[test]
fn with_a_nonce_demanded_it_is_refused() {
    let refusal = judge(PRODUCTION, production_pcrs(), FIRST_SECOND, NonceRule::Exactly(&[1; 32])).unwrap_err();
    assert_eq!(refusal, Refusal::NonceMissing);
}

#[test]
fn the_debug_document_has_a_valid_signature_and_is_refused_as_debug() {
    let refusal = judge(DEBUG, production_pcrs(), DEBUG_SECOND, NonceRule::Exactly(b"1234")).unwrap_err();
    assert_eq!(refusal, Refusal::DebugMode { index: 0 });
    // The refusal stands at the end of the road: with its signature broken it would not come so far.
    let mut broken = DEBUG.to_vec();
    *broken.last_mut().unwrap() ^= 1;
    let refusal = judge(&broken, production_pcrs(), DEBUG_SECOND, NonceRule::Exactly(b"1234")).unwrap_err();
    assert_eq!(refusal, Refusal::DocumentSignature);
}

#[test]
fn every_bit_of_the_document_counts() {
    // A flipped bit breaks the encoding, a certificate, or a signature: never nothing.
    for at in (0..PRODUCTION.len()).step_by(7) {
        let mut changed = PRODUCTION.to_vec();
        changed[at] ^= 1 << (at % 8);
        assert!(judge(&changed, production_pcrs(), FIRST_SECOND, NonceRule::None).is_err(), "byte {at}");
    }
}

#[test]
fn a_warm_cache_gives_the_same_verdict_and_forgets_what_is_not_valid_any_more() {
    let releases = [release(production_pcrs())];
    let at = |now| Policy {
        network: Network::Production,
        now: UnixTime::from_seconds(now),
        releases: &releases,
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    let mut cache = ChainCache::new(2);
    let cold = verify(PRODUCTION, &at(FIRST_SECOND), None).unwrap();
    for _ in 0..3 {
        assert_eq!(verify(PRODUCTION, &at(FIRST_SECOND), Some(&mut cache)).unwrap(), cold);
        assert_eq!(cache.len(), 1);
    }
    let late = verify(PRODUCTION, &at(LAST_SECOND + 1), Some(&mut cache));
    assert!(matches!(late, Err(Refusal::Expired { .. })));
    assert!(cache.is_empty());
}

#[test]
fn what_is_only_looked_at_says_whose_certificates_it_carries() {
    let said = Unverified::parse(PRODUCTION).unwrap();
    let certificates: Vec<_> = said.certificate_summaries().into_iter().map(Result::unwrap).collect();
    assert_eq!(certificates.len(), 5);
    assert!(certificates[0].subject.contains("CN=aws.nitro-enclaves"), "{}", certificates[0].subject);
    assert_eq!(certificates.iter().filter(|certificate| certificate.is_authority).count(), 4);
    assert_eq!(certificates[4].not_before, UnixTime::from_seconds(FIRST_SECOND));
    assert_eq!(said.pcrs().get(0), Some(&production_pcrs()[0]));
}

//! What the verifier behind `load_nitro_attestation` takes and refuses, on documents of AWS and of simulated hardware.
#![allow(clippy::unwrap_used)]

use daas_attestation::UnixTime;
use daas_devnet::{AttestationRoot, NitroVerifier};
use daas_move_vm::{AttestationError, AttestationVerifier as _};
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};

const PRODUCTION: &[u8] = include_bytes!("../../attestation/tests/vectors/production_2024-02-26.bin");
const DEBUG: &[u8] = include_bytes!("../../attestation/tests/vectors/debug_zero_pcrs_2024-08-16.bin");
/// The first and last second of the leaf certificate, as `openssl x509 -dates` shows them.
const FIRST_SECOND: u64 = 1_708_930_773;
const LAST_SECOND: u64 = 1_708_941_576;
const DEBUG_SECOND: u64 = 1_723_800_000;
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// A device that started at [`NOW`], and its root.
fn simulated() -> (Nsm, AttestationRoot) {
    let root = DevelopmentRoot::generate(NOW).unwrap();
    let named = AttestationRoot::from_pem(&root.certificate_pem().unwrap()).unwrap();
    let text = str::to_owned;
    let location =
        Location { region: text("local-1"), instance: text("i-0123456789abcdef0"), enclave: text("0123456789abcdef") };
    (Nsm::Simulated(Box::new(Simulated::start(root, location, &Image::default(), NOW).unwrap())), named)
}

#[test]
fn a_document_of_aws_is_taken_whatever_its_age_while_its_certificates_are_valid() {
    let verifier = NitroVerifier::new(Vec::new());
    for second in [FIRST_SECOND, LAST_SECOND] {
        let document = verifier.verify(PRODUCTION, second * 1000 + 999).unwrap();
        assert_eq!(document.module_id, b"i-0df237f0418feb41e-enc018d1c7ef94eb110");
        assert_eq!((document.public_key.unwrap().len(), document.nonce), (32, None));
        // As Sui's framework lists them: 0 to 4 and 8 in any case, others where they are not zero.
        let indexes: Vec<_> = document.pcrs.iter().map(|(index, _)| *index).collect();
        assert_eq!(indexes, [0, 1, 2, 3, 4, 8]);
    }
    for outside in [FIRST_SECOND * 1000 - 1, (LAST_SECOND + 1) * 1000] {
        assert_eq!(verifier.verify(PRODUCTION, outside), Err(AttestationError::Verify));
    }
}

#[test]
fn a_debug_document_with_somebodys_nonce_is_taken_and_its_zero_pcrs_are_shown() {
    let document = NitroVerifier::new(Vec::new()).verify(DEBUG, DEBUG_SECOND * 1000).unwrap();
    assert_eq!(document.pcrs[..3], [(0, vec![0; 48]), (1, vec![0; 48]), (2, vec![0; 48])]);
    assert!(document.nonce.is_some());
}

#[test]
fn a_changed_byte_is_not_genuine_and_a_missing_one_does_not_parse() {
    let verifier = NitroVerifier::new(Vec::new());
    let mut changed = PRODUCTION.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(verifier.verify(&changed, FIRST_SECOND * 1000), Err(AttestationError::Verify));
    let cut = &PRODUCTION[..PRODUCTION.len() - 1];
    assert_eq!(verifier.verify(cut, FIRST_SECOND * 1000), Err(AttestationError::Parse));
    assert_eq!(verifier.verify(&[], FIRST_SECOND * 1000), Err(AttestationError::Parse));
}

#[test]
fn simulated_hardware_counts_where_its_root_was_named_and_aws_everywhere() {
    let ((mut ours, our_root), (mut others, other_root), (mut strangers, _)) = (simulated(), simulated(), simulated());
    let verifier = NitroVerifier::new(vec![our_root, other_root]);
    let attest = |device: &mut Nsm| device.attest(&Request::default(), NOW).unwrap();
    for device in [&mut ours, &mut others] {
        let document = attest(device);
        verifier.verify(&document, NOW.millis()).unwrap();
        assert_eq!(NitroVerifier::new(Vec::new()).verify(&document, NOW.millis()), Err(AttestationError::Verify));
        // A named root is no way round the certificates' time.
        assert_eq!(verifier.verify(&document, NOW.millis() + 4 * 3_600_000), Err(AttestationError::Verify));
        let mut changed = document;
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(verifier.verify(&changed, NOW.millis()), Err(AttestationError::Verify));
    }
    assert_eq!(verifier.verify(&attest(&mut strangers), NOW.millis()), Err(AttestationError::Verify));
    verifier.verify(PRODUCTION, FIRST_SECOND * 1000).unwrap();
}

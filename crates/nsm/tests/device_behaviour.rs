//! The simulated module behaves as AWS documents the real one, and its documents have the structure of AWS' own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use daas_attestation::cbor::Reader;
use daas_attestation::{
    AgeRule, Measurements, Network, NonceRule, Pcr, Policy, Release, TrustedRoots, Unchecked, UnixTime, verify,
};
use daas_nsm::{DevelopmentRoot, DevelopmentSigner, Error, Image, Location, Nsm, Request, Simulated};
use sha2::{Digest as _, Sha384};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const AWS: &[u8] = include_bytes!("../../attestation/tests/vectors/production_2024-02-26.bin");
const PCRS: [Pcr; 3] = [Pcr([1; 48]), Pcr([2; 48]), Pcr([3; 48])];

fn location() -> Location {
    let text = str::to_owned;
    Location { region: text("local-1"), instance: text("i-0123456789abcdef0"), enclave: text("0123456789abcdef") }
}

fn started() -> (Nsm, TrustedRoots) {
    let root = DevelopmentRoot::generate(NOW).unwrap();
    let roots = TrustedRoots::development(&root.certificate_pem().unwrap()).unwrap();
    let image = Image { pcrs: Some(PCRS), signer: None, role: Some("role".into()) };
    (Nsm::Simulated(Box::new(Simulated::start(root, location(), &image, NOW).unwrap())), roots)
}

fn is_good(document: &[u8], roots: &TrustedRoots, now: UnixTime) -> bool {
    let policy = Policy {
        network: Network::Development(roots),
        now,
        releases: &[Release::active(Measurements::new(PCRS[0], PCRS[1], PCRS[2]).unwrap())],
        nonce: NonceRule::None,
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    verify(document, &policy, None).is_ok()
}

#[test]
fn registers_0_to_15_are_locked_from_the_start_and_16_to_31_are_not() {
    let (nsm, _) = started();
    let description = nsm.describe().unwrap();
    assert_eq!(description.max_pcrs, 32);
    assert_eq!(description.module_id, "i-0123456789abcdef0-enc0123456789abcdef");
    assert_eq!(description.locked_pcrs, (0..16).collect::<Vec<_>>());
    assert_eq!(nsm.register(1).unwrap().value, PCRS[1]);
    assert!(nsm.register(16).unwrap().value.is_zero());
    assert!(matches!(nsm.register(32), Err(Error::InvalidIndex)));
}

#[test]
fn role_and_instance_are_measured_as_the_hypervisor_does() {
    let (nsm, _) = started();
    let measured = |text: &str| Pcr(Sha384::new().chain_update([0; 48]).chain_update(text).finalize().into());
    assert_eq!(nsm.register(3).unwrap().value, measured("role"));
    assert_eq!(nsm.register(4).unwrap().value, measured("i-0123456789abcdef0"));
}

#[test]
fn a_register_is_extended_until_it_is_locked() {
    let (mut nsm, _) = started();
    let once = Pcr(Sha384::new().chain_update([0; 48]).chain_update("a").finalize().into());
    let twice = Pcr(Sha384::new().chain_update(once.0).chain_update("b").finalize().into());
    assert_eq!(nsm.extend(16, b"a").unwrap(), once);
    assert_eq!(nsm.extend(16, b"b").unwrap(), twice);
    nsm.lock(16).unwrap();
    assert!(matches!(nsm.extend(16, b"c"), Err(Error::ReadOnlyIndex)));
    assert!(matches!(nsm.lock(16), Err(Error::ReadOnlyIndex)));
    assert!(matches!(nsm.extend(0, b"c"), Err(Error::ReadOnlyIndex)));
    assert!(matches!(nsm.extend(32, b"c"), Err(Error::InvalidIndex)));
    assert!(matches!(nsm.extend(17, &[0; 4096]), Err(Error::InputTooLarge { .. })));
    nsm.lock_below(20).unwrap();
    assert!(matches!(nsm.extend(19, b"c"), Err(Error::ReadOnlyIndex)));
    assert!(nsm.extend(20, b"c").is_ok());
    assert!(matches!(nsm.lock_below(33), Err(Error::InvalidIndex)));
}

#[test]
fn a_document_shows_the_locked_registers_alone() {
    let (mut nsm, roots) = started();
    nsm.extend(16, b"configuration").unwrap();
    let shown = |nsm: &mut Nsm| {
        let document = nsm.attest(&Request::default(), NOW).unwrap();
        assert!(is_good(&document, &roots, NOW));
        daas_attestation::Unverified::parse(&document).unwrap().pcrs().iter().count()
    };
    assert_eq!(shown(&mut nsm), 16);
    nsm.lock(16).unwrap();
    assert_eq!(shown(&mut nsm), 17);
}

#[test]
fn what_does_not_fit_into_a_document_is_refused() {
    let (mut nsm, _) = started();
    let mut attest = |request: Request| nsm.attest(&request, NOW);
    let none = Request::default;
    assert!(attest(Request { public_key: Some(vec![0; 1024]), ..none() }).is_ok());
    assert!(attest(Request { public_key: Some(vec![0; 1025]), ..none() }).is_err());
    assert!(attest(Request { user_data: Some(vec![0; 513]), ..none() }).is_err());
    assert!(attest(Request { nonce: Some(vec![0; 513]), ..none() }).is_err());
    let largest = Request { public_key: Some(vec![1; 1024]), user_data: Some(vec![2; 512]), nonce: Some(vec![3; 512]) };
    assert!(attest(largest).unwrap().len() < 0x3000, "the device answers in a buffer of 12 KiB");
}

#[test]
fn the_chain_is_renewed_before_it_ends() {
    let (mut nsm, roots) = started();
    for hours in [0, 1, 2, 3, 4, 100, 24 * 365] {
        let now = UnixTime::from_seconds(NOW.seconds() + hours * 3600);
        let document = nsm.attest(&Request::default(), now).unwrap();
        let a_while_later = UnixTime::from_seconds(now.seconds() + 600);
        assert!(is_good(&document, &roots, now) && is_good(&document, &roots, a_while_later), "after {hours} hours");
    }
}

#[test]
fn random_bytes_differ() {
    let (mut nsm, _) = started();
    let bytes = nsm.random().unwrap();
    assert_eq!(bytes.len(), 256);
    assert_ne!(bytes, nsm.random().unwrap());
}

/// The types and lengths of a document's items, in order, without the values; names of fields in full.
fn structure(document: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(document);
    let mut items = vec![format!("array {}", reader.array().unwrap())];
    items.push(format!("protected {:02x?}", reader.bytes().unwrap()));
    items.push(format!("map {}", reader.map().unwrap()));
    let mut payload = Reader::new(reader.bytes().unwrap());
    items.push(format!("signature {}", reader.bytes().unwrap().len()));
    reader.finish().unwrap();
    for _ in 0..payload.map().unwrap() {
        let name = payload.text().unwrap();
        let form = match name {
            "module_id" => format!("text {}", payload.text().unwrap().len()),
            "digest" => payload.text().unwrap().to_owned(),
            "timestamp" => format!("{} bytes", payload.unsigned().unwrap().to_be_bytes().len()),
            "pcrs" => {
                let pcrs = 0..payload.map().unwrap();
                let pcrs = pcrs.map(|_| (payload.unsigned().unwrap(), payload.bytes().unwrap().len()));
                format!("{:?}", pcrs.collect::<Vec<_>>())
            }
            "certificate" => format!("some bytes: {}", !payload.bytes().unwrap().is_empty()),
            "cabundle" => {
                let count = payload.array().unwrap();
                format!("{count} times bytes: {}", (0..count).all(|_| !payload.bytes().unwrap().is_empty()))
            }
            _ => format!("{:?}", payload.bytes_or_null().unwrap().map(<[u8]>::len)),
        };
        items.push(format!("{name}: {form}"));
    }
    payload.finish().unwrap();
    items
}

#[test]
fn a_document_has_the_structure_of_aws_own() {
    let (mut nsm, _) = started();
    let request = Request { public_key: Some(vec![1; 32]), user_data: Some(vec![2; 42]), nonce: None };
    let document = nsm.attest(&request, NOW).unwrap();
    assert_eq!(structure(&document), structure(AWS));
}

#[test]
fn a_root_is_kept_for_its_owner_alone_and_found_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let made = DevelopmentRoot::load_or_generate(folder.path(), NOW).unwrap();
    let found = DevelopmentRoot::load_or_generate(folder.path(), NOW).unwrap();
    assert_eq!(made.certificate_pem().unwrap(), found.certificate_pem().unwrap());
    let permissions = |file: &str| std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(permissions("attestation-root.key"), 0o600);
    assert!(matches!(made.write(folder.path()), Err(Error::File { .. })), "nothing is overwritten");
    let other = DevelopmentRoot::generate(NOW).unwrap();
    std::fs::write(folder.path().join("attestation-root.pem"), other.certificate_pem().unwrap()).unwrap();
    assert!(matches!(DevelopmentRoot::load(folder.path()), Err(Error::NotARoot { .. })));
    assert!(!format!("{made:?}").contains("pkcs8"));
}

/// As QEMU's `hw/virtio/virtio-nsm.c` writes it.
fn unsigned_document(protected: &[u8], signature: &[u8]) -> Vec<u8> {
    let (nsm, _) = started();
    let Nsm::Simulated(simulated) = nsm else { unreachable!("started() simulates") };
    let mut payload = simulated.payload(&Request { nonce: Some(vec![7; 4]), ..Request::default() }, NOW);
    payload.certificate = vec![0; 64];
    payload.cabundle = vec![vec![0; 64]];
    let mut writer = daas_attestation::cbor::Writer::default();
    writer.array(4).bytes(protected).map(0).bytes(&payload.encode()).bytes(signature);
    writer.into_bytes()
}

#[test]
fn the_development_signer_signs_what_qemu_left_unsigned_and_nothing_else() {
    let root = DevelopmentRoot::generate(NOW).unwrap();
    let roots = TrustedRoots::development(&root.certificate_pem().unwrap()).unwrap();
    let mut signer = DevelopmentSigner::new(root, location(), NOW).unwrap();
    let unsigned = unsigned_document(&[0xa1, 0x01, 0x20], &[0; 64]);
    assert!(daas_attestation::Unverified::parse(&unsigned).is_err(), "no verifier takes it as it is");
    let document = signer.sign(&unsigned, NOW).unwrap();
    let said = daas_attestation::Unverified::parse(&document).unwrap();
    assert_eq!(said.nonce(), Some(&[7; 4][..]));
    assert_eq!(said.pcrs().get(2), Some(&PCRS[2]));
    let policy = Policy {
        network: Network::Development(&roots),
        now: NOW,
        releases: &[Release::active(Measurements::new(PCRS[0], PCRS[1], PCRS[2]).unwrap())],
        nonce: NonceRule::Exactly(&[7; 4]),
        age: AgeRule::WhileCertified,
        claims: Unchecked,
    };
    assert!(verify(&document, &policy, None).unwrap().is_simulated());
    for refused in [
        AWS.to_vec(),
        document,
        unsigned_document(&[0xa1, 0x01, 0x38, 0x22], &[0; 64]),
        unsigned_document(&[0xa1, 0x01, 0x20], &[1; 64]),
        unsigned[..unsigned.len() - 1].to_vec(),
    ] {
        assert!(matches!(signer.sign(&refused, NOW), Err(Error::NotUnsigned { .. })));
    }
}

#[test]
fn without_the_hardware_the_device_says_so() {
    if !std::path::Path::new("/dev/nsm").exists() {
        assert!(matches!(Nsm::device(), Err(Error::Unavailable)));
    }
}

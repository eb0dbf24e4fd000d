//! Chains that no verifier should take; every certificate in them is signed correctly by the one before it unless the test
//! is about that (docs/threat-model.md, 6, 7 and 8).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;

use std::time::Duration;

use daas_attestation::{Refusal, TrustedRoots, UnixTime};
use daas_nsm::{
    Authority, Chain, DevelopmentRoot, Error, Payload, SigningKey, Subject, authority_extensions, basic_constraints,
    key_usage, leaf_extensions, template,
};
use scene::*;
use x509_cert::TbsCertificate;
use x509_cert::der::asn1::{BitString, OctetString};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::KeyUsages;

const DAY: Duration = Duration::from_hours(24);

/// How a test changes a certificate before it is signed.
type Change<'a> = &'a dyn Fn(&mut TbsCertificate);

fn unchanged(_: &mut TbsCertificate) {}

fn subject(name: &str) -> Subject {
    Subject::instance(name)
}

/// An authority below `issuer`.
fn authority(issuer: &Authority, name: &str, path_length: Option<u8>, change: Change<'_>) -> Authority {
    let key = SigningKey::generate().unwrap();
    let extensions = authority_extensions(path_length, &key, Some(issuer.key())).unwrap();
    let mut tbs = template(&subject(name), key.point(), NOW, DAY, extensions).unwrap();
    change(&mut tbs);
    let certificate = issuer.issue(tbs).unwrap();
    Authority::new(&subject(name), key, certificate).unwrap()
}

/// The certificate that signs documents, below `issuer`.
fn leaf(issuer: &Authority, change: Change<'_>) -> (Vec<u8>, SigningKey) {
    let key = SigningKey::generate().unwrap();
    let mut tbs = template(&subject("leaf"), key.point(), NOW, DAY, leaf_extensions().unwrap()).unwrap();
    change(&mut tbs);
    (issuer.issue(tbs).unwrap(), key)
}

/// The verdict on a document under root, one authority and a leaf, each changed.
fn judge(of_authority: Change<'_>, of_leaf: Change<'_>) -> Result<(), Refusal> {
    let scene = scene();
    let middle = authority(scene.nsm.root(), "middle", Some(0), of_authority);
    let (certificate, key) = leaf(&middle, of_leaf);
    judge_chain(&scene, &[&middle], certificate, key)
}

fn judge_chain(
    scene: &Scene,
    authorities: &[&Authority],
    certificate: Vec<u8>,
    key: SigningKey,
) -> Result<(), Refusal> {
    scene.judge(&scene.sign_under(&chain_of(scene, authorities, certificate, key))).map(drop)
}

fn extensions_of(tbs: &mut TbsCertificate) -> &mut Vec<Extension> {
    tbs.extensions.as_mut().unwrap()
}

fn replace(tbs: &mut TbsCertificate, extension: Result<Extension, Error>) {
    let extension = extension.unwrap();
    let place = extensions_of(tbs).iter_mut().find(|other| other.extn_id == extension.extn_id).unwrap();
    *place = extension;
}

fn remove(tbs: &mut TbsCertificate, oid: &str) {
    extensions_of(tbs).retain(|extension| extension.extn_id.to_string() != oid);
}

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";

fn certificate(place: &str) -> String {
    place.to_owned()
}

#[test]
fn a_chain_as_it_should_be_is_accepted() {
    assert_eq!(judge(&unchanged, &unchanged), Ok(()));
    let scene = scene();
    // The root itself may sign leaves: no rule forbids it.
    let (certificate, key) = leaf(scene.nsm.root(), &unchanged);
    assert_eq!(judge_chain(&scene, &[], certificate, key), Ok(()));
}

#[test]
fn an_attackers_root_is_refused_wherever_it_stands() {
    let scene = scene();
    let attacker = DevelopmentRoot::generate(NOW).unwrap();
    let (leaf_of_attacker, key) = leaf(&attacker, &unchanged);
    let theirs = Chain::of(vec![attacker.certificate().to_vec()], leaf_of_attacker.clone(), key, NOW);
    assert_eq!(scene.judge(&scene.sign_under(&theirs)), Err(Refusal::UnknownRoot));
    // The trusted root in front, the attacker's behind it. The name of both roots is one: it loops.
    let both = vec![scene.nsm.root().certificate().to_vec(), attacker.certificate().to_vec()];
    let both = Chain::of(both, leaf_of_attacker, theirs.key, NOW);
    let refusal = Err(Refusal::RepeatedSubject { certificate: certificate("cabundle[1]") });
    assert_eq!(scene.judge(&scene.sign_under(&both)), refusal);
    // A root of the same name, not the same bytes.
    let key = SigningKey::generate().unwrap();
    let twin = Authority::self_signed(&Subject::regional("simulated.nitro-enclaves"), key, NOW, DAY).unwrap();
    let (leaf_of_twin, key) = leaf(&twin, &unchanged);
    let under_root = Chain::of(vec![scene.nsm.root().certificate().to_vec()], leaf_of_twin, key, NOW);
    let refusal = Err(Refusal::CertificateSignature { certificate: certificate("certificate") });
    assert_eq!(scene.judge(&scene.sign_under(&under_root)), refusal);
}

#[test]
fn a_reordered_missing_or_looping_chain_is_refused() {
    let scene = scene();
    let good = scene.payload().cabundle;
    let judged = |order: &[usize]| {
        let cabundle = order.iter().map(|index| good[*index].clone()).collect();
        scene.judge(&scene.sign(&Payload { cabundle, ..scene.payload() }.encode())).map(drop).unwrap_err()
    };
    let issuer = |place| Refusal::IssuerMismatch { certificate: certificate(place) };
    let path = |place, allowed, found| Refusal::PathLength { certificate: certificate(place), allowed, found };
    assert_eq!(judged(&[1, 0, 2, 3]), Refusal::UnknownRoot);
    assert_eq!(judged(&[3, 2, 1, 0]), Refusal::UnknownRoot);
    assert_eq!(judged(&[0, 2, 1, 3]), path("cabundle[1]", 1, 2));
    assert_eq!(judged(&[1, 2, 3]), Refusal::UnknownRoot);
    assert_eq!(judged(&[0, 2, 3]), issuer("cabundle[1]"));
    assert_eq!(judged(&[0, 1, 3]), issuer("cabundle[2]"));
    assert_eq!(judged(&[0, 1, 2]), issuer("certificate"));
    assert_eq!(judged(&[0, 0, 1, 2, 3]), Refusal::RepeatedSubject { certificate: certificate("cabundle[1]") });
    assert_eq!(judged(&[0, 1, 1, 2, 3]), path("cabundle[1]", 2, 3));
}

#[test]
fn an_authority_that_stands_twice_is_a_loop_even_where_the_path_length_allows_it() {
    let scene = scene();
    let middle = authority(scene.nsm.root(), "middle", None, &unchanged);
    // Cross-signed by its own name, as an authority that renews its key does.
    let again = authority(&middle, "middle", None, &unchanged);
    let (leaf_of_again, key) = leaf(&again, &unchanged);
    let refusal = judge_chain(&scene, &[&middle, &again], leaf_of_again, key);
    assert_eq!(refusal, Err(Refusal::RepeatedSubject { certificate: certificate("cabundle[2]") }));
}

#[test]
fn a_longer_chain_than_an_authority_allows_is_refused() {
    let scene = scene();
    let below = |allowed| {
        let first = authority(scene.nsm.root(), "first", allowed, &unchanged);
        let second = authority(&first, "second", None, &unchanged);
        let (certificate, key) = leaf(&second, &unchanged);
        judge_chain(&scene, &[&first, &second], certificate, key)
    };
    let refusal = Refusal::PathLength { certificate: certificate("cabundle[1]"), allowed: 0, found: 1 };
    assert_eq!(below(Some(0)), Err(refusal));
    assert_eq!(below(Some(1)), Ok(()));
    assert_eq!(below(None), Ok(()));
}

#[test]
fn a_leaf_that_signs_a_certificate_does_not_become_an_authority() {
    let scene = scene();
    let middle = authority(scene.nsm.root(), "middle", None, &unchanged);
    let (leaf_certificate, leaf_key) = leaf(&middle, &unchanged);
    let false_authority = Authority::new(&subject("leaf"), leaf_key, leaf_certificate).unwrap();
    let key = SigningKey::generate().unwrap();
    let tbs = template(&subject("below"), key.point(), NOW, DAY, leaf_extensions().unwrap()).unwrap();
    let below = false_authority.issue(tbs).unwrap();
    let refusal = judge_chain(&scene, &[&middle, &false_authority], below, key);
    assert_eq!(refusal, Err(Refusal::NotAuthority { certificate: certificate("cabundle[2]") }));
}

#[test]
fn an_authority_does_not_sign_documents() {
    let constraints = |ca, path| judge(&unchanged, &|tbs| replace(tbs, basic_constraints(true, ca, path)));
    assert_eq!(constraints(true, None), Err(Refusal::LeafIsAuthority));
    assert_eq!(constraints(true, Some(0)), Err(Refusal::LeafIsAuthority));
    assert_eq!(constraints(false, Some(0)), Err(Refusal::LeafIsAuthority));
    let usage = KeyUsages::DigitalSignature | KeyUsages::KeyCertSign;
    assert_eq!(judge(&unchanged, &|tbs| replace(tbs, key_usage(true, usage))), Err(Refusal::LeafIsAuthority));
    assert_eq!(judge(&unchanged, &|tbs| remove(tbs, BASIC_CONSTRAINTS)), Ok(()));
}

#[test]
fn an_authority_says_so_in_a_critical_extension() {
    let refusal = Err(Refusal::NotAuthority { certificate: certificate("cabundle[1]") });
    assert_eq!(judge(&|tbs| replace(tbs, basic_constraints(false, true, None)), &unchanged), refusal);
    assert_eq!(judge(&|tbs| replace(tbs, basic_constraints(true, false, None)), &unchanged), refusal);
    assert_eq!(judge(&|tbs| remove(tbs, BASIC_CONSTRAINTS), &unchanged), refusal);
    assert_eq!(judge(&|tbs| tbs.extensions = None, &unchanged), refusal);
}

#[test]
fn keys_are_used_for_what_their_certificates_say() {
    let refusal = |place, required| Err(Refusal::KeyUsage { certificate: certificate(place), required });
    let no_cert_sign = |tbs: &mut TbsCertificate| replace(tbs, key_usage(true, KeyUsages::DigitalSignature));
    assert_eq!(judge(&no_cert_sign, &unchanged), refusal("cabundle[1]", "keyCertSign"));
    assert_eq!(judge(&|tbs| remove(tbs, KEY_USAGE), &unchanged), refusal("cabundle[1]", "keyCertSign"));
    let no_signature = |tbs: &mut TbsCertificate| replace(tbs, key_usage(true, KeyUsages::NonRepudiation));
    assert_eq!(judge(&unchanged, &no_signature), refusal("certificate", "digitalSignature"));
    assert_eq!(judge(&unchanged, &|tbs| remove(tbs, KEY_USAGE)), refusal("certificate", "digitalSignature"));
}

#[test]
fn unknown_critical_and_repeated_extensions_are_refused() {
    let oid = "1.2.3.4";
    let unknown = |critical| Extension {
        extn_id: ObjectIdentifier::new_unwrap(oid),
        critical,
        extn_value: OctetString::new([5, 0]).unwrap(),
    };
    for place in ["cabundle[1]", "certificate"] {
        let add = |extension: Extension| {
            let change = move |tbs: &mut TbsCertificate| extensions_of(tbs).push(extension.clone());
            if place == "certificate" { judge(&unchanged, &change) } else { judge(&change, &unchanged) }
        };
        let refusal = Refusal::CriticalExtension { certificate: certificate(place), oid: oid.into() };
        assert_eq!(add(unknown(true)), Err(refusal));
        assert_eq!(add(unknown(false)), Ok(()));
        let repeated = add(key_usage(true, KeyUsages::DigitalSignature).unwrap());
        assert_eq!(repeated, Err(Refusal::ExtensionRepeats { certificate: certificate(place) }));
    }
}

#[test]
fn compressed_off_curve_and_foreign_keys_are_refused() {
    let refusal = |place| Err(Refusal::CertificateKey { certificate: certificate(place) });
    let point = |change: &dyn Fn(&mut Vec<u8>), tbs: &mut TbsCertificate| {
        let mut point = tbs.subject_public_key_info.subject_public_key.raw_bytes().to_vec();
        change(&mut point);
        tbs.subject_public_key_info.subject_public_key = BitString::from_bytes(&point).unwrap();
    };
    let compress = |point: &mut Vec<u8>| {
        point[0] = 2 + (point[96] & 1);
        point.truncate(49);
    };
    let off_curve = |point: &mut Vec<u8>| point[96] ^= 1;
    let infinity = |point: &mut Vec<u8>| *point = vec![0];
    for change in [&compress as &dyn Fn(&mut Vec<u8>), &off_curve, &infinity] {
        assert_eq!(judge(&unchanged, &|tbs| point(change, tbs)), refusal("certificate"));
        assert_eq!(judge(&|tbs| point(change, tbs), &unchanged), refusal("cabundle[1]"));
    }
    // The same point, said to lie on P-256.
    let other_curve = |tbs: &mut TbsCertificate| {
        let oid = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        tbs.subject_public_key_info.algorithm.parameters = Some((&oid).into());
    };
    assert_eq!(judge(&unchanged, &other_curve), refusal("certificate"));
    assert_eq!(judge(&other_curve, &unchanged), refusal("cabundle[1]"));
}

#[test]
fn a_certificate_that_names_another_signature_algorithm_is_refused() {
    let sha256 = |tbs: &mut TbsCertificate| tbs.signature.oid = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
    let refusal = |place| Err(Refusal::CertificateAlgorithm { certificate: certificate(place) });
    assert_eq!(judge(&unchanged, &sha256), refusal("certificate"));
    assert_eq!(judge(&sha256, &unchanged), refusal("cabundle[1]"));
}

#[test]
fn a_certificate_that_another_key_signed_is_refused() {
    let scene = scene();
    let middle = authority(scene.nsm.root(), "middle", None, &unchanged);
    let impostor = authority(scene.nsm.root(), "middle", None, &unchanged);
    let (certificate, key) = leaf(&impostor, &unchanged);
    let refusal = judge_chain(&scene, &[&middle], certificate, key);
    assert_eq!(refusal, Err(Refusal::CertificateSignature { certificate: "certificate".into() }));
    // And an authority that the root did not sign.
    let attacker = DevelopmentRoot::generate(NOW).unwrap();
    let middle = authority(&attacker, "middle", None, &unchanged);
    let (certificate, key) = leaf(&middle, &unchanged);
    let refusal = judge_chain(&scene, &[&middle], certificate, key);
    assert_eq!(refusal, Err(Refusal::CertificateSignature { certificate: "cabundle[1]".into() }));
}

#[test]
fn bytes_after_a_certificate_are_refused() {
    let scene = scene();
    let mut payload = scene.payload();
    payload.certificate.push(0);
    let refusal = Err(Refusal::CertificateEncoding { certificate: "certificate".into() });
    assert_eq!(scene.judge(&scene.sign(&payload.encode())), refusal);
    let mut payload = scene.payload();
    payload.cabundle[1].push(0);
    let refusal = Err(Refusal::CertificateEncoding { certificate: "cabundle[1]".into() });
    assert_eq!(scene.judge(&scene.sign(&payload.encode())), refusal);
}

#[test]
fn the_first_and_the_last_second_of_validity_count_as_valid() {
    let scene = scene();
    let document = scene.document();
    let leaf_lifetime = 3 * 3600 + 3;
    let at = |seconds| scene.judge_at(&document, UnixTime::from_seconds(seconds)).map(drop);
    let (first, last) = (NOW.seconds(), NOW.seconds() + leaf_lifetime);
    assert_eq!(at(first), Ok(()));
    assert_eq!(at(last), Ok(()));
    assert_eq!(scene.judge_at(&document, UnixTime::from_millis(last * 1000 + 999)).map(drop), Ok(()));
    assert!(matches!(at(first - 1), Err(Refusal::NotYetValid { .. })));
    assert!(matches!(at(last + 1), Err(Refusal::Expired { .. })));
    assert!(matches!(at(0), Err(Refusal::NotYetValid { .. })));
    assert!(matches!(at(u64::MAX), Err(Refusal::Expired { .. })));
}

#[test]
fn every_certificate_must_be_valid_and_not_the_leaf_alone() {
    let short = |tbs: &mut TbsCertificate| {
        let past = template(&subject("x"), &[4; 97], UnixTime::from_seconds(1_000), DAY, Vec::new()).unwrap();
        tbs.validity = past.validity;
    };
    let refusal = judge(&short, &unchanged).unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { ref certificate, .. } if certificate == "cabundle[1]"), "{refusal}");
    let future = |tbs: &mut TbsCertificate| {
        let later = UnixTime::from_seconds(NOW.seconds() + 1);
        tbs.validity = template(&subject("x"), &[4; 97], later, DAY, Vec::new()).unwrap().validity;
    };
    let refusal = judge(&future, &unchanged).unwrap_err();
    assert!(matches!(refusal, Refusal::NotYetValid { ref certificate, .. } if certificate == "cabundle[1]"));
}

#[test]
fn a_root_that_is_no_self_signed_authority_is_not_trusted() {
    use x509_cert::der::pem::{LineEnding, encode_string};
    let root = DevelopmentRoot::generate(NOW).unwrap();
    let middle = authority(&root, "middle", None, &unchanged);
    let (leaf_certificate, _) = leaf(&root, &unchanged);
    for der in [middle.certificate(), &leaf_certificate] {
        let pem = encode_string("CERTIFICATE", LineEnding::LF, der).unwrap();
        assert!(TrustedRoots::development(&pem).is_err());
    }
}

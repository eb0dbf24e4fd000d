//! Signature sections: made, read back, judged.

#![allow(clippy::unwrap_used)]

mod support;

use daas_measure::eif::{Contents, Eif};
use daas_measure::{Algorithm, Description, Error, Register, Signature, SigningKey};
use support::{CURVES, certificate, content_range, sign, signed_image, with_right_checksum};

#[test]
fn keys_of_three_curves_sign_images() {
    for (curve, algorithm) in CURVES.into_iter().zip([Algorithm::Es384, Algorithm::Es256, Algorithm::Es512]) {
        let contents = Contents::new(b"kernel", "quiet", vec![b"boot"]);
        let image = contents.build_signed(certificate(curve), |message| sign(curve, message)).unwrap().to_bytes();
        let eif = Eif::parse(&image).unwrap();
        let signature = eif.signature().unwrap();
        assert_eq!(signature.certificate().algorithm(), Some(algorithm));
        assert_eq!(signature.certificate().subject(), "O=K3s-DaaS,CN=Image signer of the tests");
        signature.verify(&eif.registers().pcr0).unwrap();
    }
}

#[test]
fn a_signature_of_another_image_is_refused_and_shown_as_such() {
    let image = signed_image();
    let eif = Eif::parse(&image).unwrap();
    let mut other = image.clone();
    other[content_range(&eif, 0).start] ^= 1;
    let other = with_right_checksum(other);
    let described = Description::of(&Eif::parse(&other).unwrap()).unwrap().signature.unwrap();
    assert!(!described.valid);
    assert!(described.refusal.unwrap().contains("another image"));
    assert!(Description::of(&eif).unwrap().signature.unwrap().valid);
    let refused = eif.signature().unwrap().verify(&Register([7; 48]));
    assert!(matches!(refused, Err(Error::SignatureRefused("it signs another image"))));
}

#[test]
fn a_key_that_is_not_the_certificates_makes_no_image() {
    let contents = Contents::new(b"kernel", "quiet", vec![b"boot"]);
    let wrong_key = contents.clone().build_signed(certificate("secp384r1"), |message| sign("prime256v1", message));
    assert!(matches!(wrong_key, Err(Error::Signing(_))));
    let failing = contents.build_signed(certificate("secp384r1"), |_| Err::<Vec<u8>, _>("no such key"));
    assert!(failing.unwrap_err().to_string().ends_with("no such key"));
}

/// `openssl ecparam -name secp384r1 -genkey`, AWS' own instructions, writes parameters and a key in SEC 1 form.
#[test]
fn keys_in_the_older_form_are_read() {
    let output = std::process::Command::new("openssl").args(["ecparam", "-name", "secp384r1", "-genkey"]).output();
    let output = output.expect("openssl (scripts/setup installs it)");
    let key = SigningKey::from_pem(&output.stdout, &certificate("secp384r1")).unwrap();
    assert_eq!(key.sign(b"message").unwrap().len(), 96);
    let public = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signer/secp384r1.certificate.pem")).unwrap();
    for wrong in [&b""[..], b"-----BEGIN PRIVATE KEY-----", &public] {
        assert!(matches!(SigningKey::from_pem(wrong, &certificate("secp384r1")), Err(Error::Signing(_))));
    }
    assert!(matches!(SigningKey::from_pem(&output.stdout, &certificate("prime256v1")), Err(Error::Signing(_))));
}

/// Every bit of the COSE message is needed: with one changed, the signature is refused.
#[test]
fn every_bit_of_the_message_counts() {
    let image = signed_image();
    let eif = Eif::parse(&image).unwrap();
    let (pcr0, section) = (eif.registers().pcr0, eif.sections().last().unwrap().content);
    // The section's last array: each byte of the message is a CBOR integer of one or two bytes.
    let begin = section.windows(9).position(|window| window == b"signature").unwrap() + 9 + 3;
    let mut judged = 0;
    for offset in begin..section.len() {
        for bit in 0..8 {
            let mut other = section.to_vec();
            other[offset] ^= 1 << bit;
            if let Ok(signature) = Signature::parse(&other) {
                assert!(signature.verify(&pcr0).is_err(), "byte {offset} bit {bit}");
                judged += 1;
            }
        }
    }
    assert!(judged > 500, "{judged}");
}

//! Which library verifies signatures and hashes images: P-384 with SHA-384 over a message as long as a document, and SHA-384 over an image.

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use p384::ecdsa::signature::{Signer as _, Verifier as _};
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use p384::elliptic_curve::sec1::ToEncodedPoint as _;
use sha2::Digest as _;

use crate::contest::contest;

const DOCUMENT_BYTES: usize = 4_400;
const IMAGE_BYTES: usize = 43_700_000;

pub(crate) fn run() {
    signatures();
    hashes();
}

fn signatures() {
    let key = SigningKey::from_slice(&[7; 48]).expect("a key");
    let message = vec![0x5a; DOCUMENT_BYTES];
    let signature: Signature = key.sign(&message);
    let fixed = signature.to_bytes();
    let point = key.verifying_key().as_affine().to_encoded_point(false).as_bytes().to_vec();
    let aws_lc = || {
        let key = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &point).expect("a key");
        key.verify_sig(black_box(&message), &fixed).expect("good");
    };
    let ring = || {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P384_SHA384_FIXED, &point);
        key.verify(black_box(&message), &fixed).expect("good");
    };
    let p384 = || {
        let key = VerifyingKey::from_sec1_bytes(&point).expect("a key");
        key.verify(black_box(&message), &signature).expect("good");
    };
    let times = contest(
        "one P-384 verification, key and all",
        20,
        [("aws-lc-rs", Box::new(aws_lc)), ("ring", Box::new(ring)), ("p384", Box::new(p384))],
    );
    println!("  fastest other / aws-lc-rs          {:>9.2}", times[1].min(times[2]) / times[0]);
}

fn hashes() {
    let image = vec![0x5a; IMAGE_BYTES];
    let aws_lc = || _ = black_box(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, black_box(&image)));
    let sha2 = || _ = black_box(sha2::Sha384::digest(black_box(&image)));
    let times = contest("SHA-384 of 43.7 MB", 1, [("aws-lc-rs", Box::new(aws_lc)), ("sha2", Box::new(sha2))]);
    println!("  sha2 / aws-lc-rs                   {:>9.2}", times[1] / times[0]);
}

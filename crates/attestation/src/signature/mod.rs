//! ECDSA on P-384 with SHA-384, by AWS-LC natively and by RustCrypto in WebAssembly, where AWS-LC does not build.
//!
//! Both take a key only as an uncompressed point that lies on the curve, and refuse r or s that are zero or not below n.

#[cfg(not(target_family = "wasm"))]
mod aws_lc;
#[cfg(any(test, target_family = "wasm"))]
mod rustcrypto;

#[cfg(not(target_family = "wasm"))]
pub(crate) use aws_lc::{AuthorityKey, LeafKey};
#[cfg(target_family = "wasm")]
pub(crate) use rustcrypto::{AuthorityKey, LeafKey};

/// SEC 1 §2.3.3: 0x04, x, y.
pub(crate) const POINT_LENGTH: usize = 97;
const UNCOMPRESSED: u8 = 4;

/// Only the uncompressed form: one key has one encoding.
fn is_uncompressed(point: &[u8]) -> bool {
    point.len() == POINT_LENGTH && point[0] == UNCOMPRESSED
}

#[cfg(test)]
mod tests {
    use p384::ecdsa::signature::Signer as _;
    use p384::ecdsa::{Signature, SigningKey};
    use p384::elliptic_curve::sec1::ToEncodedPoint as _;

    use super::{aws_lc, rustcrypto};

    /// The order of the group (FIPS 186-4 D.1.2.4).
    const N: [u8; 48] =
        *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
        \xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73";
    const MESSAGE: &[u8] = b"message";

    fn signed() -> (Vec<u8>, Signature) {
        let key = SigningKey::from_slice(&[7; 48]).unwrap();
        let point = key.verifying_key().as_affine().to_encoded_point(false).as_bytes().to_vec();
        (point, key.sign(MESSAGE))
    }

    fn fixed(signature: &Signature) -> [u8; 96] {
        signature.to_bytes()[..].try_into().unwrap()
    }

    /// The verdict of both implementations, which must be one.
    fn leaf_accepts(point: &[u8], signature: &[u8; 96]) -> Option<bool> {
        let one = aws_lc::LeafKey::parse(point).map(|key| key.verify(MESSAGE, signature));
        let other = rustcrypto::LeafKey::parse(point).map(|key| key.verify(MESSAGE, signature));
        assert_eq!(one, other);
        one
    }

    #[test]
    fn both_implementations_accept_a_good_signature_and_no_other_message() {
        let (point, signature) = signed();
        let fixed = fixed(&signature);
        assert_eq!(leaf_accepts(&point, &fixed), Some(true));
        let der = signature.to_der();
        assert!(aws_lc::AuthorityKey::parse(&point).unwrap().verify(MESSAGE, der.as_bytes()));
        assert!(rustcrypto::AuthorityKey::parse(&point).unwrap().verify(MESSAGE, der.as_bytes()));
        assert!(!aws_lc::AuthorityKey::parse(&point).unwrap().verify(b"other", der.as_bytes()));
        assert!(!rustcrypto::AuthorityKey::parse(&point).unwrap().verify(b"other", der.as_bytes()));
    }

    #[test]
    fn r_and_s_of_zero_or_from_n_on_are_refused() {
        let (point, signature) = signed();
        let good = fixed(&signature);
        let mut above = N;
        above[47] += 1;
        for half in [[0; 48], N, above, [0xff; 48]] {
            for start in [0, 48] {
                let mut bad = good;
                bad[start..start + 48].copy_from_slice(&half);
                assert_eq!(leaf_accepts(&point, &bad), Some(false), "{half:02x?} at {start}");
            }
        }
        assert_eq!(leaf_accepts(&point, &[0; 96]), Some(false));
    }

    #[test]
    fn compressed_infinite_and_off_curve_keys_are_refused() {
        let (point, signature) = signed();
        let signature = fixed(&signature);
        let mut off_curve = point.clone();
        off_curve[96] ^= 1;
        let mut hybrid = point.clone();
        hybrid[0] = 6 + (point[96] & 1);
        let mut compressed = point[..49].to_vec();
        compressed[0] = 2 + (point[96] & 1);
        for bad in [&off_curve[..], &hybrid, &compressed, &[0], &[], &point[..96]] {
            assert_eq!(leaf_accepts(bad, &signature), None, "{:02x?}", bad.first());
            assert!(aws_lc::AuthorityKey::parse(bad).is_none() && rustcrypto::AuthorityKey::parse(bad).is_none());
        }
    }

    /// X.690 §8.3.2, §10.1: integers and lengths have one form.
    #[test]
    fn signatures_of_certificates_are_strict_der() {
        let (point, signature) = signed();
        let good = signature.to_der().as_bytes().to_vec();
        let mut trailing = good.clone();
        trailing.push(0);
        let mut long_length = good.clone();
        long_length.splice(1..2, [0x81, good[1]]);
        for bad in [&trailing[..], &long_length, &good[..good.len() - 1], &[]] {
            assert!(!aws_lc::AuthorityKey::parse(&point).unwrap().verify(MESSAGE, bad));
            assert!(!rustcrypto::AuthorityKey::parse(&point).unwrap().verify(MESSAGE, bad));
        }
    }
}

use std::fmt;

use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use crate::claims::Claims;
use crate::domain::signed_bytes;
use crate::token::{KIND, SealToken};

/// The session key of a Seal token. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A key from its 32 secret bytes.
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(secret))
    }

    /// The 32 secret bytes, for storing them.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// What goes on chain.
    pub fn public(&self) -> SessionKey {
        SessionKey(self.0.verifying_key())
    }

    /// A Seal token with these claims.
    pub fn sign(&self, claims: &Claims) -> SealToken {
        let signature = self.sign_message(KIND, &claims.encode());
        SealToken::new(claims.clone(), signature)
    }

    /// A signature over `"k3s-daas/<kind>/v1\0" ‖ message`.
    pub fn sign_message(&self, kind: &str, message: &[u8]) -> [u8; 64] {
        self.0.sign(&signed_bytes(kind, message)).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// The 32 bytes are no Ed25519 key: not on the curve, not in canonical form, or of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session key is no Ed25519 public key of full order")]
pub struct UnusableKey;

/// The public half of a session key: decompressed once, canonical, not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionKey(ed25519_dalek::VerifyingKey);

impl SessionKey {
    /// Reads the bytes that stand on chain.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, UnusableKey> {
        if !is_canonical(bytes) {
            return Err(UnusableKey);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| UnusableKey)?;
        if key.is_weak() { Err(UnusableKey) } else { Ok(Self(key)) }
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether the key signed this message of this kind. Strict: neither a malleable S nor a small-order R passes.
    pub fn verifies(&self, kind: &str, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(&signed_bytes(kind, message), &signature).is_ok()
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(")?;
        self.0.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Whether y, without the sign bit, is below 2^255 − 19 (RFC 8032 §5.1.3 step 1; decompression itself reduces).
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    !(*first >= 0xed && middle.iter().all(|byte| *byte == 0xff) && last & 0x7f == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The canonical encodings of the eight points of small order (RFC 7748/8032; Cremers and Jackson 2019, table 1).
    const SMALL_ORDER: [&str; 7] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];

    #[test]
    fn small_order_and_non_canonical_keys_are_refused() {
        for text in SMALL_ORDER {
            let bytes: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
            assert_eq!(SessionKey::from_bytes(&bytes), Err(UnusableKey), "{text}");
        }
        for low in 0xed..=0xff {
            for last in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, last);
                assert_eq!(SessionKey::from_bytes(&bytes), Err(UnusableKey), "{low:x}");
            }
        }
    }

    #[test]
    fn a_key_never_prints_itself() {
        assert_eq!(format!("{:?}", SigningKey::from_bytes(&[0x5a; 32])), "SigningKey(***)");
    }

    /// RFC 8032 §7.1, test 1: the key pair of the standard, so that keys mean the same elsewhere.
    #[test]
    fn the_public_key_is_that_of_the_standard() {
        let secret = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let key = SigningKey::from_bytes(&secret.try_into().unwrap());
        assert_eq!(hex::encode(key.public().to_bytes()), public);
    }
}

//! The RustCrypto implementation, for WebAssembly.

use p384::ecdsa::signature::Verifier as _;
use p384::ecdsa::{Signature, VerifyingKey};

use super::is_uncompressed;

/// The key of an authority: signs certificates (DER signatures).
#[derive(Debug)]
pub(crate) struct AuthorityKey(VerifyingKey);

/// The key of a document's certificate: signs COSE messages (r ‖ s).
#[derive(Debug)]
pub(crate) struct LeafKey(VerifyingKey);

impl AuthorityKey {
    pub(crate) fn parse(point: &[u8]) -> Option<Self> {
        parse(point).map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl LeafKey {
    pub(crate) fn parse(point: &[u8]) -> Option<Self> {
        parse(point).map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 96]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

fn parse(point: &[u8]) -> Option<VerifyingKey> {
    is_uncompressed(point).then(|| VerifyingKey::from_sec1_bytes(point).ok()).flatten()
}

//! AWS-LC, with the point decoded and checked once per key.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};

use super::is_uncompressed;

/// The key of an authority: signs certificates (DER signatures).
pub(crate) struct AuthorityKey(ParsedPublicKey);

/// The key of a document's certificate: signs COSE messages (r ‖ s).
pub(crate) struct LeafKey(ParsedPublicKey);

impl AuthorityKey {
    pub(crate) fn parse(point: &[u8]) -> Option<Self> {
        parse(&ECDSA_P384_SHA384_ASN1, point).map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl LeafKey {
    pub(crate) fn parse(point: &[u8]) -> Option<Self> {
        parse(&ECDSA_P384_SHA384_FIXED, point).map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 96]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorityKey")
    }
}

impl fmt::Debug for LeafKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeafKey")
    }
}

fn parse(algorithm: &'static EcdsaVerificationAlgorithm, point: &[u8]) -> Option<ParsedPublicKey> {
    is_uncompressed(point).then(|| ParsedPublicKey::new(algorithm, point).ok()).flatten()
}

//! P-384 keys of the simulated chain.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};
use zeroize::Zeroizing;

use crate::Error;

/// A private key; it never prints.
pub struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    point: Vec<u8>,
}

const BROKEN: Error = Error::Chain { what: "a key" };

impl SigningKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self, Error> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &SystemRandom::new());
        Self::from_pkcs8(pkcs8.map_err(|_| BROKEN)?.as_ref())
    }

    /// The key in these PKCS#8 bytes.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8).map_err(|_| BROKEN)?;
        Ok(Self { pkcs8: pkcs8.to_vec().into(), point: pair.public_key().as_ref().to_vec() })
    }

    /// The public key: an uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// A signature as certificates carry it (DER).
    pub fn sign_der(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign(&ECDSA_P384_SHA384_ASN1_SIGNING, message)
    }

    /// A signature as COSE carries it (r ‖ s).
    pub fn sign_fixed(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign(&ECDSA_P384_SHA384_FIXED_SIGNING, message)
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    fn sign(&self, algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8)
            .ok()
            .and_then(|pair| pair.sign(&SystemRandom::new(), message).ok())
            .map(|signature| signature.as_ref().to_vec())
            .ok_or(Error::Chain { what: "a signature" })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

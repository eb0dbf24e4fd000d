//! Private keys in files, for whoever keeps the signing key on the building machine.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
};
use x509_cert::der::SecretDocument;

use crate::Error;
use crate::signature::{Algorithm, Certificate};

/// Longer than any key.
const MAX_KEY_BYTES: usize = 16 * 1024;
const LABELS: [&str; 2] = ["PRIVATE KEY", "EC PRIVATE KEY"];

/// The key of an image signer. It never prints.
pub struct SigningKey {
    pair: EcdsaKeyPair,
}

impl SigningKey {
    /// Reads the key of this certificate: PEM, PKCS #8 or the older SEC 1 form that `openssl ecparam` writes, not encrypted.
    pub fn from_pem(pem: &[u8], certificate: &Certificate) -> Result<Self, Error> {
        let refused = |reason: &str| Error::Signing(format!("the key file {reason}"));
        let algorithm = match certificate.algorithm() {
            Some(Algorithm::Es256) => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Some(Algorithm::Es384) => &ECDSA_P384_SHA384_FIXED_SIGNING,
            Some(Algorithm::Es512) => &ECDSA_P521_SHA512_FIXED_SIGNING,
            None => return Err(refused("belongs to no curve that signs images")),
        };
        let text = std::str::from_utf8(pem).ok().filter(|pem| pem.len() <= MAX_KEY_BYTES);
        let text = text.ok_or_else(|| refused("is not PEM"))?;
        // `openssl ecparam -genkey` writes the curve's parameters before the key.
        let begins = LABELS.iter().filter_map(|label| text.find(&format!("-----BEGIN {label}-----")));
        let block =
            begins.min().map(|begin| &text[begin..]).ok_or_else(|| refused("has no unencrypted private key"))?;
        let (_, der) = SecretDocument::from_pem(block).map_err(|_| refused("is not PEM"))?;
        let pair = EcdsaKeyPair::from_private_key_der(algorithm, der.as_bytes())
            .map_err(|_| refused("holds no key of the certificate's curve"))?;
        Ok(Self { pair })
    }

    /// Signs: r ‖ s, as COSE has it.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| Error::Signing("the key failed".into()))?.as_ref().to_vec())
    }
}

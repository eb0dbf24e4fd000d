use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::{Zeroize, Zeroizing};

use crate::{ControlPlaneError, Result};

/// An ECDSA P-256 private key. Its bytes are wiped when the last clone is dropped, and it never prints itself.
#[derive(Clone)]
pub struct PrivateKey(Arc<Wiped>);

struct Wiped(KeyPair);

impl Drop for Wiped {
    fn drop(&mut self) {
        // The library's own handle is wiped by aws-lc when it is freed; this wipes the serialised copy.
        self.0.zeroize();
    }
}

impl PrivateKey {
    /// A new key from the system's randomness.
    pub fn generate(what: &str) -> Result<Self> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|cause| ControlPlaneError::Certificate {
            what: format!("key of {what}"),
            cause: cause.to_string(),
        })?;
        Ok(Self(Arc::new(Wiped(pair))))
    }

    /// PKCS #8 in PEM, wiped when dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.0.serialize_pem())
    }

    /// PKCS #8 in DER, wiped when dropped.
    pub fn to_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.0.serialize_der())
    }

    /// The public half, SubjectPublicKeyInfo in PEM.
    pub fn public_pem(&self) -> String {
        self.0.0.public_key_pem()
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.0.0
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::Layout;
use super::flags::ConfigFile;
use crate::{ControlPlaneError, Result};

/// The key under which Secrets lie in the store.
#[derive(Clone)]
pub struct EncryptionKey(Zeroizing<[u8; 32]>);

impl EncryptionKey {
    /// A new key.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| ControlPlaneError::Randomness)?;
        Ok(Self(bytes))
    }

    /// A key that was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// XSalsa20-Poly1305, whose nonces may be random for ever (AES-GCM's in Kubernetes only for 200 000 writes). There is no
/// `identity` behind it: what lies in the clear is not read.
pub(super) fn file(layout: &Layout, key: &EncryptionKey) -> ConfigFile {
    let secret = STANDARD.encode(key.0.as_ref());
    ConfigFile::json(
        layout.config("encryption.json"),
        &json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{
                "resources": ["secrets"],
                "providers": [{"secretbox": {"keys": [{"name": "k1", "secret": secret}]}}],
            }],
        }),
    )
}

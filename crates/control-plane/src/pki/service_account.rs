use std::time::{Duration, SystemTime};

use super::PrivateKey;
use crate::Result;

/// The keys behind service-account tokens: one signs, older ones still verify until their last token has ended.
pub struct ServiceAccountKeys {
    signing: PrivateKey,
    since: SystemTime,
    replaced: Vec<Replaced>,
}

#[derive(Clone)]
struct Replaced {
    public_pem: String,
    until: SystemTime,
}

impl ServiceAccountKeys {
    pub(super) fn create(now: SystemTime) -> Result<Self> {
        Ok(Self { signing: PrivateKey::generate("service accounts")?, since: now, replaced: Vec::new() })
    }

    /// The key that signs new tokens.
    pub fn signing(&self) -> &PrivateKey {
        &self.signing
    }

    /// Since when it signs.
    pub fn signing_since(&self) -> SystemTime {
        self.since
    }

    /// Every public key that verifies, the signing one first.
    pub fn verifying_pem(&self) -> String {
        let replaced = self.replaced.iter().map(|key| key.public_pem.as_str());
        std::iter::once(self.signing.public_pem().as_str()).chain(replaced).collect()
    }

    pub(super) fn rotated(&self, longest_token: Duration, now: SystemTime) -> Result<Self> {
        let replaced = Replaced { public_pem: self.signing.public_pem(), until: now + longest_token };
        let still = self.replaced.iter().filter(|key| key.until > now).cloned();
        let replaced = std::iter::once(replaced).chain(still).collect();
        Ok(Self { signing: PrivateKey::generate("service accounts")?, since: now, replaced })
    }
}

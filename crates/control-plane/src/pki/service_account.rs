use std::time::{Duration, SystemTime};

use super::PrivateKey;
use crate::Result;

/// The keys behind service-account tokens: one signs, older ones still verify until their last token has ended.
pub struct ServiceAccountKeys {
    signing: PrivateKey,
    since: SystemTime,
    replaced: Vec<Replaced>,
}

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

    pub(super) fn rotate(&mut self, longest_token: Duration, now: SystemTime) -> Result<()> {
        let fresh = PrivateKey::generate("service accounts")?;
        let old = std::mem::replace(&mut self.signing, fresh);
        self.since = now;
        self.replaced.retain(|key| key.until > now);
        self.replaced.insert(0, Replaced { public_pem: old.public_pem(), until: now + longest_token });
        Ok(())
    }
}

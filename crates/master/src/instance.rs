//! Who this enclave is: a key that is born at start and dies with the process, and what it claims.

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use daas_attestation::{Claims, tls_spki_sha256};
use daas_chain::types::{Bytes, Bytes32, SignedMessage};
use daas_control_plane::pki::{AuthorityName, LeafName, Pki};
use daas_nsm::Request;
use daas_seal_token::SigningKey;
use zeroize::Zeroizing;

use crate::device::Device;
use crate::error::{Error, Result};

/// The instance: its key, and the claims that its documents carry.
#[derive(Debug, Clone)]
pub struct Instance {
    key: SigningKey,
    claims: Claims,
}

/// A new instance key: from the system's randomness and the module's, so that one of them is enough.
pub fn new_key(device: &Device) -> Result<SigningKey> {
    let mut system = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut system[..]).map_err(|_| Error::Randomness)?;
    let module = Zeroizing::new(device.random()?);
    let mut both = digest::Context::new(&digest::SHA256);
    both.update(b"k3s-daas/instance-key/v1\0");
    both.update(&system[..]);
    both.update(&module);
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(both.finish().as_ref());
    Ok(SigningKey::from_bytes(&secret))
}

/// What an enclave with these keys claims. There is no sealed state yet: its epoch is 0.
pub fn claims(cluster: [u8; 32], pki: &Pki, config_sha256: [u8; 32]) -> Option<Claims> {
    Some(Claims {
        cluster,
        tls_spki_sha256: tls_spki_sha256(pki.leaf(LeafName::MasterServing).der())?,
        server_ca_sha256: sha256(pki.authority(AuthorityName::Server).pem().as_bytes()),
        config_sha256,
        state_epoch: 0,
    })
}

impl Instance {
    /// An instance with this key that claims this.
    pub const fn new(key: SigningKey, claims: Claims) -> Self {
        Self { key, claims }
    }

    /// What it claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Its public key: its name on chain.
    pub fn public(&self) -> Bytes32 {
        Bytes(self.key.public().to_bytes())
    }

    /// What its documents carry.
    pub fn request(&self, nonce: Option<[u8; 32]>) -> Request {
        Request {
            public_key: Some(self.public().to_vec()),
            user_data: Some(self.claims.to_bytes().to_vec()),
            nonce: nonce.map(Vec::from),
        }
    }

    /// Its signature of a message to the contract.
    pub fn sign<M: SignedMessage>(&self, message: &M) -> [u8; 64] {
        self.key.sign_message(M::KIND, &message.message_bytes())
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut value = [0; 32];
    value.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    value
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use daas_control_plane::pki::{Lifetimes, ServingNames};
    use daas_join::CaHash;

    use super::*;

    #[test]
    fn claims_name_the_key_that_renewal_keeps_and_the_hash_that_workers_pin() {
        let now = SystemTime::now();
        let mut pki = Pki::create(ServingNames::loopback(), Lifetimes::default(), now).unwrap();
        let before = claims([1; 32], &pki, [2; 32]).unwrap();
        let pinned = CaHash::of_cacerts(pki.authority(AuthorityName::Server).pem().as_bytes()).unwrap();
        assert_eq!(before.server_ca_sha256, pinned.0);
        let renewed = pki.renewed(LeafName::MasterServing, now + Duration::from_hours(24)).unwrap();
        pki.install(LeafName::MasterServing, renewed);
        assert_eq!(claims([1; 32], &pki, [2; 32]).unwrap(), before);
    }

    #[test]
    fn every_start_has_a_key_of_its_own() {
        let device = || {
            let module = crate::device::tests::module(Some(crate::device::tests::PCRS), crate::clock::now_ms());
            Device::start(module, &[0; 48]).unwrap()
        };
        let device = device();
        let [one, other] = [(); 2].map(|()| new_key(&device).unwrap().public().to_bytes());
        assert_ne!(one, other);
    }
}

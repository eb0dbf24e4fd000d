//! The certificates of one cluster: made in memory, renewed while the cluster runs, written only where a program must read them.
//!
//! Six authorities, so that a key that leaks opens one door only ([`AuthorityName`]); the certificates of the programs
//! ([`LeafName`]) live days, not years. Nothing here is a member of `system:masters`: Kubernetes cannot revoke a
//! certificate, and RBAC cannot take that group's rights back. What the control plane's own identities may do is decided
//! by [`crate::authority`].

mod authority;
pub(crate) mod files;
mod identity;
mod key;
mod leaf;
mod renewal;
mod service_account;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

pub use authority::{Authority, AuthorityName};
pub use files::{CertificateFiles, PkiFolder};
pub use identity::Identity;
pub use key::PrivateKey;
pub use leaf::{Keeper, Leaf, LeafName, Place, ServingNames};
pub use renewal::{Plan, Window, plan};
pub use service_account::ServiceAccountKeys;

use crate::Result;

/// How long certificates and keys live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of an authority. A new one means a new trust root for every worker, so it should outlive the enclave.
    pub authority: Duration,
    /// Of a program's certificate.
    pub leaf: Duration,
    /// Of a key that signs service-account tokens.
    pub service_account_key: Duration,
    /// How long a replaced service-account key still verifies: the longest life of a token.
    pub service_account_token: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self { authority: DAY * 3650, leaf: DAY * 30, service_account_key: DAY * 90, service_account_token: DAY }
    }
}

/// All keys and certificates of one cluster.
pub struct Pki {
    authorities: BTreeMap<AuthorityName, Authority>,
    leaves: BTreeMap<LeafName, Leaf>,
    service_account: ServiceAccountKeys,
    names: ServingNames,
    lifetimes: Lifetimes,
}

impl Pki {
    /// Makes the keys and certificates of a new cluster whose API server answers to `names`.
    pub fn create(names: ServingNames, lifetimes: Lifetimes, now: SystemTime) -> Result<Self> {
        let mut authorities = BTreeMap::new();
        for name in AuthorityName::ALL {
            authorities.insert(name, Authority::create(name, lifetimes.authority, now)?);
        }
        let mut pki = Self {
            authorities,
            leaves: BTreeMap::new(),
            service_account: ServiceAccountKeys::create(now)?,
            names,
            lifetimes,
        };
        for name in LeafName::ALL {
            let leaf = pki.renewed(name, now)?;
            pki.install(name, leaf);
        }
        Ok(pki)
    }

    /// One of the authorities.
    pub fn authority(&self, name: AuthorityName) -> &Authority {
        &self.authorities[&name]
    }

    /// The current certificate of a program, with its key.
    pub fn leaf(&self, name: LeafName) -> &Leaf {
        &self.leaves[&name]
    }

    /// The keys that sign and verify service-account tokens.
    pub fn service_account(&self) -> &ServiceAccountKeys {
        &self.service_account
    }

    /// What has to be renewed at `now`, and when to ask again.
    pub fn plan(&self, now: SystemTime) -> Plan {
        plan(
            self.leaves.iter().map(|(name, leaf)| (*name, leaf.window())),
            self.authorities.iter().map(|(name, authority)| (*name, authority.window())),
            self.service_account.signing_since(),
            &self.lifetimes,
            now,
        )
    }

    /// A new certificate for one program. Its key is new too, unless others have pinned it ([`LeafName::keeps_its_key`]).
    pub fn renewed(&self, name: LeafName, now: SystemTime) -> Result<Leaf> {
        let kept = self.leaves.get(&name).filter(|_| name.keeps_its_key());
        let key = match kept {
            Some(leaf) => leaf.key().clone(),
            None => PrivateKey::generate(name.as_str())?,
        };
        self.authority(name.authority()).issue(name, &self.names, key, self.lifetimes.leaf, now)
    }

    /// Makes a certificate the current one: when it is where its program will find it.
    pub fn install(&mut self, name: LeafName, leaf: Leaf) {
        self.leaves.insert(name, leaf);
    }

    /// Keys for service-account tokens of which a new one signs; the one that signs today verifies until its last token has ended.
    pub fn rotated_service_account_keys(&self, now: SystemTime) -> Result<ServiceAccountKeys> {
        self.service_account.rotated(self.lifetimes.service_account_token, now)
    }

    /// Makes keys for service-account tokens the current ones.
    pub fn install_service_account_keys(&mut self, keys: ServiceAccountKeys) {
        self.service_account = keys;
    }
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pki")
            .field("leaves", &self.leaves.keys())
            .field("lifetimes", &self.lifetimes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

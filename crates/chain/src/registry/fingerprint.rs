//! What two honest nodes at the same checkpoint agree on.

use daas_seal_token::{LiveToken, SessionKey, StakeId, StakeStatus, Tier, TokenId, WalletAddress};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::tables::{ClusterState, StakeRecord, Tables};
use crate::types::staking::Terms;

impl Tables {
    /// A hash of everything that events keep current: equal on honest nodes at the same checkpoint.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |part: &dyn Fn() -> Result<Vec<u8>, bcs::Error>| {
            // None of these types can fail to encode.
            let bytes = part().unwrap_or_default();
            hash.update(u64::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
            hash.update(bytes);
        };
        let ClusterState { cluster, releases, registrations, grants } = &*self.cluster();
        let mut grants: Vec<_> = grants.iter().collect();
        grants.sort();
        add(&|| bcs::to_bytes(&(cluster, grants.as_slice())));
        for release in releases {
            add(&|| bcs::to_bytes(&release));
        }
        for registration in registrations {
            add(&|| bcs::to_bytes(&registration));
        }
        let mut stakes = self.stakes();
        stakes.sort_by_key(|stake| stake.stake);
        for stake in stakes {
            add(&|| bcs::to_bytes(&StakeImage::of(&stake)));
            if let Some(token) = stake.token.and_then(|token| self.token(&token)) {
                add(&|| bcs::to_bytes(&TokenImage::of(&token)));
            }
        }
        hash.finalize().into()
    }
}

#[derive(Serialize)]
struct StakeImage<'a> {
    stake: StakeId,
    owner: WalletAddress,
    name: &'a str,
    tier: Tier,
    status: StakeStatus,
    suspended: bool,
    amount: u64,
    terms: &'a Terms,
    staked_at_ms: u64,
    releases_at_ms: u64,
    token: Option<TokenId>,
}

impl<'a> StakeImage<'a> {
    fn of(stake: &'a StakeRecord) -> Self {
        Self {
            stake: stake.stake,
            owner: stake.owner,
            name: stake.name.as_str(),
            tier: stake.tier,
            status: stake.status,
            suspended: stake.suspended,
            amount: stake.amount,
            terms: &stake.terms,
            staked_at_ms: stake.staked_at_ms,
            releases_at_ms: stake.releases_at_ms,
            token: stake.token,
        }
    }
}

#[derive(Serialize)]
struct TokenImage {
    token: TokenId,
    session_key: Option<[u8; 32]>,
    key_generation: u64,
    tier: Tier,
    expires_at_ms: u64,
}

impl TokenImage {
    fn of(token: &LiveToken) -> Self {
        Self {
            token: token.token,
            session_key: token.session_key.as_ref().map(SessionKey::to_bytes),
            key_generation: token.key_generation,
            tier: token.tier,
            expires_at_ms: token.expires_at_ms,
        }
    }
}

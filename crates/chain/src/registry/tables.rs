use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use daas_seal_token::{ClusterId, LiveToken, NodeName, SessionKey, StakeId, StakeStatus, Tier, TokenId, WalletAddress};

use super::entries::{Named, Owned, Rotation, Staked, Token};
use super::shards::Shards;
use crate::types::cluster::GrantKey;
use crate::types::staking::Terms;
use crate::types::{Bytes32, Cluster, Pcrs, Registration, Release};

/// For this long after a rotation, certificates of the generation before it are still good.
pub const OLD_KEY_GRACE_MS: u64 = 10 * 60 * 1000;

/// A cluster in memory: one writer, readers without locks.
pub struct Tables {
    cluster: ArcSwap<ClusterState>,
    stakes: Shards<Staked>,
    tokens: Shards<Token>,
    names: Shards<Named>,
    owners: Shards<Owned>,
    rotations: Shards<Rotation>,
}

/// What there is once a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterState {
    /// The object. `active_workers` is not kept up: no event carries it.
    pub cluster: Cluster,
    /// By PCR0‖PCR1‖PCR2.
    pub releases: BTreeMap<Pcrs, Release>,
    /// By instance key. `sequence` is not kept up.
    pub registrations: BTreeMap<Bytes32, Registration>,
    /// Who may stake for what.
    pub grants: HashSet<GrantKey>,
}

/// A stake that has not been withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StakeRecord {
    /// The stake.
    pub stake: StakeId,
    /// Who.
    pub owner: WalletAddress,
    /// The node's name.
    pub name: NodeName,
    /// What it buys.
    pub tier: Tier,
    /// Where it is in its life.
    pub status: StakeStatus,
    /// Kept out.
    pub suspended: bool,
    /// MIST in it.
    pub amount: u64,
    /// Its terms; equal ones are shared.
    pub terms: Arc<Terms>,
    /// Chain time.
    pub staked_at_ms: u64,
    /// Chain time from which it can be withdrawn; 0 while Active.
    pub releases_at_ms: u64,
    /// Its Seal token.
    pub token: Option<TokenId>,
}

impl ClusterState {
    /// Whether the cluster opens the tier to stake alone or grants it to this wallet.
    pub fn admits(&self, wallet: &WalletAddress, tier: Tier) -> bool {
        self.cluster.settings.is_open(tier)
            || self.grants.contains(&GrantKey { wallet: sui_sdk_types::Address::new(wallet.0), tier })
    }

    /// The release, if it is good at this time.
    pub fn good_release(&self, pcrs: &Pcrs, now_ms: u64) -> Option<&Release> {
        self.releases.get(pcrs).filter(|release| release.is_good(now_ms))
    }

    /// The registration of the active instance, if it has not expired and its release is good.
    pub fn active_registration(&self, now_ms: u64) -> Option<&Registration> {
        let active = self.cluster.active.as_ref()?;
        self.registrations
            .get(&active.instance)
            .filter(|registration| now_ms <= registration.expires_at_ms)
            .filter(|registration| self.good_release(&registration.pcrs, now_ms).is_some())
    }
}

impl Tables {
    pub(super) fn new(cluster: ClusterState) -> Self {
        Self {
            cluster: ArcSwap::from_pointee(cluster),
            stakes: Shards::new(),
            tokens: Shards::new(),
            names: Shards::new(),
            owners: Shards::new(),
            rotations: Shards::new(),
        }
    }

    /// What there is once a cluster.
    pub fn cluster(&self) -> Arc<ClusterState> {
        self.cluster.load_full()
    }

    /// Whether the cluster opens the tier to stake alone or grants it to this wallet.
    pub fn admits(&self, wallet: &WalletAddress, tier: Tier) -> bool {
        self.cluster.load().admits(wallet, tier)
    }

    /// A token with its stake.
    pub fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        self.tokens.get(id).map(|Token(token)| token)
    }

    /// A stake.
    pub fn stake(&self, id: &StakeId) -> Option<Arc<StakeRecord>> {
        self.stakes.get(id).map(|Staked(stake)| stake)
    }

    /// The stake of a node.
    pub fn stake_of(&self, name: &NodeName) -> Option<Arc<StakeRecord>> {
        self.names.get(name).map(|Named(stake)| stake)
    }

    /// The stakes of a wallet.
    pub fn stakes_of(&self, owner: &WalletAddress) -> Vec<Arc<StakeRecord>> {
        self.owned(owner).iter().filter_map(|id| self.stake(id)).collect()
    }

    /// All stakes.
    pub fn stakes(&self) -> Vec<Arc<StakeRecord>> {
        self.stakes.entries().into_iter().map(|Staked(stake)| stake).collect()
    }

    /// How many tokens there are.
    pub fn token_count(&self) -> usize {
        self.tokens.len()
    }

    /// Whether a certificate of this key generation is still good: the present one, or the one before it for
    /// [`OLD_KEY_GRACE_MS`] after the rotation. What was rotated before the registry started has no grace.
    pub fn is_key_generation_good(&self, token: &LiveToken, generation: u64, now_ms: u64) -> bool {
        if generation == token.key_generation {
            return true;
        }
        generation.checked_add(1) == Some(token.key_generation)
            && self
                .rotations
                .get(&token.token)
                .is_some_and(|rotation| now_ms < rotation.since_ms.saturating_add(OLD_KEY_GRACE_MS))
    }

    pub(super) fn set_cluster(&self, cluster: ClusterState) {
        self.cluster.store(Arc::new(cluster));
    }

    pub(super) fn put_stake(&self, record: StakeRecord) {
        let owned = self.owned(&record.owner);
        if !owned.contains(&record.stake) {
            let stakes = owned.iter().copied().chain([record.stake]).collect();
            self.owners.insert(Owned { owner: record.owner, stakes });
        }
        let record = Arc::new(record);
        self.names.insert(Named(Arc::clone(&record)));
        self.stakes.insert(Staked(record));
    }

    pub(super) fn remove_stake(&self, record: &StakeRecord) {
        if let Some(token) = &record.token {
            self.remove_token(token);
        }
        let stakes: Arc<[_]> =
            self.owned(&record.owner).iter().copied().filter(|stake| *stake != record.stake).collect();
        if stakes.is_empty() {
            self.owners.remove(&record.owner);
        } else {
            self.owners.insert(Owned { owner: record.owner, stakes });
        }
        self.names.remove(&record.name);
        self.stakes.remove(&record.stake);
    }

    pub(super) fn put_token(&self, token: LiveToken) {
        self.tokens.insert(Token(Arc::new(token)));
    }

    pub(super) fn remove_token(&self, token: &TokenId) {
        self.tokens.remove(token);
        self.rotations.remove(token);
    }

    pub(super) fn note_rotation(&self, token: TokenId, since_ms: u64) {
        self.rotations.insert(Rotation { token, since_ms });
    }

    fn owned(&self, owner: &WalletAddress) -> Arc<[StakeId]> {
        self.owners.get(owner).map_or_else(Arc::default, |owned| owned.stakes)
    }
}

impl StakeRecord {
    /// The token's view with this stake behind it.
    pub(super) fn live_token(
        &self,
        cluster: ClusterId,
        token: TokenId,
        session_key: &Bytes32,
        key_generation: u64,
        expires_at_ms: u64,
    ) -> LiveToken {
        LiveToken {
            token,
            cluster,
            owner: self.owner,
            stake: self.stake,
            name: self.name.clone(),
            // The contract refuses weak keys; bytes that are no key at all let nobody in.
            session_key: SessionKey::from_bytes(&session_key.0).ok(),
            key_generation,
            tier: self.tier,
            expires_at_ms,
            revoked: false,
            stake_status: self.status,
            suspended: self.suspended,
            staked: self.amount,
            minimum_stake: self.terms.minimum_stake,
        }
    }
}

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use daas_seal_token::{ClusterId, LiveToken, NodeName, SessionKey, StakeId, StakeStatus, Tier, TokenId, WalletAddress};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::shards::Shards;
use crate::types::cluster::GrantKey;
use crate::types::staking::Terms;
use crate::types::{Bytes32, Cluster, Pcrs, Registration, Release};

/// For this long after a rotation, certificates of the generation before it are still good.
pub const OLD_KEY_GRACE_MS: u64 = 10 * 60 * 1000;

/// A cluster in memory: one writer, readers without locks.
pub struct Tables {
    cluster: ArcSwap<ClusterState>,
    stakes: Shards<StakeId, Arc<StakeRecord>>,
    tokens: Shards<TokenId, Arc<LiveToken>>,
    names: Shards<NodeName, StakeId>,
    owners: Shards<WalletAddress, Arc<[StakeId]>>,
    rotations: Shards<TokenId, Rotation>,
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

#[derive(Debug, Clone, Copy)]
struct Rotation {
    since_ms: u64,
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
        self.tokens.get(id)
    }

    /// A stake.
    pub fn stake(&self, id: &StakeId) -> Option<Arc<StakeRecord>> {
        self.stakes.get(id)
    }

    /// The stake of a node.
    pub fn stake_of(&self, name: &NodeName) -> Option<Arc<StakeRecord>> {
        self.stake(&self.names.get(name)?)
    }

    /// The stakes of a wallet.
    pub fn stakes_of(&self, owner: &WalletAddress) -> Vec<Arc<StakeRecord>> {
        self.owners.get(owner).iter().flat_map(|stakes| stakes.iter()).filter_map(|id| self.stake(id)).collect()
    }

    /// All stakes.
    pub fn stakes(&self) -> Vec<Arc<StakeRecord>> {
        self.stakes.values()
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

    pub(super) fn set_cluster(&self, cluster: ClusterState) {
        self.cluster.store(Arc::new(cluster));
    }

    pub(super) fn put_stake(&self, record: StakeRecord) {
        self.names.insert(record.name.clone(), record.stake);
        let mut owned: Vec<_> = self.owners.get(&record.owner).map(|stakes| stakes.to_vec()).unwrap_or_default();
        if !owned.contains(&record.stake) {
            owned.push(record.stake);
            self.owners.insert(record.owner, owned.into());
        }
        self.stakes.insert(record.stake, Arc::new(record));
    }

    pub(super) fn remove_stake(&self, record: &StakeRecord) {
        if let Some(token) = &record.token {
            self.remove_token(token);
        }
        let owned: Vec<_> = self.owners.get(&record.owner).map(|stakes| stakes.to_vec()).unwrap_or_default();
        let rest: Vec<_> = owned.into_iter().filter(|stake| *stake != record.stake).collect();
        if rest.is_empty() {
            self.owners.remove(&record.owner);
        } else {
            self.owners.insert(record.owner, rest.into());
        }
        self.names.remove(&record.name);
        self.stakes.remove(&record.stake);
    }

    pub(super) fn put_token(&self, token: LiveToken) -> Arc<LiveToken> {
        let token = Arc::new(token);
        self.tokens.insert(token.token, Arc::clone(&token));
        token
    }

    pub(super) fn remove_token(&self, token: &TokenId) {
        self.tokens.remove(token);
        self.rotations.remove(token);
    }

    pub(super) fn note_rotation(&self, token: TokenId, since_ms: u64) {
        self.rotations.insert(token, Rotation { since_ms });
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

#[cfg(test)]
pub(super) mod tests {
    use std::time::Instant;

    use super::super::state::{State, StateError};
    use super::*;
    use crate::types::cluster::{ByTier, Endpoints, ReleaseRules, Settings};
    use crate::types::enclave::InstanceKey;
    use crate::types::measurements::ReleaseKey;
    use crate::types::staking::TokenRef;
    use crate::types::{Bytes, ClusterField, SealTokenObject, Stake};
    use sui_sdk_types::Address;

    const TOKENS: u32 = 100_000;

    fn address(kind: u8, number: u32) -> Address {
        let mut bytes = [kind; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Address::new(bytes)
    }

    pub(crate) fn cluster() -> Cluster {
        Cluster {
            id: address(1, 0),
            version: 1,
            name: "c".into(),
            admin_cap: address(2, 0),
            settings: Settings {
                minimum_stakes: ByTier([1, 1, 1]),
                open_tiers: ByTier([false, true, false]),
                unbonding_ms: 1,
                max_workers: 1,
                slash_share_bps: 1,
                treasury: address(3, 0),
                offences: Vec::new(),
                heartbeat_limit_ms: 1,
                document_max_age_ms: 1,
                registration_ms: 1,
                config_sha256: None,
            },
            endpoints: Endpoints { api: String::new(), join: String::new(), master: String::new() },
            release_rules: ReleaseRules { delay_ms: 0, auditors: Vec::new(), threshold: 0 },
            generation: 0,
            active: None,
            anchor: None,
            active_workers: 0,
        }
    }

    fn stake(number: u32) -> Stake {
        let id = address(4, number);
        let node_id = format!("worker-{number}");
        let name = NodeName::new(&node_id.parse().unwrap(), &StakeId(id.into_inner()));
        Stake {
            id,
            cluster: address(1, 0),
            owner: address(5, number),
            node_id,
            name: name.to_string(),
            tier: Tier::Worker,
            status: StakeStatus::Active,
            suspended: false,
            balance: 1,
            principal: 1,
            slashed: 0,
            terms: Terms {
                minimum_stake: 1,
                unbonding_ms: 1,
                slash_share_bps: 1,
                treasury: address(3, 0),
                offences: Vec::new(),
            },
            staked_at_ms: 1,
            releases_at_ms: 0,
            token: Some(TokenRef { id: address(6, number), expires_at_ms: 9 }),
        }
    }

    fn token(number: u32, session_key: [u8; 32]) -> SealTokenObject {
        SealTokenObject {
            id: address(6, number),
            cluster: address(1, 0),
            owner: address(5, number),
            stake: address(4, number),
            name: String::new(),
            session_key: Bytes(session_key),
            key_generation: 1,
            tier: Tier::Worker,
            created_at_ms: 1,
            expires_at_ms: 9,
            revoked: false,
            former_keys: Vec::new(),
        }
    }

    fn release(pcrs: u8) -> Box<Release> {
        Box::new(Release {
            pcrs: Bytes([pcrs; 144]),
            pcr8: None,
            worker_pcrs: Vec::new(),
            artifact_sha256: Bytes([2; 32]),
            source_revision: "r".into(),
            proposed_at_ms: 1,
            active_from_ms: 1,
            threshold: 0,
            approvals: Vec::new(),
            status: crate::types::ReleaseStatus::Listed,
            retiring_until_ms: 0,
            compromised: false,
        })
    }

    fn registration(instance: u8) -> Box<Registration> {
        Box::new(Registration {
            instance: Bytes([instance; 32]),
            pcrs: Bytes([7; 144]),
            tls_spki_sha256: Bytes([instance; 32]),
            server_ca_sha256: Bytes([2; 32]),
            config_sha256: Bytes([2; 32]),
            state_epoch: 1,
            document_at_ms: 1,
            registered_at_ms: 1,
            expires_at_ms: 100,
            sequence: 1,
        })
    }

    /// Nodes are compared by what they say; the one whose state is taken must not be able to say it under other keys.
    #[test]
    fn a_release_or_registration_under_another_key_is_not_loaded() {
        let load = |field| State::load(cluster(), vec![field], Vec::new(), Vec::new()).map(drop);
        let released = |key| ClusterField::Release(ReleaseKey { pcrs: Bytes([key; 144]) }, release(7));
        assert_eq!(load(released(7)), Ok(()));
        assert_eq!(load(released(66)), Err(StateError::OtherKey));
        let registered = |key| ClusterField::Registration(InstanceKey { instance: Bytes([key; 32]) }, registration(3));
        assert_eq!(load(registered(3)), Ok(()));
        assert_eq!(load(registered(66)), Err(StateError::OtherKey));
    }

    #[test]
    fn a_token_that_is_revoked_while_a_node_is_asked_leaves_nothing_behind() {
        let key = daas_seal_token::SigningKey::from_bytes(&[1; 32]).public().to_bytes();
        let revoked = crate::types::Event::TokenRevoked(crate::types::events::TokenRevoked {
            cluster: address(1, 0),
            token: address(6, 1),
            by_admin: false,
        });
        let load = |token| State::load(cluster(), Vec::new(), vec![stake(1)], vec![token]).unwrap();
        let mut before = load(token(1, key));
        let mut between = load(SealTokenObject { revoked: true, ..token(1, key) });
        before.apply(revoked.clone(), 1).unwrap();
        between.apply(revoked, 1).unwrap();
        assert_eq!(before.tables().fingerprint(), between.tables().fingerprint());
    }

    /// Resident pages of this process, in bytes.
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[test]
    fn a_hundred_thousand_tokens_fit_into_a_hundred_megabytes_and_are_found_at_once() {
        let key = daas_seal_token::SigningKey::from_bytes(&[1; 32]).public().to_bytes();
        let before = resident();
        // In pieces, so that the loaded objects themselves do not count.
        let mut state = State::load(cluster(), Vec::new(), Vec::new(), Vec::new()).unwrap();
        for first in (0..TOKENS).step_by(1000) {
            let stakes = (first..first + 1000).map(stake).collect();
            let tokens = (first..first + 1000).map(|number| token(number, key)).collect();
            state.load_more(stakes, tokens).unwrap();
        }
        let used = resident().saturating_sub(before);
        println!("{} MB for {TOKENS} tokens", used / 1_000_000);
        assert!(used <= 100_000_000, "{used}");

        let tables = state.tables();
        let ids: Vec<_> = (0..TOKENS).map(|number| TokenId(address(6, number).into_inner())).collect();
        let mut times: Vec<_> = ids
            .iter()
            .map(|id| {
                let start = Instant::now();
                assert!(tables.token(id).is_some());
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("look-up p50 {:?}, p99 {:?} (unoptimised)", times[times.len() / 2], times[times.len() * 99 / 100]);
    }
}

//! A cluster of as many stakes with Seal tokens as asked for, as nodes would tell it: for tests and measurements.

use std::sync::LazyLock;

use daas_chain::registry::State;
use daas_chain::types::cluster::{ByTier, Cluster, Endpoints, ReleaseRules, Settings};
use daas_chain::types::staking::{Terms, TokenRef};
use daas_chain::types::{Bytes, SealTokenObject, Stake};
use daas_seal_token::{NodeName, SigningKey, StakeId, StakeStatus, Tier, TokenId};
use sui_sdk_types::Address;

/// Objects are loaded in pieces, so that they themselves do not count as the registry's memory.
const PIECE: u32 = 1_000;

static SESSION_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]).public().to_bytes());

/// The state of a cluster with this many tokens.
pub(crate) fn state(tokens: u32) -> State {
    let mut state = State::load(cluster(), Vec::new(), Vec::new(), Vec::new()).expect("a good cluster");
    for first in (0..tokens).step_by(PIECE as usize) {
        let numbers = || first..tokens.min(first + PIECE);
        state.load_more(numbers().map(stake).collect(), numbers().map(token).collect()).expect("good objects");
    }
    state
}

/// Resident memory of this process in bytes. Memory that was freed before stays resident.
pub(crate) fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.expect("/proc/self/statm") * 4096
}

pub(crate) fn address(kind: u8, number: u32) -> Address {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    // As ids are hashes, spread the numbers.
    bytes[4..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
    Address::new(bytes)
}

pub(crate) fn token_id(number: u32) -> TokenId {
    TokenId(address(6, number).into_inner())
}

pub(crate) fn cluster() -> Cluster {
    Cluster {
        id: address(1, 0),
        version: 1,
        name: "sample".into(),
        admin_cap: address(2, 0),
        settings: Settings {
            minimum_stakes: ByTier([1, 1, 1]),
            open_tiers: ByTier([false, true, false]),
            unbonding_ms: 1,
            max_workers: 1_000_000,
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

pub(crate) fn stake(number: u32) -> Stake {
    let id = address(4, number);
    let node_id = format!("worker-{number}");
    let name = NodeName::new(&node_id.parse().expect("a node id"), &StakeId(id.into_inner()));
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

pub(crate) fn token(number: u32) -> SealTokenObject {
    SealTokenObject {
        id: address(6, number),
        cluster: address(1, 0),
        owner: address(5, number),
        stake: address(4, number),
        name: String::new(),
        session_key: Bytes(*SESSION_KEY),
        key_generation: 1,
        tier: Tier::Worker,
        created_at_ms: 1,
        expires_at_ms: 9,
        revoked: false,
        former_keys: Vec::new(),
    }
}

//! The registry with 100 000 Seal tokens: how long a look-up takes, beside a plain hash map (the limit: the same answer
//! without concurrent writers), and how much memory it needs.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use daas_chain::registry::State;
use daas_chain::types::cluster::{ByTier, Cluster, Endpoints, ReleaseRules, Settings};
use daas_chain::types::staking::{Terms, TokenRef};
use daas_chain::types::{Bytes, SealTokenObject, Stake};
use daas_seal_token::{LiveToken, NodeName, SigningKey, StakeId, StakeStatus, Tier, TokenId};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sui_sdk_types::Address;

use crate::latencies::Latencies;

const TOKENS: u32 = 100_000;
const RUNS: usize = 500_000;
/// Objects are loaded in pieces, so that they themselves do not count as the registry's memory.
const PIECE: u32 = 1_000;

pub(crate) fn run() {
    let before = resident();
    let mut state = State::load(cluster(), Vec::new(), Vec::new(), Vec::new()).expect("a good cluster");
    let session_key = SigningKey::from_bytes(&[7; 32]).public().to_bytes();
    for first in (0..TOKENS).step_by(PIECE as usize) {
        let numbers = || first..first + PIECE;
        let tokens = numbers().map(|number| token(number, session_key)).collect();
        state.load_more(numbers().map(stake).collect(), tokens).expect("good stakes and tokens");
    }
    let used = resident().saturating_sub(before);

    let tables = state.tables();
    let mut random = StdRng::seed_from_u64(1);
    let wanted: Vec<TokenId> = (0..RUNS).map(|_| token_id(random.gen_range(0..TOKENS))).collect();
    let ours = Latencies::of(RUNS, |run| {
        black_box(tables.token(black_box(&wanted[run])).expect("a token"));
    });
    let plain: HashMap<TokenId, Arc<LiveToken>> =
        (0..TOKENS).map(token_id).filter_map(|id| Some((id, tables.token(&id)?))).collect();
    let limit = Latencies::of(RUNS, |run| {
        black_box(plain.get(black_box(&wanted[run])).map(Arc::clone).expect("a token"));
    });

    println!("  look-up of a token           {ours}   (goal: p99 within 1 µs)");
    println!("  look-up in a plain HashMap   {limit}");
    println!("  memory of {TOKENS} tokens    {:>7} MB       (goal: 100 MB)", used / 1_000_000);
}

/// Resident memory of this process in bytes. Memory that was freed before stays resident, so this benchmark runs first.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.expect("/proc/self/statm") * 4096
}

fn address(kind: u8, number: u32) -> Address {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    // As ids are hashes, spread the numbers.
    bytes[4..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
    Address::new(bytes)
}

fn token_id(number: u32) -> TokenId {
    TokenId(address(6, number).into_inner())
}

fn cluster() -> Cluster {
    Cluster {
        id: address(1, 0),
        version: 1,
        name: "bench".into(),
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

fn stake(number: u32) -> Stake {
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

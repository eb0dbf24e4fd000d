//! The registry with 100 000 Seal tokens: how long a look-up takes, beside a plain hash map (the limit: the same answer
//! without concurrent writers), and how much memory it needs.

#[path = "../../crates/chain/src/registry/sample.rs"]
mod sample;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use daas_seal_token::{LiveToken, TokenId};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::latencies::{Latencies, clock};
use sample::{resident, token_id};

const TOKENS: u32 = 100_000;
const RUNS: usize = 500_000;

pub(crate) fn run() {
    let before = resident();
    let state = sample::state(TOKENS);
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
    println!("  each look-up of a random token timed alone, less the {:?} of reading the clock", clock());
    println!("  memory of {TOKENS} tokens    {:>7} MB       (goal: 100 MB)", used / 1_000_000);
}

//! A Seal token from bearer string to verdict, beside the strict signature check alone (the limit: nothing can be faster).

use std::hint::black_box;
use std::sync::Arc;

use daas_seal_token::{
    Claims, ClusterId, Expectation, ExpectedPurpose, LiveToken, NetworkId, Purpose, SealToken, SigningKey, StakeId,
    StakeStatus, Stale, Tier, TokenId, TokenView, WalletAddress, verify,
};
use ed25519_dalek::Signer as _;

use crate::latencies::Latencies;

const RUNS: usize = 40_000;
const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) fn run() {
    let (bearer, view) = scene();
    let expectation =
        Expectation { network: NetworkId([1; 32]), cluster: ClusterId([2; 32]), purpose: ExpectedPurpose::Api };
    let ours = Latencies::of(RUNS, |_| {
        let token = SealToken::parse(black_box(&bearer)).expect("a well-formed token");
        black_box(verify(&token, &expectation, &view, NOW_MS).expect("a good token"));
    });

    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let message = [0x5a; 160];
    let signature = key.sign(&message);
    let public = key.verifying_key();
    let limit = Latencies::of(RUNS, |_| {
        public.verify_strict(black_box(&message), &signature).expect("a good signature");
    });

    println!("  parse and verify a token     {ours}   (goal: 20 000/s on one core)");
    println!("  ed25519-dalek verify_strict  {limit}");
    println!("  ours / limit                 {:.2}", ours.per_second() / limit.per_second());
}

/// A chain of one token.
struct OneToken(Arc<LiveToken>);

impl TokenView for OneToken {
    fn check_fresh(&self, _now_ms: u64) -> Result<(), Stale> {
        Ok(())
    }

    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        (self.0.token == *id).then(|| Arc::clone(&self.0))
    }

    fn admits(&self, _owner: &WalletAddress, _tier: Tier) -> bool {
        false
    }
}

fn scene() -> (String, OneToken) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let live = LiveToken {
        token: TokenId([3; 32]),
        cluster: ClusterId([2; 32]),
        owner: WalletAddress([4; 32]),
        stake: StakeId([5; 32]),
        name: "worker-1-05050505".parse().expect("a node name"),
        session_key: Some(key.public()),
        key_generation: 1,
        tier: Tier::Worker,
        expires_at_ms: NOW_MS + 86_400_000,
        revoked: false,
        stake_status: StakeStatus::Active,
        suspended: false,
        staked: 1_000_000_000,
        minimum_stake: 1_000_000_000,
    };
    let claims =
        Claims::new(NetworkId([1; 32]), live.cluster, live.token, Purpose::Api, NOW_MS - 1_000, 60_000, [9; 16])
            .expect("good claims");
    (key.sign(&claims).to_bearer(), OneToken(Arc::new(live)))
}

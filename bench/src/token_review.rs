//! TokenReviews in the authenticator's handler, from body to body, on one core: tokens that were never seen, beside the strict
//! signature check alone (the limit: nothing can be faster), and tokens that clients show again.

use std::hint::black_box;
use std::sync::Arc;

use daas_authenticator::verdicts::{RegistryView, Verdicts};
use daas_authenticator::webhooks::token_review;
use daas_seal_token::{
    Claims, ClusterId, Expectation, ExpectedPurpose, LiveToken, NetworkId, NodeName, Purpose, Refusal, SigningKey,
    StakeId, StakeStatus, Stale, Tier, TokenId, TokenView, WalletAddress,
};
use ed25519_dalek::Signer as _;

use crate::latencies::Latencies;

const RUNS: usize = 30_000;
/// Tokens that are shown again and again: as many users as a busy cluster has.
const USERS: usize = 1_000;
const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) fn run() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let verdicts = Verdicts::new(OneToken(Arc::new(live(&key))));
    // Each is shown once: to warm up, or counted.
    let bodies: Vec<String> = (0..RUNS + RUNS / 10).map(|number| body(&key, number)).collect();
    let review = |number: usize| {
        let answer = token_review(&verdicts, black_box(bodies[number].as_bytes()), NOW_MS).expect("a review");
        assert!(answer.contains(r#""authenticated":true"#));
        black_box(answer);
    };
    let mut shown = 0..bodies.len();
    let fresh = Latencies::of(RUNS, |_| shown.next().into_iter().for_each(&review));
    let checked = verdicts.signatures().counts().0;
    let again = Latencies::of(RUNS, |run| review(run % USERS));

    let bare = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let message = [0x5a; 152];
    let signatures: Vec<_> = (0..USERS)
        .map(|number| {
            let mut message = message;
            message[..8].copy_from_slice(&number.to_be_bytes());
            (message, bare.sign(&message))
        })
        .collect();
    let public = bare.verifying_key();
    let limit = Latencies::of(RUNS, |run| {
        let (message, signature) = &signatures[run % USERS];
        public.verify_strict(black_box(message), signature).expect("a good signature");
    });

    println!("  TokenReview, new token       {fresh}");
    println!("  ed25519-dalek verify_strict  {limit}");
    println!("  ours / limit                 {:.2}   (goal: 0.7)", fresh.per_second() / limit.per_second());
    println!("  TokenReview, token again     {again}   (goal: 20 000/s, p99 within 1 ms)");
    println!(
        "  signatures checked for {} new tokens: {checked}; for {} shown again: {}",
        bodies.len(),
        RUNS + RUNS / 10,
        verdicts.signatures().counts().0 - checked
    );
}

fn body(key: &SigningKey, number: usize) -> String {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    let ids = (NetworkId([1; 32]), ClusterId([2; 32]), TokenId([3; 32]));
    let claims = Claims::new(ids.0, ids.1, ids.2, Purpose::Api, NOW_MS - 1_000, 60_000, nonce).expect("good claims");
    let token = key.sign(&claims).to_bearer();
    format!(
        r#"{{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","metadata":{{"creationTimestamp":null}},"spec":{{"token":"{token}","audiences":["https://kubernetes.default.svc.cluster.local"]}},"status":{{"user":{{}}}}}}"#
    )
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
        true
    }
}

impl RegistryView for OneToken {
    fn expectation<'a>(&self, purpose: ExpectedPurpose<'a>) -> Expectation<'a> {
        Expectation { network: NetworkId([1; 32]), cluster: ClusterId([2; 32]), purpose }
    }

    fn verify_certificate(&self, token: &TokenId, _generation: u64, _now_ms: u64) -> Result<Arc<LiveToken>, Refusal> {
        self.token(token).ok_or(Refusal::Unknown)
    }

    fn token_of(&self, _node: &NodeName) -> Option<TokenId> {
        None
    }

    fn age_ms(&self, _now_ms: u64) -> Option<u64> {
        Some(0)
    }
}

fn live(key: &SigningKey) -> LiveToken {
    LiveToken {
        token: TokenId([3; 32]),
        cluster: ClusterId([2; 32]),
        owner: WalletAddress([4; 32]),
        stake: StakeId([5; 32]),
        name: "user-1-05050505".parse().expect("a node name"),
        session_key: Some(key.public()),
        key_generation: 1,
        tier: Tier::Admin,
        expires_at_ms: NOW_MS + 86_400_000,
        revoked: false,
        stake_status: StakeStatus::Active,
        suspended: false,
        staked: 1_000_000_000,
        minimum_stake: 1_000_000_000,
    }
}

//! A registry in a test's hands, and who is in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use daas_seal_token::{
    Claims, ClusterId, Expectation, ExpectedPurpose, LiveToken, NetworkId, NodeName, Purpose, Refusal, SealToken,
    SigningKey, StakeId, StakeStatus, Stale, Tier, TokenId, TokenView, WalletAddress,
};

use super::*;

pub(crate) const NOW: u64 = 1_000_000;

/// A registry in a test's hands.
#[derive(Clone, Default)]
pub(crate) struct FakeView(Arc<FakeTables>);

impl std::ops::Deref for FakeView {
    type Target = FakeTables;

    fn deref(&self) -> &FakeTables {
        &self.0
    }
}

#[derive(Default)]
pub(crate) struct FakeTables {
    pub(crate) tokens: Mutex<HashMap<TokenId, LiveToken>>,
    pub(crate) grants: Mutex<Vec<Tier>>,
    pub(crate) stale: AtomicBool,
    pub(crate) grace: AtomicBool,
}

impl FakeView {
    pub(crate) fn edit(&self, token: u8, change: impl FnOnce(&mut LiveToken)) {
        change(self.tokens.lock().unwrap().get_mut(&TokenId([token; 32])).unwrap());
    }
}

impl TokenView for FakeView {
    fn check_fresh(&self, _now_ms: u64) -> Result<(), Stale> {
        let stale = self.stale.load(Ordering::SeqCst);
        if stale { Err(Stale { age_ms: 31_000, bound_ms: 30_000 }) } else { Ok(()) }
    }

    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        self.tokens.lock().unwrap().get(id).cloned().map(Arc::new)
    }

    fn admits(&self, _owner: &WalletAddress, tier: Tier) -> bool {
        self.grants.lock().unwrap().contains(&tier)
    }
}

impl RegistryView for FakeView {
    fn expectation<'a>(&self, purpose: ExpectedPurpose<'a>) -> Expectation<'a> {
        Expectation { network: NetworkId([1; 32]), cluster: ClusterId([2; 32]), purpose }
    }

    fn verify_certificate(&self, token: &TokenId, key_generation: u64, now_ms: u64) -> Result<Arc<LiveToken>, Refusal> {
        self.check_fresh(now_ms)?;
        let live = self.token(token).ok_or(Refusal::Unknown)?;
        live.check_alive(now_ms)?;
        let grace = self.grace.load(Ordering::SeqCst) && key_generation + 1 == live.key_generation;
        if key_generation == live.key_generation || grace { Ok(live) } else { Err(Refusal::Signature) }
    }

    fn token_of(&self, node: &NodeName) -> Option<TokenId> {
        let tokens = self.tokens.lock().unwrap();
        tokens.values().find(|token| token.name == *node).map(|token| token.token)
    }

    fn age_ms(&self, _now_ms: u64) -> Option<u64> {
        Some(if self.stale.load(Ordering::SeqCst) { 31_000 } else { 500 })
    }
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn bearer_of(number: u8, purpose: Purpose) -> SealToken {
    bearer_at(number, purpose, NOW)
}

pub(crate) fn bearer_at(number: u8, purpose: Purpose, now_ms: u64) -> SealToken {
    let id = TokenId([number; 32]);
    let (network, cluster) = (NetworkId([1; 32]), ClusterId([2; 32]));
    let claims = Claims::new(network, cluster, id, purpose, now_ms, 60_000, [4; 16]).unwrap();
    key(number).sign(&claims)
}

pub(crate) fn name(number: u8) -> NodeName {
    NodeName::new(&format!("worker-{number}").parse().unwrap(), &StakeId([number; 32]))
}

/// Token 6 is a worker's, token 7 an admin's, token 8 another worker's; everything is granted.
pub(crate) fn world() -> (FakeView, Verdicts<FakeView>) {
    let live = |number: u8, tier| LiveToken {
        token: TokenId([number; 32]),
        cluster: ClusterId([2; 32]),
        owner: WalletAddress([number; 32]),
        stake: StakeId([number; 32]),
        name: name(number),
        session_key: Some(key(number).public()),
        key_generation: 3,
        tier,
        expires_at_ms: u64::MAX,
        revoked: false,
        stake_status: StakeStatus::Active,
        suspended: false,
        staked: 10,
        minimum_stake: 10,
    };
    let tokens = [live(6, Tier::Worker), live(7, Tier::Admin), live(8, Tier::Worker)];
    let view = FakeView(Arc::new(FakeTables {
        tokens: Mutex::new(tokens.map(|token| (token.token, token)).into()),
        grants: Mutex::new(Tier::ALL.to_vec()),
        ..FakeTables::default()
    }));
    (view.clone(), Verdicts::new(view))
}

pub(crate) fn node_subject(number: u8) -> Subject {
    Subject {
        user: format!("system:node:{}", name(number)),
        groups: vec![
            "system:nodes".to_owned(),
            format!("seal:node:{}", name(number)),
            format!("seal:token:{}", TokenId([number; 32])),
            "seal:key:3".to_owned(),
        ],
        extra: [(CREDENTIAL_EXTRA.to_owned(), vec!["X509SHA256=aa".to_owned()])].into(),
    }
}

pub(crate) fn user_subject(number: u8, tiers: &[Tier]) -> Subject {
    let mut groups = vec![format!("seal:token:{}", TokenId([number; 32])), "seal:key:3".to_owned()];
    groups.extend(tiers.iter().map(|tier| tier.group().to_owned()));
    Subject { user: format!("seal:{}", WalletAddress([number; 32])), groups, ..Subject::default() }
}

pub(crate) fn service_account(extra: &[(&str, &str)]) -> Subject {
    let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
    Subject { user: "system:serviceaccount:default:web".to_owned(), groups: Vec::new(), extra }
}

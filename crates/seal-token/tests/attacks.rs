//! Every way in which a token must not work. Each token here is properly signed unless the signature is the attack.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use daas_seal_token::{
    Claims, ClusterId, Expectation, ExpectedPurpose, Identity, LiveToken, NetworkId, NodeName, Purpose, Refusal,
    SealToken, SessionKey, SigningKey, StakeId, StakeStatus, Stale, Tier, TokenId, TokenView, WalletAddress, verify,
};
use ed25519_dalek::Signer as _;
use proptest::prelude::*;

const NOW: u64 = 1_800_000_000_000;
const SKEW: u64 = 30_000;
const NETWORK: NetworkId = NetworkId([1; 32]);
const CLUSTER: ClusterId = ClusterId([2; 32]);
const TOKEN: TokenId = TokenId([3; 32]);
const OWNER: WalletAddress = WalletAddress([4; 32]);
const STAKE: StakeId = StakeId([5; 32]);

#[derive(Clone)]
struct Chain {
    tokens: HashMap<TokenId, LiveToken>,
    admitted: Vec<Tier>,
    stale: Option<Stale>,
}

impl TokenView for Chain {
    fn check_fresh(&self, _: u64) -> Result<(), Stale> {
        self.stale.map_or(Ok(()), Err)
    }

    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        self.tokens.get(id).cloned().map(Arc::new)
    }

    fn admits(&self, owner: &WalletAddress, tier: Tier) -> bool {
        *owner == OWNER && self.admitted.contains(&tier)
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn name() -> NodeName {
    NodeName::new(&"worker-1".parse().unwrap(), &STAKE)
}

fn live() -> LiveToken {
    LiveToken {
        token: TOKEN,
        cluster: CLUSTER,
        owner: OWNER,
        stake: STAKE,
        name: name(),
        session_key: Some(key().public()),
        key_generation: 3,
        tier: Tier::Worker,
        expires_at_ms: NOW + 1_000_000_000,
        revoked: false,
        stake_status: StakeStatus::Active,
        suspended: false,
        staked: 100,
        minimum_stake: 100,
    }
}

fn chain(live: LiveToken) -> Chain {
    Chain { tokens: HashMap::from([(TOKEN, live)]), admitted: Vec::new(), stale: None }
}

fn claims(purpose: Purpose) -> Claims {
    Claims::new(NETWORK, CLUSTER, TOKEN, purpose, NOW, 60_000, [8; 16]).unwrap()
}

fn api(token: &SealToken, chain: &Chain, now: u64) -> Result<Identity, Refusal> {
    verify(token, &Expectation { network: NETWORK, cluster: CLUSTER, purpose: ExpectedPurpose::Api }, chain, now)
}

fn join(token: &SealToken, chain: &Chain, node: Option<&str>) -> Result<Identity, Refusal> {
    let purpose = ExpectedPurpose::Join { node };
    verify(token, &Expectation { network: NETWORK, cluster: CLUSTER, purpose }, chain, NOW)
}

/// A token over any claims with any 64 bytes as signature.
fn forged(claims: &Claims, signature: [u8; 64]) -> SealToken {
    let claims = BASE64.encode(bcs::to_bytes(claims).unwrap());
    SealToken::parse(&format!("seal1.{claims}.{}", BASE64.encode(signature))).unwrap()
}

fn signature_of(token: &SealToken) -> [u8; 64] {
    let bearer = token.to_bearer();
    BASE64.decode(bearer.rsplit('.').next().unwrap()).unwrap().try_into().unwrap()
}

#[test]
fn a_good_token_is_accepted_for_both_purposes() {
    let chain = chain(live());
    let Ok(bearer @ Identity::Bearer(_)) = api(&key().sign(&claims(Purpose::Api)), &chain, NOW) else { panic!() };
    assert_eq!(bearer.user_name(), format!("seal:{OWNER}"));
    assert_eq!(bearer.uid(), OWNER.to_string());
    assert_eq!(bearer.groups(), [format!("seal:token:{TOKEN}"), "seal:key:3".into(), "seal:tier:worker".into()]);
    let node = join(&key().sign(&claims(Purpose::Join)), &chain, Some(name().as_str())).unwrap();
    assert_eq!(node.user_name(), format!("system:node:{}", name()));
    let node_group = format!("seal:node:{}", name());
    assert_eq!(node.groups(), [&format!("seal:token:{TOKEN}"), "seal:key:3", "system:nodes", &node_group]);
}

#[test]
fn a_token_of_another_network_cluster_or_purpose_is_refused() {
    let chain = chain(live());
    let foreign = Claims { network: NetworkId([9; 32]), ..claims(Purpose::Api) };
    assert_eq!(api(&key().sign(&foreign), &chain, NOW), Err(Refusal::WrongNetwork));
    let foreign = Claims { cluster: ClusterId([9; 32]), ..claims(Purpose::Api) };
    assert_eq!(api(&key().sign(&foreign), &chain, NOW), Err(Refusal::WrongCluster));
    let refusal = api(&key().sign(&claims(Purpose::Join)), &chain, NOW);
    assert_eq!(refusal, Err(Refusal::WrongPurpose { expected: Purpose::Api, found: Purpose::Join }));
    let refusal = join(&key().sign(&claims(Purpose::Api)), &chain, None);
    assert_eq!(refusal, Err(Refusal::WrongPurpose { expected: Purpose::Join, found: Purpose::Api }));
}

#[test]
fn a_token_object_of_another_cluster_is_unknown_here() {
    let chain = chain(LiveToken { cluster: ClusterId([9; 32]), ..live() });
    assert_eq!(api(&key().sign(&claims(Purpose::Api)), &chain, NOW), Err(Refusal::Unknown));
}

#[test]
fn a_join_token_under_another_node_name_is_refused() {
    let token = key().sign(&claims(Purpose::Join));
    for other in ["worker-1", "worker-2-05050505", "WORKER-1-05050505", ""] {
        assert_eq!(join(&token, &chain(live()), Some(other)), Err(Refusal::WrongNode(name())), "{other}");
    }
}

#[test]
fn only_workers_join() {
    for tier in [Tier::Reader, Tier::Admin] {
        let mut chain = chain(LiveToken { tier, ..live() });
        chain.admitted = Tier::ALL.to_vec();
        assert_eq!(join(&key().sign(&claims(Purpose::Join)), &chain, None), Err(Refusal::NotAWorker(tier)));
    }
}

#[test]
fn the_window_ends_exactly_at_the_skew() {
    let token = key().sign(&claims(Purpose::Api));
    let chain = chain(live());
    assert_eq!(api(&token, &chain, NOW - SKEW - 1), Err(Refusal::NotYetValid { ahead_ms: SKEW + 1 }));
    assert!(api(&token, &chain, NOW - SKEW).is_ok());
    assert!(api(&token, &chain, NOW + 60_000 + SKEW).is_ok());
    assert_eq!(api(&token, &chain, NOW + 60_000 + SKEW + 1), Err(Refusal::Expired { ago_ms: SKEW + 1 }));
}

#[test]
fn a_lifetime_beyond_the_purpose_or_upside_down_is_refused() {
    let chain = chain(live());
    for (purpose, max) in [(Purpose::Api, 5 * 60_000), (Purpose::Join, 10 * 60_000)] {
        for (lifetime, good) in [(max, true), (max + 1, false), (u64::MAX - NOW, false)] {
            let token = key().sign(&Claims { expires_at_ms: NOW + lifetime, ..claims(purpose) });
            let verdict = if purpose == Purpose::Api { api(&token, &chain, NOW) } else { join(&token, &chain, None) };
            assert_eq!(verdict.is_ok(), good, "{purpose} {lifetime}");
            assert!(good || verdict == Err(Refusal::Lifetime));
        }
    }
    for expires_at_ms in [NOW, NOW - 1, 0] {
        let token = key().sign(&Claims { expires_at_ms, ..claims(Purpose::Api) });
        assert_eq!(api(&token, &chain, NOW), Err(Refusal::Lifetime));
    }
    let edge = Claims { issued_at_ms: u64::MAX - 1, expires_at_ms: u64::MAX, ..claims(Purpose::Api) };
    assert!(matches!(api(&key().sign(&edge), &chain, NOW), Err(Refusal::NotYetValid { .. })));
}

#[test]
fn a_token_signed_with_a_rotated_or_foreign_key_is_refused() {
    for secret in [[6; 32], [8; 32]] {
        let token = SigningKey::from_bytes(&secret).sign(&claims(Purpose::Api));
        assert_eq!(api(&token, &chain(live()), NOW), Err(Refusal::Signature));
    }
}

#[test]
fn swapped_claims_are_refused() {
    let signature = signature_of(&key().sign(&claims(Purpose::Api)));
    let altered = [
        Claims { nonce: [9; 16], ..claims(Purpose::Api) },
        Claims { expires_at_ms: NOW + 60_001, ..claims(Purpose::Api) },
        Claims { issued_at_ms: NOW - 1, ..claims(Purpose::Api) },
    ];
    for claims in altered {
        assert_eq!(api(&forged(&claims, signature), &chain(live()), NOW), Err(Refusal::Signature));
    }
    let other = TokenId([10; 32]);
    let mut chain = chain(live());
    let foreign = LiveToken { token: other, session_key: Some(SigningKey::from_bytes(&[9; 32]).public()), ..live() };
    chain.tokens.insert(other, foreign);
    let claims = Claims { token: other, ..claims(Purpose::Api) };
    assert_eq!(api(&forged(&claims, signature), &chain, NOW), Err(Refusal::Signature));
}

#[test]
fn a_signature_in_another_domain_is_refused() {
    let bytes = bcs::to_bytes(&claims(Purpose::Api)).unwrap();
    let raw = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let domains: [&[u8]; 5] =
        [b"", b"k3s-daas/seal-token/v1", b"k3s-daas/seal-token/v2\0", b"k3s-daas/statement/v1\0", b"seal-token\0"];
    for domain in domains {
        let signature = raw.sign(&[domain, &bytes].concat()).to_bytes();
        assert_eq!(api(&forged(&claims(Purpose::Api), signature), &chain(live()), NOW), Err(Refusal::Signature));
    }
    let signature = raw.sign(&[b"k3s-daas/seal-token/v1\0".as_slice(), &bytes].concat()).to_bytes();
    assert!(api(&forged(&claims(Purpose::Api), signature), &chain(live()), NOW).is_ok());
}

/// S + L verifies under RFC 8032's equation but is another spelling of the same signature.
#[test]
fn a_malleable_signature_is_refused() {
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = signature_of(&key().sign(&claims(Purpose::Api)));
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(api(&forged(&claims(Purpose::Api), signature), &chain(live()), NOW), Err(Refusal::Signature));
}

/// With the neutral point as key and as R, S = 0 satisfies the plain equation for every message.
#[test]
fn a_small_order_key_cannot_even_be_held_and_a_small_order_r_is_refused() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(SessionKey::from_bytes(&neutral).is_err());
    let mut signature = [0; 64];
    signature[0] = 1;
    let lenient = ed25519_dalek::VerifyingKey::from_bytes(&neutral).unwrap();
    let message = bcs::to_bytes(&claims(Purpose::Api)).unwrap();
    let parsed = ed25519_dalek::Signature::from_bytes(&signature);
    assert!(ed25519_dalek::Verifier::verify(&lenient, &message, &parsed).is_ok(), "the attack is real");
    assert_eq!(api(&forged(&claims(Purpose::Api), signature), &chain(live()), NOW), Err(Refusal::Signature));
    let unusable = chain(LiveToken { session_key: None, ..live() });
    assert_eq!(api(&forged(&claims(Purpose::Api), signature), &unusable, NOW), Err(Refusal::UnusableKey));
}

/// With the neutral point as R, S = k·a satisfies the plain equation under an honest key. Who holds the key can make many such signatures, and
/// verifiers differ on them (RFC 8032 §5.1.7). S was computed from RFC 8032's formulas with integers alone.
#[test]
fn a_signature_with_an_r_of_small_order_is_refused_under_an_honest_key() {
    let s = "0bec9f52954a08ea7a7ce54be7ee9c04e638ed070c044c07192148689f322d02";
    let mut signature = [0; 64];
    signature[0] = 1;
    hex::decode_to_slice(s, &mut signature[32..]).unwrap();
    let claims = claims(Purpose::Api);
    let message = [b"k3s-daas/seal-token/v1\0".as_slice(), &bcs::to_bytes(&claims).unwrap()].concat();
    let lenient = ed25519_dalek::VerifyingKey::from_bytes(&key().public().to_bytes()).unwrap();
    let parsed = ed25519_dalek::Signature::from_bytes(&signature);
    assert!(ed25519_dalek::Verifier::verify(&lenient, &message, &parsed).is_ok(), "the attack is real");
    assert_eq!(api(&forged(&claims, signature), &chain(live()), NOW), Err(Refusal::Signature));
}

#[test]
fn a_dead_stake_or_token_is_refused_whatever_is_signed() {
    let cases = [
        (LiveToken { stake_status: StakeStatus::Slashed, ..live() }, Refusal::StakeNotActive(StakeStatus::Slashed)),
        (LiveToken { stake_status: StakeStatus::Unbonding, ..live() }, Refusal::StakeNotActive(StakeStatus::Unbonding)),
        (LiveToken { stake_status: StakeStatus::Withdrawn, ..live() }, Refusal::StakeNotActive(StakeStatus::Withdrawn)),
        (LiveToken { suspended: true, ..live() }, Refusal::Suspended),
        (LiveToken { revoked: true, ..live() }, Refusal::Revoked),
        (LiveToken { expires_at_ms: NOW, ..live() }, Refusal::ExpiredOnChain),
        (LiveToken { staked: 99, ..live() }, Refusal::StakeTooSmall { staked: 99, minimum: 100 }),
    ];
    for (live, expected) in cases {
        let chain = chain(live);
        assert_eq!(api(&key().sign(&claims(Purpose::Api)), &chain, NOW), Err(expected.clone()));
        assert_eq!(join(&key().sign(&claims(Purpose::Join)), &chain, None), Err(expected.clone()));
        // Whoever does not hold the key learns nothing of it.
        let stranger = SigningKey::from_bytes(&[8; 32]).sign(&claims(Purpose::Api));
        assert_eq!(api(&stranger, &chain, NOW), Err(Refusal::Signature));
    }
    assert!(
        api(&key().sign(&claims(Purpose::Api)), &chain(LiveToken { expires_at_ms: NOW + 1, ..live() }), NOW).is_ok()
    );
}

#[test]
fn a_stale_view_refuses_everything() {
    let stale = Stale { age_ms: 31_000, bound_ms: 30_000 };
    let chain = Chain { stale: Some(stale), ..chain(live()) };
    assert_eq!(api(&key().sign(&claims(Purpose::Api)), &chain, NOW), Err(Refusal::Stale(stale)));
    assert_eq!(join(&key().sign(&claims(Purpose::Join)), &chain, None), Err(Refusal::Stale(stale)));
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let mut chain = Chain { tokens: HashMap::new(), admitted: Vec::new(), stale: None };
    let token = key().sign(&claims(Purpose::Api));
    assert_eq!(api(&token, &chain, NOW), Err(Refusal::Unknown));
    chain.tokens.insert(TOKEN, live());
    assert!(api(&token, &chain, NOW).is_ok());
}

/// Attack 52 of docs/threat-model.md: money alone is neither reader nor admin.
#[test]
fn without_a_grant_there_is_no_admin_and_no_reader() {
    for tier in [Tier::Reader, Tier::Admin] {
        let rich = LiveToken { tier, staked: u64::MAX, ..live() };
        let token = key().sign(&claims(Purpose::Api));
        assert_eq!(api(&token, &chain(rich.clone()), NOW), Err(Refusal::TierNotGranted(tier)));
        let granted = Chain { admitted: vec![tier], ..chain(rich) };
        assert!(api(&token, &granted, NOW).unwrap().groups().contains(&tier.group().to_owned()));
    }
}

#[test]
fn no_token_is_printed_by_any_error_or_debug() {
    let token = key().sign(&claims(Purpose::Api));
    let bearer = token.to_bearer();
    let secret = bearer.rsplit('.').next().unwrap();
    let refusal = api(&token, &Chain { tokens: HashMap::new(), ..chain(live()) }, NOW).unwrap_err();
    let broken = SealToken::parse(&bearer[..bearer.len() - 1]).unwrap_err();
    let printed = format!("{token:?} {token} {refusal:?} {refusal} {broken:?} {broken}");
    assert!(!printed.contains(&secret[..8]), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn groups_never_reach_beyond_the_identity(
        owner: [u8; 32], generation: u64, tier in 0..3_u8, node_id in "[a-z]([a-z0-9-]{0,52}[a-z0-9])?", join_it: bool,
        admitted in proptest::collection::vec(0..3_u8, 0..3),
    ) {
        let owner = WalletAddress(owner);
        prop_assume!(node_id != "localhost");
        let name = NodeName::new(&node_id.parse().unwrap(), &STAKE);
        let live = LiveToken { owner, key_generation: generation, tier: Tier::try_from(tier).unwrap(), name: name.clone(), ..live() };
        let admitted = admitted.into_iter().map(|tier| Tier::try_from(tier).unwrap()).collect();
        let chain = Chain { admitted, ..chain(live) };
        let verdict = if join_it { join(&key().sign(&claims(Purpose::Join)), &chain, None) }
            else { api(&key().sign(&claims(Purpose::Api)), &chain, NOW) };
        let Ok(identity) = verdict else { return Ok(()) };
        for group in identity.groups() {
            prop_assert!(group.starts_with("seal:") || (join_it && group == "system:nodes"), "{}", group);
        }
        let user = identity.user_name();
        let allowed = if join_it { format!("system:node:{name}") } else { format!("seal:{owner}") };
        prop_assert_eq!(user, allowed);
        prop_assert!(!identity.groups().iter().any(|group| group == "system:masters"));
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(byte in 0..193_usize, bit in 0..8_u32) {
        let token = key().sign(&claims(Purpose::Api));
        let mut bytes = bcs::to_bytes(token.claims()).unwrap();
        bytes.extend(signature_of(&token));
        bytes[byte] ^= 1 << bit;
        let text = format!("seal1.{}.{}", BASE64.encode(&bytes[..129]), BASE64.encode(&bytes[129..]));
        if let Ok(token) = SealToken::parse(&text) {
            prop_assert!(api(&token, &chain(live()), NOW).is_err());
        }
    }

    #[test]
    fn random_signatures_are_refused(low: [u8; 32], high: [u8; 32]) {
        let signature: [u8; 64] = [low, high].concat().try_into().unwrap();
        prop_assert!(api(&forged(&claims(Purpose::Api), signature), &chain(live()), NOW).is_err());
    }
}

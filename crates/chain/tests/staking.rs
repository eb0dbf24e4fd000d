//! Stakes against the development chain with the real bytecode.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use daas_chain::Error;
use daas_chain::client::{SettingChange, StakeNode, TokenRequest};
use daas_chain::registry::{Change, EndReason, Registry};
use daas_chain::types::staking::Terms;
use daas_chain::types::{Bytes, Cluster, Offence, Stake};
use daas_seal_token::{
    Claims, ClusterId, ExpectedPurpose, Identity, Purpose, Refusal, SealToken, SigningKey, StakeStatus, Tier, TokenId,
};
use world::{DAY_MS, SUI, World, key, now_ms, token_of};

fn bearer(world: &World, key: &SigningKey, token: TokenId, purpose: Purpose) -> SealToken {
    let cluster = ClusterId(world.cluster.into_inner());
    let claims = Claims::new(world.node.network(), cluster, token, purpose, now_ms(), 60_000, [1; 16]).unwrap();
    key.sign(&claims)
}

fn join(world: &World, registry: &Registry, key: &SigningKey, token: TokenId) -> Result<Identity, Refusal> {
    let token = bearer(world, key, token, Purpose::Join);
    registry.verify(&token, ExpectedPurpose::Join { node: None }, now_ms())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slashed_staker_is_out_within_a_second_and_an_honest_one_gets_its_stake_back() {
    let world = World::new().await;
    let registry = world.registry().await;
    let (rogue, honest) = (world.staker(2).await, world.staker(3).await);
    let slashed = rogue.stake_node(&world.stake_request("worker-1", &key(7))).await.unwrap();
    let kept = honest.stake_node(&world.stake_request("worker-2", &key(8))).await.unwrap();
    world.catch_up(&registry).await;
    assert!(join(&world, &registry, &key(7), token_of(&slashed)).is_ok());
    assert!(join(&world, &registry, &key(8), token_of(&kept)).is_ok());

    let receipt = world.operator.slash(&slashed.stake, SUI, "for the test").await.unwrap();
    registry.reached(receipt.checkpoint, Duration::from_secs(1)).await.unwrap();
    let refusal = join(&world, &registry, &key(7), token_of(&slashed)).unwrap_err();
    assert_eq!(refusal, Refusal::StakeNotActive(StakeStatus::Slashed));
    let again = TokenRequest { session_key: Bytes(key(9).public().to_bytes()), lifetime_ms: DAY_MS };
    let Err(Error::Aborted(abort)) = rogue.create_token(&slashed.stake, again).await else { panic!("rejoined") };
    assert_eq!((abort.module.as_str(), abort.constant()), ("staking", Some("ENotActive")));
    assert!(join(&world, &registry, &key(8), token_of(&kept)).is_ok(), "the other staker stays");

    honest.unstake(&kept.stake).await.unwrap();
    world.devnet.advance_clock(Duration::from_secs(2)).await.unwrap();
    let before = world.node.balance(honest.address()).await.unwrap();
    honest.withdraw(&kept.stake).await.unwrap();
    let gained = world.node.balance(honest.address()).await.unwrap() - before;
    assert!(gained > 2 * SUI - SUI / 10, "all but the gas of one transaction: {gained}");
    world.catch_up(&registry).await;
    assert_eq!(join(&world, &registry, &key(8), token_of(&kept)), Err(Refusal::Unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staker_is_accepted_until_it_is_slashed_and_gets_the_rest_back() {
    let world = World::new().await;
    let registry = world.registry().await;
    let mut changes = registry.subscribe();
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker-1", &key(7))).await.unwrap();
    world.catch_up(&registry).await;
    let identity = join(&world, &registry, &key(7), token_of(&staked)).unwrap();
    assert_eq!(identity.user_name(), format!("system:node:{}", staked.stake.name));
    assert!(matches!(changes.next().await, Some(Change::Staked { .. })));
    assert!(matches!(changes.next().await, Some(Change::TokenCreated { .. })));

    let slashed = world.operator.slash(&staked.stake, SUI / 2, "for the test").await.unwrap();
    registry.reached(slashed.checkpoint, Duration::from_secs(1)).await.unwrap();
    let refusal = join(&world, &registry, &key(7), token_of(&staked)).unwrap_err();
    assert_eq!(refusal, Refusal::StakeNotActive(StakeStatus::Slashed));
    let told = changes.next().await;
    assert!(matches!(told, Some(Change::Ended { reason: EndReason::Slashed(Offence::Admin), .. })), "{told:?}");

    world.devnet.advance_clock(Duration::from_secs(2)).await.unwrap();
    let before = world.node.balance(wallet.address()).await.unwrap();
    wallet.withdraw(&staked.stake).await.unwrap();
    let after = world.node.balance(wallet.address()).await.unwrap();
    assert!(after > before + SUI, "{before} {after}");
    world.catch_up(&registry).await;
    assert_eq!(join(&world, &registry, &key(7), token_of(&staked)), Err(Refusal::Unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_no_terms_between_reading_and_paying() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let request = world.stake_request("worker-1", &key(7));
    world.operator.change_settings(world.cluster, &[SettingChange::Unbonding(90 * DAY_MS)]).await.unwrap();
    let before = world.node.balance(wallet.address()).await.unwrap();
    let Err(Error::Aborted(abort)) = wallet.stake_node(&request).await else { panic!("staked on other terms") };
    assert_eq!((abort.module.as_str(), abort.constant()), ("staking", Some("EOtherTerms")));
    assert_eq!(world.node.balance(wallet.address()).await.unwrap(), before);

    let cluster: Cluster = world.node.read(world.cluster, &world.package.origin).await.unwrap();
    let agreed = Terms::of(&cluster.settings, Tier::Worker);
    let staked = wallet.stake_node(&StakeNode { agreed: agreed.clone(), ..request }).await.unwrap();
    assert_eq!(staked.stake.terms, agreed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_names_its_constant_and_costs_nothing() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let mut request = world.stake_request("worker-1", &key(7));
    request.amount = SUI / 100;
    let before = world.node.balance(wallet.address()).await.unwrap();
    let error = wallet.stake_node(&request).await.unwrap_err();
    let Error::Aborted(abort) = &error else { panic!("{error}") };
    assert_eq!(abort.module, "staking");
    assert!(abort.constant().is_some_and(|constant| constant.starts_with('E')), "{abort}");
    assert_eq!(world.node.balance(wallet.address()).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_moves_a_stake_and_only_the_admin_slashes() {
    let world = World::new().await;
    let (wallet, stranger) = (world.staker(2).await, world.staker(3).await);
    let staked = wallet.stake_node(&world.stake_request("worker-1", &key(7))).await.unwrap();
    assert!(matches!(stranger.unstake(&staked.stake).await, Err(Error::NotOwner { .. })));
    let claimed = Stake { owner: stranger.address(), ..staked.stake.clone() };
    assert!(matches!(stranger.unstake(&claimed).await, Err(Error::Aborted(_))));
    assert!(matches!(stranger.slash(&staked.stake, 1, "mine").await, Err(Error::AdminCapMissing { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_extension_suspension_and_revocation_are_seen() {
    let world = World::new().await;
    let registry = world.registry().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker-1", &key(7))).await.unwrap();
    let id = token_of(&staked);

    let rotated = wallet.rotate_session_key(&staked.stake, &Bytes(key(8).public().to_bytes())).await;
    registry.reached(rotated.unwrap().checkpoint, Duration::from_secs(5)).await.unwrap();
    assert_eq!(join(&world, &registry, &key(7), id), Err(Refusal::Signature));
    assert_eq!(join(&world, &registry, &key(8), id).unwrap().key_generation(), 2);
    assert!(registry.verify_certificate(&id, 1, now_ms()).is_ok());
    assert!(registry.verify_certificate(&id, 3, now_ms()).is_err());
    let tables = registry.tables().unwrap();
    let live = tables.token(&id).unwrap();
    let rotated_ms = registry.health().timestamp_ms;
    assert!(tables.is_key_generation_good(&live, 1, rotated_ms));
    assert!(!tables.is_key_generation_good(&live, 1, rotated_ms + 10 * 60 * 1000));
    assert!(tables.is_key_generation_good(&live, 2, rotated_ms + 10 * 60 * 1000));

    let suspended = world.operator.suspend(&staked.stake).await.unwrap();
    registry.reached(suspended.checkpoint, Duration::from_secs(5)).await.unwrap();
    assert_eq!(join(&world, &registry, &key(8), id), Err(Refusal::Suspended));
    let resumed = world.operator.resume(&staked.stake).await.unwrap();
    registry.reached(resumed.checkpoint, Duration::from_secs(5)).await.unwrap();
    assert!(join(&world, &registry, &key(8), id).is_ok());

    let revoked = wallet.revoke_token(&staked.stake).await.unwrap();
    registry.reached(revoked.checkpoint, Duration::from_secs(5)).await.unwrap();
    assert_eq!(join(&world, &registry, &key(8), id), Err(Refusal::Unknown));
    let again = wallet.stake_node(&world.stake_request("worker-1", &key(9))).await.unwrap();
    assert_eq!((again.digest, again.stake.id), (None, staked.stake.id));
    world.catch_up(&registry).await;
    assert!(join(&world, &registry, &key(9), token_of(&again)).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wallets_that_stake_at_once_do_not_disturb_each_other() {
    let world = World::new().await;
    let registry = world.registry().await;
    let mut tasks = Vec::new();
    for number in 10..20 {
        let wallet = world.staker(number).await;
        let request = world.stake_request(&format!("worker-{number}"), &key(number));
        tasks.push(tokio::spawn(async move { wallet.stake_node(&request).await }));
    }
    let staked = futures::future::join_all(tasks).await;
    let names: std::collections::BTreeSet<_> = staked.into_iter().map(|s| s.unwrap().unwrap().stake.name).collect();
    assert_eq!(names.len(), 10);
    world.catch_up(&registry).await;
    assert_eq!(registry.tables().unwrap().token_count(), 10);
}

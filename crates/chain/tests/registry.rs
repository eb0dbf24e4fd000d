//! The registry against nodes that lie, freeze, break and fall silent.
#![allow(clippy::unwrap_used)]

mod hostile;
mod world;

use std::future::Future;
use std::time::Duration;

use daas_chain::registry::{Change, NodeState, Registry, RegistryConfig, VerifiedCheckpoint};
use daas_seal_token::{Refusal, StakeId, StakeStatus, TokenView as _};
use hostile::{Hostile, Lie};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::Address;
use world::{SUI, World, key, now_ms, token_of};

const PATIENCE: Duration = Duration::from_secs(20);

async fn three_nodes(world: &World) -> (Vec<Hostile>, RegistryConfig) {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Hostile::before(&world.devnet.url()).await);
    }
    let urls = nodes.iter().map(Hostile::url).collect();
    (nodes, RegistryConfig::quorum(urls, 2, world.devnet.chain_id(), world.package, world.cluster))
}

async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !check().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn status(registry: &Registry, stake: Address) -> Option<StakeStatus> {
    registry.stake(&StakeId(stake.into_inner())).map(|stake| stake.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lying_node_changes_nothing_in_quorum_mode() {
    for lie in [Lie::DropTransactions, Lie::ForgeCheckpoint] {
        let world = World::new().await;
        let (nodes, config) = three_nodes(&world).await;
        let registry = Registry::start(config).unwrap();
        registry.ready(PATIENCE).await.unwrap();
        nodes[0].tell(lie);
        let wallet = world.staker(2).await;
        let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
        let slashed = world.operator.slash(&staked.stake, SUI, "lie about this").await.unwrap();
        registry.reached(slashed.checkpoint, PATIENCE).await.unwrap();
        assert_eq!(status(&registry, staked.stake.id), Some(StakeStatus::Slashed), "{lie:?}");
        eventually("the liar is named", async || {
            matches!(registry.health().nodes[0].state, NodeState::Differs | NodeState::Failing { .. })
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_one_node_invents_is_not_loaded() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    world.operator.slash(&staked.stake, SUI, "before anyone looked").await.unwrap();
    for liar in 0..3 {
        let (nodes, config) = three_nodes(&world).await;
        nodes[liar].tell(Lie::EveryStakeIsActive);
        let registry = Registry::start(config).unwrap();
        registry.ready(PATIENCE).await.unwrap();
        assert_eq!(status(&registry, staked.stake.id), Some(StakeStatus::Slashed), "{liar}");
    }
    // What one node alone can do where one node is trusted: the defence above is not idle.
    let node = Hostile::before(&world.devnet.url()).await;
    node.tell(Lie::EveryStakeIsActive);
    let config = RegistryConfig::rpc(node.url(), world.devnet.chain_id(), world.package, world.cluster);
    let registry = Registry::start(config).unwrap();
    registry.ready(PATIENCE).await.unwrap();
    assert_eq!(status(&registry, staked.stake.id), Some(StakeStatus::Active));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_node_does_not_hide_a_slash() {
    let world = World::new().await;
    let (nodes, config) = three_nodes(&world).await;
    let registry = Registry::start(config).unwrap();
    registry.ready(PATIENCE).await.unwrap();
    let mut changes = registry.subscribe();
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    nodes[1].tell(Lie::Freeze);
    let slashed = world.operator.slash(&staked.stake, SUI, "hide this").await.unwrap();
    registry.reached(slashed.checkpoint, Duration::from_secs(1)).await.unwrap();
    assert_eq!(status(&registry, staked.stake.id), Some(StakeStatus::Slashed));
    let told =
        tokio::time::timeout(PATIENCE, async { while !matches!(changes.next().await, Some(Change::Ended { .. })) {} });
    told.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_liars_of_three_stop_the_registry_and_it_refuses() {
    let world = World::new().await;
    let (nodes, config) = three_nodes(&world).await;
    let config = RegistryConfig { staleness: Duration::from_millis(2500), silence: Duration::from_secs(2), ..config };
    let registry = Registry::start(config).unwrap();
    registry.ready(PATIENCE).await.unwrap();
    nodes[0].tell(Lie::Freeze);
    nodes[1].tell(Lie::Freeze);
    eventually("stale", async || registry.check_fresh(now_ms()).is_err()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_refuses_when_stale() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    let node = Hostile::before(&world.devnet.url()).await;
    let config = RegistryConfig::rpc(node.url(), world.devnet.chain_id(), world.package, world.cluster);
    let registry = Registry::start(RegistryConfig { staleness: Duration::from_secs(3), ..config }).unwrap();
    let token = token_of(&staked);
    assert!(matches!(registry.verify_certificate(&token, 1, now_ms()), Err(Refusal::Stale(_))), "before it is loaded");
    registry.ready(PATIENCE).await.unwrap();
    assert!(registry.verify_certificate(&token, 1, now_ms()).is_ok());
    let newest = registry.health().timestamp_ms;
    assert!(registry.check_fresh(newest + 3000).is_ok());
    assert!(matches!(registry.verify_certificate(&token, 1, newest + 60_000), Err(Refusal::Stale(_))));
    node.tell(Lie::Freeze);
    eventually("stale", async || matches!(registry.verify_certificate(&token, 1, now_ms()), Err(Refusal::Stale(_))))
        .await;
    // A clock that stands still does not help: the age is also counted from when the checkpoint arrived.
    eventually("old by arrival", async || registry.check_fresh(newest).is_err()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_stream_is_filled() {
    let world = World::new().await;
    let node = Hostile::before(&world.devnet.url()).await;
    let config = RegistryConfig::rpc(node.url(), world.devnet.chain_id(), world.package, world.cluster);
    let registry = Registry::start(config).unwrap();
    registry.ready(PATIENCE).await.unwrap();
    let mut changes = registry.subscribe();
    node.tell(Lie::BreakStreams);
    eventually("lost", async || matches!(registry.health().nodes[0].state, NodeState::Failing { .. })).await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    let slashed = world.operator.slash(&staked.stake, SUI, "while nobody listened").await.unwrap();
    assert_eq!(status(&registry, staked.stake.id), None);
    node.tell(Lie::None);
    registry.reached(slashed.checkpoint, PATIENCE).await.unwrap();
    assert_eq!(status(&registry, staked.stake.id), Some(StakeStatus::Slashed));
    // Filled by events, not by loading everything again.
    assert!(matches!(changes.next().await, Some(Change::Staked { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_starts_late_equals_one_that_followed_all_along() {
    let world = World::new().await;
    let early = world.registry().await;
    let wallet = world.staker(2).await;
    let first = wallet.stake_node(&world.stake_request("a", &key(7))).await.unwrap();
    let second = wallet.stake_node(&world.stake_request("b", &key(8))).await.unwrap();
    wallet.top_up(&first.stake, SUI).await.unwrap();
    wallet.extend_token(&first.stake, 60 * world::DAY_MS).await.unwrap();
    wallet.unstake(&second.stake).await.unwrap();
    world.operator.suspend(&first.stake).await.unwrap();
    world.operator.grant(world.cluster, Address::new([8; 32]), daas_seal_token::Tier::Admin).await.unwrap();
    world.catch_up(&early).await;
    let late = world.registry().await;
    world.catch_up(&late).await;
    world.catch_up(&early).await;
    assert_eq!(early.tables().unwrap().fingerprint(), late.tables().unwrap().fingerprint());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_package_is_ignored() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    let slashed = world.operator.slash(&staked.stake, SUI, "seen").await.unwrap();
    let mut request = pb::GetCheckpointRequest::default().with_read_mask(FieldMask::from_paths(["*"]));
    request.checkpoint_id = Some(pb::get_checkpoint_request::CheckpointId::SequenceNumber(slashed.checkpoint));
    let answer = world.node.rpc().ledger_client().get_checkpoint(request).await.unwrap().into_inner();
    let checkpoint = answer.checkpoint.unwrap();
    let foreign = Address::new([5; 32]);
    let events = |package, cluster| VerifiedCheckpoint::verify(&checkpoint, package, cluster).unwrap().events.len();
    assert_eq!(events(&world.package.origin, &world.cluster), 1);
    assert_eq!(events(&foreign, &world.cluster), 0, "the same names in another package");
    assert_eq!(events(&world.package.origin, &foreign), 0, "another cluster of this package");

    let mut cut = checkpoint.clone();
    cut.transactions.iter_mut().for_each(|transaction| transaction.events = None);
    assert!(VerifiedCheckpoint::verify(&cut, &world.package.origin, &world.cluster).is_err());
    let mut cut = checkpoint.clone();
    cut.transactions.clear();
    assert!(VerifiedCheckpoint::verify(&cut, &world.package.origin, &world.cluster).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_network_package_and_cluster_are_told_apart() {
    use daas_chain::Error;
    use daas_chain::client::{Node, NodeOptions, Package};
    let world = World::new().await;
    let wrong = sui_sdk_types::Digest::new([1; 32]);
    let error = Node::connect(&world.devnet.url(), Some(wrong), NodeOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::WrongNetwork { .. }));
    for id in [Address::TWO, world.cluster, Address::new([3; 32])] {
        let error = Package::load(&world.node, id).await.unwrap_err();
        assert!(matches!(error, Error::WrongPackage { .. }), "{error}");
    }
    let error = world.operator.admin_cap(Address::new([3; 32])).await.unwrap_err();
    assert!(matches!(error, Error::AdminCapMissing { .. }));
    let dead = Node::connect("http://127.0.0.1:1", None, NodeOptions::default()).await.unwrap_err();
    assert!(matches!(dead, Error::Unreachable { .. }), "{dead}");
}

//! A process that dies anywhere between stake and token never stakes twice.
#![allow(clippy::unwrap_used)]

mod world;

use std::path::PathBuf;
use std::time::Duration;

use daas_chain::Error;
use daas_chain::client::{Journal, Session, Step};
use daas_chain::types::ClusterField;
use daas_seal_token::Tier;
use sui_sdk_types::Address;
use world::{SUI, World, key};

fn journal(world: &World, name: &str) -> Journal {
    let path: PathBuf = world.folder.path().join(name);
    Journal::open(path).unwrap()
}

/// Every member of the cluster, whoever owns it.
async fn members(world: &World) -> Vec<Address> {
    let fields = world.node.dynamic_fields(world.cluster).await.unwrap();
    fields
        .iter()
        .filter_map(|field| match ClusterField::decode(field, &world.package.origin).unwrap() {
            ClusterField::Member(key, _) => Some(key.stake),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_steps_never_stakes_twice() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    for (number, step) in Step::ALL.into_iter().enumerate() {
        let request = world.stake_request(&format!("worker-{number}"), &key(7));
        let name = format!("journal-{number}");
        let dying = wallet.clone().with_journal(journal(&world, &name)).stop_at(move |at| at == step);
        let stopped = dying.stake_node(&request).await;
        assert!(matches!(stopped, Err(Error::Stopped(at)) if at == step), "{stopped:?}");
        let before = members(&world).await.len();
        assert!(before <= number + 1);

        let restarted = fresh(&world).with_journal(journal(&world, &name));
        let first = restarted.stake_node(&request).await.unwrap();
        let second = restarted.stake_node(&request).await.unwrap();
        assert_eq!(first.stake.id, second.stake.id, "{step:?}");
        assert_eq!(members(&world).await.len(), number + 1, "{step:?}");
        let found = restarted.find_stakes(world.cluster, &request.node_id, Tier::Worker).await.unwrap();
        assert_eq!(found.len(), 1, "{step:?}");
    }
    assert_eq!(members(&world).await.len(), Step::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_again_and_again_at_every_step_ends_in_one_stake() {
    let world = World::new().await;
    world.staker(2).await;
    let request = world.stake_request("worker", &key(7));
    for step in Step::ALL.into_iter().cycle().take(3 * Step::ALL.len()) {
        let dying = fresh(&world).with_journal(journal(&world, "journal")).stop_at(move |at| at == step);
        let _ = dying.stake_node(&request).await;
        assert!(members(&world).await.len() <= 1, "{step:?}");
    }
    fresh(&world).with_journal(journal(&world, "journal")).stake_node(&request).await.unwrap();
    assert_eq!(members(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_at_forty_moments_ends_in_one_stake() {
    let world = World::new().await;
    world.staker(2).await;
    let request = world.stake_request("worker", &key(7));
    for delay in (0..40).map(|step| Duration::from_millis(step * 7)) {
        let session = fresh(&world).with_journal(journal(&world, "journal"));
        let request = request.clone();
        // A future that is dropped stops at its last await, as a killed process stops at its last system call.
        let _ = tokio::time::timeout(delay, session.stake_node(&request)).await;
        assert!(members(&world).await.len() <= 1);
    }
    let staked = fresh(&world).with_journal(journal(&world, "journal")).stake_node(&request).await.unwrap();
    assert_eq!(members(&world).await, [staked.stake.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_that_died_after_signing_is_made_once() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    let dying = wallet.clone().with_journal(journal(&world, "journal")).stop_at(|at| at == Step::Executed);
    assert!(dying.top_up(&staked.stake, SUI).await.is_err());
    fresh(&world).with_journal(journal(&world, "journal")).top_up(&staked.stake, SUI).await.unwrap();
    let found = wallet.find_stakes(world.cluster, &"worker".parse().unwrap(), Tier::Worker).await.unwrap();
    assert_eq!(found[0].balance, staked.stake.balance + SUI);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journaled_transaction_whose_coin_was_spent_elsewhere_is_dropped_and_made_anew() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let request = world.stake_request("worker", &key(7));
    let dying = wallet.clone().with_journal(journal(&world, "journal")).stop_at(|at| at == Step::Journaled);
    assert!(dying.stake_node(&request).await.is_err());
    // Another program with the same wallet takes the coins.
    for number in 0..2 {
        wallet.stake_node(&world.stake_request(&format!("other-{number}"), &key(8))).await.unwrap();
    }
    let staked = fresh(&world).with_journal(journal(&world, "journal")).stake_node(&request).await.unwrap();
    assert!(staked.digest.is_some());
    assert_eq!(members(&world).await.len(), 3);
}

/// A new process: nothing in memory but the wallet.
fn fresh(world: &World) -> Session {
    let account = daas_chain::wallet::Account::from_ed25519([2; 32]);
    Session::new(world.node.clone(), world.package, account)
}

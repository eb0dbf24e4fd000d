//! A process that dies anywhere between stake and token never stakes twice.
#![allow(clippy::unwrap_used)]

mod hostile;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use daas_chain::Error;
use daas_chain::client::{Journal, Node, NodeOptions, Session, Step};
use daas_chain::types::ClusterField;
use daas_chain::wallet::Account;
use daas_seal_token::Tier;
use hostile::{Hostile, Lie};
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
async fn a_node_that_denies_what_it_passed_on_takes_no_second_payment_in_quorum_mode() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let connect = async |url: String| Node::connect(&url, None, NodeOptions::default()).await.unwrap();
    let other = Hostile::before(&world.devnet.url()).await;
    let (first, one, two) = (connect(liar.url()).await, connect(world.devnet.url()).await, connect(other.url()).await);
    let with =
        |witnesses: [&Node; 2], needed| first.clone().with_witnesses(witnesses.map(Clone::clone).to_vec(), needed);
    assert!(with([&one, &two], 1).is_err(), "two groups could contradict each other");
    assert!(with([&one, &one], 2).is_err(), "one node in two places is no quorum");
    let agreed = with([&one, &two], 2).unwrap();
    liar.tell(Lie::DenyTransactions);

    let account = || Account::from_ed25519([2; 32]);
    world.staker(2).await;
    let session = Session::new(agreed, world.package, account()).with_journal(journal(&world, "journal"));
    let request = world.stake_request("worker", &key(7));
    let staked = session.stake_node(&request).await.unwrap();
    assert_eq!(session.stake_node(&request).await.unwrap().stake.id, staked.stake.id);
    assert_eq!(members(&world).await, [staked.stake.id]);
}

/// Three nodes of which two must agree, and those two that can lie: the first and the last.
async fn three(world: &World) -> ([Node; 3], [Hostile; 2]) {
    let liars = [Hostile::before(&world.devnet.url()).await, Hostile::before(&world.devnet.url()).await];
    let connect = async |url: String| Node::connect(&url, None, NodeOptions::default()).await.unwrap();
    let nodes = [connect(liars[0].url()).await, connect(world.devnet.url()).await, connect(liars[1].url()).await];
    (nodes, liars)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_that_drops_transactions_or_never_answers_holds_up_no_payment() {
    let world = World::new().await;
    world.staker(2).await;
    let ([first, one, two], liars) = three(&world).await;
    let agreed = first.with_witnesses(vec![one, two], 2).unwrap();
    let session = Session::new(agreed.clone(), world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal")).with_deadline(Duration::from_secs(30));
    let within = |work| tokio::time::timeout(NodeOptions::default().answer_timeout, work);
    liars[0].tell(Lie::SwallowTransactions);
    let requests = ["dropped", "silence"].map(|name| world.stake_request(name, &key(7)));
    within(session.stake_node(&requests[0])).await.unwrap().unwrap();
    liars[0].tell(Lie::None);
    liars[1].tell(Lie::Hang);
    within(session.stake_node(&requests[1])).await.unwrap().unwrap();
    assert_eq!(members(&world).await.len(), 2);
    let time = world.node.time_ms().await.unwrap();
    liars[1].tell(Lie::None);
    liars[0].tell(Lie::YearAhead);
    assert!(agreed.time_ms().await.unwrap().abs_diff(time) < 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_network_is_left_out_while_enough_serve_one() {
    let world = World::new().await;
    let ([honest, one, two], liars) = three(&world).await;
    liars[0].tell(Lie::OtherNetwork);
    let stranger = Node::connect(&liars[0].url(), None, NodeOptions::default()).await.unwrap();
    assert_ne!(stranger.chain(), honest.chain());
    for (first, others) in [(&stranger, [&one, &two]), (&one, [&stranger, &two])] {
        let agreed = first.clone().with_witnesses(others.map(Clone::clone).to_vec(), 2).unwrap();
        assert_eq!(agreed.chain(), world.devnet.chain_id());
        agreed.object(world.cluster).await.unwrap();
    }
    let alone = stranger.with_witnesses(vec![one], 2);
    assert!(matches!(alone, Err(Error::WrongNetwork { .. })), "{alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_drips_for_ever_is_given_up() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let options = NodeOptions { answer_timeout: Duration::from_millis(250), ..NodeOptions::default() };
    let node = Node::connect(&liar.url(), None, options).await.unwrap();
    liar.tell(Lie::Drip);
    let listed = tokio::time::timeout(Duration::from_mins(1), node.dynamic_fields(world.cluster)).await.unwrap();
    assert!(matches!(listed, Err(Error::Timeout { .. })), "{listed:?}");
}

/// The coin that both attempts spend tells which transaction wrote it, and cannot be spent by who tells it otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_payment_is_found_in_the_coin_that_it_spent() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let node = Node::connect(&liar.url(), None, NodeOptions::default()).await.unwrap();
    world.staker(2).await;
    let session = Session::new(node, world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal"));
    let request = world.stake_request("worker", &key(7));
    liar.tell(Lie::DenyTransactions);
    for _ in 0..3 {
        let deceived = session.stake_node(&request).await;
        assert!(matches!(deceived, Err(Error::OutcomeUnknown { .. })), "{deceived:?}");
        assert_eq!(members(&world).await.len(), 1);
    }
    liar.tell(Lie::None);
    session.stake_node(&request).await.unwrap();
    assert_eq!(members(&world).await.len(), 1);
}

/// What a node calls refused may still land. So it is not forgotten, and the next attempt spends the same coin.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_transaction_stays_in_the_journal_until_another_excludes_it() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let node = Node::connect(&liar.url(), None, NodeOptions::default()).await.unwrap();
    world.staker(2).await;
    let session = Session::new(node, world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal"));
    let request = world.stake_request("worker", &key(7));
    liar.tell(Lie::RefuseTransactions);
    let refused = session.stake_node(&request).await;
    assert!(matches!(refused, Err(Error::Rejected { .. })), "{refused:?}");
    let kept = || std::fs::read_dir(world.folder.path().join("journal")).unwrap();
    let entries = || kept().filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "json"));
    assert_eq!(entries().count(), 1);
    // Its coins are free for other work, and the work itself goes on where it was.
    liar.tell(Lie::None);
    session.stake_node(&request).await.unwrap();
    assert_eq!((entries().count(), members(&world).await.len()), (0, 1));
}

/// Nothing is left then that a new attempt could spend to exclude it, and nothing needs to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_transaction_whose_coins_other_work_spent_stops_nothing() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let node = Node::connect(&liar.url(), None, NodeOptions::default()).await.unwrap();
    let wallet = world.staker(2).await;
    let session = Session::new(node, world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal"));
    let request = world.stake_request("worker", &key(7));
    liar.tell(Lie::RefuseTransactions);
    let refused = session.stake_node(&request).await;
    assert!(matches!(refused, Err(Error::Rejected { .. })), "{refused:?}");
    liar.tell(Lie::None);
    // All coins become one, and not the one of the refused transaction.
    world.devnet.faucet(wallet.address(), &[90 * SUI]).await.unwrap();
    let mut large = world.stake_request("other", &key(8));
    large.amount = 180 * SUI;
    session.stake_node(&large).await.unwrap();
    session.stake_node(&request).await.unwrap();
    assert_eq!(members(&world).await.len(), 2);
}

/// Other work spends the coin that told of it; the journal keeps what it told.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_payment_stays_known_when_other_work_spends_its_coin() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let node = Node::connect(&liar.url(), None, NodeOptions::default()).await.unwrap();
    let wallet = world.staker(2).await;
    world.devnet.faucet(wallet.address(), &[90 * SUI]).await.unwrap();
    let session = Session::new(node, world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal"));
    let (request, other) = (world.stake_request("worker", &key(7)), world.stake_request("other", &key(8)));
    liar.tell(Lie::DenyTransactions);
    for _ in 0..2 {
        for request in [&request, &other] {
            let deceived = session.stake_node(request).await;
            assert!(matches!(deceived, Err(Error::OutcomeUnknown { .. })), "{deceived:?}");
        }
    }
    assert_eq!(members(&world).await.len(), 2);
    liar.tell(Lie::None);
    session.stake_node(&request).await.unwrap();
    assert_eq!(members(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journaled_transaction_that_aborts_leaves_its_work_to_be_done() {
    let world = World::new().await;
    let wallet = world.staker(2).await;
    let staked = wallet.stake_node(&world.stake_request("worker", &key(7))).await.unwrap();
    let dying = wallet.clone().with_journal(journal(&world, "journal")).stop_at(|at| at == Step::Journaled);
    assert!(dying.top_up(&staked.stake, SUI).await.is_err());
    world.operator.slash(&staked.stake, SUI, "test").await.unwrap();
    let again = fresh(&world).with_journal(journal(&world, "journal")).top_up(&staked.stake, SUI).await;
    assert!(matches!(again, Err(Error::Aborted(_))), "{again:?}");
}

/// The wallet has got another, larger coin since, so a new transaction would not exclude the one that is still on its way.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_kept_back_is_not_paid_again_after_a_restart() {
    let world = World::new().await;
    let liar = Hostile::before(&world.devnet.url()).await;
    let node = Node::connect(&liar.url(), None, NodeOptions::default()).await.unwrap();
    let wallet = world.staker(2).await;
    let request = world.stake_request("worker", &key(7));
    liar.tell(Lie::HoldTransactions);
    let session = Session::new(node, world.package, Account::from_ed25519([2; 32]));
    let session = session.with_journal(journal(&world, "journal")).with_deadline(Duration::from_secs(2));
    let sent = session.stake_node(&request).await;
    assert!(matches!(sent, Err(Error::OutcomeUnknown { .. })), "{sent:?}");

    world.devnet.faucet(wallet.address(), &[90 * SUI]).await.unwrap();
    wallet.with_journal(journal(&world, "journal")).stake_node(&request).await.unwrap();
    liar.release().await;
    assert_eq!(members(&world).await.len(), 1);
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

//! A worker's life against a development chain and an enclave on simulated hardware.
#![allow(clippy::unwrap_used)]

mod scene;

#[path = "../../chain/tests/hostile/mod.rs"]
mod hostile;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use daas_seal_token::StakeStatus;
use daas_staker::Error;
use daas_staker::life::Cause;
use daas_staker::worker::Finish;
use hostile::{Hostile, Lie};
use scene::{Enclave, Happened, STAKED, Scene, WITHIN, WorkerFolder, exists, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stakes_once_verifies_joins_and_is_reached_and_goes_on_after_a_stop() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;

    let stake = scene.stake(&worker).await;
    assert_eq!((stake.balance, stake.status), (STAKED, StakeStatus::Active));
    until("the tunnel is up", || async { enclave.tunnels().await == serde_json::json!([stake.name]) }).await;
    let pod = TcpListener::bind("127.8.1.7:0").await.unwrap();
    let (status, mut stream) = enclave.reach(&pod.local_addr().unwrap().to_string()).await;
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
    let (mut served, _) = tokio::time::timeout(WITHIN, pod.accept()).await.unwrap().unwrap();
    served.write_all(b"from the pod").await.unwrap();
    let mut heard = [0; 12];
    tokio::time::timeout(WITHIN, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"from the pod");

    let (status, health) = worker.ask("GET", "/health", "").await;
    assert_eq!((status, &health["stage"], &health["development"]), (200, &"joined".into(), &true.into()), "{health}");
    let started = Happened::Started { server_ca: enclave.server_ca.clone() };
    assert_eq!(worker.programs.happened(), std::slice::from_ref(&started));

    // A stop for an upgrade leaves pods running; the next start pays nothing again.
    running.stopped().await;
    assert_eq!(worker.programs.happened(), [started.clone(), Happened::Stopped("leave pods")]);
    let password = std::fs::read_to_string(worker.path(&format!("credentials/{}.password", stake.name))).unwrap();
    let running = worker.joined().await;
    assert_eq!(scene.stakes(&worker).await, 1);
    assert_eq!(scene.stake(&worker).await.id, stake.id);
    assert_eq!(
        std::fs::read_to_string(worker.path(&format!("credentials/{}.password", stake.name))).unwrap(),
        password
    );
    assert_eq!(worker.programs.happened(), [started.clone(), Happened::Stopped("leave pods"), started]);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slashed_worker_ends_its_pods_within_five_seconds_and_keeps_no_credential() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;
    let stake = scene.stake(&worker).await;
    until("the tunnel is up", || async { enclave.tunnels().await == serde_json::json!([stake.name]) }).await;

    let start = Instant::now();
    scene.chain.operator.slash(&stake, STAKED / 2, "for the test").await.unwrap();
    assert_eq!(running.finished().await.unwrap(), Finish::Ended(Cause::Slashed));
    let (at, last) = worker.programs.last().unwrap();
    assert_eq!(last, Happened::Stopped("end pods"));
    assert!(at - start < Duration::from_secs(5), "{:?}", at - start);
    println!("from the slash to the end of pods: {:?}", at - start);
    assert!(!exists(&worker.path("credentials")) && !exists(&worker.path("session-keys")));

    // It does not come back by itself, and does not stake a second time.
    let again = worker.start().finished().await;
    assert!(matches!(again, Err(Error::Ended(_))), "{again:?}");
    assert_eq!(scene.stakes(&worker).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_slashed_while_it_was_stopped_ends_the_pods_that_it_left() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    worker.joined().await.stopped().await;
    let stake = scene.stake(&worker).await;
    scene.chain.operator.slash(&stake, STAKED / 2, "for the test").await.unwrap();
    assert_eq!(worker.start().finished().await.unwrap(), Finish::Ended(Cause::Slashed));
    assert_eq!(worker.programs.last().unwrap().1, Happened::Stopped("end left pods"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_unstakes_through_the_local_api_leaves_and_gets_the_stake_back() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;
    assert_eq!(worker.ask("POST", "/api/v1/unstake", "").await.0, 401);
    let token = format!("Authorization: Bearer {}\r\n", worker.local_token());
    let (status, answer) = worker.ask("POST", "/api/v1/unstake", &token).await;
    assert_eq!((status, &answer["status"]), (202, &"draining".into()), "{answer}");
    let stake = scene.stake(&worker).await;
    assert_eq!(running.finished().await.unwrap(), Finish::Ended(Cause::Unstaked));
    assert_eq!(worker.programs.last().unwrap().1, Happened::Stopped("end pods"));
    let stake: daas_chain::types::Stake = scene.chain.node.read(stake.id, &scene.chain.package.origin).await.unwrap();
    assert_eq!(stake.status, StakeStatus::Unbonding);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_enclave_is_verified_and_joined_anew_with_fresh_pods_and_certificates() {
    let scene = Scene::new().await;
    let first = Enclave::start(&scene, 1).await;
    scene.activate(&first).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;
    let second = Enclave::start(&scene, 2).await;
    scene.activate(&second).await;
    first.stop.cancel();
    let token = format!("Authorization: Bearer {}\r\n", worker.local_token());
    assert_eq!(worker.ask("POST", "/api/v1/register", &token).await.0, 202);
    until("the worker joins the new one", || async {
        worker.programs.happened().last() == Some(&Happened::Started { server_ca: second.server_ca.clone() })
    })
    .await;
    assert_eq!(
        worker.programs.happened(),
        [
            Happened::Started { server_ca: first.server_ca.clone() },
            Happened::Stopped("end pods"),
            Happened::Started { server_ca: second.server_ca.clone() },
        ]
    );
    assert_eq!(scene.stakes(&worker).await, 1);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_cannot_judge_ends_nothing() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    enclave.fails.store(true, Ordering::Relaxed);
    let running = worker.start();
    until("the worker waits", || async {
        worker.ask("GET", "/health", "").await.1["problem"].as_str().is_some_and(|why| why.contains("Stale"))
    })
    .await;
    assert!(worker.programs.happened().is_empty());
    enclave.fails.store(false, Ordering::Relaxed);
    until("the worker is healthy", || async { worker.ask("GET", "/health", "").await.0 == 200 }).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_node_of_the_chain_that_says_slashed_wipes_nothing_and_one_that_hides_a_slash_saves_nobody() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let liar = Hostile::before(&scene.chain.devnet.url()).await;
    let mut worker = WorkerFolder::new(&scene, 11).await;
    worker.flags = worker.flags.set("sui_rpc_endpoint", Some(liar.url()));
    let running = worker.joined().await;
    let stake = scene.stake(&worker).await;
    let beats = enclave.heartbeats.load(Ordering::Relaxed);

    liar.tell(Lie::EveryStakeIsSlashed);
    let token = format!("Authorization: Bearer {}\r\n", worker.local_token());
    // A whole session, and the heartbeat of it, hear the lie.
    assert_eq!(worker.ask("POST", "/api/v1/register", &token).await.0, 202);
    until("the master hears of it again", || async { enclave.heartbeats.load(Ordering::Relaxed) > beats }).await;
    until("the worker is healthy", || async { worker.ask("GET", "/health", "").await.0 == 200 }).await;
    assert_eq!(worker.programs.happened(), [Happened::Started { server_ca: enclave.server_ca.clone() }]);
    assert!(exists(&worker.path("credentials/kubelet-client.pem")));

    // The other way round: the attested master's word ends it, although the only node denies it.
    liar.tell(Lie::EveryStakeIsActive);
    let start = Instant::now();
    scene.chain.operator.slash(&stake, STAKED / 2, "for the test").await.unwrap();
    until("its pods end", || async { worker.programs.last().unwrap().1 == Happened::Stopped("end pods") }).await;
    let took = worker.programs.last().unwrap().0 - start;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!exists(&worker.path("credentials/kubelet-client.pem")));
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_before_they_end_and_the_node_runs_on() {
    let scene = Scene::new().await;
    let life = Duration::from_secs(27);
    let enclave = Enclave::with_clients_for(&scene, 1, Some(life), |_| {}).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;
    let read = || std::fs::read(worker.path("credentials/kubelet-client.pem")).unwrap();
    let first = read();
    let start = Instant::now();
    until("another certificate is there", || async { read() != first }).await;
    assert!(start.elapsed() < life, "the first had ended");
    assert_eq!(worker.programs.happened(), [Happened::Started { server_ca: enclave.server_ca.clone() }]);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_staker_with_the_same_wallet_and_node_id_is_refused_and_pays_nothing() {
    let scene = Scene::new().await;
    let enclave = Enclave::start(&scene, 1).await;
    scene.activate(&enclave).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let running = worker.joined().await;
    // Another machine: another folder, another address.
    let mut twin = WorkerFolder::new(&scene, 11).await;
    twin.flags = twin.flags.set("address", Some("172.30.0.99"));
    let refused = twin.start().finished().await;
    assert!(matches!(refused, Err(Error::SessionKeyElsewhere(_))), "{refused:?}");
    assert!(twin.programs.happened().is_empty());
    assert_eq!(scene.stakes(&worker).await, 1);
    assert_eq!(worker.ask("GET", "/health", "").await.0, 200);

    // Whoever has the wallet may take the stake back elsewhere: the worker ends by itself.
    worker.wallet.unstake(&scene.stake(&worker).await).await.unwrap();
    assert_eq!(running.finished().await.unwrap(), Finish::Ended(Cause::Unstaked));
    assert_eq!(worker.programs.last().unwrap().1, Happened::Stopped("end pods"));
}

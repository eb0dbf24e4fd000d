//! The whole enclave on a development chain: `cargo build -p daas-authenticator -p daas-supervise &&
//! DAAS_KUBE=$(scripts/kubernetes-build --print kube)/kube cargo test -p daas-master --features cluster-tests`
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod scene;
#[path = "../../chain/tests/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use daas_attestation::{AgeRule, BoundTo, Measurements, Network, Pcr, Policy, Release, TrustedRoots, UnixTime, verify};
use daas_attested_tls::ask;
use daas_chain::client::SettingChange;
use daas_chain::types::cluster::Consequence;
use daas_chain::types::{ActionKind, Bytes, Offence};
use daas_join::master_api::{
    ClusterAnswer, ErrorAnswer, ErrorCode, NodeState, NodesAnswer, RegisteredWorker, RegistrationState, path,
};
use http::{Method, StatusCode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scene::{ADVERTISED, REGISTRATION_MS, SOON, Scene, Worker, in_an_enclave_of_its_own, until};
use serde_json::{Value, json};
use world::{SUI, now_ms};

const NODES: &str = "/api/v1/nodes";

#[test]
fn an_enclave_starts_is_registered_lets_workers_in_and_puts_a_slashed_one_out() {
    in_an_enclave_of_its_own("an_enclave_starts_is_registered_lets_workers_in_and_puts_a_slashed_one_out", || async {
        story(Scene::new().await).await;
    });
}

async fn story(mut scene: Scene) {
    let begun = Instant::now();
    until(Duration::from_mins(3), "ready", || async {
        matches!(scene.get(path::READY).await, Some((StatusCode::OK, _)))
    })
    .await;
    eprintln!("ready after {:.1} s", begun.elapsed().as_secs_f32());

    is_registered_by_whoever_submits(&scene).await;
    answers_challenges(&scene).await;

    let admin = scene.admin(90).await;
    let api = || scene.api_token(admin, 90);
    let listed = async || scene.kube(Method::GET, NODES, &api()).await;
    until(SOON, "an admin lists nodes through the relay", async || matches!(listed().await, Some((StatusCode::OK, _))))
        .await;

    let (rogue, honest) = (scene.worker(11).await, scene.worker(12).await);
    let registered = register(&scene, &rogue, "172.30.0.11").await;
    let other = register(&scene, &honest, "172.30.0.12").await;
    assert_ne!(registered.pod_cidr, other.pod_cidr);
    let (_, node) = scene.kube(Method::GET, &format!("{NODES}/{}", rogue.name()), &api()).await.unwrap();
    assert_eq!(node["spec"]["podCIDR"], registered.pod_cidr.to_string(), "{node}");
    nobody_takes_anothers_place(&scene, &rogue, &honest).await;

    heartbeats_count_once(&scene, &rogue).await;
    let (_, nodes) = scene.get(path::NODES).await.unwrap();
    let nodes: NodesAnswer = serde_json::from_value(nodes).unwrap();
    assert_eq!(nodes.nodes.iter().filter(|node| node.state == NodeState::Ready).count(), 1, "{nodes:?}");

    // A pod on the rogue's node, which nobody runs.
    pod_on(&scene, &api(), rogue.name()).await;
    let token = scene.join_token(&rogue);
    let slash = Instant::now();
    scene.chain.operator.slash(&rogue.staked.stake, SUI, "for the test").await.unwrap();
    let mut last = json!(null);
    while last["code"] != "identity_over" {
        last = scene.post(path::HEARTBEAT, &token, &heartbeat(&rogue, now_ms())).await.1;
        assert!(slash.elapsed() < SOON, "{last}");
    }
    let refused = slash.elapsed();
    eprintln!("slash sent to the first refusal: {refused:?}");
    assert!(refused < Duration::from_secs(1), "{refused:?}");
    let gone =
        async |path: &str| matches!(scene.kube(Method::GET, path, &api()).await, Some((StatusCode::NOT_FOUND, _)));
    let node = format!("{NODES}/{}", rogue.name());
    until(Duration::from_secs(5), "the Node is gone", async || gone(&node).await).await;
    until(SOON, "its pod is gone", async || gone("/api/v1/namespaces/default/pods/stray").await).await;
    eprintln!("slash sent to the last of it: {:?}", slash.elapsed());
    let (status, answer) = scene.post(path::REGISTER_WORKER, &token, &registration(&rogue, "172.30.0.11")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("identity_over")));
    // The other one notices nothing.
    let (status, answer) = scene.post(path::HEARTBEAT, &scene.join_token(&honest), &heartbeat(&honest, now_ms())).await;
    assert_eq!(status, StatusCode::OK, "{answer}");

    a_killed_authenticator_comes_back_and_knows_the_workers(&scene, &honest).await;
    the_registration_is_renewed(&scene).await;
    silence_is_reported_where_the_terms_ask_for_it(&scene).await;
    without_the_chain_nothing_is_judged_and_nobody_is_put_out(&scene, &honest).await;

    let stopping = Instant::now();
    kill(Pid::from_raw(scene.master.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = tokio::task::spawn_blocking(move || (scene.master.wait().unwrap(), scene)).await.unwrap();
    assert!(status.0.success(), "{:?}", status.0);
    assert!(stopping.elapsed() < Duration::from_secs(15), "stopping took {:?}", stopping.elapsed());
    let log = status.1.log();
    assert!(!log.contains("seal1."), "a Seal token stands in the log");
}

async fn cluster(scene: &Scene) -> ClusterAnswer {
    serde_json::from_value(scene.get(path::CLUSTER).await.unwrap().1).unwrap()
}

async fn is_registered_by_whoever_submits(scene: &Scene) {
    until(SOON, "a document is offered and taken", async || scene.submit().await == ["register"]).await;
    until(SOON, "the enclave sees itself as the active one", async || {
        cluster(scene).await.instance.registration == RegistrationState::Active
    })
    .await;
    assert_eq!(scene.get(path::SUBMISSIONS).await.unwrap().1, json!([]));
    let instance = Bytes(cluster(scene).await.instance.key);
    scene.chain.operator.verify_active_instance(scene.chain.cluster, &instance).await.unwrap();
}

/// As a worker and `daas attest verify` do: by the document alone, bound to the active instance on chain.
async fn answers_challenges(scene: &Scene) {
    let endpoint = format!("https://{ADVERTISED}:8443").parse().unwrap();
    let live = ask(&endpoint, [9; 32], Duration::from_secs(10)).await.unwrap();
    let [pcr0, pcr1, pcr2] =
        [scene.registers.pcr0, scene.registers.pcr1, scene.registers.pcr2].map(|register| Pcr(register.0));
    let release = Release::active(Measurements::new(pcr0, pcr1, pcr2).unwrap());
    let chain: daas_chain::types::Cluster =
        scene.chain.node.read(scene.chain.cluster, &scene.chain.package.origin).await.unwrap();
    let active = chain.active.unwrap();
    let roots = TrustedRoots::development(&scene.root_pem).unwrap();
    let config = sha256(scene::configuration(&scene.chain).to_string().as_bytes());
    let policy = Policy {
        network: Network::Development(&roots),
        now: UnixTime::from_millis(now_ms()),
        releases: &[release],
        nonce: live.nonce_rule(),
        age: AgeRule::AtMost(Duration::from_secs(10)),
        claims: BoundTo {
            cluster: &scene.chain.cluster.into_inner(),
            tls: live.tls_peer(),
            instance: Some(&active.instance.0),
            server_ca_sha256: Some(&active.server_ca_sha256.0),
            config_sha256: Some(&config),
        },
    };
    verify(&live.answer.document, &policy, None).unwrap();
    // What the gateway shows is what the claims name.
    let cacerts = scene::request(9345, Method::GET, "/cacerts", &[], None).await.unwrap().1;
    let hash = daas_join::CaHash::of_cacerts(cacerts.as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(hash.0, active.server_ca_sha256.0);
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().try_into().unwrap()
}

fn registration(worker: &Worker, address: &str) -> Value {
    json!({
        "node_name": worker.name(), "address": address, "timestamp_ms": now_ms(),
        "resources": {"cpu_millis": 2000, "memory_bytes": 4_294_967_296_u64},
    })
}

fn heartbeat(worker: &Worker, timestamp_ms: u64) -> Value {
    json!({
        "node_name": worker.name(), "timestamp_ms": timestamp_ms, "status": "ready", "running_pods": 0,
        "resources": {"cpu_percent": 1, "memory_percent": 2, "disk_percent": 3},
    })
}

/// Registers; the stake may be a checkpoint away.
async fn register(scene: &Scene, worker: &Worker, address: &str) -> RegisteredWorker {
    let begun = Instant::now();
    loop {
        let (status, answer) =
            scene.post(path::REGISTER_WORKER, &scene.join_token(worker), &registration(worker, address)).await;
        if status == StatusCode::OK {
            eprintln!("registered after {:?}", begun.elapsed());
            return serde_json::from_value(answer).unwrap();
        }
        assert_eq!(answer["code"], "unauthenticated", "{answer}");
        assert!(begun.elapsed() < SOON, "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn nobody_takes_anothers_place(scene: &Scene, rogue: &Worker, honest: &Worker) {
    let token = scene.join_token(rogue);
    let code = async |body: Value| {
        let (status, answer) = scene.post(path::REGISTER_WORKER, &token, &body).await;
        let answer: ErrorAnswer = serde_json::from_value(answer).unwrap();
        assert_eq!(status.as_u16(), answer.code.status());
        answer.code
    };
    let mut anothers = registration(honest, "172.30.0.13");
    assert_eq!(code(anothers.clone()).await, ErrorCode::Forbidden);
    anothers["node_name"] = json!(rogue.name());
    anothers["address"] = json!("172.30.0.12");
    assert_eq!(code(anothers.clone()).await, ErrorCode::Conflict);
    for own in [ADVERTISED, "10.42.0.7", "10.43.0.1", "127.0.0.1"] {
        anothers["address"] = json!(own);
        assert_eq!(code(anothers.clone()).await, ErrorCode::Malformed, "{own}");
    }
}

async fn heartbeats_count_once(scene: &Scene, worker: &Worker) {
    let token = scene.join_token(worker);
    let now = now_ms();
    let send = async |timestamp| scene.post(path::HEARTBEAT, &token, &heartbeat(worker, timestamp)).await;
    assert_eq!(send(now).await, (StatusCode::OK, json!({"accepted": true, "heartbeat_seconds": 30})));
    assert_eq!(send(now).await.1["code"], "conflict");
    assert_eq!(send(now - 31_000).await.1["code"], "untimely");
    assert_eq!(send(now_ms() + 35_000).await.1["code"], "untimely");
}

async fn pod_on(scene: &Scene, token: &str, node: &str) {
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    until(SOON, "the default service account exists", async || {
        matches!(scene.kube(Method::GET, account, token).await, Some((StatusCode::OK, _)))
    })
    .await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stray"},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "pause"}]},
    });
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let (status, answer) =
        scene::request(6443, Method::POST, "/api/v1/namespaces/default/pods", &headers, Some(&pod)).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

async fn a_killed_authenticator_comes_back_and_knows_the_workers(scene: &Scene, worker: &Worker) {
    let (_, figures) = scene.get(path::METRICS).await.unwrap();
    assert!(figures.as_str().unwrap().contains("daas_master_workers 1\n"), "{figures}");
    let process = process_of(scene, "daas-authenticator");
    kill(process, Signal::SIGKILL).unwrap();
    until(SOON, "it is started again", async || {
        cluster(scene).await.components.iter().any(|part| part.name == "daas-authenticator" && part.restarts == 1)
    })
    .await;
    until(SOON, "all is ready again", async || matches!(scene.get(path::READY).await, Some((StatusCode::OK, _)))).await;
    // It has been told of the worker: a second registration, which asks it, changes nothing.
    until(SOON, "it knows the worker", async || {
        scene.post(path::REGISTER_WORKER, &scene.join_token(worker), &registration(worker, "172.30.0.12")).await.0
            == StatusCode::OK
    })
    .await;
}

/// The master's child of this name.
fn process_of(scene: &Scene, name: &str) -> Pid {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim);
        let called = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if parent == Some(&scene.master.id().to_string()) && called.starts_with(name.as_bytes()) {
            return Pid::from_raw(id);
        }
    }
    panic!("no process {name}");
}

async fn the_registration_is_renewed(scene: &Scene) {
    let before = cluster(scene).await.instance.registered_until_ms.unwrap();
    until(Duration::from_millis(REGISTRATION_MS), "it is offered and taken", async || {
        scene.submit().await == ["renew"]
    })
    .await;
    until(SOON, "it lives longer", async || cluster(scene).await.instance.registered_until_ms.unwrap() > before).await;
    assert_eq!(cluster(scene).await.instance.registration, RegistrationState::Active);
}

/// The contract takes the enclave's evidence; what follows from it comes back through the registry.
async fn silence_is_reported_where_the_terms_ask_for_it(scene: &Scene) {
    let eject = Consequence { action: ActionKind::Eject, share_bps: 0 };
    let changes = [SettingChange::Offence(Offence::Silent, eject), SettingChange::HeartbeatLimit(2_000)];
    scene.chain.operator.change_settings(scene.chain.cluster, &changes).await.unwrap();
    let silent = scene.worker(13).await;
    register(scene, &silent, "172.30.0.13").await;
    let token = scene.join_token(&silent);
    assert_eq!(scene.post(path::HEARTBEAT, &token, &heartbeat(&silent, now_ms())).await.0, StatusCode::OK);
    until(SOON, "its silence is offered and taken", async || scene.submit().await.contains(&"evidence")).await;
    until(SOON, "it is ejected, and that is seen", async || {
        scene.post(path::HEARTBEAT, &token, &heartbeat(&silent, now_ms())).await.1["code"] == "identity_over"
    })
    .await;
    until(SOON, "the offer is gone", async || {
        let offered = scene.get(path::SUBMISSIONS).await.unwrap().1;
        offered.as_array().unwrap().iter().all(|one| one["kind"] != "evidence")
    })
    .await;
}

async fn without_the_chain_nothing_is_judged_and_nobody_is_put_out(scene: &Scene, worker: &Worker) {
    scene.egress.cancel();
    until(SOON + SOON, "the view is too old", async || {
        scene.post(path::HEARTBEAT, &scene.join_token(worker), &heartbeat(worker, now_ms())).await.1["code"] == "stale"
    })
    .await;
    let (status, answer) = scene.get(path::READY).await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert_eq!(scene.get(path::HEALTH).await.unwrap().0, StatusCode::OK);
    assert_eq!(cluster(scene).await.workers, 1);
}

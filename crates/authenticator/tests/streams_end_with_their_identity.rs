//! `exec`, `logs -f` and `port-forward` through the real kube-apiserver, the egress socket, the gateway's and the worker's side of
//! a tunnel, to a stand-in for a kubelet; and what a slash ends of them.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, dead_code)]

#[path = "../../control-plane/tests/cluster/mod.rs"]
mod cluster;
mod kubelet;
mod scene;
#[allow(unreachable_pub)]
#[path = "../src/testing.rs"]
mod testing;
#[path = "../../chain/tests/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use cluster::{in_a_network_of_its_own, until};
use http::Method;
use hyper::body::Incoming;
use scene::{As, SOON, Scene, Upgraded, User, ended, rounds, says};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use world::SUI;

const LIMIT: Duration = Duration::from_secs(1);
const PODS: &str = "/api/v1/namespaces/default/pods";

/// Everything that may run on a pod.
struct Running {
    logs: Incoming,
    exec: Upgraded,
    forward: Upgraded,
}

impl Running {
    async fn on(scene: &Scene, user: &User, pod: &str) -> Self {
        let token = scene.token(user);
        let who = As::Token(&token);
        let logs = scene.watch(&format!("{PODS}/{pod}/log?follow=true"), who).await;
        let exec = scene.upgrade(&format!("{PODS}/{pod}/exec?command=cat&stdin=true&stdout=true"), who).await;
        let forward = scene.upgrade(&format!("{PODS}/{pod}/portforward"), who).await;
        let mut running = Self { logs, exec, forward };
        running.goes_on().await;
        running
    }

    /// All three still carry bytes.
    async fn goes_on(&mut self) {
        says(&mut self.logs, "line").await;
        for stream in [&mut self.exec, &mut self.forward] {
            stream.write_all(b"hello").await.unwrap();
            let mut echo = [0; 5];
            tokio::time::timeout(SOON, stream.read_exact(&mut echo)).await.expect("an echo").unwrap();
            assert_eq!(&echo, b"hello");
        }
    }

    /// Waits until all three have ended; when that was.
    async fn end(self) -> [Instant; 3] {
        let Self { logs, mut exec, mut forward } = self;
        let logs = async {
            ended(logs).await;
            Instant::now()
        };
        let silent = async |stream: &mut Upgraded| {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            Instant::now()
        };
        let all = async { tokio::join!(logs, silent(&mut exec), silent(&mut forward)).into() };
        tokio::time::timeout(SOON, all).await.expect("exec, logs and port-forward end")
    }
}

#[test]
fn exec_logs_and_port_forward_of_a_slashed_admin_and_of_a_slashed_workers_pods_end_within_a_second() {
    in_a_network_of_its_own(
        "exec_logs_and_port_forward_of_a_slashed_admin_and_of_a_slashed_workers_pods_end_within_a_second",
        || async {
            let scene = Scene::new().await;
            let admin = scene.admin().await;
            let stays = pod_on_a_worker(&scene, &admin).await;
            let mut honest = Running::on(&scene, &admin, &stays.1).await;
            let mut worst = Duration::ZERO;
            for _ in 0..rounds(4) {
                let rogue = scene.admin().await;
                let running = Running::on(&scene, &rogue, &stays.1).await;
                let begun = Instant::now();
                let slash = scene.chain.operator.slash(&rogue.stake, SUI, "for the test");
                let (slashed, moments) = tokio::join!(slash, running.end());
                slashed.unwrap();
                let lasted = moments.map(|moment| moment - begun);
                eprintln!("slashed admin: logs, exec, port-forward ended after {lasted:?}");
                worst = worst.max(lasted.into_iter().max().unwrap());
                honest.goes_on().await;
            }
            for _ in 0..rounds(4) {
                let (rogue, pod) = pod_on_a_worker(&scene, &admin).await;
                let running = Running::on(&scene, &admin, &pod).await;
                let begun = Instant::now();
                let slash = scene.chain.operator.slash(&rogue, SUI, "for the test");
                let (slashed, moments) = tokio::join!(slash, running.end());
                slashed.unwrap();
                let lasted = moments.map(|moment| moment - begun);
                eprintln!("slashed worker: logs, exec, port-forward ended after {lasted:?}");
                worst = worst.max(lasted.into_iter().max().unwrap());
                honest.goes_on().await;
            }
            assert!(worst < LIMIT, "{worst:?}");
            scene.end().await;
        },
    );
}

/// A worker with a stand-in kubelet and a pod on it.
async fn pod_on_a_worker(scene: &Scene, admin: &User) -> (daas_chain::types::staking::Stake, String) {
    let mut worker = scene.worker().await;
    let tunnel = worker.tunnel.take().unwrap();
    kubelet::run(scene, &worker, tunnel).await;
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    until(SOON, "the service account exists", || async {
        let token = scene.token(admin);
        scene.ask(Method::GET, account, As::Token(&token), None).await.is_some_and(|(status, _)| status == 200)
    })
    .await;
    let name = format!("on-{}", worker.name);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"nodeName": worker.name, "containers": [{"name": "c", "image": "pause"}]},
    });
    scene.create(PODS, As::Token(&scene.token(admin)), &pod).await;
    (worker.stake, name)
}

//! The real kube-apiserver between the development chain and the authenticator: what a slash ends, and how soon.
//! `DAAS_KUBE=$(scripts/kubernetes-build --print kube)/kube cargo test -p daas-authenticator --features cluster-tests`
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, dead_code)]

#[path = "../../control-plane/tests/cluster/mod.rs"]
mod cluster;
mod scene;
#[allow(unreachable_pub)]
#[path = "../src/testing.rs"]
mod testing;
#[path = "../../chain/tests/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use cluster::{in_a_network_of_its_own, until};
use futures::StreamExt as _;
use http::{Method, StatusCode};
use scene::{As, CONFIG_MAPS, NODES, SOON, Scene, ended, refused, rounds, says};
use serde_json::{Value, json};
use world::SUI;

/// For the figure that is printed.
const REQUESTS: usize = 500;
/// Each with a connection of its own.
const CLIENTS: usize = 250;
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const LIMIT: Duration = Duration::from_secs(1);

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

#[test]
fn a_slashed_admin_is_refused_and_its_watch_ends_within_a_second_and_nobody_elses() {
    in_a_network_of_its_own(
        "a_slashed_admin_is_refused_and_its_watch_ends_within_a_second_and_nobody_elses",
        || async {
            let scene = Scene::new().await;
            let honest = scene.admin().await;
            let watch = format!("{CONFIG_MAPS}?watch=true");
            let mut honest_watch = scene.watch(&watch, As::Token(&scene.token(&honest))).await;
            let (mut until_refused, mut until_ended) = (Vec::new(), Vec::new());
            for round in 0..rounds(8) {
                let rogue = scene.admin().await;
                let token = scene.token(&rogue);
                let mut rogue_watch = scene.watch(&watch, As::Token(&token)).await;
                let name = format!("round-{round}");
                scene.create(CONFIG_MAPS, As::Token(&scene.token(&honest)), &config_map(&name)).await;
                says(&mut rogue_watch, &name).await;
                says(&mut honest_watch, &name).await;
                // From before the transaction is sent.
                let begun = Instant::now();
                let asking = refused(async || scene.ask(Method::GET, NODES, As::Token(&token), None).await);
                let ending = async {
                    tokio::time::timeout(SOON, ended(rogue_watch)).await.expect("the watch ends");
                    Instant::now()
                };
                let slash = scene.chain.operator.slash(&rogue.stake, SUI, "for the test");
                let (slashed, refused, ended) = tokio::join!(slash, asking, ending);
                slashed.unwrap();
                until_refused.push(refused - begun);
                until_ended.push(ended - begun);
            }
            eprintln!("slash sent to refused: {until_refused:?}\nslash sent to the watch's end: {until_ended:?}");
            scene.create(CONFIG_MAPS, As::Token(&scene.token(&honest)), &config_map("afterwards")).await;
            says(&mut honest_watch, "afterwards").await;
            let lasted = scene.latencies(NODES, &scene.token(&honest), REQUESTS).await;
            eprintln!("list of nodes: p50 {:?}, p99 {:?}", lasted[REQUESTS / 2], lasted[REQUESTS * 99 / 100]);
            let worst = until_refused.into_iter().chain(until_ended).max().unwrap();
            assert!(worst < LIMIT, "{worst:?}");
            scene.end().await;
        },
    );
}

#[test]
fn a_slashed_workers_certificate_watch_tunnel_and_pods_token_end_within_a_second() {
    in_a_network_of_its_own(
        "a_slashed_workers_certificate_watch_tunnel_and_pods_token_end_within_a_second",
        || async {
            let scene = Scene::new().await;
            let admin = scene.admin().await;
            scene.create(BINDINGS, As::Token(&scene.token(&admin)), &pods_read()).await;
            let mut honest = scene.worker().await;
            let honest_token = pods_token(&scene, &admin, &honest).await;
            let watch =
                |worker: &scene::Worker| format!("/api/v1/pods?watch=true&fieldSelector=spec.nodeName={}", worker.name);
            let honest_watch = scene.watch(&watch(&honest), As::Certificate(&honest.kubelet)).await;
            let mut worst = Duration::ZERO;
            for _ in 0..rounds(4) {
                let mut rogue = scene.worker().await;
                let token = pods_token(&scene, &admin, &rogue).await;
                let rogue_watch = scene.watch(&watch(&rogue), As::Certificate(&rogue.kubelet)).await;
                let own = format!("{NODES}/{}", rogue.name);
                let (stake, kubelet) = (rogue.stake.clone(), rogue.kubelet.clone());
                let mut rogue_tunnel = rogue.tunnel.take().unwrap();
                let begun = Instant::now();
                let asking = refused(async || scene.ask(Method::GET, &own, As::Certificate(&kubelet), None).await);
                let as_pod = refused(async || scene.ask(Method::GET, CONFIG_MAPS, As::Token(&token), None).await);
                let ending = async {
                    tokio::time::timeout(SOON, ended(rogue_watch)).await.expect("the watch ends");
                    Instant::now()
                };
                let tunnel = async {
                    while let Some(Ok(_)) =
                        tokio::time::timeout(SOON, rogue_tunnel.next()).await.expect("the tunnel ends")
                    {
                    }
                    Instant::now()
                };
                let slash = scene.chain.operator.slash(&stake, SUI, "for the test");
                let (slashed, asking, as_pod, ending, tunnel) = tokio::join!(slash, asking, as_pod, ending, tunnel);
                slashed.unwrap();
                let lasted = [asking, as_pod, ending, tunnel].map(|moment| moment - begun);
                eprintln!(
                    "slash sent to: certificate refused, pod's token refused, watch ended, tunnel ended: {lasted:?}"
                );
                worst = worst.max(lasted.into_iter().max().unwrap());
                // Nothing of it opens anything any more.
                assert!(matches!(scene.tunnel(&kubelet).await, Err(StatusCode::UNAUTHORIZED)));
                // And nobody else has noticed.
                let (status, _) = scene.ask(Method::GET, CONFIG_MAPS, As::Token(&honest_token), None).await.unwrap();
                assert_eq!(status, StatusCode::OK);
                let still =
                    tokio::time::timeout(Duration::from_millis(20), honest.tunnel.as_mut().unwrap().next()).await;
                assert!(still.is_err(), "{still:?}");
            }
            assert!(worst < LIMIT, "{worst:?}");
            let own = format!("{NODES}/{}", honest.name);
            let (status, _) = scene.ask(Method::GET, &own, As::Certificate(&honest.kubelet), None).await.unwrap();
            assert_eq!(status, StatusCode::OK);
            let still = tokio::time::timeout(Duration::from_millis(20), ended(honest_watch)).await;
            assert!(still.is_err(), "the honest worker's watch has ended");
            scene.end().await;
        },
    );
}

#[test]
fn what_a_slashed_admin_made_or_hid_ends_with_it() {
    in_a_network_of_its_own("what_a_slashed_admin_made_or_hid_ends_with_it", || async {
        let scene = Scene::new().await;
        let honest = scene.admin().await;
        scene.create(BINDINGS, As::Token(&scene.token(&honest)), &pods_read()).await;
        let watch = format!("{CONFIG_MAPS}?watch=true");
        // Longer in the audit event than the hundred kilobytes that kube-apiserver sends by default.
        let addresses = vec!["198.51.100.77"; 20_000].join(", ");
        let ways: [&[(&str, &str)]; 2] = [
            &[("X-Forwarded-For", &addresses)],
            &[("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")],
        ];
        let mut honest_watch = scene.watch(&watch, As::Token(&scene.token(&honest))).await;
        let mut worst = Duration::ZERO;
        for round in 0..rounds(4) {
            let rogue = scene.admin().await;
            let (own, minted) = (scene.token(&rogue), minted_token(&scene, &rogue).await);
            let borrowed = minted_token(&scene, &honest).await;
            let mut hidden = Vec::new();
            for headers in ways {
                let (status, body) = scene.open(Method::GET, &watch, As::Token(&own), headers, None).await.unwrap();
                assert_eq!(status, StatusCode::OK);
                hidden.push(body);
            }
            hidden.push(scene.watch(&watch, As::Token(&minted)).await);
            let name = format!("hidden-{round}");
            scene.create(CONFIG_MAPS, As::Token(&scene.token(&honest)), &config_map(&name)).await;
            for body in hidden.iter_mut().chain([&mut honest_watch]) {
                says(body, &name).await;
            }
            let begun = Instant::now();
            let by_minted = refused(async || scene.ask(Method::GET, CONFIG_MAPS, As::Token(&minted), None).await);
            let impersonating = refused(async || {
                let (status, _) = scene.open(Method::GET, NODES, As::Token(&own), ways[1], None).await?;
                Some((status, Value::Null))
            });
            let ending = async {
                for body in hidden {
                    tokio::time::timeout(SOON, ended(body)).await.expect("the watch ends");
                }
                Instant::now()
            };
            let slash = scene.chain.operator.slash(&rogue.stake, SUI, "for the test");
            let (slashed, by_minted, impersonating, ending) = tokio::join!(slash, by_minted, impersonating, ending);
            slashed.unwrap();
            let lasted = [by_minted, impersonating, ending].map(|moment| moment - begun);
            eprintln!("slash sent to: minted token refused, impersonation refused, hidden watches ended: {lasted:?}");
            worst = worst.max(lasted.into_iter().max().unwrap());
            let (status, answer) = scene.ask(Method::GET, CONFIG_MAPS, As::Token(&borrowed), None).await.unwrap();
            assert_eq!(status, StatusCode::OK, "the honest admin's token: {answer}");
        }
        assert!(worst < LIMIT, "{worst:?}");
        let figures = scene.command(&json!({"command": "metrics"})).await["metrics"].as_str().unwrap().to_owned();
        assert!(figures.contains("daas_authenticator_audit_losses_total 0\n"), "{figures}");
        scene.end().await;
    });
}

#[test]
fn many_requests_at_once_are_all_judged_and_answered() {
    in_a_network_of_its_own("many_requests_at_once_are_all_judged_and_answered", || async {
        let scene = Scene::new().await;
        let admin = scene.admin().await;
        let token = scene.token(&admin);
        let begun = Instant::now();
        let clients = (0..CLIENTS).map(|_| scene.latencies(CONFIG_MAPS, &token, 10));
        let mut lasted: Vec<_> = futures::future::join_all(clients).await.concat();
        lasted.sort_unstable();
        let (count, seconds) = (lasted.len(), begun.elapsed().as_secs_f64());
        eprintln!(
            "{count} requests of {CLIENTS} clients in {seconds:.1} s, p50 {:?}, worst {:?}",
            lasted[count / 2],
            lasted[count - 1]
        );
        scene.end().await;
    });
}

/// A token that somebody had made, which names no node: he answers for it.
async fn minted_token(scene: &Scene, maker: &scene::User) -> String {
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    until(SOON, "the service account exists", || async {
        let token = scene.token(maker);
        scene.ask(Method::GET, account, As::Token(&token), None).await.is_some_and(|(status, _)| status == 200)
    })
    .await;
    let request =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
    let answer = scene.create(&format!("{account}/token"), As::Token(&scene.token(maker)), &request).await;
    let token = answer["status"]["token"].as_str().unwrap().to_owned();
    // RBAC learns of bindings by a watch; whoever answers for the token is known at once.
    until(SOON, "the token's account may read", || async {
        let (status, answer) = scene.ask(Method::GET, CONFIG_MAPS, As::Token(&token), None).await.unwrap();
        assert!(!answer.to_string().contains("nobody answers for this"), "{answer}");
        status == StatusCode::OK
    })
    .await;
    token
}

/// What pods may do is Kubernetes' to say; here they may read.
fn pods_read() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "pods-read"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:default"}],
    })
}

/// The token of a pod on this worker, as its kubelet asks for it.
async fn pods_token(scene: &Scene, admin: &scene::User, worker: &scene::Worker) -> String {
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
    let pod = scene.create("/api/v1/namespaces/default/pods", As::Token(&scene.token(admin)), &pod).await;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {
            "expirationSeconds": 3600,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": pod["metadata"]["uid"]},
        },
    });
    // The Node authorizer learns of the pod by a watch.
    let (deadline, path) = (Instant::now() + SOON, format!("{account}/token"));
    let token = loop {
        let asked = scene.ask(Method::POST, &path, As::Certificate(&worker.kubelet), Some(&request));
        let (status, answer) = asked.await.unwrap();
        if status == StatusCode::CREATED {
            break answer["status"]["token"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{status}: {answer}");
    };
    until(SOON, "the token's account may read", || async {
        scene.ask(Method::GET, CONFIG_MAPS, As::Token(&token), None).await.unwrap().0 == StatusCode::OK
    })
    .await;
    token
}

//! What hostile clients and workers try at 8443.
#![allow(clippy::unwrap_used, missing_docs)]

mod stand_ins;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daas_attestation::Answer;
use daas_join::master_api::{MAX_REQUEST_BYTES, path};
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stand_ins::{Served, bearer, heartbeat, now_ms, registration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const HALF_A_MINUTE: u64 = 30_000;

#[tokio::test]
async fn a_worker_registers_and_is_heard() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    let register = registration(&name, "172.30.0.11", now_ms());
    let headers = [("X-Seal-Token", token.as_str()), ("Content-Type", "application/json")];
    let body = register.to_string().into_bytes();
    let (status, answer) = served.send(Method::POST, path::REGISTER_WORKER, &headers, body).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!((&answer["pod_cidr"], &answer["join_port"]), (&json!("10.42.0.0/24"), &json!(9345)));
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now_ms())).await.0, 200);
    let (_, nodes) = served.send(Method::GET, path::NODES, &[], Vec::new()).await.unwrap();
    assert_eq!(nodes["nodes"][0]["state"], "ready", "{nodes}");
}

#[tokio::test]
async fn nobody_registers_anothers_name_or_takes_an_address() {
    let served = Served::start().await;
    let ((victim, victims), (_, token)) = (served.stake(11), served.stake(12));
    let now = now_ms;
    assert_eq!(served.post(path::REGISTER_WORKER, &victims, &registration(&victim, "172.30.0.11", now())).await.0, 200);
    // The other's name with the own token, and nothing of it is remembered.
    let refused = served.post(path::REGISTER_WORKER, &token, &registration(&victim, "172.30.0.12", now())).await;
    assert_eq!(refused, (403, "forbidden".into()));
    assert_eq!(served.cluster.known.lock().unwrap()[&victim].to_string(), "172.30.0.11");
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&victim, now())).await, (403, "forbidden".into()));
    let own = "worker-12-0000000c";
    for (address, expected) in [
        ("172.30.0.11", (409, "conflict")),
        ("172.30.0.1", (400, "malformed")),
        ("10.42.9.9", (400, "malformed")),
        ("10.43.0.10", (400, "malformed")),
        ("127.0.0.1", (400, "malformed")),
        ("169.254.169.254", (400, "malformed")),
    ] {
        let refused = served.post(path::REGISTER_WORKER, &token, &registration(own, address, now())).await;
        assert_eq!(refused, (expected.0, expected.1.to_owned()), "{address}");
    }
    assert_eq!(*served.cluster.nodes.lock().unwrap(), [victim]);
}

#[tokio::test]
async fn requests_outside_of_their_time_and_heartbeats_sent_again_count_for_nothing() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    for timestamp in [0, now_ms() - HALF_A_MINUTE - 2_000, now_ms() + HALF_A_MINUTE + 2_000, u64::MAX] {
        let refused = served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", timestamp)).await;
        assert_eq!(refused, (400, "untimely".into()), "{timestamp}");
    }
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now_ms())).await, (409, "not_registered".into()));
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await.0, 200);
    let now = now_ms();
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now)).await.0, 200);
    for old in [now, now - 1] {
        assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, old)).await, (409, "conflict".into()));
    }
    let late = heartbeat(&name, now_ms() - HALF_A_MINUTE - 2_000);
    assert_eq!(served.post(path::HEARTBEAT, &token, &late).await, (400, "untimely".into()));
    assert_eq!(served.workers.heartbeats(), 1);
}

#[tokio::test]
async fn whoever_shows_no_seal_token_is_refused_before_the_body_is_read() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    let body = || registration(&name, "172.30.0.11", now_ms()).to_string().into_bytes();
    let json = ("Content-Type", "application/json");
    let half = &token[..token.len() - 1];
    let unknown = bearer(99);
    for headers in [
        vec![json],
        vec![json, ("X-Seal-Token", "")],
        vec![json, ("X-Seal-Token", half)],
        vec![json, ("X-Seal-Token", &unknown)],
        vec![json, ("X-Seal-Token", &token), ("X-Seal-Token", &token)],
        vec![json, ("X-Seal-Token", "ä")],
        vec![json, ("Authorization", &token)],
    ] {
        let (status, answer) = served.send(Method::POST, path::REGISTER_WORKER, &headers, body()).await.unwrap();
        assert_eq!((status.as_u16(), &answer["code"]), (401, &json!("unauthenticated")), "{headers:?}");
        assert!(!answer.to_string().contains("seal1."), "{answer}");
    }
    // A megabyte that is announced and never comes.
    let mut stream = served.connect().await;
    let head = format!("POST {} HTTP/1.1\r\nHost: m\r\nContent-Length: 1048576\r\n\r\n", path::REGISTER_WORKER);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    assert_eq!(served.cluster.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn bodies_that_are_huge_malformed_or_of_another_kind_are_refused() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    let good = registration(&name, "172.30.0.11", now_ms());
    let with = |place: &str, value: Value| {
        let mut changed = good.clone();
        let (parent, field) = place.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[field] = value;
        changed.to_string().into_bytes()
    };
    let token = ("X-Seal-Token", token.as_str());
    let json = [token, ("Content-Type", "application/json")];
    let send = async |headers: &[(&str, &str)], body| {
        let (status, answer) = served.send(Method::POST, path::REGISTER_WORKER, headers, body).await.unwrap();
        (status.as_u16(), answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let padded = format!("{good}{}", " ".repeat(MAX_REQUEST_BYTES));
    assert_eq!(send(&json, padded.into_bytes()).await, (413, "too_large".into()));
    assert_eq!(send(&json, vec![b'['; MAX_REQUEST_BYTES]).await, (400, "malformed".into()));
    for body in [
        Vec::new(),
        b"null".to_vec(),
        vec![0xff; 100],
        with("/labels", json!({"node-role.kubernetes.io/control-plane": ""})),
        with("/pod_cidr", json!("10.42.0.0/16")),
        with("/resources/cpu_millis", json!(1_u64 << 40)),
        with("/resources/gpu", json!(1)),
        with("/node_name", json!("localhost")),
    ] {
        assert_eq!(send(&json, body.clone()).await, (400, "malformed".into()), "{}", String::from_utf8_lossy(&body));
    }
    // What a page in a browser could send without asking first.
    assert_eq!(send(&[token, ("Content-Type", "text/plain")], good.to_string().into_bytes()).await.0, 400);
    assert_eq!(send(&[token], good.to_string().into_bytes()).await.0, 400);
    assert!(served.cluster.nodes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn with_a_stale_registry_nothing_is_judged_and_nobody_is_put_out() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await.0, 200);
    served.chain.slashed.lock().unwrap().push(11);
    served.chain.stale.store(true, Ordering::Relaxed);
    let stale = (503, "stale".to_owned());
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now_ms())).await, stale);
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await, stale);
    daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
    assert_eq!(served.workers.book.len(), 1);
    let (status, lines) = served.send(Method::GET, path::READY, &[], Vec::new()).await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(lines.as_str().unwrap().contains("[-]registry"), "{lines}");

    served.chain.stale.store(false, Ordering::Relaxed);
    let over = (403, "identity_over".to_owned());
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now_ms())).await, over);
    daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
    assert!(served.workers.book.is_empty() && served.cluster.nodes.lock().unwrap().is_empty());
    assert!(served.cluster.known.lock().unwrap().is_empty());
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await, over);
}

#[tokio::test]
async fn a_worker_whose_node_somebody_deleted_registers_again() {
    let served = Served::start().await;
    let ((name, token), (other, others)) = (served.stake(11), served.stake(12));
    for (name, token, address) in [(&other, &others, "172.30.0.12"), (&name, &token, "172.30.0.11")] {
        assert_eq!(served.post(path::REGISTER_WORKER, token, &registration(name, address, now_ms())).await.0, 200);
    }
    served.cluster.nodes.lock().unwrap().retain(|node| *node != name);
    // One that has just registered is left alone.
    daas_master::workers::leaving::let_go(&served.workers, now_ms()).await;
    assert_eq!(served.workers.book.len(), 2);
    daas_master::workers::leaving::let_go(&served.workers, now_ms() + 61_000).await;
    daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
    assert_eq!(served.post(path::HEARTBEAT, &token, &heartbeat(&name, now_ms())).await, (409, "not_registered".into()));
    assert_eq!(served.post(path::HEARTBEAT, &others, &heartbeat(&other, now_ms())).await.0, 200);
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await.0, 200);
}

#[tokio::test]
async fn whoever_ends_while_registering_leaves_again_whatever_the_verdict() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    let register = || registration(&name, "172.30.0.11", now_ms());
    for (verdict, expected) in [("slashed", (403, "identity_over")), ("gone", (401, "unauthenticated"))] {
        let chain = Arc::clone(&served.chain);
        let ends = move || if verdict == "gone" { &chain.gone } else { &chain.slashed }.lock().unwrap().push(11);
        *served.cluster.meanwhile.lock().unwrap() = Some(Box::new(ends));
        let refused = served.post(path::REGISTER_WORKER, &token, &register()).await;
        assert_eq!(refused, (expected.0, expected.1.to_owned()), "{verdict}");
        assert_eq!(served.workers.book.leaving(), [name.parse().unwrap()], "{verdict}");
        daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
        assert_eq!(*served.cluster.nodes.lock().unwrap(), [""; 0], "{verdict}");
        served.chain.slashed.lock().unwrap().clear();
    }
    // One that was put out while its Node was being made, and that nobody can judge now.
    served.chain.gone.lock().unwrap().clear();
    let (chain, workers, left) = (Arc::clone(&served.chain), Arc::clone(&served.workers), name.parse().unwrap());
    *served.cluster.meanwhile.lock().unwrap() = Some(Box::new(move || {
        workers.book.leave(&left);
        workers.book.left(&left);
        chain.stale.store(true, Ordering::Relaxed);
    }));
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &register()).await, (429, "busy".into()));
    daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
    assert_eq!(*served.cluster.nodes.lock().unwrap(), [""; 0]);
    // A stale registry alone puts nobody out.
    served.chain.stale.store(false, Ordering::Relaxed);
    let chain = Arc::clone(&served.chain);
    let stale = move || chain.stale.store(true, Ordering::Relaxed);
    *served.cluster.meanwhile.lock().unwrap() = Some(Box::new(stale));
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &register()).await.0, 200);
}

#[tokio::test]
async fn nodes_that_are_no_workers_are_removed_after_a_while() {
    let served = Served::start().await;
    let ((left_over, _), (name, token)) = (served.stake(11), served.stake(12));
    let other = "admins-12-0000000d".to_owned();
    served.cluster.nodes.lock().unwrap().extend([left_over.clone(), other.clone()]);
    let look = async |after_ms: u64| {
        daas_master::workers::leaving::let_go(&served.workers, now_ms() + after_ms).await;
        daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
        served.cluster.nodes.lock().unwrap().clone()
    };
    // Long enough for every registration.
    for after_ms in [0, 100_000, 170_000] {
        assert_eq!(look(after_ms).await, [left_over.clone(), other.clone()], "{after_ms}");
    }
    assert_eq!(served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.12", now_ms())).await.0, 200);
    assert_eq!(look(190_000).await, [other, name]);
}

#[tokio::test]
async fn a_worker_whose_address_changes_gets_it_when_its_old_node_is_gone() {
    let served = Served::start().await;
    let ((name, token), (other, others)) = (served.stake(11), served.stake(12));
    let register = async |name: &str, token: &str, address: &str| {
        served.post(path::REGISTER_WORKER, token, &registration(name, address, now_ms())).await
    };
    assert_eq!(register(&name, &token, "172.30.0.11").await.0, 200);
    assert_eq!(register(&name, &token, "172.30.0.13").await, (429, "busy".into()));
    assert_eq!(register(&other, &others, "172.30.0.11").await, (409, "conflict".into()));
    daas_master::workers::leaving::put_out(&served.workers, now_ms()).await;
    assert_eq!(*served.cluster.nodes.lock().unwrap(), [""; 0]);
    assert_eq!(register(&name, &token, "172.30.0.13").await.0, 200);
    assert_eq!(register(&other, &others, "172.30.0.11").await.0, 200);
}

#[tokio::test]
async fn before_the_control_plane_serves_nobody_registers() {
    let served = Served::start().await;
    let (name, token) = served.stake(11);
    served.serves.store(false, Ordering::Relaxed);
    let refused = served.post(path::REGISTER_WORKER, &token, &registration(&name, "172.30.0.11", now_ms())).await;
    assert_eq!(refused, (503, "not_ready".into()));
    assert_eq!(served.send(Method::GET, path::READY, &[], Vec::new()).await.unwrap().0, 503);
    assert_eq!(served.send(Method::GET, path::HEALTH, &[], Vec::new()).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_flood_of_challenges_costs_a_handful_of_documents_and_each_caller_finds_the_own_nonce() {
    let served = Served::start().await;
    let asked = served.device.documents();
    let begun = tokio::time::Instant::now();
    let answers = join_all((0..300_u32).map(|number| {
        let served = &served;
        async move {
            let mut nonce = [7; 32];
            nonce[..4].copy_from_slice(&number.to_le_bytes());
            let path = format!("{}?nonce={}", path::ATTESTATION, hex::encode(nonce));
            (nonce, served.send(Method::GET, &path, &[], Vec::new()).await.unwrap())
        }
    }))
    .await;
    let documents = served.device.documents() - asked;
    let bound = begun.elapsed().as_millis() / 50 + 2;
    assert!(u128::from(documents) <= bound, "{documents} documents in {:?}", begun.elapsed());
    for (nonce, (status, answer)) in answers {
        assert_eq!(status, StatusCode::OK, "{answer}");
        let answer = Answer::from_json(answer.to_string().as_bytes()).unwrap();
        let said = daas_attestation::Unverified::parse(&answer.document).unwrap();
        assert_eq!(said.nonce(), answer.nonce_path.root(&nonce).as_ref().map(<[u8; 32]>::as_slice));
    }
}

#[tokio::test]
async fn paths_methods_and_queries_that_are_not_described_are_refused() {
    let served = Served::start().await;
    for (method, path, expected) in [
        (Method::GET, "/", 404),
        (Method::GET, "/api/v1//nodes", 404),
        (Method::GET, "/api/v1/nodes/", 404),
        (Method::GET, "/api/v1/%6eodes", 404),
        (Method::GET, "/api/v1/../v1/nodes", 404),
        (Method::GET, "/API/v1/nodes", 404),
        (Method::GET, "/api/v1/register-worker", 405),
        (Method::POST, "/api/v1/cluster", 405),
        (Method::DELETE, "/api/v1/nodes", 405),
        (Method::GET, "/api/v1/nodes?limit=1", 400),
        (Method::GET, "/api/v1/attestation", 400),
        (Method::GET, "/api/v1/attestation?nonce=00", 400),
        (
            Method::GET,
            "/api/v1/attestation?Nonce=0000000000000000000000000000000000000000000000000000000000000000",
            400,
        ),
        (
            Method::GET,
            "/api/v1/attestation?nonce=0000000000000000000000000000000000000000000000000000000000000000&x=1",
            400,
        ),
        (Method::GET, "/api/v1/cluster", 200),
        (Method::GET, "/api/v1/submissions", 200),
        (Method::GET, "/api/v1/openapi.json", 200),
        (Method::GET, "/metrics", 200),
    ] {
        let (status, answer) = served.send(method.clone(), path, &[], Vec::new()).await.unwrap();
        assert_eq!(status.as_u16(), expected, "{method} {path}: {answer}");
    }
}

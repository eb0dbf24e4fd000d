//! An enclave that answers the parent's questions in its own ways, and a chain that cannot be reached.
#![allow(clippy::unwrap_used)]

mod scene;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use daas_transport::accept::Accept as _;
use daas_transport::client_line::Announced;
use daas_transport::{Link, Stream, ports};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use scene::Scene;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A parent that submits with a wallet of its own, to a port where nobody listens.
async fn parent() -> Scene {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "11".repeat(32)).unwrap();
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let id = |byte: &str| format!("0x{}", byte.repeat(32));
    let rpc = format!("http://127.0.0.1:{}", scene::free_port());
    let scene = Scene::new(|value| {
        value["chain"] = json!({
            "rpc": rpc, "cluster": id("01"), "package": id("02"), "key_file": key.path(), "poll_seconds": 1, "activate": true,
        });
    });
    scene.await
}

/// Answers each question with the body for its path; counts the questions.
fn serve(link: &Link, body: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Arc<AtomicUsize> {
    let own = rcgen::generate_simple_self_signed(["enclave".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let mut listener = Announced::new(link.listen(ports::MASTER).unwrap());
    let (asked, body) = (Arc::<AtomicUsize>::default(), Arc::new(body));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, body, counted) = (tls.clone(), Arc::clone(&body), Arc::clone(&counted));
            tokio::spawn(async move { answer(tls, stream, &*body, &counted).await });
        }
    });
    asked
}

async fn answer(
    tls: TlsAcceptor,
    stream: Stream,
    body: &(impl Fn(&str) -> Vec<u8> + ?Sized),
    counted: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = tls.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = body(&path);
    let begin = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(begin.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    counted.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn cluster(registration: &str) -> Value {
    let (hash, id) = ("07".repeat(32), format!("0x{}", "01".repeat(32)));
    json!({
        "cluster": id, "name": "c", "chain_id": "x", "environment": "development", "generation": 1,
        "endpoints": {"api": "", "join": "", "master": ""},
        "instance": {"key": hash, "tls_spki_sha256": hash, "server_ca_sha256": hash, "config_sha256": hash,
                     "registration": registration, "registered_until_ms": null},
        "registry": {"fresh": true, "checkpoint": 1, "timestamp_ms": 1, "problem": null},
        "ready": true, "components": [], "workers": 0, "notes": [],
    })
}

/// An enclave of this state with these wishes.
fn wishing(registration: &str, wishes: Value) -> impl Fn(&str) -> Vec<u8> + Send + Sync + 'static {
    let state = cluster(registration).to_string();
    move |path| match path {
        "/api/v1/cluster" => state.clone().into_bytes(),
        _ => wishes.to_string().into_bytes(),
    }
}

async fn until_problem(scene: &Scene, words: &str) -> Value {
    let begun = Instant::now();
    loop {
        let status = scene.status().await;
        if status["chain"]["problem"].as_str().is_some_and(|problem| problem.contains(words)) {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(25), "{words}: {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn answers_without_form_or_end_are_problems_that_pass() {
    let scene = parent().await;
    until_problem(&scene, "vsock_8443").await;
    for (answer, words) in [
        (b"<html>".to_vec(), "the enclave's state"),
        (vec![b' '; 64 << 20], "/api/v1/cluster"),
        (cluster("elsewhere").to_string().into_bytes(), "the enclave's state"),
    ] {
        let asked = serve(&scene.link, move |_| answer.clone());
        until_problem(&scene, words).await;
        drop(asked);
    }
    let state = cluster("unregistered").to_string().into_bytes();
    serve(
        &scene.link,
        move |path| if path.ends_with("cluster") { state.clone() } else { b"[{\"kind\": \"mint\"}]".to_vec() },
    );
    until_problem(&scene, "the enclave's submissions").await;
    serve(&scene.link, wishing("active", json!([])));
    let begun = Instant::now();
    while !scene.status().await["chain"]["problem"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(20), "all is well now");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scene.status().await["chain"]["registration"], "active");
}

#[tokio::test]
async fn a_chain_that_cannot_be_reached_is_tried_with_patience() {
    let scene = parent().await;
    let wish = json!({"id": "r", "instance": "07".repeat(32), "kind": "register", "bytes": "hA=="});
    let asked = serve(&scene.link, wishing("unregistered", json!([wish])));
    let status = until_problem(&scene, "register: ").await;
    assert_eq!(status["chain"]["submitted"], 0);
    assert!(status["chain"]["wallet"].as_str().unwrap().starts_with("0x"));
    // The enclave is asked on, whatever the chain does.
    let before = asked.load(Ordering::Relaxed);
    let begun = Instant::now();
    while asked.load(Ordering::Relaxed) < before + 4 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the enclave is not asked any more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_registered_enclave_is_made_the_active_one_where_that_is_configured() {
    let scene = parent().await;
    serve(&scene.link, wishing("registered", json!([])));
    until_problem(&scene, "activate: ").await;
}

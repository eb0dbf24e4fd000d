//! What an enclave is given, and what one that has gone wrong is not.
#![allow(clippy::unwrap_used)]

mod scene;

use std::time::{Duration, Instant};

use daas_transport::egress::{Client, Host, Policy, Ports, RefusalCode, Target};
use daas_transport::loopback::Forwarder;
use daas_transport::{Error, Link, Stream, ports};
use scene::{Scene, rest, soon};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server outside that says what it hears, and the parent's route to it.
async fn outside() -> (String, impl FnOnce(&mut Value)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    let to = address.clone();
    let change = move |value: &mut Value| {
        value["egress"] = json!({"connections": 4, "routes": [
            {"host": "chain.internal", "port": 9123, "to": to},
            {"host": "chain.internal", "port": 1, "to": "127.0.0.1:1"},
        ]});
    };
    (address, change)
}

fn policy() -> Policy {
    let any = |name| (Host::parse(name).unwrap(), Ports::Any);
    Policy::new([any("chain.internal"), any("example.com"), any("localhost")])
}

fn target(text: &str) -> Target {
    Target::parse(text).unwrap()
}

async fn raw(link: &Link, request: &[u8]) -> String {
    let mut stream = link.connect(ports::EGRESS).await.unwrap();
    // What is too long is not read to its end.
    let _ = stream.write_all(request).await;
    String::from_utf8(rest(&mut stream).await).unwrap()
}

#[tokio::test]
async fn it_reads_its_configuration_as_often_as_it_likes_and_cannot_change_it() {
    let scene = Scene::new(|_| ()).await;
    for _ in 0..20 {
        let mut stream = scene.link.connect(ports::CONFIGURATION).await.unwrap();
        let _ = stream.write_all(b"PUT / HTTP/1.1\r\n\r\n").await;
        let text = rest(&mut stream).await;
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), json!({"version": 1, "chain_id": "x"}));
    }
    let digest = scene.status().await["config_sha256"].clone();
    // `printf '{"chain_id":"x","version":1}' | sha256sum`
    assert_eq!(digest, "d7ea5fb041c1a97e3bb2e9b30a8feaa48dae11cf803d0bdb54e041baeb738633");
}

#[tokio::test]
async fn it_reaches_the_hosts_of_the_routes_and_no_others() {
    let (address, change) = outside().await;
    let scene = Scene::new(change).await;
    let client = Client::new(scene.link.clone(), policy());
    let mut stream = client.connect(&target("chain.internal:9123")).await.unwrap();
    stream.write_all(b"echo").await.unwrap();
    let mut read = [0; 4];
    soon(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"echo");
    let refusal = |error| match error {
        Error::Refused { refusal, .. } => refusal.code,
        other => panic!("{other}"),
    };
    for (wanted, code) in [
        ("chain.internal:9124", RefusalCode::NotAllowed),
        ("chain.internal:1", RefusalCode::Unreachable),
        ("example.com:443", RefusalCode::NotAllowed),
        ("localhost:9123", RefusalCode::NotAllowed),
    ] {
        assert_eq!(refusal(client.connect(&target(wanted)).await.unwrap_err()), code, "{wanted}");
    }
    // By address, in another form, as something else: never dialled.
    for request in [
        format!("CONNECT {address}\n"),
        "CONNECT 169.254.169.254:80\n".into(),
        "CONNECT [::1]:80\n".into(),
        "CONNECT CHAIN.internal:9123\n".into(),
        "CONNECT chain.internal.:9123\n".into(),
        "CONNECT chain.internal:09123\n".into(),
        "GET http://chain.internal:9123/ HTTP/1.1\n".into(),
        "\n".into(),
    ] {
        assert!(raw(&scene.link, request.as_bytes()).await.starts_with("ERR "), "{request}");
    }
    // The enclave's own policy comes first: nothing is asked.
    let strict = Client::new(Link::Folder("/nowhere".into()), Policy::default());
    assert!(matches!(strict.connect(&target("chain.internal:9123")).await, Err(Error::NotAllowed(_))));
}

#[tokio::test]
async fn floods_of_half_requests_and_endless_lines_hold_up_nobody() {
    let (_, change) = outside().await;
    let scene = Scene::new(change).await;
    let client = Client::new(scene.link.clone(), policy());
    let begun = Instant::now();
    let mut flood = Vec::new();
    for number in 0..200 {
        let mut stream = scene.link.connect(ports::EGRESS).await.unwrap();
        let half: &[u8] = if number % 2 == 0 { b"CONNECT chain" } else { b"" };
        let _ = stream.write_all(half).await;
        flood.push(stream);
    }
    let endless = vec![b'a'; 1 << 16];
    assert!(soon(raw(&scene.link, &endless)).await.len() < 400);
    // Within the time that half requests are given, their places are free again.
    loop {
        match client.connect(&target("chain.internal:9123")).await {
            Ok(_) => break,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(10), "the flood lasts"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for mut stream in flood {
        assert!(matches!(soon(stream.read(&mut [0])).await, Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn its_connections_are_bounded() {
    let (_, change) = outside().await;
    let scene = Scene::new(change).await;
    let client = Client::new(scene.link.clone(), policy());
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(client.connect(&target("chain.internal:9123")).await.unwrap());
    }
    let error = client.connect(&target("chain.internal:9123")).await.unwrap_err();
    assert!(matches!(error, Error::Refused { refusal, .. } if refusal.code == RefusalCode::Busy));
    open.clear();
    scene.until_status("/egress/open", 0).await;
    client.connect(&target("chain.internal:9123")).await.unwrap();
}

#[tokio::test]
async fn programs_reach_the_outside_by_name_and_a_refusal_is_a_reset() {
    let (_, change) = outside().await;
    let scene = Scene::new(change).await;
    let client = Client::new(scene.link.clone(), policy());
    let free = scene::free_port();
    let targets = [target("chain.internal:9123"), target(&format!("example.com:{free}"))];
    let forwarder = Forwarder::start(client.clone(), &targets).await.unwrap();
    assert_eq!(
        forwarder.hosts_file(),
        "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 chain.internal\n127.0.1.2 example.com\n"
    );
    let mut stream = Stream::connect_tcp("127.0.1.1:9123").await.unwrap();
    stream.write_all(b"by name").await.unwrap();
    let mut read = [0; 7];
    soon(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"by name");
    let mut stream = Stream::connect_tcp(("127.0.1.2", free)).await.unwrap();
    let error = soon(stream.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let refused = Forwarder::start(client, &[target("other.com:1")]).await;
    assert!(matches!(refused, Err(Error::NotAllowed(_))));
    drop(forwarder);
    let begun = Instant::now();
    while Stream::connect_tcp("127.0.1.1:9123").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "dropped, it listens no more");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn its_logs_fill_their_files_and_no_more() {
    let scene = Scene::new(|value| {
        value["logs"]["max_bytes"] = json!(64 * 1024);
        value["logs"]["files"] = json!(2);
    })
    .await;
    let mut stream = scene.link.connect(ports::LOGS).await.unwrap();
    for number in 0..20_000 {
        stream.write_all(format!("{number:09}\n").as_bytes()).await.unwrap();
    }
    drop(stream);
    let log = scene.folder.path().join("log");
    scene.until("the last line is there", || std::fs::read_to_string(&log).unwrap().ends_with("000019999\n")).await;
    let older = scene.folder.path().join("log.1");
    assert!(
        std::fs::metadata(&log).unwrap().len() <= 64 * 1024 && std::fs::metadata(older).unwrap().len() <= 64 * 1024
    );
    assert!(!scene.folder.path().join("log.2").exists());
}

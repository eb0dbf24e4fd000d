//! Connections of clients, through the parent, to whatever stands for the enclave.
#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use daas_transport::Stream;
use daas_transport::accept::Accept as _;
use daas_transport::client_line::Announced;
use scene::{Scene, free_port, rest, soon};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn bytes_arrive_both_ways_behind_the_clients_address() {
    let scene = Scene::new(|_| ()).await;
    let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
    let mut client = scene.client().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let (mut stream, told) = soon(enclave.accept()).await.unwrap();
    assert_eq!(told, Some([127, 0, 0, 1].into()));
    assert_eq!(rest(&mut stream).await, b"question");
    stream.write_all(b"answer").await.unwrap();
    drop(stream);
    assert_eq!(rest(&mut client).await, b"answer");
    scene.until_status("/inbound/open", 0).await;
    let status = scene.status().await;
    assert_eq!((&status["inbound"]["bytes_to_right"], &status["inbound"]["bytes_to_left"]), (&json!(8), &json!(6)));
}

#[tokio::test]
async fn without_an_enclave_clients_are_refused_and_with_its_return_they_are_served() {
    let scene = Scene::new(|_| ()).await;
    let refused = || async {
        let mut client = scene.client().await;
        soon(client.read(&mut [0])).await.unwrap_err().kind()
    };
    assert_eq!(refused().await, std::io::ErrorKind::ConnectionReset);
    for _ in 0..3 {
        let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
        let mut client = scene.client().await;
        let (mut stream, _) = soon(enclave.accept()).await.unwrap();
        stream.write_all(b"here").await.unwrap();
        let mut read = [0; 4];
        soon(client.read_exact(&mut read)).await.unwrap();
        // The enclave is gone with all that it had: clients notice, also those that are silent.
        drop((stream, enclave));
        assert_eq!(rest(&mut client).await, b"");
        assert_eq!(refused().await, std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn one_clients_connections_are_bounded() {
    let scene = Scene::new(|value| value["inbound"]["connections_per_client"] = json!(3)).await;
    let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push((scene.client().await, soon(enclave.accept()).await.unwrap()));
    }
    for _ in 0..20 {
        let mut more = scene.client().await;
        assert!(matches!(soon(more.read(&mut [0])).await, Ok(0) | Err(_)));
    }
    scene.until_status("/inbound/total", 3).await;
    // A place is free again when a connection ends.
    drop(clients.pop());
    scene.until_status("/inbound/open", 2).await;
    let _client = scene.client().await;
    soon(enclave.accept()).await.unwrap();
}

#[tokio::test]
async fn idle_connections_to_one_port_lock_nobody_out_of_another() {
    let other = free_port();
    let scene = Scene::new(|value| {
        value["inbound"]["ports"].as_array_mut().unwrap().push(json!(other));
        value["inbound"]["connections"] = json!(6);
    })
    .await;
    let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push((scene.client().await, soon(enclave.accept()).await.unwrap()));
    }
    for _ in 0..6 {
        let mut more = scene.client().await;
        assert!(matches!(soon(more.read(&mut [0])).await, Ok(0) | Err(_)), "half of the places are the other port's");
    }
    let mut enclave = Announced::new(scene.link.listen(other).unwrap());
    for _ in 0..3 {
        let mut client = Stream::connect_tcp(("127.0.0.1", other)).await.unwrap();
        let (mut stream, _) = soon(enclave.accept()).await.unwrap();
        stream.write_all(b"!").await.unwrap();
        soon(client.read_exact(&mut [0])).await.unwrap();
        idle.push((client, (stream, None)));
    }
    scene.until_status("/inbound/open", 6).await;
}

#[tokio::test]
async fn an_enclave_that_does_not_read_stops_the_client_and_costs_bounded_memory() {
    let scene = Scene::new(|_| ()).await;
    let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
    let mut client = scene.client().await;
    let (stream, _) = soon(enclave.accept()).await.unwrap();
    let mut written = 0_u64;
    let chunk = vec![0; 64 * 1024];
    while let Ok(count) = tokio::time::timeout(Duration::from_millis(500), client.write(&chunk)).await {
        written += count.unwrap() as u64;
        assert!(written < 64 << 20, "nothing holds the client up");
    }
    // What the parent took and did not pass on is at most its one buffer, beside the kernel's.
    let carried = scene.status().await["inbound"]["bytes_to_right"].as_u64().unwrap();
    assert!(carried < 2 << 20, "{carried} bytes went into a socket that nobody reads");
    drop(stream);
    scene.until_status("/inbound/open", 0).await;
}

#[tokio::test]
async fn forwards_lead_elsewhere() {
    let target = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = target.local_addr().unwrap().to_string();
    let listen = format!("127.0.0.1:{}", scene::free_port());
    let scene = Scene::new(|value| value["forwards"] = json!([{"listen": listen, "to": to}])).await;
    let mut client = daas_transport::Stream::connect_tcp(listen.as_str()).await.unwrap();
    client.write_all(b"x").await.unwrap();
    let (mut server, _) = soon(target.accept()).await.unwrap();
    assert_eq!(soon(server.read_u8()).await.unwrap(), b'x');
    scene.until_status("/forwards/open", 1).await;
}

#[tokio::test]
async fn a_stopped_parent_leaves_no_socket_and_no_listener() {
    let scene = Scene::new(|_| ()).await;
    let address = scene.address();
    let mut enclave = Announced::new(scene.link.listen(scene.port).unwrap());
    let mut client = scene.client().await;
    let _stream = soon(enclave.accept()).await.unwrap();
    let folder = scene.stop().await;
    assert_eq!(rest(&mut client).await, b"");
    assert!(daas_transport::Stream::connect_tcp(address).await.is_err());
    assert!(!folder.path().join("status").exists());
    for port in [9001, 9002, 9003] {
        assert!(!folder.path().join(format!("link/vsock_{port}")).exists());
    }
}

#[tokio::test]
async fn a_link_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("link");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let place = |name: &str| folder.path().join(name);
    let value = json!({
        "version": 1, "link": open, "logs": {"file": place("log")}, "status": place("status"), "runtime_configuration": {},
    });
    std::fs::write(place("parent.json"), value.to_string()).unwrap();
    let configuration = daas_parent::Configuration::read(&place("parent.json")).unwrap();
    let error = daas_parent::run(configuration, tokio_util::sync::CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("others can write to it"), "{error}");
}

//! A parent in this process, and an enclave that is whatever a test makes of it.

// Every test file is a crate of its own and uses a part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::{Duration, Instant};

use daas_parent::{Configuration, run};
use daas_transport::{Link, Stream};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Scene {
    pub folder: TempDir,
    pub link: Link,
    /// Where clients connect.
    pub port: u16,
    stop: CancellationToken,
    parent: JoinHandle<daas_parent::Result<()>>,
}

impl Scene {
    /// A running parent, with changes to its configuration.
    pub async fn new(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let place = |name: &str| folder.path().join(name).display().to_string();
        let mut value = json!({
            "version": 1, "link": place("link"), "logs": {"file": place("log")}, "status": place("status"),
            "runtime_configuration": {"version": 1, "chain_id": "x"},
            "inbound": {"listeners": [{"address": "127.0.0.1"}], "ports": [port]},
        });
        change(&mut value);
        let file = folder.path().join("parent.json");
        std::fs::write(&file, value.to_string()).unwrap();
        let stop = CancellationToken::new();
        let parent = tokio::spawn(run(Configuration::read(&file).unwrap(), stop.clone()));
        let scene = Self { link: Link::Folder(folder.path().join("link")), folder, port, stop, parent };
        scene.until("the parent serves", || scene.folder.path().join("status").exists()).await;
        scene
    }

    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub async fn client(&self) -> Stream {
        Stream::connect_tcp(self.address()).await.unwrap()
    }

    pub async fn status(&self) -> Value {
        let mut text = String::new();
        let mut socket = UnixStream::connect(self.folder.path().join("status")).await.unwrap();
        socket.read_to_string(&mut text).await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Waits for a number in the status.
    pub async fn until_status(&self, pointer: &str, wanted: u64) {
        let begun = Instant::now();
        loop {
            let status = self.status().await;
            if status.pointer(pointer).and_then(Value::as_u64) == Some(wanted) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{pointer} = {wanted}: {status}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(!self.parent.is_finished(), "{what}: the parent ended");
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the parent; gives back the folder.
    pub async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.parent.await.unwrap().unwrap();
        self.folder
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whatever should happen soon.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.unwrap()
}

/// Everything until the stream ends, in whichever way.
pub async fn rest(stream: &mut Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    bytes
}

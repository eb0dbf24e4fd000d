//! The way out of kube-apiserver: it may dial its webhooks, and nothing else.
//!
//! Whoever may create webhook configurations may name any URL, and inside the enclave every loopback port is a neighbour
//! (etcd, the gateway, the master). kube-apiserver asks its egress selector before it dials such a URL (network context
//! `controlplane`; `apiserver/pkg/util/webhook/authentication.go`), as it does for its own webhooks; here only the latter are let through,
//! and they want a client certificate that admission webhooks do not have.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::{ControlPlaneError, Result};

/// `CONNECT 127.0.0.1:9640 HTTP/1.1` with a Host header and room to spare.
const LONGEST_REQUEST: usize = 4096;
/// Connections to webhooks at one time; kube-apiserver reuses them.
const MOST_CONNECTIONS: usize = 1024;
const SLOWEST: Duration = Duration::from_secs(5);

/// Serves `CONNECT` on a Unix socket, for a fixed list of addresses.
pub struct ControlPlaneEgress {
    listener: UnixListener,
    allowed: Arc<[SocketAddr]>,
}

impl ControlPlaneEgress {
    /// Listens at `socket`, replacing what an earlier process left there.
    pub fn bind(socket: &Path, allowed: Vec<SocketAddr>) -> Result<Self> {
        let fault = |cause| ControlPlaneError::Listen { address: socket.display().to_string(), cause };
        match std::fs::remove_file(socket) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(fault(cause)),
            _ => {}
        }
        Ok(Self { listener: UnixListener::bind(socket).map_err(fault)?, allowed: allowed.into() })
    }

    /// Serves until dropped.
    pub async fn run(self) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let allowed = Arc::clone(&self.allowed);
            tokio::spawn(async move {
                let _place = place;
                serve(stream, &allowed).await;
            });
        }
    }
}

async fn serve(mut client: UnixStream, allowed: &[SocketAddr]) {
    let Ok(Some(asked)) = tokio::time::timeout(SLOWEST, request(&mut client)).await else { return };
    let Some(address) = allowed.iter().find(|address| address.to_string() == asked) else {
        tracing::warn!(%asked, "kube-apiserver wanted to dial an address that is not one of its webhooks");
        let _ = client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    let Ok(Ok(mut server)) = tokio::time::timeout(SLOWEST, TcpStream::connect(address)).await else {
        let _ = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    let _ = server.set_nodelay(true);
    if client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// The address of a `CONNECT` request. Nothing may follow its head: the client waits for the answer.
async fn request(client: &mut UnixStream) -> Option<String> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST_REQUEST || client.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    connect_target(&head)
}

fn connect_target(head: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(head).ok()?.split("\r\n").next()?;
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("CONNECT"), Some(target), Some("HTTP/1.1"), None) => Some(target.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(socket: &Path, target: &str) -> (UnixStream, String) {
        let mut client = UnixStream::connect(socket).await.unwrap();
        client.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0);
        }
        let status = String::from_utf8(answer).unwrap().split(' ').nth(1).unwrap().to_owned();
        (client, status)
    }

    #[tokio::test]
    async fn a_listed_address_is_dialled_and_no_other() {
        let webhook = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let neighbour = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (allowed, other) = (webhook.local_addr().unwrap(), neighbour.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("egress.sock");
        let server = tokio::spawn(ControlPlaneEgress::bind(&socket, vec![allowed]).unwrap().run());

        let (mut client, status) = ask(&socket, &allowed.to_string()).await;
        assert_eq!(status, "200");
        let (mut accepted, _) = webhook.accept().await.unwrap();
        client.write_all(b"question").await.unwrap();
        let mut read = [0; 8];
        accepted.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"question");

        // Another port, other spellings of loopback, a name.
        let port = allowed.port();
        for target in [
            other.to_string(),
            format!("localhost:{port}"),
            format!("127.1:{port}"),
            format!("[::ffff:127.0.0.1]:{port}"),
            format!("0.0.0.0:{port}"),
        ] {
            assert_eq!(ask(&socket, &target).await.1, "403", "{target}");
        }
        server.abort();
    }

    #[test]
    fn only_a_connect_request_names_an_address() {
        assert_eq!(connect_target(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n").as_deref(), Some("127.0.0.1:1"));
        for head in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"CONNECT a b HTTP/1.1\r\n\r\n",
            b"CONNECT a HTTP/1.0\r\n\r\n",
            b"\xff\r\n\r\n",
        ] {
            assert_eq!(connect_target(head), None);
        }
    }
}

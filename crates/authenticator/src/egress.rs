//! The egress gateway: kube-apiserver's egress selector asks it over a Unix socket, `CONNECT host:port`, and gets a stream in
//! the tunnel of exactly the worker that the address belongs to. Whatever else is asked for is refused at once: no name is
//! looked up and no address dialled.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daas_seal_token::NodeName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::nodes::Nodes;
use crate::tunnel::{TunnelStream, Tunnels};
use daas_transport::accept::{Accept, Slots, each_connection};

/// The kubelet's port.
const KUBELET_PORT: u16 = 10250;
/// Request line and headers together.
const MAX_HEAD: usize = 4096;
const HEAD_TIME: Duration = Duration::from_secs(5);
const OPEN_TIME: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: usize = 8192;

/// What kube-apiserver wants to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A worker's kubelet, by the worker's name.
    Kubelet(NodeName),
    /// A pod, or a worker itself (for pods in its network), by address.
    Address(IpAddr, u16),
}

/// Opens streams by what the master has recorded of workers.
#[derive(Debug, Clone)]
pub struct Egress {
    nodes: Arc<Nodes>,
    tunnels: Arc<Tunnels>,
}

impl Target {
    /// Reads `host:port`, as `CONNECT` has it.
    pub fn parse(authority: &str) -> Option<Self> {
        let (host, port) = authority.rsplit_once(':')?;
        let plain = !port.is_empty() && port.len() <= 5 && port.bytes().all(|digit| digit.is_ascii_digit());
        let port = port.parse::<u16>().ok().filter(|port| *port != 0 && plain)?;
        let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => Some(IpAddr::V6(inner.parse().ok()?)),
            None => host.parse().ok().filter(IpAddr::is_ipv4),
        };
        match address {
            Some(address) => Some(Self::Address(address, port)),
            None if port == KUBELET_PORT => host.parse().ok().map(Self::Kubelet),
            None => None,
        }
    }
}

impl Egress {
    /// Routes by these records into these tunnels.
    pub fn new(nodes: Arc<Nodes>, tunnels: Arc<Tunnels>) -> Self {
        Self { nodes, tunnels }
    }

    /// Opens a stream to a target.
    pub async fn open(&self, target: &Target) -> Result<TunnelStream, Error> {
        let (node, address) = match target {
            // An agent takes its own loopback address for the kubelet's (k3s `pkg/agent/tunnel`).
            Target::Kubelet(name) => {
                let record = self.nodes.get(name).ok_or_else(|| Error::NoSuchNode(name.to_string()))?;
                (record.name, format!("127.0.0.1:{KUBELET_PORT}"))
            }
            Target::Address(address, port) => {
                let owner = self.nodes.owner_of(*address).ok_or_else(|| Error::NoSuchNode(address.to_string()))?;
                (owner, std::net::SocketAddr::new(*address, *port).to_string())
            }
        };
        let session = self.tunnels.get(&node).ok_or_else(|| Error::NoTunnel(node.to_string()))?;
        session.open(&address).await
    }

    /// Serves kube-apiserver until `stop`.
    pub async fn serve<A: Accept>(self, listener: A, stop: CancellationToken) {
        let slots = Slots::new(MAX_CONNECTIONS, MAX_CONNECTIONS);
        each_connection(listener, slots, stop, |stream, _| {
            let egress = self.clone();
            async move { egress.serve_one(stream).await }
        })
        .await;
    }

    async fn serve_one(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let target = match tokio::time::timeout(HEAD_TIME, read_target(&mut client)).await {
            Ok(Some(target)) => target,
            Ok(None) => {
                return refuse(&mut client, "403 Forbidden", "only workers and their pods are reached here").await;
            }
            Err(_) => return,
        };
        match tokio::time::timeout(OPEN_TIME, self.open(&target)).await {
            Ok(Ok(stream)) => {
                if client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
                    stream.carry(client).await;
                }
            }
            Ok(Err(error)) => refuse(&mut client, "502 Bad Gateway", &error.to_string()).await,
            Err(_) => refuse(&mut client, "504 Gateway Timeout", "the worker's tunnel takes nothing").await,
        }
    }
}

/// Reads the request's head byte by byte, so that nothing of the stream behind it is taken; kube-apiserver sends nothing
/// before the answer. `None` if it is no `CONNECT` to something that could be served.
async fn read_target(client: &mut (impl AsyncRead + Unpin)) -> Option<Target> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return None;
        }
        head.push(client.read_u8().await.ok()?);
    }
    let line = std::str::from_utf8(&head).ok()?.lines().next()?;
    let authority = line.strip_prefix("CONNECT ")?.strip_suffix(" HTTP/1.1")?;
    Target::parse(authority)
}

async fn refuse(client: &mut (impl AsyncWrite + Unpin), status: &str, why: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{why}", why.len());
    if client.write_all(answer.as_bytes()).await.is_ok() {
        let _ = client.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_kubelets_by_name_and_addresses_are_targets() {
        let node = || "worker-1-dead000f".parse().unwrap();
        for (authority, target) in [
            ("worker-1-dead000f:10250", Some(Target::Kubelet(node()))),
            ("10.42.1.7:8443", Some(Target::Address("10.42.1.7".parse().unwrap(), 8443))),
            ("[fd00::7]:443", Some(Target::Address("fd00::7".parse().unwrap(), 443))),
            ("worker-1-dead000f:22", None),
            ("worker-1-dead000f:010250", None),
            ("worker-1-dead000f:+10250", None),
            ("localhost:10250", None),
            ("kubernetes.default.svc:443", None),
            ("example.com:443", None),
            ("10.42.1.7", None),
            ("10.42.1.7:0", None),
            ("10.42.1.7:65536", None),
            ("10.42.1.007:80", None),
            ("[10.42.1.7]:80", None),
            ("fd00::7:443", None),
            ("0x7f.1:80", None),
            ("", None),
        ] {
            assert_eq!(Target::parse(authority), target, "{authority}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_no_name_that_could_be_looked_up(authority in ".{0,40}") {
            if let Some(Target::Kubelet(name)) = Target::parse(&authority) {
                prop_assert!(!name.as_str().contains('.'));
            }
        }
    }
}

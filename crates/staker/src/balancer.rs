//! Loopback ports that lead to the cluster: bytes pass through, TLS ends at the other side. Whoever answered last is tried first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::{Limits, Traffic, carry};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::http_client::split;

const CONNECT: Duration = Duration::from_secs(5);
/// kubelet, kube-proxy, the pod network and pods of the host's network; more is none of ours.
const CONNECTIONS: usize = 1024;

/// A port on loopback that leads to one of several places.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    targets: ArcSwap<Vec<(String, u16)>>,
    healthy: AtomicUsize,
    traffic: Traffic,
}

impl Balancer {
    /// Listens on `listen`; there is nowhere to go until [`Self::lead_to`].
    pub async fn start(listen: SocketAddr) -> Result<Self, Error> {
        let listener = TcpListener::bind(listen).await;
        let failed = |source| Error::Listen { address: listen, source };
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let targets = ArcSwap::from_pointee(Vec::new());
        let shared = Arc::new(Shared { targets, healthy: AtomicUsize::new(0), traffic: Traffic::default() });
        let (stop, serving) = (CancellationToken::new(), Arc::clone(&shared));
        let slots = Slots::new(CONNECTIONS, CONNECTIONS);
        tokio::spawn(each_connection(listener, slots, stop.clone(), move |client, _| {
            let shared = Arc::clone(&serving);
            async move { shared.pass(client).await }
        }));
        Ok(Self { address, shared, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go to one of these (`host:port`); those that are open stay.
    pub fn lead_to(&self, targets: &[String]) -> Result<(), Error> {
        let targets = targets.iter().map(|target| split(target)).collect::<Result<Vec<_>, _>>()?;
        self.shared.targets.store(Arc::new(targets));
        Ok(())
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    async fn pass(&self, client: TcpStream) {
        let targets = self.targets.load_full();
        let first = self.healthy.load(Ordering::Relaxed);
        for step in 0..targets.len() {
            let index = (first + step) % targets.len();
            let (host, port) = &targets[index];
            let dialled = tokio::time::timeout(CONNECT, TcpStream::connect((host.as_str(), *port))).await;
            if let Ok(Ok(server)) = dialled {
                self.healthy.store(index, Ordering::Relaxed);
                let _ = server.set_nodelay(true);
                carry(client.into(), server.into(), Limits::default(), &self.traffic).await;
                return;
            }
        }
        // Nobody answers: the client sees the connection end and tries again.
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn server(word: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut all = Vec::new();
                    let _ = stream.read_to_end(&mut all).await;
                    let _ = stream.write_all(word).await;
                    let _ = stream.write_all(&all).await;
                });
            }
        });
        address
    }

    /// A port where nobody listens.
    async fn closed() -> String {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
    }

    async fn ask(balancer: &Balancer) -> Vec<u8> {
        let mut stream = TcpStream::connect(balancer.address()).await.unwrap();
        let _ = stream.write_all(b"hello").await;
        let _ = stream.shutdown().await;
        let mut all = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut all)).await.unwrap();
        all
    }

    #[tokio::test]
    async fn connections_go_to_whoever_answers_and_follow_changes() {
        let balancer = Balancer::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        assert!(ask(&balancer).await.is_empty());
        balancer.lead_to(&[closed().await, server(b"one:").await]).unwrap();
        assert_eq!(ask(&balancer).await, b"one:hello");
        assert_eq!(balancer.shared.healthy.load(Ordering::Relaxed), 1);
        balancer.lead_to(&[server(b"two:").await]).unwrap();
        assert_eq!(ask(&balancer).await, b"two:hello");
        assert!(balancer.lead_to(&["nonsense".into()]).is_err());
        assert_eq!(ask(&balancer).await, b"two:hello");
    }
}

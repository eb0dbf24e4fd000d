//! The enclave's end of 6443: passes bytes to kube-apiserver from a loopback address of its own for each client connection.
//! TLS passes through; nothing is read.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::error::Error;
use daas_transport::accept::{Accept, Slots, each_connection};

/// Memory of a connection, for each direction.
const BUFFER: usize = 16 * 1024;
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How many connections it carries.
#[derive(Debug, Clone, Copy)]
pub struct RelayLimits {
    /// In all.
    pub connections: usize,
    /// Of one client.
    pub per_peer: usize,
}

impl Default for RelayLimits {
    fn default() -> Self {
        // A worker's pods come from its one address.
        Self { connections: 4096, per_peer: 512 }
    }
}

/// Carries connections to `target` until `stop`.
pub async fn relay<A: Accept>(
    listener: A,
    target: SocketAddrV4,
    connections: Arc<Connections>,
    limits: RelayLimits,
    stop: CancellationToken,
) {
    let slots = Slots::new(limits.connections, limits.per_peer);
    each_connection(listener, slots, stop, |stream, peer| {
        let connections = Arc::clone(&connections);
        async move {
            if let Err(error) = carry(stream, target, &connections).await {
                tracing::debug!(%error, ?peer, "connection to kube-apiserver");
            }
        }
    })
    .await;
}

/// Carries one connection to its end: both directions closed, an error, or its identity over. A direction that ends is
/// closed on the other side while the other direction goes on.
async fn carry<S>(mut client: S, target: SocketAddrV4, connections: &Arc<Connections>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connection = connections.open().ok_or(Error::Limit("every loopback address is in use"))?;
    let mut server = connect(connection.address(), target).await?;
    tokio::select! {
        biased;
        () = connection.ended() => {
            // What kube-apiserver still has to say is for nobody.
            let _ = server.set_zero_linger();
            Ok(())
        }
        copied = copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER) => {
            copied.map(drop).map_err(Error::io("copying between client and kube-apiserver"))
        }
    }
}

async fn connect(from: Ipv4Addr, target: SocketAddrV4) -> Result<TcpStream, Error> {
    let connecting = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket.connect(target.into()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    match tokio::time::timeout(CONNECT_TIME, connecting).await {
        Ok(connected) => connected.map_err(Error::io("connecting to kube-apiserver")),
        Err(_) => Err(Error::Limit("kube-apiserver does not accept connections")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::verdicts::Standing;

    const WITHIN: Duration = Duration::from_secs(20);

    struct Bench {
        front: SocketAddr,
        server: TcpListener,
        connections: Arc<Connections>,
        stop: CancellationToken,
    }

    async fn bench(limits: RelayLimits) -> Bench {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = listener.local_addr().unwrap();
        let connections = Arc::new(Connections::default());
        let stop = CancellationToken::new();
        let SocketAddr::V4(target) = server.local_addr().unwrap() else { unreachable!() };
        tokio::spawn(relay(listener, target, Arc::clone(&connections), limits, stop.clone()));
        Bench { front, server, connections, stop }
    }

    impl Bench {
        async fn pair(&self) -> (TcpStream, TcpStream, Ipv4Addr) {
            let client = TcpStream::connect(self.front).await.unwrap();
            let (server, from) = tokio::time::timeout(WITHIN, self.server.accept()).await.unwrap().unwrap();
            let IpAddr::V4(from) = from.ip() else { unreachable!() };
            (client, server, from)
        }
    }

    async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
        let mut all = Vec::new();
        // A reset is an end, too.
        let _ = tokio::time::timeout(WITHIN, stream.read_to_end(&mut all)).await.unwrap();
        all
    }

    #[tokio::test]
    async fn each_connection_has_its_own_source_address_and_exactly_one_is_cut() {
        let bench = bench(RelayLimits::default()).await;
        let (mut slashed, mut slashed_server, first) = bench.pair().await;
        let (mut honest, mut honest_server, second) = bench.pair().await;
        assert!(first != second && first.is_loopback() && second.is_loopback());
        let standing = |node: &str| Standing::OnNode(node.parse().unwrap());
        bench.connections.explain(first, standing("worker-1-dead000f"));
        bench.connections.explain(second, standing("worker-2-dead000f"));
        slashed_server.write_all(b"before").await.unwrap();
        let mut before = [0; 6];
        slashed.read_exact(&mut before).await.unwrap();
        assert_eq!(bench.connections.recheck(|asked| *asked != standing("worker-1-dead000f")), 1);
        assert_eq!(read_all(&mut slashed).await, b"");
        assert_eq!(read_all(&mut slashed_server).await, b"");
        honest.write_all(b"still here").await.unwrap();
        let mut answer = [0; 10];
        honest_server.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"still here");
    }

    #[tokio::test]
    async fn a_half_that_is_closed_leaves_the_other_half_open() {
        let bench = bench(RelayLimits::default()).await;
        let (mut client, mut server, _) = bench.pair().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(read_all(&mut server).await, b"question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        assert_eq!(read_all(&mut client).await, b"answer");
    }

    #[tokio::test]
    async fn a_client_that_never_reads_holds_bounded_memory_and_one_that_floods_waits_for_a_place() {
        let bench = bench(RelayLimits { connections: 8, per_peer: 2 }).await;
        let (_lazy, mut server, _) = bench.pair().await;
        // Kernel buffers and ours fill, then the writer stalls.
        let flood = vec![0; 64 * 1024 * 1024];
        assert!(tokio::time::timeout(Duration::from_secs(2), server.write_all(&flood)).await.is_err());
        let second = bench.pair().await;
        let mut refused = TcpStream::connect(bench.front).await.unwrap();
        assert_eq!(read_all(&mut refused).await, b"");
        drop(second);
        let deadline = tokio::time::Instant::now() + WITHIN;
        while bench.connections.len() > 1 {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        bench.pair().await;
    }

    #[tokio::test]
    async fn nothing_runs_on_after_the_stop() {
        let bench = bench(RelayLimits::default()).await;
        let (mut client, _server, _) = bench.pair().await;
        bench.stop.cancel();
        assert_eq!(read_all(&mut client).await, b"");
    }
}

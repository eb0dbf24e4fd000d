//! Where connections come from, and how many of them there may be.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// A listener that fails (no file descriptors left) is asked again after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// A peer that is silent for so long is asked, so often, so many times.
const SILENT: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(15);
const ASKED: u32 = 4;

/// A source of connections.
pub trait Accept: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, with the client's address where it is known. The address is for fairness and logs, never
    /// for trust: inside the enclave it is what the parent says.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Option<IpAddr>)> {
        let (stream, address) = Self::accept(self).await?;
        // A client that went away while it was being taken is noticed by whoever reads from it.
        let _ = stream.set_nodelay(true);
        let _ = notice_the_vanished(&stream);
        Ok((stream, Some(address.ip())))
    }
}

/// Has the kernel ask a silent peer whether it is still there: one that has vanished without a word would keep its place for ever.
fn notice_the_vanished(stream: &TcpStream) -> io::Result<()> {
    let asked = TcpKeepalive::new().with_time(SILENT).with_interval(ASK_AGAIN).with_retries(ASKED);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&asked)?;
    // The same for one that has vanished while something was sent to it (tcp(7)).
    socket.set_tcp_user_timeout(Some(SILENT + ASK_AGAIN * ASKED))
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Option<IpAddr>)> {
        Ok((Self::accept(self).await?.0, None))
    }
}

/// Takes connections until `stop`, each into a place and a task of its own; `stop` ends the tasks, too. What finds no place is closed.
pub async fn each_connection<A: Accept, T>(
    mut listener: A,
    slots: Arc<Slots>,
    stop: CancellationToken,
    serve: impl Fn(A::Stream, Option<IpAddr>) -> T,
) where
    T: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let Some(slot) = slots.take(peer) else { continue };
        let (task, stop) = (serve(stream, peer), stop.clone());
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}

/// Whose address it is: whoever is given an IPv6 network has 2^64 of them (RFC 4291 section 2.5.1, RFC 6177).
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts connections, in all and of each client.
#[derive(Debug)]
pub struct Slots {
    total: usize,
    per_peer: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    peer: Option<IpAddr>,
}

impl Slots {
    /// So many in all, so many of each client. Clients without an address share the total only.
    pub fn new(total: usize, per_peer: usize) -> Arc<Self> {
        Arc::new(Self { total, per_peer, used: Mutex::default() })
    }

    /// A place, if one is free.
    pub fn take(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Slot> {
        let peer = peer.map(client);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.all >= self.total {
            return None;
        }
        if let Some(peer) = peer {
            let of_peer = used.of.entry(peer).or_default();
            if *of_peer >= self.per_peer {
                return None;
            }
            *of_peer += 1;
        }
        used.all += 1;
        Some(Slot { slots: Arc::clone(self), peer })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.all = used.all.saturating_sub(1);
        if let Some(peer) = self.peer
            && let Some(of_peer) = used.of.get_mut(&peer)
        {
            *of_peer -= 1;
            if *of_peer == 0 {
                used.of.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |address: &str| Some(address.parse().unwrap());
        let slots = Slots::new(8, 1);
        let first = slots.take(of("2001:db8:0:1::1"));
        assert!(first.is_some());
        assert!(slots.take(of("2001:db8:0:1:ffff::2")).is_none(), "another address of the same /64");
        let _other = slots.take(of("2001:db8:0:2::1")).unwrap();
        drop(first);
        let _again = slots.take(of("2001:db8:0:1:ffff::2")).unwrap();
        // Not the networks of ::/64, which hold every IPv4 address in IPv6's clothes.
        let _mapped = slots.take(of("::ffff:192.0.2.1")).unwrap();
        assert!(slots.take(of("192.0.2.1")).is_none());
        let _another = slots.take(of("::ffff:192.0.2.2")).unwrap();
    }

    #[test]
    fn one_client_does_not_take_everybodys_place() {
        let slots = Slots::new(3, 2);
        let greedy = Some("10.0.0.1".parse().unwrap());
        let honest = Some("10.0.0.2".parse().unwrap());
        let first = slots.take(greedy).unwrap();
        let _second = slots.take(greedy).unwrap();
        assert!(slots.take(greedy).is_none());
        let _third = slots.take(honest).unwrap();
        assert!(slots.take(None).is_none());
        drop(first);
        assert!(slots.take(greedy).is_some());
        assert_eq!(slots.taken(), 2);
    }

    #[tokio::test]
    async fn peers_that_vanish_are_noticed_within_two_minutes() {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = Accept::accept(&mut listener).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        let noticed = socket.tcp_keepalive_time().unwrap()
            + socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert!(noticed <= Duration::from_mins(2), "{noticed:?}");
        assert!(socket.tcp_user_timeout().unwrap().is_some_and(|limit| limit <= Duration::from_mins(2)));
    }
}

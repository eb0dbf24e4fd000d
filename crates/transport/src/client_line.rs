//! `CLIENT <ip>:<port>`: the line that the parent writes before the bytes of each client that it passes on.
//!
//! What the parent says of its clients is good for logs and for fairness among them, never for trust.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::accept::Accept;
use crate::line::read_line;
use crate::{Error, Result};

/// The longest line: `CLIENT `, an address of IPv6 in brackets, a port, the line's end.
const LONGEST: usize = 64;
const PREFIX: &str = "CLIENT ";
/// The parent writes the line as it connects: whoever does not is not waited for.
const LINE_TIME: Duration = Duration::from_secs(5);
/// Connections whose line has not come. Past it, no more are taken for now.
const MAX_PENDING: usize = 256;

/// Says whose bytes follow.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), client: SocketAddr) -> Result<()> {
    // Without a zone or a mapped form: they mean nothing on the other side.
    let client = SocketAddr::new(client.ip().to_canonical(), client.port());
    let line = format!("{PREFIX}{client}\n");
    to.write_all(line.as_bytes()).await.map_err(|cause| Error::Io { doing: "writing the client's address", cause })
}

/// Reads whose bytes follow, and none of them.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<SocketAddr> {
    let line = read_line(from, LONGEST).await?;
    parse(&line).ok_or(Error::Protocol("the connection does not begin with its client's address"))
}

fn parse(line: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix(PREFIX)?;
    let client: SocketAddr = text.parse().ok()?;
    // One form of each address only.
    (client.to_string() == text && client.ip().to_canonical() == client.ip()).then_some(client)
}

/// The connections of a listener with their clients' addresses: each begins with its line, or is closed. One that is slow with
/// it holds up none that is not.
#[derive(Debug)]
pub struct Announced<L: Accept> {
    listener: L,
    pending: JoinSet<Option<(L::Stream, IpAddr)>>,
}

impl<L: Accept> Announced<L> {
    /// Takes connections from this listener.
    pub fn new(listener: L) -> Self {
        Self { listener, pending: JoinSet::new() }
    }
}

impl<L: Accept> Accept for Announced<L> {
    type Stream = L::Stream;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Option<IpAddr>)> {
        loop {
            tokio::select! {
                Some(read) = self.pending.join_next(), if !self.pending.is_empty() => {
                    if let Ok(Some((stream, client))) = read {
                        return Ok((stream, Some(client)));
                    }
                }
                accepted = self.listener.accept(), if self.pending.len() < MAX_PENDING => {
                    let (mut stream, _) = accepted?;
                    self.pending.spawn(async move {
                        let line = tokio::time::timeout(LINE_TIME, read(&mut stream)).await;
                        Some((stream, line.ok()?.ok()?.ip()))
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::Link;

    #[tokio::test]
    async fn the_line_names_the_client_and_takes_none_of_its_bytes() {
        let (mut parent, mut enclave) = tokio::io::duplex(256);
        for (client, told) in [
            ("10.1.2.3:4000", "10.1.2.3:4000"),
            ("[2001:db8::1]:1", "[2001:db8::1]:1"),
            ("[::ffff:10.1.2.3]:65535", "10.1.2.3:65535"),
            ("[fe80::1%3]:9", "[fe80::1]:9"),
        ] {
            write(&mut parent, client.parse().unwrap()).await.unwrap();
            parent.write_all(b"\x16").await.unwrap();
            assert_eq!(read(&mut enclave).await.unwrap(), told.parse().unwrap());
            assert_eq!(enclave.read_u8().await.unwrap(), 0x16);
        }
    }

    #[test]
    fn the_longest_address_fits() {
        let longest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
        assert!(PREFIX.len() + longest.len() < LONGEST);
        assert!(parse(format!("{PREFIX}{longest}").as_bytes()).is_some());
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "CLIENT ",
            "CLIENT 1.2.3.4",
            "CLIENT 1.2.3.4:0x1",
            "CLIENT 1.2.3.4:01",
            "CLIENT  1.2.3.4:1",
            "CLIENT 1.2.3.4:1 ",
            "CLIENT 1.2.3.4:1\r",
            "client 1.2.3.4:1",
            "CLIENT localhost:1",
            "CLIENT [::ffff:1.2.3.4]:1",
            "CLIENT [0::1]:1",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_what_would_be_written(line in proptest::collection::vec(any::<u8>(), 0..70)) {
            if let Some(client) = parse(&line) {
                prop_assert_eq!(format!("{PREFIX}{client}").into_bytes(), line);
            }
        }
    }

    #[tokio::test]
    async fn half_open_connections_hold_up_nobody_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::Folder(folder.path().into());
        let mut announced = Announced::new(link.listen(6443).unwrap());
        // Silent, endless and wrong ones first.
        let mut silent = Vec::new();
        for _ in 0..MAX_PENDING / 2 {
            silent.push(link.connect(6443).await.unwrap());
        }
        let mut endless = link.connect(6443).await.unwrap();
        endless.write_all(&[b'C'; 4 * LONGEST]).await.unwrap();
        let mut wrong = link.connect(6443).await.unwrap();
        wrong.write_all(b"GET / HTTP/1.1\n").await.unwrap();
        let mut honest = link.connect(6443).await.unwrap();
        write(&mut honest, "10.0.0.9:1".parse().unwrap()).await.unwrap();
        let taken = tokio::time::timeout(Duration::from_secs(4), announced.accept()).await.unwrap().unwrap();
        assert_eq!(taken.1, Some("10.0.0.9".parse().unwrap()));
        // All others are closed, by their content or by the time; nothing else is ever handed out.
        let rest = tokio::spawn(async move { announced.accept().await.map(|(_, peer)| peer) });
        for mut stream in silent.into_iter().chain([endless, wrong]) {
            let closed = tokio::time::timeout(LINE_TIME * 2, stream.read(&mut [0])).await.unwrap();
            assert!(matches!(closed, Ok(0) | Err(_)));
        }
        assert!(!rest.is_finished());
        rest.abort();
    }
}

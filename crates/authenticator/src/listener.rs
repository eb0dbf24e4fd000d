//! Where clients arrive: `link:folder:D` is the parent's end of a port, which says whose connection it passes on;
//! `unix:<path>` and `<address>:<port>` are for tests and for machines without a parent.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use daas_transport::accept::Accept;
use daas_transport::client_line::Announced;
use daas_transport::link::listen_at;
use daas_transport::{Link, Listener, Stream};
use tokio::net::TcpListener;

use crate::error::Error;

/// A source of clients.
#[derive(Debug)]
pub enum Clients {
    /// Their own connections.
    Direct(Listener),
    /// Passed on by the parent. What it says of them is good for fairness and logs.
    PassedOn(Announced<Listener>),
}

impl Clients {
    /// Listens at a place; `port` is the link's.
    pub async fn bind(place: &str, port: u16) -> Result<Self, Error> {
        if let Some(link) = place.strip_prefix("link:") {
            return Ok(Self::PassedOn(Announced::new(Link::parse(link)?.listen(port)?)));
        }
        if let Some(path) = place.strip_prefix("unix:") {
            return Ok(Self::Direct(listen_at(Path::new(path))?.into()));
        }
        let listener = TcpListener::bind(place).await.map_err(Error::io("listening for clients"))?;
        Ok(Self::Direct(listener.into()))
    }
}

impl Accept for Clients {
    type Stream = Stream;

    async fn accept(&mut self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Direct(listener) => listener.accept().await,
            Self::PassedOn(announced) => announced.accept().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use daas_transport::client_line;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn clients_that_the_parent_passes_on_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let link = format!("folder:{}", folder.path().display());
        let mut clients = Clients::bind(&format!("link:{link}"), 6443).await.unwrap();
        for client in ["198.51.100.7:4000", "[2001:db8::7]:4000"] {
            let mut parent = Link::parse(&link).unwrap().connect(6443).await.unwrap();
            client_line::write(&mut parent, client.parse().unwrap()).await.unwrap();
            parent.write_all(b"hello").await.unwrap();
            let (mut stream, peer) = clients.accept().await.unwrap();
            assert_eq!(peer, Some(client.parse::<std::net::SocketAddr>().unwrap().ip()));
            let mut heard = [0; 5];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
        }
        for wrong in ["link:vsock", "link:/run", "link:", "nowhere"] {
            assert!(Clients::bind(wrong, 6443).await.is_err(), "{wrong}");
        }
    }
}

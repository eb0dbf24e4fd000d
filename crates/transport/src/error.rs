use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::egress::{Refusal, Target};

/// Why a stream could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A link's description that means none.
    #[error("{0:?} is no link: it is \"folder:PATH\" or \"vsock\"")]
    NoLink(String),
    /// A link that this build cannot use.
    #[error("links over vsock come with the enclave images; this build knows links through a folder only")]
    NoVsock,
    /// The path of a socket that the kernel would not take.
    #[error("{} is too long for a socket's path ({longest} bytes at most): choose a shorter folder", path.display())]
    LongPath {
        /// The path.
        path: PathBuf,
        /// How long it may be.
        longest: usize,
    },
    /// A socket of the link failed.
    #[error("{doing} {}: {cause}", path.display())]
    Socket {
        /// What was being done.
        doing: &'static str,
        /// With which socket.
        path: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// Nobody could listen at an address.
    #[error("listening at {address}{}: {cause}", namespace.as_ref().map_or(String::new(), |path| format!(" in {}", path.display())))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// In which network namespace, if in another one.
        namespace: Option<PathBuf>,
        /// The system's word.
        cause: io::Error,
    },
    /// A destination that is none.
    #[error("{0:?} is no destination: it is a host name in lower case, a colon and a port")]
    NoTarget(String),
    /// A destination that this side's own policy does not know.
    #[error("{0} is not among the allowed destinations")]
    NotAllowed(Target),
    /// The parent refused a connection.
    #[error("the parent opens no connection to {target}: {refusal}")]
    Refused {
        /// Where it should have gone.
        target: Target,
        /// What the parent said.
        refusal: Refusal,
    },
    /// The other side broke the protocol.
    #[error("{0}")]
    Protocol(&'static str),
    /// The other side took too long.
    #[error("no {what} within {} s", limit.as_secs())]
    Late {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// A stream broke.
    #[error("{doing}: {cause}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        cause: io::Error,
    },
    /// More hosts than there are loopback addresses for them.
    #[error("{0} hosts are more than 127.0.1.0/24 has addresses for")]
    TooManyHosts(usize),
}

/// What every fallible call here gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

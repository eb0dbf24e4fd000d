use std::io;

/// What keeps a part of the authenticator from working.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate or key that was given at start cannot be used.
    #[error("the {what} cannot be used: {why}")]
    Credential {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The registry, the listener or a connection failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The other side does not speak the join protocol.
    #[error(transparent)]
    Join(#[from] daas_join::Error),
    /// The server's own certificate or key cannot be used.
    #[error(transparent)]
    Server(#[from] daas_https::Error),
    /// A listener's place cannot be used.
    #[error(transparent)]
    Transport(#[from] daas_transport::Error),
    /// No worker has this name or address.
    #[error("no worker of this cluster is at {0}")]
    NoSuchNode(String),
    /// The worker is known, but its tunnel is not up.
    #[error("the worker {0} has no tunnel at the moment")]
    NoTunnel(String),
    /// The tunnel ended.
    #[error("the tunnel is closed")]
    TunnelClosed,
    /// A bound was reached.
    #[error("{0}")]
    Limit(&'static str),
    /// A node's record contradicts another one's.
    #[error("the node cannot be recorded: {0}")]
    Record(&'static str),
    /// A certificate could not be signed.
    #[error("the certificate could not be signed")]
    Signing,
    /// The configuration cannot be used.
    #[error("the configuration is unusable: {0}")]
    Configuration(String),
}

impl Error {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn credential(what: &'static str, why: impl ToString) -> Self {
        Self::Credential { what, why: why.to_string() }
    }
}

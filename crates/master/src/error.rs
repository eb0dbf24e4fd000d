use std::path::PathBuf;
use std::time::Duration;

/// Why the master cannot start, or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The runtime configuration is not one, or would weaken what the image promises.
    #[error("the runtime configuration is refused: {0}")]
    Configuration(#[from] crate::runtime::ConfigurationError),
    /// Nobody gave the runtime configuration in time.
    #[error("no runtime configuration from the parent within {} s: {last}", within.as_secs())]
    NoConfiguration {
        /// How long it was asked for.
        within: Duration,
        /// The last failure.
        last: String,
    },
    /// The link to the parent.
    #[error("the link to the parent: {0}")]
    Link(#[from] daas_transport::Error),
    /// The security module.
    #[error("the security module: {0}")]
    Module(#[from] daas_nsm::Error),
    /// A document of the security module that its own parser refuses.
    #[error("the security module's document is refused: {0}")]
    Document(#[from] daas_attestation::Refusal),
    /// The enclave's clock and the security module's are too far apart.
    #[error("the enclave's clock is {apart_ms} ms from the security module's; at most {allowed_ms} are allowed")]
    Clock {
        /// How far.
        apart_ms: u64,
        /// The bound.
        allowed_ms: u64,
    },
    /// A root of simulated hardware on a chain of production.
    #[error("simulated hardware serves no chain of production")]
    SimulatedInProduction,
    /// A file of the enclave.
    #[error("{doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system's source of random bytes failed")]
    Randomness,
    /// The chain, or its node.
    #[error("the chain: {0}")]
    Chain(#[from] daas_chain::Error),
    /// The cluster's object is none of this product's.
    #[error("{0} is no Cluster object of this product")]
    NoCluster(sui_sdk_types::Address),
    /// The control plane.
    #[error(transparent)]
    ControlPlane(#[from] daas_control_plane::ControlPlaneError),
    /// The authenticator could not be kept running.
    #[error("the authenticator: {0}")]
    Authenticator(#[from] daas_supervise::Error),
    /// The master's own server.
    #[error("the master's API: {0}")]
    Server(#[from] daas_https::Error),
    /// A range or address of the cluster's settings in another form than expected.
    #[error("the cluster's settings: {0}")]
    Settings(#[from] daas_join::Error),
    /// Signals could not be listened to.
    #[error("listening to signals: {0}")]
    Signals(std::io::Error),
    /// A part that everything needs has ended by itself.
    #[error("a part of the master has ended by itself: the enclave is of no use without it")]
    PartEnded,
}

impl Error {
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { doing, path, cause }
    }
}

/// What fallible calls here give back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the control plane could not be configured, started or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlPlaneError {
    /// A setting's text is not what it should be.
    #[error("{what} cannot be {given:?}: {rule}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What was given.
        given: String,
        /// What it should look like.
        rule: &'static str,
    },
    /// Settings that are each right and contradict each other.
    #[error("settings contradict each other: {0}")]
    Contradiction(String),
    /// A key or certificate could not be made.
    #[error("making the {what} failed: {cause}")]
    Certificate {
        /// Which one.
        what: String,
        /// The library's word.
        cause: String,
    },
    /// A file or folder of the control plane could not be written or read.
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
    /// A loopback service could not listen.
    #[error("listening on {address}: {cause}")]
    Listen {
        /// Where.
        address: String,
        /// The system's word.
        cause: std::io::Error,
    },
    /// A TLS configuration was refused.
    #[error("TLS of the {what}: {cause}")]
    Tls {
        /// Which end.
        what: &'static str,
        /// The library's word.
        cause: String,
    },
    /// A program could not be started or did not become ready.
    #[error(transparent)]
    Supervise(#[from] daas_supervise::Error),
    /// A request to a local server failed.
    #[error("{method} {path} at {address}: {cause}")]
    Request {
        /// The verb.
        method: &'static str,
        /// The path.
        path: String,
        /// The server.
        address: SocketAddr,
        /// What went wrong.
        cause: String,
    },
    /// The API server refused an add-on's object.
    #[error("applying {object}: the API server answered {status}: {answer}")]
    Apply {
        /// Kind and name.
        object: String,
        /// The HTTP status.
        status: u16,
        /// The answer's message, shortened.
        answer: String,
    },
}

/// What every fallible call here gives back.
pub type Result<T, E = ControlPlaneError> = std::result::Result<T, E>;

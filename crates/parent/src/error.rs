use std::io;
use std::path::PathBuf;

/// Why the parent could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be used.
    #[error("{doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// The configuration is no JSON of its form.
    #[error("the configuration {}: {cause}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: serde_json::Error,
    },
    /// A field of the configuration has a value that cannot be.
    #[error("{field}: {reason}")]
    Field {
        /// Which.
        field: &'static str,
        /// Why not.
        reason: String,
    },
    /// A kind of enclave that comes later.
    #[error("enclaves of kind {0} come with the enclave images: this parent starts kind \"sandbox\"")]
    LaterKind(&'static str),
    /// A stream or a listener.
    #[error(transparent)]
    Transport(#[from] daas_transport::Error),
    /// The enclave's program.
    #[error(transparent)]
    Supervise(#[from] daas_supervise::Error),
    /// The operator's wallet.
    #[error("the wallet: {0}")]
    Wallet(daas_chain::Error),
}

/// What every fallible call here gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { doing, path, cause }
    }
}

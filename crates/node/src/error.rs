use std::path::PathBuf;
use std::time::Duration;

/// Why a node could not be configured, started or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A value cannot be what it should be.
    #[error("{what} {given:?} must be {rule}")]
    Value {
        /// Which value.
        what: &'static str,
        /// What was given.
        given: String,
        /// What would be accepted.
        rule: &'static str,
    },
    /// Two values do not fit together.
    #[error("{0}")]
    Contradiction(String),
    /// A file, folder or mount could not be used.
    #[error("{doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The machine lacks something that a worker needs.
    #[error("this machine lacks {what}: {hint}")]
    Lacking {
        /// What.
        what: &'static str,
        /// How to get it.
        hint: String,
    },
    /// A program that sets something up failed.
    #[error("{doing}: {cause}")]
    Command {
        /// What it was to do.
        doing: String,
        /// What it said.
        cause: String,
    },
    /// A supervised program could not be started or was not ready in time.
    #[error(transparent)]
    Supervise(#[from] daas_supervise::Error),
    /// Something of a node that should have ended is still there.
    #[error("not ended within {} s: {left}", limit.as_secs())]
    NotEnded {
        /// How long it was tried.
        limit: Duration,
        /// What is left.
        left: String,
    },
}

/// What every fallible call here gives back.
pub type Result<T, E = NodeError> = std::result::Result<T, E>;

impl NodeError {
    /// For `map_err` on file operations.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { doing, path, cause }
    }
}

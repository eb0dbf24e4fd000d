use std::path::PathBuf;
use std::time::Duration;

/// Why programs could not be started or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A cgroup could not be made.
    #[error("{doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// A program could not be started.
    #[error("starting {component}: {cause}")]
    Start {
        /// Which program.
        component: &'static str,
        /// The system's word.
        cause: String,
    },
    /// A program was not ready in time.
    #[error("{component} was not ready within {} s; its last answer: {last}", limit.as_secs())]
    NotReady {
        /// Which program.
        component: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// What its probe said last.
        last: String,
    },
}

/// What every fallible call here gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

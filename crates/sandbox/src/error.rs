use std::io;
use std::path::PathBuf;

/// Why a sandbox could not be made or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Namespaces, mounts and control groups are root's.
    #[error("this makes network, mount and PID namespaces and needs root: run it with sudo")]
    NotRoot,
    /// A name that is none.
    #[error(
        "{0:?} is no sandbox's name: 1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
    )]
    NoName(String),
    /// An address that is none.
    #[error("{0:?} is no address in a network: write it like 172.30.0.11/24")]
    NoAddress(String),
    /// A bind mount that is none.
    #[error("{0:?} is no bind mount: write SOURCE:TARGET, both absolute")]
    NoBind(String),
    /// A worker without a network, or an enclave with one.
    #[error("a worker needs --lan and --address, an enclave has no --lan")]
    Shape,
    /// The holder of the network is not there.
    #[error("process {pid} holds no network of `daas-sandbox lan`: {cause}")]
    NoLan {
        /// Its process id, as given.
        pid: u32,
        /// The system's word.
        cause: io::Error,
    },
    /// A program of iproute2 failed.
    #[error("{command}: {cause}")]
    Network {
        /// What was run.
        command: String,
        /// What it said.
        cause: String,
    },
    /// A system call failed.
    #[error("{doing}: {cause}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        cause: io::Error,
    },
    /// Something with a path failed.
    #[error("{doing} {}: {cause}", path.display())]
    Path {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// A worker that is installed on this machine, as a rule.
    #[error("{} is in use and no sandbox's: choose another name", .0.display())]
    Anothers(PathBuf),
    /// There is a sandbox of this name.
    #[error("a sandbox named {0} is running")]
    Running(String),
    /// There are no control groups to be had.
    #[error("no control groups are mounted under /sys/fs/cgroup")]
    NoCgroups,
    /// The other half of the sandbox has gone.
    #[error("the sandbox's other half ended while the sandbox was being made")]
    Parted,
}

/// What every fallible call here gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn system(doing: &'static str) -> impl Fn(nix::errno::Errno) -> Self {
        move |cause| Self::System { doing, cause: cause.into() }
    }

    pub(crate) fn path(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Path { doing, path, cause }
    }
}

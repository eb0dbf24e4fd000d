use std::path::PathBuf;
use std::time::Duration;

use crate::Probe;

/// A program to keep running.
#[derive(Clone)]
pub struct ChildSpec {
    /// Its name: in logs, in states, and as the program's own `argv[0]`.
    pub name: &'static str,
    /// The file.
    pub program: PathBuf,
    /// Its arguments, without the name.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(&'static str, String)>,
    /// What it may use.
    pub limits: Limits,
    /// Who must be ready before it is started.
    pub after: Option<&'static str>,
    /// Says when it can do its work.
    pub ready: Probe,
    /// Says whether it is still sane: it is restarted when this fails long enough.
    pub alive: Probe,
    /// How long it may take to become ready before it is started anew.
    pub start_limit: Duration,
}

/// How memory is limited, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoryBound {
    /// RLIMIT_DATA: private memory that it can write to.
    Data(u64),
    /// A memory cgroup of its own, in this folder.
    Cgroup(PathBuf, u64),
}

/// What a program may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// How much memory.
    pub memory: Option<MemoryBound>,
    /// Whether set-user-id programs have no effect below it.
    pub no_new_privileges: bool,
    /// Folders of cgroups, one in each hierarchy, that it is to be in; they exist.
    pub cgroups: Vec<PathBuf>,
    /// Which permissions its new files lack; `0o077`, all but their owner's, where nothing is said.
    pub umask: Option<u32>,
}

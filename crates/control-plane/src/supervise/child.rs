use std::path::PathBuf;
use std::time::Duration;

use super::Probe;

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

/// What a program may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// RLIMIT_DATA: private memory that it can write to.
    pub data_bytes: Option<u64>,
    /// A memory cgroup to enter, which exists.
    pub cgroup: Option<PathBuf>,
    /// Whether set-user-id programs have no effect below it.
    pub no_new_privileges: bool,
}

//! Becomes another program that dies with its parent.
//!
//! A child that outlives a crashed supervisor would hold the ports and the store's lock of the next one. The kernel can end it
//! (`prctl(PR_SET_PDEATHSIG)`), but only a process itself may ask for that, between fork and exec, where Rust allows no safe code of ours. So the
//! child is first this launcher, which asks, limits itself, and then calls `execve`: the request survives it (prctl(2)), and the
//! process id stays the same.
//!
//! The signal is sent when the *thread* that forked ends, not the process: [`crate::spawner`] therefore starts all children from one thread
//! that lives as long as they may.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, getppid};

use crate::{Limits, MemoryBound};

/// The exit status when the program could not be started, as in shells.
const NOT_STARTED: u8 = 127;

/// How the launcher itself is called: the program `daas-launch`, or any binary that hands its arguments to [`main`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    program: PathBuf,
    prefix: Vec<OsString>,
}

impl Launcher {
    /// The program `daas-launch` at this path.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), prefix: Vec::new() }
    }

    /// A binary that calls [`main`] with the arguments behind these.
    pub fn within(program: impl Into<PathBuf>, prefix: impl IntoIterator<Item = OsString>) -> Self {
        Self { program: program.into(), prefix: prefix.into_iter().collect() }
    }

    /// The command that becomes `program`, called `name`, with `limits`.
    pub(crate) fn command(&self, limits: &Limits, program: &Path, name: &str, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.prefix).arg("--parent").arg(std::process::id().to_string());
        match &limits.memory {
            Some(MemoryBound::Data(bytes)) => command.arg("--data-limit").arg(bytes.to_string()),
            Some(MemoryBound::Cgroup(folder, _)) => command.arg("--cgroup").arg(folder),
            None => &mut command,
        };
        for folder in &limits.cgroups {
            command.arg("--cgroup").arg(folder);
        }
        if limits.no_new_privileges {
            command.arg("--no-new-privileges");
        }
        if let Some(mask) = limits.umask {
            command.arg("--umask").arg(mask.to_string());
        }
        command.arg("--").arg(program).arg(name).args(arguments);
        command
    }
}

/// The launcher: reads its arguments (without a program name), limits itself, becomes the program. Returns only on failure.
#[allow(clippy::print_stderr)] // its standard error is the child's log
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match Request::parse(arguments).as_ref().map(become_program) {
        Some(error) => eprintln!("daas-launch: {error}"),
        None => eprintln!(
            "daas-launch: usage: --parent PID [--data-limit BYTES] [--cgroup FOLDER]... [--no-new-privileges] [--umask DECIMAL] -- PROGRAM NAME [ARGUMENT]..."
        ),
    }
    ExitCode::from(NOT_STARTED)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    parent: i32,
    data_limit: Option<u64>,
    cgroups: Vec<PathBuf>,
    no_new_privileges: bool,
    umask: Option<u32>,
    program: OsString,
    name: OsString,
    arguments: Vec<OsString>,
}

impl Request {
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut request = Self::default();
        let number = |value: Option<OsString>| value?.to_str()?.parse::<u64>().ok();
        loop {
            match arguments.next()?.to_str()? {
                "--parent" => request.parent = i32::try_from(number(arguments.next())?).ok()?,
                "--data-limit" => request.data_limit = Some(number(arguments.next())?),
                "--cgroup" => request.cgroups.push(arguments.next()?.into()),
                "--no-new-privileges" => request.no_new_privileges = true,
                "--umask" => request.umask = Some(u32::try_from(number(arguments.next())?).ok()?),
                "--" => break,
                _ => return None,
            }
        }
        request.program = arguments.next()?;
        request.name = arguments.next()?;
        request.arguments = arguments.collect();
        (request.parent != 0).then_some(request)
    }
}

fn become_program(request: &Request) -> io::Error {
    match prepare(request) {
        Err(error) => error,
        Ok(()) => Command::new(&request.program).arg0(&request.name).args(&request.arguments).exec(),
    }
}

fn prepare(request: &Request) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the request was made; then nobody will be told.
    if getppid() != Pid::from_raw(request.parent) {
        return Err(io::Error::other("the parent has gone"));
    }
    // A core file would hold every key that the program has read.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    if let Some(bytes) = request.data_limit {
        setrlimit(Resource::RLIMIT_DATA, bytes, bytes)?;
    }
    for cgroup in &request.cgroups {
        std::fs::write(cgroup.join("cgroup.procs"), "0")?;
    }
    if request.no_new_privileges {
        prctl::set_no_new_privs()?;
    }
    umask(Mode::from_bits_truncate(request.umask.unwrap_or(0o077)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Request> {
        Request::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn everything_behind_the_dashes_belongs_to_the_program() {
        let request =
            parse(&["--parent", "7", "--data-limit", "9", "--", "/bin/kube", "etcd", "--parent", "--", "--cgroup"])
                .unwrap();
        assert_eq!((request.parent, request.data_limit), (7, Some(9)));
        assert_eq!((request.program, request.name), ("/bin/kube".into(), "etcd".into()));
        assert_eq!(request.arguments, ["--parent", "--", "--cgroup"]);
        assert!(request.cgroups.is_empty());
        assert_eq!(request.umask, None);
    }

    #[test]
    fn limits_reach_the_launcher() {
        let limits = Limits {
            memory: Some(MemoryBound::Data(9)),
            no_new_privileges: true,
            cgroups: vec!["/c/pids/x".into(), "/c/cpu/x".into()],
            umask: Some(0o022),
        };
        let command = Launcher::at("/l").command(&limits, Path::new("/p"), "n", &["a".into()]);
        let request = Request::parse(command.get_args().map(OsString::from)).unwrap();
        assert_eq!(request.cgroups, limits.cgroups);
        assert_eq!((request.data_limit, request.umask, request.no_new_privileges), (Some(9), Some(0o022), true));
    }

    #[test]
    fn what_is_not_complete_is_refused() {
        for words in [
            &[][..],
            &["--parent", "7"],
            &["--parent", "7", "--", "p"],
            &["--", "p", "n"],
            &["--parent", "x", "--", "p", "n"],
            &["--huh", "--parent", "7", "--", "p", "n"],
        ] {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }
}

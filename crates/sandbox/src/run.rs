//! The process outside: makes what must be made from the outside, starts process 1 inside, waits for it, cleans up.
//!
//! It stays in the host's namespaces. When it is killed, the kernel kills process 1 (`PR_SET_PDEATHSIG`), with it everything inside,
//! with that the namespaces, and with those their network cards and mounts. Only control groups are left, empty; the next sandbox of that name or
//! `daas-sandbox sweep` removes them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, geteuid};

use crate::arguments::RunArguments;
use crate::cgroup::Cgroup;
use crate::inside::READY;
use crate::plan::{Bind, Plan};
use crate::reaper::{self, Signals};
use crate::{Error, Kind, Result, network};

/// Runs a program in a sandbox; gives back its status.
pub fn run(arguments: RunArguments) -> Result<u8> {
    require_root()?;
    let lan = match (arguments.kind, arguments.lan) {
        (Kind::Enclave, None) => None,
        (Kind::Worker, Some(holder)) if arguments.address.is_some() => Some(holder),
        _ => return Err(Error::Shape),
    };
    let signals = Signals::hold()?;
    let name = arguments.name.clone();
    let plan = plan(arguments)?;
    let cgroup = Cgroup::make(&name)?;
    let status = within(&signals, &cgroup, lan, &plan);
    let removed = cgroup.remove();
    status.and_then(|status| removed.map(|()| status))
}

/// Fails unless this process is root's.
pub(crate) fn require_root() -> Result<()> {
    if geteuid().is_root() { Ok(()) } else { Err(Error::NotRoot) }
}

fn within(signals: &Signals, cgroup: &Cgroup, lan: Option<u32>, plan: &Plan) -> Result<u8> {
    let fault = |doing| move |cause| Error::System { doing, cause };
    let (own, other) = UnixStream::pair().map_err(fault("making a pair of sockets"))?;
    unshare(CloneFlags::CLONE_NEWPID).map_err(Error::system("making a PID namespace"))?;
    let mut command = Command::new("/proc/self/exe");
    // In a group of its own, a terminal's interrupt reaches it once, through this process.
    command.arg("inside").stdin(Stdio::from(OwnedFd::from(other))).current_dir("/").process_group(0);
    let first = reaper::start(&mut command)?;
    drop(command);
    match introduce(own, first, cgroup, lan, plan) {
        Ok(()) => signals.wait_for(first),
        Err(error) => {
            let _ = nix::sys::signal::kill(first, nix::sys::signal::Signal::SIGKILL);
            let status = signals.wait_for(first)?;
            // Process 1 has said itself why it ended before it was told anything.
            if matches!(error, Error::Parted) && status != 0 { Ok(status) } else { Err(error) }
        }
    }
}

/// Waits until process 1 is in its namespaces and bound to this process' life; gives it its control group, its cable and its plan.
fn introduce(own: UnixStream, first: Pid, cgroup: &Cgroup, lan: Option<u32>, plan: &Plan) -> Result<()> {
    let mut reader = BufReader::new(own);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() || line != READY {
        return Err(Error::Parted);
    }
    let pid = u32::try_from(first.as_raw()).map_err(|_| Error::Parted)?;
    cgroup.take_in(pid)?;
    if let Some(holder) = lan {
        network::plug_in(holder, pid)?;
    }
    let text = serde_json::to_string(plan).map_err(|_| Error::Parted)?;
    writeln!(reader.get_mut(), "{text}").map_err(|_| Error::Parted)
}

fn plan(arguments: RunArguments) -> Result<Plan> {
    let RunArguments { kind, address, gateway, state, hosts, mut bind, program, .. } = arguments;
    if let Some(state) = state {
        make_folder(&state)?;
        let state = std::fs::canonicalize(&state).map_err(Error::path("finding", state))?;
        if kind == Kind::Worker {
            for (folder, target) in [("log", "/var/log"), ("kubelet", "/var/lib/kubelet"), ("cni", "/etc/cni")] {
                let source = state.join(folder);
                make_folder(&source)?;
                bind.push(Bind { source, target: target.into() });
            }
        }
        bind.insert(0, Bind { source: state.clone(), target: state });
    }
    let gateway = (kind == Kind::Worker).then_some(gateway);
    Ok(Plan { kind, address, gateway, binds: bind, hosts, program })
}

fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::path("making", path))
}

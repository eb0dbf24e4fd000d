//! Process 1 of a sandbox: makes what must be made from the inside, starts the program, buries whatever ends, passes signals on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::plan::Plan;
use crate::reaper::{self, Signals};
use crate::{Error, Kind, Result, mounts, network};

/// What process 1 says when it is in its namespaces and would die with the process outside.
pub(crate) const READY: &str = "ready\n";

/// Process 1. Its standard input is a socket to the process outside.
pub fn main() -> Result<u8> {
    let signals = Signals::hold()?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(Error::system("asking for this process' end with its parent's"))?;
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .map_err(Error::system("making network and mount namespaces"))?;
    let plan = hear()?;
    match plan.kind {
        Kind::Enclave => network::set_up_enclave(plan.address)?,
        Kind::Worker => {
            let (Some(address), Some(gateway)) = (plan.address, plan.gateway) else { return Err(Error::Shape) };
            network::set_up_worker(address, gateway)?;
        }
    }
    mounts::set_up(&plan)?;
    let mut program = Command::new("/proc/self/exe");
    let child =
        reaper::start(program.args(["become", "--"]).args(&plan.program).stdin(Stdio::null()).current_dir("/"))?;
    signals.wait_for(child)
}

/// What process 1 starts: a process that becomes the program.
pub fn become_program(program: &[String]) -> Result<u8> {
    Err(reaper::become_program(program))
}

/// Says that this process is ready and hears what it is to make. If the process outside died before it could take this one along, the
/// socket has ended, and so does this process.
fn hear() -> Result<Plan> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(|_| Error::Parted)?;
    let mut reader = BufReader::new(UnixStream::from(socket));
    reader.get_mut().write_all(READY.as_bytes()).map_err(|_| Error::Parted)?;
    let mut line = String::new();
    reader.read_line(&mut line).map_err(|_| Error::Parted)?;
    serde_json::from_str(&line).map_err(|_| Error::Parted)
}

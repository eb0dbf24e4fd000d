//! Waits for a child and passes signals on to it, in a process of one thread.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{Error, Result};

/// What is passed on.
const FORWARDED: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

/// Signals, held back from now on, in children, too: see [`become_program`].
pub(crate) struct Signals(SigSet);

impl Signals {
    /// Holds back all signals of this thread, to be taken one by one. (Process 1 of a namespace gets only those that it asks for.)
    pub(crate) fn hold() -> Result<Self> {
        SigSet::all().thread_block().map_err(Error::system("holding signals back"))?;
        let mut set = SigSet::empty();
        for signal in FORWARDED {
            set.add(signal);
        }
        set.add(Signal::SIGCHLD);
        Ok(Self(set))
    }

    /// Waits until something should end this process.
    pub(crate) fn wait_for_end(&self) -> Result<()> {
        loop {
            if matches!(self.next()?, Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT) {
                return Ok(());
            }
        }
    }

    /// Waits for the child, buries all others that end here meanwhile, passes signals on. Gives back the status as shells do.
    pub(crate) fn wait_for(&self, child: Pid) -> Result<u8> {
        loop {
            match self.next()? {
                Signal::SIGCHLD => {
                    if let Some(status) = bury(child) {
                        return Ok(status);
                    }
                }
                // It may have gone; then its end is the next signal.
                signal => drop(kill(child, signal)),
            }
        }
    }

    fn next(&self) -> Result<Signal> {
        self.0.wait().map_err(Error::system("waiting for a signal"))
    }
}

/// Takes all ended children; the status if the one was among them.
fn bury(wanted: Pid) -> Option<u8> {
    let mut found = None;
    loop {
        let (pid, status) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, u8::try_from(code).unwrap_or(u8::MAX)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + u8::try_from(signal as i32).unwrap_or(0)),
            Ok(WaitStatus::StillAlive) => return found,
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return found,
        };
        if pid == wanted {
            found = Some(status);
        }
    }
}

/// Becomes a program that gets its signals. Held-back signals are inherited over execve(2), and a process that let them go before it starts
/// another one could lose one: so the child does it.
pub(crate) fn become_program(program: &[String]) -> Error {
    let [file, arguments @ ..] = program else { return Error::Shape };
    match SigSet::empty().thread_set_mask() {
        Ok(()) => Error::path("starting", file)(Command::new(file).args(arguments).exec()),
        Err(cause) => Error::system("letting signals go")(cause),
    }
}

/// Starts a command; its process id, for [`Signals::wait_for`].
pub(crate) fn start(command: &mut Command) -> Result<Pid> {
    let program = command.get_program().to_owned();
    let child: Child = command.spawn().map_err(Error::path("starting", program))?;
    let id = i32::try_from(child.id()).map_err(|_| Error::Parted)?;
    Ok(Pid::from_raw(id))
}

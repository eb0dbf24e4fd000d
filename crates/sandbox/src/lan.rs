//! The network of the machines of a development cluster.

use std::io::Write as _;

use nix::sched::{CloneFlags, unshare};

use crate::arguments::LanArguments;
use crate::reaper::Signals;
use crate::{Error, Result, network, run};

/// Makes a network namespace with a bridge, says so, and holds it until a signal ends it.
pub fn hold(arguments: &LanArguments) -> Result<()> {
    run::require_root()?;
    let signals = Signals::hold()?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(Error::system("making a network namespace"))?;
    network::make_bridge(arguments.address)?;
    let mut out = std::io::stdout().lock();
    // Whoever does not listen any more does not need to know.
    let _ = writeln!(out, "{}", std::process::id()).and_then(|()| out.flush());
    drop(out);
    signals.wait_for_end()
}

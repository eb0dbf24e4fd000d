//! The development setup and this machine.

use std::path::PathBuf;

use clap::Args;

use crate::doctor;

/// `daas up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Address of the development chain; port 0 takes a free one [default: the one of last time, 127.0.0.1:9000 at first]
    #[arg(long, value_name = "ADDRESS", env = "DAAS_DEVNET_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
    /// Root certificate of simulated attestation hardware (may be repeated)
    #[arg(long = "attestation-root", value_name = "PEM")]
    pub attestation_roots: Vec<PathBuf>,
    /// What the staker's node is called
    #[arg(long, value_name = "NODE", default_value = "worker-1")]
    pub node: String,
}

/// `daas down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Remove the state too: chain, keys, stakes
    #[arg(long)]
    pub purge: bool,
}

/// `daas doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Judge the machine for one role: exit status 1 if it lacks something
    #[arg(long, value_enum)]
    pub role: Option<doctor::Role>,
}

/// `daas detached`.
#[derive(Debug, Args)]
pub struct Detached {
    /// Where the pid is written
    pub pid_file: PathBuf,
    /// Program and arguments
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

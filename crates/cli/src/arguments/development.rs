//! The development setup and this machine.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::up::cluster::workers;
use crate::doctor;

/// `daas up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The development chain, the package, a cluster object and one stake only; needs no root rights
    #[arg(long)]
    pub chain_only: bool,
    /// How many workers
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = workers, conflicts_with = "chain_only")]
    pub workers: u32,
    /// What the control plane runs in
    #[arg(long, value_enum, value_name = "KIND", default_value_t, conflicts_with = "chain_only")]
    pub enclave: EnclaveKind,
    /// Folder of the Kubernetes programs and images, as scripts/kubernetes-folder makes it [default: kubernetes beside the folder of daas]
    #[arg(long, value_name = "DIR", env = "DAAS_KUBERNETES")]
    pub kubernetes: Option<PathBuf>,
    /// Address of the development chain; port 0 takes a free one [default: the one of last time, 127.0.0.1:9000 at first]
    #[arg(long, value_name = "ADDRESS", env = "DAAS_DEVNET_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
    /// Root certificate of more simulated attestation hardware (may be repeated)
    #[arg(long = "attestation-root", value_name = "PEM")]
    pub attestation_roots: Vec<PathBuf>,
    /// What the staker's node is called with --chain-only
    #[arg(long, value_name = "NODE", default_value = "worker-1")]
    pub node: String,
}

/// What a control plane runs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EnclaveKind {
    /// Processes in namespaces of their own, with simulated attestation hardware
    #[default]
    Sandbox,
    /// The enclave image in a virtual machine
    Qemu,
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

//! The command line.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::plan::Bind;
use crate::{Address, Kind, Name};

/// Programs in namespaces of their own, for development clusters on one machine.
#[derive(Debug, Parser)]
#[command(name = "daas-sandbox", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Hold a network namespace with a bridge; prints its process id, alone on a line, when workers can join
    Lan(LanArguments),
    /// Run a program in new network, mount and PID namespaces; ends with the program's status
    Run(RunArguments),
    /// Remove the control groups of sandboxes that were killed
    Sweep,
    /// Process 1 of a sandbox
    #[command(hide = true)]
    Inside,
    /// The process that becomes the program
    #[command(hide = true)]
    Become {
        /// The program and its arguments
        #[arg(last = true, required = true)]
        program: Vec<String>,
    },
}

/// The bridge's.
#[derive(Debug, Args)]
pub struct LanArguments {
    /// The bridge's own address
    #[arg(long, default_value = "172.30.0.1/24")]
    pub address: Address,
}

/// A sandbox's.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// What it stands for
    #[arg(long)]
    pub kind: Kind,
    /// Its name: its control groups are k3s-daas/NAME
    #[arg(long)]
    pub name: Name,
    /// Its address: of an enclave, on its loopback device; of a worker, in the LAN
    #[arg(long)]
    pub address: Option<Address>,
    /// The process id that `daas-sandbox lan` printed
    #[arg(long)]
    pub lan: Option<u32>,
    /// The default route of a worker
    #[arg(long, default_value = "172.30.0.1")]
    pub gateway: Ipv4Addr,
    /// A folder for what should outlive a worker: its log, kubelet and cni folders become /var/log, /var/lib/kubelet and
    /// /etc/cni inside, and the folder itself is seen under its own name
    #[arg(long)]
    pub state: Option<PathBuf>,
    /// A file to be /etc/hosts inside; without it there is one that names localhost, private and writable
    #[arg(long)]
    pub hosts: Option<PathBuf>,
    /// A folder or file of the host to be seen inside, SOURCE:TARGET: /run, /tmp, /etc and (of a worker) /var/lib are private else
    #[arg(long)]
    pub bind: Vec<Bind>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub program: Vec<String>,
}

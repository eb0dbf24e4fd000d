//! What an operator does: clusters and releases.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;

/// `daas cluster …`.
#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Make a cluster; this wallet becomes its operator
    Create(ClusterCreate),
    /// Settings, endpoints, active instance
    Show,
    /// Change where the cluster is reached
    Endpoints(Endpoints),
    /// Let a wallet stake for the reader or admin tier
    Grant(Grant),
    /// Name the registered instance that speaks for the cluster
    Activate(Activate),
    /// Freeze or time-lock the package's upgrades
    Harden(Harden),
}

/// `daas cluster create`.
#[derive(Debug, Args)]
pub struct ClusterCreate {
    /// A name for people
    pub name: String,
    /// Where it will be reached
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// Where slashed money goes [default: this wallet]
    #[arg(long, value_name = "ADDRESS")]
    pub treasury: Option<String>,
}

/// Endpoints of a cluster.
#[derive(Debug, Args)]
pub struct Endpoints {
    /// kube-apiserver, host:port
    #[arg(long, value_name = "HOST:PORT")]
    pub api: Option<String>,
    /// Join gateway, host:port
    #[arg(long, value_name = "HOST:PORT")]
    pub join: Option<String>,
    /// Master API, host:port
    #[arg(long, value_name = "HOST:PORT")]
    pub master: Option<String>,
}

/// `daas cluster grant`.
#[derive(Debug, Args)]
pub struct Grant {
    /// The wallet
    pub wallet: String,
    /// The tier
    #[arg(long, value_name = "TIER", value_parser = ["reader", "admin"])]
    pub tier: String,
    /// Take the grant back instead
    #[arg(long)]
    pub remove: bool,
}

/// `daas cluster activate`.
#[derive(Debug, Args)]
pub struct Activate {
    /// The instance's key: 64 hex digits, or the first few if they are unambiguous
    pub instance: String,
}

/// `daas cluster harden`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["freeze", "delay"]))]
pub struct Harden {
    /// No upgrade ever again
    #[arg(long)]
    pub freeze: bool,
    /// Upgrades wait this long after they were announced: 30d, 12h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub delay: Option<Duration>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `daas release …`.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Publish the measurements of an image
    Publish(ReleasePublish),
    /// Let a release end at a time
    Retire(ReleaseRetire),
    /// End a release at once
    Revoke(ReleaseRevoke),
    /// All releases
    List,
}

/// `daas release publish`.
#[derive(Debug, Args)]
pub struct ReleasePublish {
    /// Measurement file of the enclave image
    #[arg(long, value_name = "FILE")]
    pub measurements: PathBuf,
    /// Measurement file of the worker image that belongs to it
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
}

/// `daas release retire`.
#[derive(Debug, Args)]
pub struct ReleaseRetire {
    /// Hex digits of its PCR0, as many as make it unambiguous
    pub release: String,
    /// Good for this long from now: 7d, 12h
    #[arg(long = "in", value_name = "TIME", value_parser = duration)]
    pub after: Duration,
}

/// `daas release revoke`.
#[derive(Debug, Args)]
pub struct ReleaseRevoke {
    /// Hex digits of its PCR0, as many as make it unambiguous
    pub release: String,
    /// It was compromised: an active instance of it is dropped
    #[arg(long)]
    pub compromised: bool,
}

//! The command line, as clap reads it. What each command does stands in `commands`.

mod cluster;
mod development;
mod stake;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use daas_diagnostics::Lang;

pub use crate::commands::attest::{Attest, Claims, Nonce, Show, Verify};
use crate::output::Format;
pub use cluster::{
    Activate, Cluster, ClusterCreate, Endpoints, Grant, Harden, Release, ReleasePublish, ReleaseRetire, ReleaseRevoke,
};
pub use development::{Detached, Doctor, Down, EnclaveKind, Up};
pub use stake::{Kubeconfig, Node, NodeRef, Slash, Stake, Token, TokenPurpose, TopUp};

/// K3s-DaaS: a Kubernetes cluster whose control plane nobody has to trust.
#[derive(Debug, Parser)]
#[command(
    name = "daas",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done or true, 1 refused or failed, 2 wrong usage.\n\
                  A development cluster on this machine: daas up"
)]
pub struct Arguments {
    /// Where and how to work
    #[command(flatten)]
    pub global: Global,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Form of the answer
    #[arg(long, short = 'o', global = true, value_enum, value_name = "FORM")]
    pub output: Option<Format>,
    /// Language of messages: ko or en; the locale decides otherwise
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<Lang>,
    /// Root of all state of the development setup
    #[arg(long, global = true, value_name = "DIR", env = "DAAS_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Settings file (TOML, or JSON if it ends in .json)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sui full node, its gRPC address
    #[arg(long, global = true, value_name = "URL")]
    pub rpc: Option<String>,
    /// Chain identifier that the node must have
    #[arg(long, global = true, value_name = "CHAIN")]
    pub chain_id: Option<String>,
    /// The K3s-DaaS package
    #[arg(long, global = true, value_name = "ID")]
    pub package: Option<String>,
    /// The cluster
    #[arg(long, global = true, value_name = "ID")]
    pub cluster: Option<String>,
    /// Whose wallet signs: an address or an alias of the keystore
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Keystore of the sui command
    #[arg(long, global = true, value_name = "FILE")]
    pub keystore_path: Option<PathBuf>,
    /// Private key to use instead: a path or an alias of the keystore, never the key itself
    #[arg(long, global = true, value_name = "WHERE")]
    pub private_key: Option<String>,
    /// Most gas that one transaction may cost: 0.05SUI, 50000000MIST
    #[arg(long, global = true, value_name = "AMOUNT")]
    pub gas_budget: Option<String>,
    /// How long one question to the chain may take
    #[arg(long, global = true, value_name = "TIME")]
    pub timeout: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a development cluster on this machine: chain, enclave, workers, kubeconfig
    Up(Up),
    /// Stop what `up` started; state stays
    Down(Down),
    /// What runs, stakes and Seal tokens
    Status,
    /// What this machine has and lacks for each role, and how to get it
    Doctor(Doctor),
    /// Create, show and change a cluster
    #[command(subcommand)]
    Cluster(Cluster),
    /// Publish and withdraw releases (measured images)
    #[command(subcommand)]
    Release(Release),
    /// Stake for a node and make its Seal token; run again it goes on where it was
    Stake(Stake),
    /// Add money to a stake
    TopUp(TopUp),
    /// Begin to take a stake back; unbonding starts
    Unstake(NodeRef),
    /// Take a stake's money after unbonding
    Withdraw(NodeRef),
    /// Take money of a stake and end it (operator)
    Slash(Slash),
    /// Print a Seal token, or serve kubectl as its credential plugin
    Token(Token),
    /// Verify the enclave and write a kubeconfig that trusts it alone; kubectl asks `daas token` for credentials
    Kubeconfig(Kubeconfig),
    /// The cluster's nodes
    #[command(subcommand)]
    Node(Node),
    /// Look at and judge attestation documents
    #[command(subcommand)]
    Attest(Attest),
    /// Build, describe and compare enclave images
    #[command(subcommand)]
    Image(crate::commands::image::Image),
    /// Runs a program in a session of its own (used by `up`)
    #[command(hide = true)]
    Detached(Detached),
    /// Takes over a kubeconfig from a process of root's (used by `up` under sudo)
    #[command(hide = true)]
    Adopt,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}

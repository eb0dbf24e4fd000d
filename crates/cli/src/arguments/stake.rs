//! Stakes, Seal tokens, nodes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use daas_seal_token::{Purpose, Tier};

use super::values::{duration, tier};

/// `daas stake`.
#[derive(Debug, Args)]
pub struct Stake {
    /// What the node is called: a DNS label such as worker-1
    pub node: String,
    /// How much: 1SUI, 1000000000MIST
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// What it buys; reader and admin also need the operator's grant
    #[arg(long, value_name = "TIER", default_value = "worker", value_parser = tier)]
    pub tier: Tier,
    /// Life of the Seal token: 30d; at most 366d
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = duration)]
    pub lifetime: Duration,
}

/// `daas top-up`.
#[derive(Debug, Args)]
pub struct TopUp {
    /// Node name or stake id
    pub node: String,
    /// How much: 1SUI, 1000000000MIST
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
}

/// A node.
#[derive(Debug, Args)]
pub struct NodeRef {
    /// Node name or stake id
    pub node: String,
}

/// `daas slash`.
#[derive(Debug, Args)]
pub struct Slash {
    /// Node name or stake id
    pub node: String,
    /// How much: 1SUI, 1000000000MIST
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// Why; everybody can read it on chain
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `daas token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Node name or stake id [default: the only one of this wallet]
    pub node: Option<String>,
    /// What the token is shown to
    #[arg(long, value_enum, default_value_t)]
    pub purpose: TokenPurpose,
    /// Answer as kubectl's credential plugin, whatever --output says; kubectl asks by KUBERNETES_EXEC_INFO, too
    #[arg(long, conflicts_with_all = ["purpose", "change"])]
    pub exec_credential: bool,
    /// Make a new session key first, if the old one is lost or known to others; prints no token
    #[arg(long, group = "change")]
    pub rotate: bool,
    /// Let the Seal token on chain live this long from now, or make another one if it has expired: 30d, at most 366d; prints no token
    #[arg(long, group = "change", value_name = "TIME", value_parser = duration)]
    pub extend: Option<Duration>,
    /// End the Seal token on chain; `daas stake` makes another for the same stake
    #[arg(long, group = "change")]
    pub revoke: bool,
    /// Its life: 5m at most for api, 10m for join [default: the longest]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "change")]
    pub lifetime: Option<Duration>,
}

impl Token {
    /// Whether something changes on chain and no token is printed.
    pub(crate) fn is_change(&self) -> bool {
        self.rotate || self.revoke || self.extend.is_some()
    }
}

/// `daas kubeconfig`.
#[derive(Debug, Args)]
pub struct Kubeconfig {
    /// Node name or stake id of the Seal token [default: the only one of this wallet; of a development cluster, its administrator's]
    pub node: Option<String>,
    /// Where to write it [default: kubeconfig in the folder of the session keys]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where this machine reaches kube-apiserver, if not where the chain says; the master and the join gateway are asked at the same host
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Root certificate of simulated hardware, for development only [default: that of `daas up`]
    #[arg(long, value_name = "PEM")]
    pub root: Option<PathBuf>,
}

/// `daas node …`.
#[derive(Debug, Subcommand)]
pub enum Node {
    /// All nodes that have a stake
    List,
    /// One node: stake, terms, Seal token
    Show(NodeRef),
    /// Keep a node out until it is resumed; its stake stays (operator)
    Suspend(NodeRef),
    /// Let a suspended node in again (operator)
    Resume(NodeRef),
}

/// What a Seal token is shown to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TokenPurpose {
    /// The Kubernetes API
    #[default]
    Api,
    /// The join gateway
    Join,
}

impl From<TokenPurpose> for Purpose {
    fn from(purpose: TokenPurpose) -> Self {
        match purpose {
            TokenPurpose::Api => Self::Api,
            TokenPurpose::Join => Self::Join,
        }
    }
}

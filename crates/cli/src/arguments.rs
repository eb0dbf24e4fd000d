//! The command line, as clap reads it. What each command does stands in `commands`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use daas_diagnostics::Lang;
use daas_seal_token::{Purpose, Tier};

pub use crate::commands::attest::{Attest, Claims, Nonce, Show, Verify};
use crate::doctor;
use crate::output::Format;

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
#[derive(Debug, Clone, Args)]
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
    /// Start the development setup: chain, package, cluster, one staker
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
}

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

/// `daas detached`.
#[derive(Debug, Args)]
pub struct Detached {
    /// Where the pid is written
    pub pid_file: PathBuf,
    /// Program and arguments
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
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

fn tier(text: &str) -> Result<Tier, String> {
    text.parse().map_err(|error: daas_seal_token::UnknownTier| error.to_string())
}

/// Long enough to mean something, short enough for the contract's milliseconds.
fn duration(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_hours(10 * 366 * 24);
    let duration = daas_settings::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > longest { Err("a time from 1s to ten years".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_have_a_unit_and_do_not_overflow() {
        assert_eq!(duration("12h").unwrap().as_secs(), 43_200);
        for wrong in ["", "5", "h", "-1h", "0s", "1.5h", "99999999999999999999d", "4000d", "5일"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}

//! A Sui-compatible chain in one process, for development and tests. **Not a Sui network.**
//!
//! It serves the gRPC API of a Sui full node, executes real compiled Move bytecode, and signs its checkpoints with a
//! validator committee of its own, so that the official SDK works against it unchanged. There is no consensus and no
//! bytecode verifier; gas is approximate; the framework is implemented in Rust.
//!
//! ```no_run
//! # async fn example() -> Result<(), daas_devnet::Error> {
//! use daas_devnet::{Config, Devnet};
//!
//! let devnet = Devnet::start(Config::new("/tmp/chain")).await?;
//! println!("chain {} at {}", devnet.chain_id(), devnet.url());
//! devnet.faucet("0xa11ce".parse().unwrap(), &[1_000_000_000]).await?;
//! devnet.advance_clock(std::time::Duration::from_secs(3600)).await?;
//! devnet.stop().await;
//! # Ok(())
//! # }
//! ```

mod attestation;
mod attestation_root;
mod error;
pub mod execution;
mod faucet;
pub mod ledger;
mod options;
mod rpc;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use sui_sdk_types::{Address, Digest};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use attestation::NitroVerifier;
pub use attestation_root::AttestationRoot;
pub use error::Error;
pub use faucet::{Faucet, Gift};
pub use options::{Options, serve};
pub use rpc::ControlClient;

use ledger::{Attestation, Ledger, Pace};

/// How long requests in flight may take when the chain stops.
const GRACE: Duration = Duration::from_secs(3);

/// Where a chain lives and how it behaves.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Directory of the chain's data; made if it does not exist.
    pub data_dir: PathBuf,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Allows an address that other machines reach. Faucet and clock are then theirs, too.
    pub listen_anywhere: bool,
    /// When checkpoints are made.
    pub pace: Pace,
    /// Roots of simulated hardware that count for `load_nitro_attestation` beside AWS'.
    pub attestation_roots: Vec<AttestationRoot>,
}

impl Config {
    /// A chain in `data_dir` on a free loopback port.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listen_anywhere: false,
            pace: Pace::default(),
            attestation_roots: Vec::new(),
        }
    }
}

/// A running chain. Dropping it stops it soon; [`Devnet::stop`] waits until it has stopped.
pub struct Devnet {
    ledger: Ledger,
    faucet: Faucet,
    address: SocketAddr,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Devnet {
    /// Opens or makes the chain and serves it. When this returns the chain answers.
    pub async fn start(config: Config) -> Result<Self, Error> {
        if !config.listen.ip().is_loopback() && !config.listen_anywhere {
            return Err(Error::NotLoopback(config.listen));
        }
        let at = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let Config { data_dir, pace, attestation_roots, .. } = config;
        let verifier: Attestation = Arc::new(NitroVerifier::new(attestation_roots));
        let ledger = tokio::task::spawn_blocking(move || Ledger::open(&data_dir, pace, Some(verifier)))
            .await
            .map_err(|error| Error::Stopped(error.to_string()))??;
        let faucet = Faucet::new(ledger.clone());
        let stop = CancellationToken::new();
        let server = tokio::spawn(rpc::serve(ledger.clone(), faucet.clone(), listener, stop.clone()));
        Ok(Self { ledger, faucet, address, stop, server: Some(server) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients connect to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The chain's identifier: digest of its first checkpoint.
    pub fn chain_id(&self) -> Digest {
        self.ledger.chain_id()
    }

    /// The ledger, for tests that look inside.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives `recipient` one new coin per amount (MIST).
    pub async fn faucet(&self, recipient: Address, amounts: &[u64]) -> Result<Gift, Error> {
        self.faucet.fund(recipient, amounts).await
    }

    /// Moves the chain's clock forward and seals a checkpoint; returns the chain's time in Unix milliseconds.
    pub async fn advance_clock(&self, by: Duration) -> Result<u64, Error> {
        self.ledger.advance_clock(by).await
    }

    /// Stops serving, then writing; afterwards another process may open the data directory.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(GRACE, &mut server).await.is_err()
        {
            server.abort();
        }
        let ledger = self.ledger.clone();
        // Only a panic of the writer ends this early, and that was reported.
        let _ = tokio::task::spawn_blocking(move || ledger.stop()).await;
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        self.stop.cancel();
        self.ledger.begin_stop();
    }
}

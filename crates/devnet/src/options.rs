//! The command line of `daas-devnet`.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{AttestationRoot, Config, Devnet, Error};

/// A Sui-compatible development chain. Not a Sui network: its money is worthless and its keys are public to this machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "daas-devnet", version, max_term_width = 100)]
pub struct Options {
    /// Directory of the chain's data; made with a new chain if it does not exist
    #[arg(long, value_name = "DIR", env = "DAAS_DEVNET_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Address and port of the gRPC API; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000", env = "DAAS_DEVNET_LISTEN")]
    pub listen: SocketAddr,
    /// Allow an address that other machines reach: faucet and clock are then theirs, too
    #[arg(long)]
    pub listen_anywhere: bool,
    /// Root certificate of simulated attestation hardware (may be repeated)
    #[arg(long = "attestation-root", value_name = "PEM")]
    pub attestation_roots: Vec<PathBuf>,
    /// Milliseconds from a transaction to its checkpoint
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=250))]
    pub checkpoint_interval_ms: u64,
    /// Milliseconds between checkpoints when nothing happens
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..))]
    pub heartbeat_ms: u64,
    /// Write `<chain id> <address>` to this file when the chain answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// error, warn, info, debug or trace, or a tracing filter
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "DAAS_LOG")]
    pub log_level: String,
}

/// Runs the chain until SIGTERM or SIGINT.
pub async fn serve(options: Options) -> Result<(), Error> {
    let listen = options.listen;
    let signals = |source| Error::Listen { address: listen, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;

    tracing::warn!("development chain, not a Sui network");
    let ready_file = options.ready_file.clone();
    let devnet = Devnet::start(options.config()?).await?;
    announce(&devnet, ready_file)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    devnet.stop().await;
    Ok(())
}

impl Options {
    fn config(self) -> Result<Config, Error> {
        let mut config = Config::new(self.data_dir);
        config.listen = self.listen;
        config.listen_anywhere = self.listen_anywhere;
        config.pace.interval = Duration::from_millis(self.checkpoint_interval_ms);
        config.pace.heartbeat = Duration::from_millis(self.heartbeat_ms);
        config.attestation_roots =
            self.attestation_roots.iter().map(|path| AttestationRoot::read(path)).collect::<Result<_, _>>()?;
        Ok(config)
    }
}

/// Tells people on standard output and programs through the file that the chain answers.
fn announce(devnet: &Devnet, ready_file: Option<PathBuf>) -> Result<(), Error> {
    let line = format!("{} {}", devnet.chain_id(), devnet.address());
    let written = writeln!(io::stdout(), "daas-devnet: development chain, not a Sui network\nready {line}");
    if let Err(error) = written {
        tracing::warn!(%error, "cannot print the ready line");
    }
    if let Some(path) = ready_file {
        // Renamed into place: whoever sees the file sees all of it.
        let unfinished = path.with_extension("new");
        fs::write(&unfinished, format!("{line}\n"))
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|source| Error::Unwritable { path, source })?;
    }
    Ok(())
}

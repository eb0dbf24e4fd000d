//! Puts a worker together: settings in, folder, wallet, local API, chain and loopback ports out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use daas_settings::{ContainerRuntime, Environment, Listing, StakerSettings};
use daas_supervise::Backoff;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, Facts, Snapshot};
use crate::balancer::Balancer;
use crate::chain::Chain;
use crate::credentials::CredentialFolder;
use crate::enclave::Roots;
use crate::error::Error;
use crate::judge::Judge;
use crate::node::Programs;
use crate::session::Parts;
use crate::state_file::StateFolder;
use crate::wallet;
use crate::worker::{Balancers, FIRST, Finish, LONGEST, SETTLED, Worker};

/// Each stream of the tunnel takes two, each connection to the control plane two more.
const OPEN_FILES: u64 = 8192;

/// Where the worker's loopback ports are; other ports than the usual ones are for tests.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// kube-apiserver's balancer.
    pub api: SocketAddr,
    /// The join gateway's balancer.
    pub join: SocketAddr,
}

impl Default for Ports {
    fn default() -> Self {
        Self { api: ([127, 0, 0, 1], 6443).into(), join: ([127, 0, 0, 1], 9345).into() }
    }
}

/// Runs a worker until `stop` or until its stake is over.
pub async fn run<P: Programs>(
    settings: StakerSettings,
    listing: Listing,
    environment: &Environment,
    ports: Ports,
    programs: P,
    stop: CancellationToken,
) -> Result<Finish, Error> {
    if matches!(settings.runtime(), ContainerRuntime::Cri(_)) {
        return Err(Error::ForeignRuntime);
    }
    let allowed = daas_transport::open_files::raise(OPEN_FILES);
    if allowed < OPEN_FILES {
        tracing::warn!(allowed, wanted = OPEN_FILES, "fewer files may be open than a busy worker's streams need");
    }
    let state = StateFolder::open(&settings.state_dir)?;
    let account = wallet::account(&settings, environment)?;
    let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot { stage: "starting", ..Snapshot::default() }));
    let (sender, commands) = mpsc::channel(4);
    let api_stop = stop.child_token();
    let _api_ends = api_stop.clone().drop_guard();
    let facts = facts(&settings, listing);
    let api = Api::new(facts, Arc::clone(&snapshot), sender, state.path())?;
    let address = api.start(settings.api_listen, api_stop).await?;
    tracing::info!(%address, "the local API listens");
    let mut backoff = Backoff::new(FIRST, LONGEST, SETTLED);
    let chain = loop {
        let connected = tokio::select! {
            () = stop.cancelled() => return Ok(Finish::Stopped),
            connected = Chain::connect(&settings, account.clone()) => connected,
        };
        let why = match connected {
            Ok(chain) => break chain,
            Err(error) if error.is_final() => return Err(error),
            Err(error) => error,
        };
        tracing::warn!(error = %why, "the chain does not answer");
        snapshot.store(Arc::new(Snapshot { stage: "starting", problem: Some(why.to_string()), ..Snapshot::default() }));
        tokio::select! {
            () = stop.cancelled() => return Ok(Finish::Stopped),
            () = tokio::time::sleep(backoff.after(Duration::ZERO)) => {}
        }
    };
    let roots = Roots::of(settings.attestation_root.as_deref(), chain.is_production())?;
    if !chain.is_production() {
        tracing::warn!(
            "DEVELOPMENT: this chain is neither Sui's mainnet nor its testnet; nothing here proves anything"
        );
    }
    let owner = chain.owner();
    let life = state.read(&owner)?;
    let credentials = CredentialFolder::below(&settings.state_dir)?;
    let balancers = Balancers { api: Balancer::start(ports.api).await?, join: Balancer::start(ports.join).await? };
    let worker = Worker {
        parts: Parts { settings, chain, roots, credentials },
        state,
        owner,
        life,
        balancers,
        programs,
        node: None,
        judge: Judge::default(),
        snapshot,
        commands,
        stop,
    };
    worker.live().await
}

fn facts(settings: &StakerSettings, listing: Listing) -> Facts {
    Facts {
        node_id: settings.node_id.to_string(),
        stake_amount: settings.stake_amount.0,
        min_stake: settings.min_stake_amount.0,
        contract_address: settings.contract_address.to_string(),
        listing,
        disk: settings.state_dir.clone(),
        kubelet_dir: settings.kubelet_dir.clone(),
    }
}

use daas_seal_token::Tier;
use serde::Serialize;
use sui_sdk_types::{Address, Digest};

use crate::client::calls::{self, Argument};
use crate::client::ptb::Clock;
use crate::client::{Access, Ptb, Receipt, Session};
use crate::error::Error;
use crate::types::cluster::{Consequence, Endpoints};
use crate::types::{Bytes32, Event, Offence};

/// A cluster to be made.
#[derive(Debug, Clone)]
pub struct NewCluster {
    /// Its name, for people.
    pub name: String,
    /// Where it will be reached.
    pub endpoints: Endpoints,
    /// Where slashed money goes.
    pub treasury: Address,
    /// Settings that differ from the contract's defaults, in order.
    pub settings: Vec<SettingChange>,
}

/// A cluster that was just made.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CreatedCluster {
    /// The shared Cluster.
    pub cluster: Address,
    /// Its AdminCap, owned by the wallet.
    pub admin_cap: Address,
    /// The transaction.
    pub digest: Digest,
}

/// One setting of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingChange {
    /// MIST that a tier's stake needs.
    MinimumStake(Tier, u64),
    /// Whether a tier is open to stake alone.
    TierOpen(Tier, bool),
    /// Milliseconds between unstake and withdraw.
    Unbonding(u64),
    /// How many worker stakes may be Active.
    MaxWorkers(u64),
    /// The most that slashes may take, in basis points.
    SlashShare(u64),
    /// Where slashed money goes.
    Treasury(Address),
    /// What follows from an offence.
    Offence(Offence, Consequence),
    /// Milliseconds that a worker may be silent.
    HeartbeatLimit(u64),
    /// Age of attestation documents and life of registrations, in milliseconds.
    Freshness {
        /// Oldest document that can be registered.
        document_max_age_ms: u64,
        /// Life of a registration.
        registration_ms: u64,
    },
    /// SHA-256 that the runtime configuration must have.
    ConfigPin(Option<Bytes32>),
    /// Where the cluster is reached.
    Endpoints(Endpoints),
    /// Milliseconds between publishing a release and Active: only ever longer.
    ReleaseDelay(u64),
    /// The auditors of releases.
    Auditors {
        /// Ed25519 keys.
        auditors: Vec<Bytes32>,
        /// How many must approve.
        threshold: u64,
        /// Present auditors and their signatures over the change, once there are auditors.
        signatures: Vec<(Bytes32, Vec<u8>)>,
    },
}

impl Session {
    /// Makes a cluster with its settings in one transaction; the AdminCap goes to the wallet.
    pub async fn create_cluster(&self, new: &NewCluster) -> Result<CreatedCluster, Error> {
        let sender = self.address();
        let work = format!("create cluster {} of {} with {new:?}", new.name, self.address());
        let commands = || {
            let mut ptb = Ptb::new(self.package.id);
            let Endpoints { api, join, master } = &new.endpoints;
            let made = calls::cluster::new(&mut ptb, &new.name, api, join, master, new.treasury).to_nested(2);
            let (cluster, cap) = (made[0], made[1]);
            for change in &new.settings {
                change.put(&mut ptb, cluster, cap);
            }
            calls::cluster::share(&mut ptb, cluster);
            ptb.transfer(vec![cap], sender);
            ptb
        };
        let done = async |receipt: Receipt| {
            let created = receipt.events.iter().find_map(|event| match event {
                Event::ClusterCreated(created) => Some((created.cluster, created.admin_cap)),
                _ => None,
            });
            let (cluster, admin_cap) = created.ok_or_else(|| self.node.invalid("the event of a new cluster"))?;
            Ok(CreatedCluster { cluster, admin_cap, digest: receipt.digest })
        };
        self.run_once(&work, 0, commands, async || Ok(None), done).await
    }

    /// Changes settings of a cluster, all or none.
    pub async fn change_settings(&self, cluster: Address, changes: &[SettingChange]) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            for change in changes {
                change.put(ptb, cluster, cap);
            }
        })
        .await
    }

    /// Lets a wallet stake for reader or admin.
    pub async fn grant(&self, cluster: Address, wallet: Address, tier: Tier) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::cluster::grant(ptb, cluster, cap, wallet, tier, Clock);
        })
        .await
    }

    /// Takes a grant back; tokens that rest on it end at once.
    pub async fn ungrant(&self, cluster: Address, wallet: Address, tier: Tier) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::cluster::ungrant(ptb, cluster, cap, wallet, tier);
        })
        .await
    }

    /// Makes a registered instance the one that speaks for the cluster.
    pub async fn activate(&self, cluster: Address, instance: &Bytes32) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::enclave::activate(ptb, cluster, cap, instance, Clock);
        })
        .await
    }

    /// Moves the cluster's data to the package's present version.
    pub async fn migrate(&self, cluster: Address) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::cluster::migrate(ptb, cluster, cap);
        })
        .await
    }

    /// Runs calls that need the cluster and its admin cap.
    pub(super) async fn administer(
        &self,
        cluster: Address,
        commands: impl Fn(&mut Ptb, Argument, Argument),
    ) -> Result<Receipt, Error> {
        let cap = self.admin_cap(cluster).await?;
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(cluster, Access::Write);
            let cap = ptb.owned(cap);
            commands(&mut ptb, cluster, cap);
            ptb
        })
        .await
    }
}

impl SettingChange {
    fn put(&self, ptb: &mut Ptb, cluster: Argument, cap: Argument) {
        use calls::cluster as call;
        match self {
            Self::MinimumStake(tier, mist) => call::set_minimum_stake(ptb, cluster, cap, *tier, *mist),
            Self::TierOpen(tier, open) => call::set_tier_open(ptb, cluster, cap, *tier, *open),
            Self::Unbonding(ms) => call::set_unbonding(ptb, cluster, cap, *ms),
            Self::MaxWorkers(max) => call::set_max_workers(ptb, cluster, cap, *max),
            Self::SlashShare(bps) => call::set_slash_share(ptb, cluster, cap, *bps),
            Self::Treasury(treasury) => call::set_treasury(ptb, cluster, cap, *treasury),
            Self::Offence(offence, Consequence { action, share_bps }) => {
                call::set_offence(ptb, cluster, cap, *offence, *action, *share_bps)
            }
            Self::HeartbeatLimit(ms) => call::set_heartbeat_limit(ptb, cluster, cap, *ms),
            Self::Freshness { document_max_age_ms, registration_ms } => {
                call::set_freshness(ptb, cluster, cap, *document_max_age_ms, *registration_ms)
            }
            Self::ConfigPin(sha256) => call::set_config_pin(ptb, cluster, cap, *sha256),
            Self::Endpoints(Endpoints { api, join, master }) => {
                call::set_endpoints(ptb, cluster, cap, api, join, master)
            }
            Self::ReleaseDelay(ms) => call::set_release_delay(ptb, cluster, cap, *ms),
            Self::Auditors { auditors, threshold, signatures } => {
                let (signers, signatures): (Vec<_>, Vec<_>) = signatures.iter().cloned().unzip();
                call::set_auditors(ptb, cluster, cap, auditors, *threshold, &signers, &signatures)
            }
        };
    }
}

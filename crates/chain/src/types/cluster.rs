//! `cluster::*`: the shared object that holds a cluster's settings.

use daas_seal_token::Tier;
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::numbers::ActionKind;
use super::{Bytes32, Pcrs};

/// `cluster::AdminCap`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminCap {
    /// Its id.
    pub id: Address,
    /// The one cluster that it administers.
    pub cluster: Address,
}

/// `cluster::Cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its id.
    pub id: Address,
    /// Version of the package's data layout.
    pub version: u64,
    /// Its name, for people.
    pub name: String,
    /// The admin cap.
    pub admin_cap: Address,
    /// What the admin may change.
    pub settings: Settings,
    /// Where it is reached.
    pub endpoints: Endpoints,
    /// What a release needs to become Active.
    pub release_rules: ReleaseRules,
    /// Rises whenever the trusted instance changes.
    pub generation: u64,
    /// The one instance that speaks for the cluster.
    pub active: Option<ActiveInstance>,
    /// The newest sealed state known to the chain.
    pub anchor: Option<Anchor>,
    /// Active worker stakes.
    pub active_workers: u64,
}

/// `cluster::Settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// MIST, by tier; see [`Settings::minimum_stake`].
    pub minimum_stakes: ByTier<u64>,
    /// Tiers open to stake alone, by tier.
    pub open_tiers: ByTier<bool>,
    /// Milliseconds between unstake and withdraw.
    pub unbonding_ms: u64,
    /// How many worker stakes may be Active.
    pub max_workers: u64,
    /// The most that slashes may take of a stake's principal, in basis points.
    pub slash_share_bps: u64,
    /// Where slashed money goes.
    pub treasury: Address,
    /// What follows from evidence, by offence.
    pub offences: Vec<Consequence>,
    /// A worker that is silent for longer is reported.
    pub heartbeat_limit_ms: u64,
    /// Age of an attestation document that can still be registered.
    pub document_max_age_ms: u64,
    /// Life of a registration.
    pub registration_ms: u64,
    /// SHA-256 that the runtime configuration must have.
    pub config_sha256: Option<Bytes32>,
}

/// One value a tier: `[reader, worker, admin]` on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>", into = "Vec<T>")]
#[serde(bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct ByTier<T>(pub [T; 3]);

impl<T> ByTier<T> {
    /// The value of one tier.
    pub fn get(&self, tier: Tier) -> &T {
        let [reader, worker, admin] = &self.0;
        match tier {
            Tier::Reader => reader,
            Tier::Worker => worker,
            Tier::Admin => admin,
        }
    }
}

impl<T> TryFrom<Vec<T>> for ByTier<T> {
    type Error = &'static str;

    fn try_from(values: Vec<T>) -> Result<Self, Self::Error> {
        values.try_into().map(Self).map_err(|_| "there are three tiers")
    }
}

impl<T> From<ByTier<T>> for Vec<T> {
    fn from(values: ByTier<T>) -> Self {
        values.0.into()
    }
}

impl Cluster {
    /// The newest version of the package's data that this program understands. What a newer package means by it is not guessed.
    pub const KNOWN_VERSION: u64 = 1;
}

impl Settings {
    /// MIST that a stake of this tier needs.
    pub fn minimum_stake(&self, tier: Tier) -> u64 {
        *self.minimum_stakes.get(tier)
    }

    /// Whether the tier is open to stake alone.
    pub fn is_open(&self, tier: Tier) -> bool {
        *self.open_tiers.get(tier)
    }
}

/// `cluster::Consequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Consequence {
    /// What is done.
    pub action: ActionKind,
    /// Share of the principal that a slash takes, in basis points; 0 unless the action is slash.
    pub share_bps: u64,
}

/// `cluster::Endpoints`, each `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// kube-apiserver.
    pub api: String,
    /// Join gateway.
    pub join: String,
    /// Master API.
    pub master: String,
}

/// `cluster::ReleaseRules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRules {
    /// Time between publishing and Active.
    pub delay_ms: u64,
    /// Ed25519 keys.
    pub auditors: Vec<Bytes32>,
    /// How many of them must approve.
    pub threshold: u64,
}

/// `cluster::ActiveInstance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveInstance {
    /// Instance key.
    pub instance: Bytes32,
    /// SHA-256 of the exact `/cacerts` bytes.
    pub server_ca_sha256: Bytes32,
    /// SHA-256 of the master API's public key.
    pub tls_spki_sha256: Bytes32,
    /// May hand over in the instance's place.
    pub successor_key: Option<Bytes32>,
    /// Chain time of the activation.
    pub since_ms: u64,
    /// The release it runs.
    pub pcrs: Pcrs,
}

/// `cluster::Anchor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Rises strictly.
    pub epoch: u64,
    /// Hash of the sealed state.
    pub hash: Bytes32,
    /// Who anchored it.
    pub instance: Bytes32,
    /// Chain time.
    pub at_ms: u64,
}

/// `cluster::GrantKey`: name of a dynamic field of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantKey {
    /// Who.
    pub wallet: Address,
    /// What.
    pub tier: Tier,
}

/// `cluster::Grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Chain time.
    pub granted_at_ms: u64,
}

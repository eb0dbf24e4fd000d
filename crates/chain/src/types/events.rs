//! Every event of the package, parsed once at the edge.

use daas_seal_token::{StakeStatus, Tier};
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, StructTag};

use super::cluster::{ActiveInstance, Anchor, Endpoints, ReleaseRules, Settings};
use super::enclave::Registration;
use super::measurements::Release;
use super::numbers::{ActionKind, Offence};
use super::staking::Terms;
use super::{Bytes32, Pcrs};

/// Why an event of the package is not understood. A registry that meets one refuses to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The package has no such event in this version.
    #[error("the package has no event {module}::{name} in this version")]
    Unknown {
        /// Module.
        module: String,
        /// Struct.
        name: String,
    },
    /// The bytes are not the event.
    #[error("the bytes of {module}::{name} are malformed: {reason}")]
    Malformed {
        /// Module.
        module: String,
        /// Struct.
        name: String,
        /// What BCS says.
        reason: String,
    },
}

macro_rules! events {
    ($($module:literal { $($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })* })*) => {
        $($(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
            }
        )*)*

        /// An event of the package.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub enum Event {
            $($($(#[$doc])* $name($name),)*)*
        }

        impl Event {
            /// Module and struct of every event, as the contract names them.
            pub const NAMES: &[(&str, &str)] = &[$($(($module, stringify!($name)),)*)*];

            /// Reads an event. `None` if its type is not of this package: anybody can publish a module that has the
            /// same names.
            pub fn decode(type_: &StructTag, package: &Address, bytes: &[u8]) -> Result<Option<Self>, EventError> {
                if type_.address() != package || !type_.type_params().is_empty() {
                    return Ok(None);
                }
                Self::decode_named(type_.module().as_str(), type_.name().as_str(), bytes).map(Some)
            }

            /// Reads an event of this package by its names.
            pub fn decode_named(module: &str, name: &str, bytes: &[u8]) -> Result<Self, EventError> {
                match (module, name) {
                    $($(($module, stringify!($name)) => read(module, name, bytes).map(Self::$name),)*)*
                    _ => Err(EventError::Unknown { module: module.to_owned(), name: name.to_owned() }),
                }
            }

            /// Module and struct.
            pub fn names(&self) -> (&'static str, &'static str) {
                match self {
                    $($(Self::$name(_) => ($module, stringify!($name)),)*)*
                }
            }
        }
    };
}

events! {
    "cluster" {
        /// A cluster was made.
        ClusterCreated {
            /// The cluster.
            cluster: Address,
            /// Its admin cap.
            admin_cap: Address,
            /// Its name.
            name: String,
            /// Its settings.
            settings: Settings,
            /// Where it is reached.
            endpoints: Endpoints,
        }
        /// All settings, after the change.
        SettingsChanged {
            /// The cluster.
            cluster: Address,
            /// All of them.
            settings: Settings,
        }
        /// All endpoints, after the change.
        EndpointsChanged {
            /// The cluster.
            cluster: Address,
            /// All of them.
            endpoints: Endpoints,
        }
        /// Delay or auditors, after the change.
        ReleaseRulesChanged {
            /// The cluster.
            cluster: Address,
            /// All of them.
            rules: ReleaseRules,
        }
        /// The cluster's data moved to a new version of the package.
        Migrated {
            /// The cluster.
            cluster: Address,
            /// The new version.
            version: u64,
        }
        /// A wallet may stake for a tier.
        Granted {
            /// The cluster.
            cluster: Address,
            /// Who.
            wallet: Address,
            /// What.
            tier: Tier,
        }
        /// A wallet may no longer.
        Ungranted {
            /// The cluster.
            cluster: Address,
            /// Who.
            wallet: Address,
            /// What.
            tier: Tier,
        }
        /// Another instance speaks for the cluster.
        InstanceActivated {
            /// The cluster.
            cluster: Address,
            /// Which.
            active: ActiveInstance,
            /// The new generation.
            generation: u64,
            /// By the admin cap, not by its predecessor.
            by_admin: bool,
        }
        /// No instance speaks for the cluster.
        InstanceDropped {
            /// The cluster.
            cluster: Address,
            /// The new generation.
            generation: u64,
        }
        /// The newest sealed state.
        Anchored {
            /// The cluster.
            cluster: Address,
            /// What.
            anchor: Anchor,
        }
        /// Who may hand over in the active instance's place.
        SuccessorNamed {
            /// The cluster.
            cluster: Address,
            /// The active instance.
            instance: Bytes32,
            /// The key.
            successor_key: Bytes32,
        }
    }
    "measurements" {
        /// A release is listed.
        ReleasePublished {
            /// The cluster.
            cluster: Address,
            /// Which.
            release: Release,
        }
        /// An auditor approved a release.
        ReleaseApproved {
            /// The cluster.
            cluster: Address,
            /// Which.
            pcrs: Pcrs,
            /// Who.
            auditor: Bytes32,
        }
        /// A release ends at a time.
        ReleaseRetiring {
            /// The cluster.
            cluster: Address,
            /// Which.
            pcrs: Pcrs,
            /// Chain time.
            until_ms: u64,
        }
        /// A release is over.
        ReleaseRevoked {
            /// The cluster.
            cluster: Address,
            /// Which.
            pcrs: Pcrs,
            /// Why.
            compromised: bool,
            /// The generation after it.
            generation: u64,
        }
    }
    "enclave" {
        /// An instance is known.
        Registered {
            /// The cluster.
            cluster: Address,
            /// Which.
            registration: Registration,
        }
        /// An instance showed a fresh document.
        Renewed {
            /// The cluster.
            cluster: Address,
            /// Which.
            registration: Registration,
        }
        /// An expired registration was removed.
        Forgotten {
            /// The cluster.
            cluster: Address,
            /// Which.
            instance: Bytes32,
        }
    }
    "staking" {
        /// A stake was made.
        Staked {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// Who.
            owner: Address,
            /// What the staker calls the node.
            node_id: String,
            /// The node's name.
            name: String,
            /// What it buys.
            tier: Tier,
            /// MIST.
            amount: u64,
            /// Its terms.
            terms: Terms,
            /// Chain time.
            at_ms: u64,
        }
        /// More money in a stake.
        ToppedUp {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// MIST added.
            added: u64,
            /// MIST in it now.
            amount: u64,
        }
        /// A stake is unbonding.
        Unstaked {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// MIST in it.
            amount: u64,
            /// Chain time from which it can be withdrawn.
            releases_at_ms: u64,
        }
        /// A stake went back to its owner.
        Withdrawn {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// Who.
            owner: Address,
            /// MIST paid out.
            amount: u64,
            /// Status afterwards.
            status: StakeStatus,
        }
        /// A stake was slashed.
        Slashed {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// MIST taken.
            amount: u64,
            /// MIST left.
            remaining: u64,
            /// What for.
            offence: Offence,
            /// The admin's words.
            reason: String,
            /// Where the money went.
            treasury: Address,
            /// Chain time from which the rest can be withdrawn.
            releases_at_ms: u64,
        }
        /// A stake is kept out.
        Suspended {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
            /// What for.
            offence: Offence,
        }
        /// A stake is let in again.
        Resumed {
            /// The cluster.
            cluster: Address,
            /// The stake.
            stake: Address,
        }
        /// Evidence was counted.
        EvidenceRecorded {
            /// The cluster.
            cluster: Address,
            /// Against whom.
            stake: Address,
            /// Who said so.
            instance: Bytes32,
            /// Its sequence.
            sequence: u64,
            /// What for.
            offence: Offence,
            /// SHA-256 of the proof.
            digest: Bytes32,
            /// What followed.
            action: ActionKind,
        }
    }
    "k8s_gateway" {
        /// A Seal token was made.
        TokenCreated {
            /// The cluster.
            cluster: Address,
            /// The token.
            token: Address,
            /// Its stake.
            stake: Address,
            /// Who.
            owner: Address,
            /// The node's name.
            name: String,
            /// Ed25519 public key.
            session_key: Bytes32,
            /// 1.
            key_generation: u64,
            /// Tier of the stake.
            tier: Tier,
            /// Chain time.
            expires_at_ms: u64,
        }
        /// A token has another session key.
        SessionKeyRotated {
            /// The cluster.
            cluster: Address,
            /// The token.
            token: Address,
            /// The new key.
            session_key: Bytes32,
            /// Its generation.
            key_generation: u64,
        }
        /// A token lives longer.
        TokenExtended {
            /// The cluster.
            cluster: Address,
            /// The token.
            token: Address,
            /// Chain time.
            expires_at_ms: u64,
        }
        /// A token is over.
        TokenRevoked {
            /// The cluster.
            cluster: Address,
            /// The token.
            token: Address,
            /// By the admin, not by its owner.
            by_admin: bool,
        }
    }
    "upgrade_lock" {
        /// An UpgradeCap was put behind a delay.
        Locked {
            /// The lock.
            lock: Address,
            /// Who may propose.
            owner: Address,
            /// The package.
            package: Address,
            /// Time between proposing and upgrading.
            delay_ms: u64,
        }
        /// An upgrade was proposed.
        Proposed {
            /// The lock.
            lock: Address,
            /// Digest of the package.
            digest: Bytes32,
            /// Chain time.
            ready_at_ms: u64,
        }
        /// An upgrade began.
        Authorized {
            /// The lock.
            lock: Address,
            /// Digest of the package.
            digest: Bytes32,
        }
        /// An upgrade was made.
        Committed {
            /// The lock.
            lock: Address,
            /// The new package.
            package: Address,
            /// Upgrades so far, plus one.
            version: u64,
        }
        /// There will be no more upgrades.
        Frozen {
            /// The lock.
            lock: Address,
            /// The package.
            package: Address,
        }
    }
}

impl Event {
    /// The cluster it is about: the first field of every event of these modules.
    pub fn cluster(bytes: &[u8]) -> Option<Address> {
        bytes.first_chunk::<32>().map(|id| Address::new(*id))
    }
}

fn read<'a, T: Deserialize<'a>>(module: &str, name: &str, bytes: &'a [u8]) -> Result<T, EventError> {
    bcs::from_bytes(bytes).map_err(|error| EventError::Malformed {
        module: module.to_owned(),
        name: name.to_owned(),
        reason: error.to_string(),
    })
}

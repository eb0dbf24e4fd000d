//! `cluster::*`: made, changed, spoken for.

use daas_seal_token::Tier;
use sui_sdk_types::Address;

use super::structs;
use crate::types::Bytes32;
use crate::types::cluster::{ActiveInstance, Anchor, Endpoints, ReleaseRules, Settings};

structs! {
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

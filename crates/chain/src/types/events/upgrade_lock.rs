//! `upgrade_lock::*`: announced upgrades.

use sui_sdk_types::Address;

use super::structs;
use crate::types::Bytes32;

structs! {
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

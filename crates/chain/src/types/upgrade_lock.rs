//! `upgrade_lock::*`.

use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::Bytes32;

/// `upgrade_lock::UpgradeLock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeLock {
    /// Its id.
    pub id: Address,
    /// Who may propose.
    pub owner: Address,
    /// The cap inside.
    pub cap: UpgradeCap,
    /// Time between proposing and upgrading.
    pub delay_ms: u64,
    /// What has been proposed.
    pub pending: Option<Pending>,
}

/// `upgrade_lock::Pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Digest of the package.
    pub digest: Bytes32,
    /// Chain time.
    pub ready_at_ms: u64,
}

/// `0x2::package::UpgradeCap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeCap {
    /// Its id.
    pub id: Address,
    /// The package.
    pub package: Address,
    /// Upgrades so far, plus one.
    pub version: u64,
    /// What an upgrade may change: 0 anything compatible, 128 additions, 192 dependencies.
    pub policy: u8,
}

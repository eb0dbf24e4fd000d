//! `evidence::*`.

use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::Bytes32;
use super::numbers::Offence;

/// `evidence::EvidenceKey`: a proof that has been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceKey {
    /// SHA-256 of the proof.
    pub digest: Bytes32,
}

/// `evidence::EvidenceRecord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// Against whom.
    pub stake: Address,
    /// What for.
    pub offence: Offence,
    /// Chain time.
    pub at_ms: u64,
}

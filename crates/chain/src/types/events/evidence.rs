//! `evidence::*`: what the active instance proved.

use sui_sdk_types::Address;

use super::structs;
use crate::types::Bytes32;
use crate::types::numbers::{ActionKind, Offence};

structs! {
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

//! `enclave::*`.

use serde::{Deserialize, Serialize};

use super::{Bytes32, Pcrs};

/// `enclave::InstanceKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceKey {
    /// Instance key.
    pub instance: Bytes32,
}

/// `enclave::Registration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Instance key.
    pub instance: Bytes32,
    /// The release it runs.
    pub pcrs: Pcrs,
    /// SHA-256 of the master API's public key.
    pub tls_spki_sha256: Bytes32,
    /// SHA-256 of the exact `/cacerts` bytes.
    pub server_ca_sha256: Bytes32,
    /// SHA-256 of the runtime configuration.
    pub config_sha256: Bytes32,
    /// Epoch of the sealed state it started from.
    pub state_epoch: u64,
    /// When the attestation document was made.
    pub document_at_ms: u64,
    /// Chain time.
    pub registered_at_ms: u64,
    /// Chain time.
    pub expires_at_ms: u64,
    /// Last sequence it used.
    pub sequence: u64,
}

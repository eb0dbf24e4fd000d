//! `k8s_gateway::*`.

use daas_seal_token::Tier;
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::Bytes32;

/// `k8s_gateway::SealToken`: the object; the bearer string is [`daas_seal_token::SealToken`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealTokenObject {
    /// Its id.
    pub id: Address,
    /// Its cluster.
    pub cluster: Address,
    /// Who owns its stake.
    pub owner: Address,
    /// Its stake.
    pub stake: Address,
    /// The node's name.
    pub name: String,
    /// Ed25519 public key.
    pub session_key: Bytes32,
    /// Counts session keys, from 1.
    pub key_generation: u64,
    /// Tier of its stake.
    pub tier: Tier,
    /// Chain time.
    pub created_at_ms: u64,
    /// Chain time.
    pub expires_at_ms: u64,
    /// Ended by the owner or the admin.
    pub revoked: bool,
    /// Session keys of generations 1, 2, …, up to the one before the present: a worker answers for what it signed with any of them.
    pub former_keys: Vec<Bytes32>,
}

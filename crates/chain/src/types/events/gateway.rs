//! `k8s_gateway::*`: the life of Seal tokens.

use daas_seal_token::Tier;
use sui_sdk_types::Address;

use super::structs;
use crate::types::Bytes32;

structs! {
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

//! What a transaction sees of the world besides objects: epoch, time, prices, limits.

use std::fmt;
use std::sync::Arc;

use daas_move_vm::AttestationVerifier;
use sui_sdk_types::{Digest, EpochId};

/// The world around one execution. Same transaction, objects and environment: same result, byte for byte.
#[derive(Clone)]
pub struct Environment {
    /// Current epoch.
    pub epoch: EpochId,
    /// Start of the epoch in Unix milliseconds, as `TxContext` shows it.
    pub epoch_start_ms: u64,
    /// Unix milliseconds that the Clock (0x6) shows.
    pub now_ms: u64,
    /// Lowest accepted gas price in MIST per computation unit.
    pub reference_gas_price: u64,
    /// The chain's identifier (digest of its genesis checkpoint), against replay of transactions from other chains.
    pub chain: Digest,
    /// Bounds of one transaction.
    pub limits: Limits,
    /// Verifies Nitro attestation documents; without it `load_nitro_attestation` fails.
    pub attestation: Option<Arc<dyn AttestationVerifier + Send + Sync>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("epoch", &self.epoch)
            .field("now_ms", &self.now_ms)
            .field("reference_gas_price", &self.reference_gas_price)
            .field("chain", &self.chain)
            .field("attestation", &self.attestation.is_some())
            .finish_non_exhaustive()
    }
}

/// Bounds of one transaction; the defaults are those of the Sui protocol configuration where it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Commands in a programmable transaction.
    pub commands: usize,
    /// Inputs of a programmable transaction.
    pub inputs: usize,
    /// Arguments of one command.
    pub arguments: usize,
    /// Bytes of one pure input.
    pub pure_bytes: usize,
    /// Coins that pay for gas.
    pub gas_coins: usize,
    /// Modules of a package.
    pub modules: usize,
    /// Bytes of a serialized package.
    pub package_bytes: u64,
    /// Bytes of a Move object.
    pub object_bytes: u64,
    /// Bytes of all written objects.
    pub written_bytes: u64,
    /// Events of a transaction.
    pub events: usize,
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of all events.
    pub event_total_bytes: usize,
    /// Highest gas budget in MIST.
    pub gas_budget: u64,
    /// Highest gas price in MIST per unit.
    pub gas_price: u64,
    /// Interpreter steps of one transaction.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            commands: 1024,
            inputs: 2048,
            arguments: 512,
            pure_bytes: 16 * 1024,
            gas_coins: 256,
            modules: 64,
            package_bytes: 100 * 1024,
            object_bytes: 250 * 1024,
            written_bytes: 5_000_000,
            events: 1024,
            event_bytes: 250 * 1024,
            event_total_bytes: 65 * 1024 * 1024,
            gas_budget: 50_000_000_000,
            gas_price: 100_000,
            steps: 5_000_000,
        }
    }
}

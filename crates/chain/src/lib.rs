//! The chain: typed calls of the package, its objects and events, wallets, and the live registry.
//!
//! - [`types`]: what the contract stores, emits and has signed, parsed once at the edge.
//! - [`wallet`]: the keys that own stakes and pay for gas.
//! - [`client`]: a [`client::Node`] reads, a [`client::Session`] runs transactions, never twice.
//! - [`registry`]: a cluster in memory, kept current; answers without lock or network call.

// What tests and measurements share names this crate as those do who use it.
#[cfg(test)]
extern crate self as daas_chain;

pub mod abort;
pub mod client;
mod error;
pub mod private;
pub mod registry;
pub mod types;
pub mod wallet;

pub use error::{Error, Run};

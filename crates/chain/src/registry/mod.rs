//! The live registry: everything of one cluster in memory, kept current by following checkpoints.
//!
//! Look-ups take no lock and make no network call. The pure core is [`State`] (events in, changes out), [`Quorum`]
//! (votes in, agreed checkpoints out) and [`VerifiedCheckpoint`] (hash links); the follower does the I/O.
//!
//! **Trust.** Every checkpoint that is applied is agreed on by `k` of `n` nodes (`k = n = 1` in `rpc` mode), and its
//! events hang on the agreed digest by hashes: summary → contents → effects → events. The state that the follower
//! starts from is loaded from each node, brought to the same checkpoint, and must be the same on `k` of them. One node
//! that lies or freezes changes nothing; too few that agree means that the view grows stale, and a stale view refuses
//! everything.

mod changes;
mod checkpoint;
mod config;
mod entries;
mod fingerprint;
mod follower;
mod health;
mod load;
mod loaded;
mod quorum;
#[cfg(test)]
mod sample;
mod shards;
mod source;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod view;

pub use changes::{Change, Changes, EndReason};
pub use checkpoint::{LinkError, VerifiedCheckpoint};
pub use config::{DEFAULT_STALENESS, MAX_STALENESS, RegistryConfig, Trust};
pub use health::{Health, NodeHealth, NodeState};
pub use quorum::{Offer, Quorum};
pub use state::{State, StateError};
pub use tables::{ClusterState, OLD_KEY_GRACE_MS, StakeRecord, Tables};
pub use view::Registry;

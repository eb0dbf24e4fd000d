//! The contract's objects, dynamic fields, events and signed messages, as types that cannot hold a wrong value.
//!
//! Field order is BCS order, as `docs/contract.md` pins it. Unknown numbers, wrong lengths and trailing bytes are
//! errors; nothing here allocates more than the bytes it is given.

mod bytes;
pub mod cluster;
pub mod enclave;
pub mod events;
pub mod evidence;
mod fuzz;
pub mod gateway;
pub mod measurements;
pub mod messages;
mod numbers;
mod objects;
pub mod staking;
pub mod upgrade_lock;

pub use bytes::{Bytes, Bytes32, Pcr, Pcrs};
pub use cluster::Cluster;
pub use enclave::Registration;
pub use events::{Event, EventError};
pub use fuzz::{decode_event, decode_object as decode_any_object};
pub use gateway::SealTokenObject;
pub use measurements::Release;
pub use messages::SignedMessage;
pub use numbers::{ActionKind, Offence, ReleaseStatus, UnknownNumber};
pub use objects::{ClusterField, Field, MoveObject, ObjectError, decode_object};
pub use staking::Stake;

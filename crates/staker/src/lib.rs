//! The worker: stakes, verifies the enclave, joins, keeps its node running, and leaves (docs/staker.md).
//!
//! - [`life`], [`judge`]: the pure core; where a worker stands, and whether its identity is over.
//! - [`state_file`], [`session_keys`], [`credentials`]: what it keeps on disk.
//! - [`chain`], [`wallet`]: its stake and Seal token; [`enclave`]: which enclave it trusts.
//! - [`pinned`], [`http_client`], [`master`], [`gateway`]: how it speaks to that enclave.
//! - [`tunnel`], [`balancer`]: how the control plane reaches the node, and the node the control plane.
//! - [`node`], [`resources`], [`drain`]: its programs, its figures, its pods on the way out.
//! - [`worker`], [`daemon`]: its life, and everything put together; [`api`]: what it shows on loopback.

pub mod api;
pub mod balancer;
pub mod chain;
pub mod credentials;
pub mod daemon;
pub mod drain;
pub mod enclave;
mod error;
pub mod gateway;
pub mod http_client;
pub mod judge;
pub mod life;
pub mod master;
pub mod node;
pub mod pinned;
mod random;
pub mod resources;
mod session;
pub mod session_keys;
pub mod state_file;
pub mod tunnel;
pub mod wallet;
pub mod worker;

pub use error::Error;
use random::random;

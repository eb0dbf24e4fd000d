//! Programs in namespaces of their own, on one machine: a development enclave, workers, and the network between them.
//!
//! - [`lan`] holds a network namespace with a bridge. Nothing is added to the host's network; all is gone with the process.
//! - [`run`] starts a program in new network, mount and PID namespaces, joined to a bridge (a worker) or to nothing (an
//!   enclave). Process 1 inside is [`inside`], a reaper that dies with [`run`]'s process; everything inside dies with it.
//! - [`cgroup`]: the control groups of what runs, and of what ran and was killed.
//!
//! This separates development clusters from the host and from each other. It is no enclave: who is root on the machine sees all of it.

pub mod arguments;
pub mod cgroup;
mod error;
pub mod inside;
pub mod lan;
mod mounts;
pub mod network;
mod plan;
mod reaper;
pub mod run;

pub use error::{Error, Result};
pub use plan::{Address, Kind, Name};

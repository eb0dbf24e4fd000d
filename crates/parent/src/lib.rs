//! The enclave's parent. It is not trusted: whatever it passes on is checked where it arrives, and the worst that it can do is nothing.
//!
//! - [`configuration`]: what it is told, in one file.
//! - [`inbound`]: TCP connections of clients, to the enclave; [`forwards`]: and to other places.
//! - [`served`]: what the enclave is given: its runtime configuration, connections to the outside, a place for its logs ([`logs`]).
//! - [`enclave`]: starts it, and again when it ends.
//! - [`chain`]: submits what the enclave wants on chain, with the operator's wallet.
//! - [`status`]: how all of this does, for `daas status`.
//!
//! Fields, protocols and limits: `docs/parent.md`.

pub mod chain;
pub mod configuration;
pub mod enclave;
mod error;
pub mod forwards;
pub mod inbound;
pub mod logs;
mod parent;
pub mod served;
pub mod status;

pub use configuration::Configuration;
pub use error::{Error, Result};
pub use parent::run;

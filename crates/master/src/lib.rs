//! The master: the supervisor inside the enclave.
//!
//! [`run`] reads the runtime configuration from the parent ([`runtime`]), puts its hash into a register ([`device`]), makes the
//! instance key ([`instance`]), follows the cluster on chain ([`chain`]), starts the control plane and the [`authenticator`], and serves the
//! API on 8443 ([`api`]): challenges ([`attestation`]), workers ([`workers`]), and what the enclave wants on chain ([`submissions`]).
//! `docs/master.md` tells it whole.
//!
//! Time, the chain, the API server and the authenticator come in as arguments wherever something is decided.

pub mod api;
pub mod attestation;
pub mod authenticator;
mod boot;
pub mod chain;
mod clock;
pub mod device;
mod error;
pub mod evidence;
mod files;
pub mod instance;
pub mod logs;
mod options;
pub mod programs;
mod run;
pub mod runtime;
pub mod submissions;
pub mod workers;

pub use error::{Error, Result};
pub use options::Options;
pub use run::run;

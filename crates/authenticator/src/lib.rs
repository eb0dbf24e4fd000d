//! The authenticator: judges every identity of the cluster by the live registry.
//!
//! - [`verdicts`]: the pure core; registry view and time in, decisions out.
//! - [`webhooks`]: kube-apiserver's questions about tokens and access, and its audit events.
//! - [`listener`]: where clients arrive.
//! - [`connections`], [`relay`]: kube-apiserver's port, and which identity runs on which connection.
//! - [`tunnel`], [`egress`]: how kube-apiserver reaches kubelets and pods.
//! - [`gateway`]: 9345, where workers join; [`cut_off`]: what ends when the chain says so.
//! - [`nodes`], [`issuer`]: the registered workers, and their certificates; [`journal`]: what a restart must not
//!   forget; [`offences`]: what they were seen doing.
//! - [`control`], [`metrics`], [`daemon`]: what the master commands and passes on; everything put together.

mod clock;
pub mod connections;
pub mod control;
pub mod cut_off;
pub mod daemon;
pub mod egress;
mod error;
pub mod gateway;
pub mod issuer;
pub mod journal;
pub mod listener;
pub mod metrics;
pub mod nodes;
pub mod offences;
pub mod relay;
#[cfg(test)]
mod testing;
pub mod tunnel;
pub mod verdicts;
pub mod webhooks;

pub use error::Error;

//! The authenticator: judges every identity of the cluster by the live registry.
//!
//! - [`verdicts`]: the pure core; registry view and time in, decisions out.
//! - [`webhooks`]: kube-apiserver's questions about tokens and access, and its audit events.
//! - [`connections`], [`relay`]: kube-apiserver's port, and which identity runs on which connection.
//! - [`nodes`], [`issuer`]: the registered workers, and their certificates.
//! - [`server`], [`accept`], [`tls`]: a bounded HTTPS server.

pub mod accept;
mod clock;
pub mod connections;
mod error;
pub mod issuer;
pub mod nodes;
pub mod relay;
pub mod server;
pub mod tls;
pub mod verdicts;
pub mod webhooks;

pub use error::Error;

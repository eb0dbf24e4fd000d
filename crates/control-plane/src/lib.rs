//! A Kubernetes control plane from one multi-call binary.
//!
//! [`ControlPlane::start`] makes the keys of a new cluster ([`pki`]), turns settings into command lines and files
//! ([`components`]), starts etcd, kube-apiserver, the controller manager and the scheduler, keeps them running ([`daas_supervise`]), renews their
//! certificates, and applies the add-ons ([`addons`]). What its own identities may do is decided by [`authority`]; what
//! kube-apiserver may dial, by [`egress`]. `docs/control-plane.md` tells it with its sources.

pub mod addons;
mod api;
pub mod authority;
pub mod components;
pub mod egress;
mod error;
pub mod pki;
mod plane;

pub use api::ApiClient;
pub use error::{ControlPlaneError, Result};
pub use plane::{Blueprint, ControlPlane, READY_LIMIT};

//! A worker of the cluster: containerd, kubelet and kube-proxy as supervised children, the images it brings along, and the
//! network of its pods.
//!
//! [`Node::start`] turns a [`Plan`] into files and command lines ([`config`]), makes the node's cgroup and its pod network
//! ([`network`]), and starts the programs so that they die with this process while pods live on: whoever upgrades the staker
//! stops with [`Ending::LeavePods`] and starts again. [`Ending::EndPods`] ends every pod and removes what was made for it.
//! `docs/node.md` tells it with its sources.

mod cgroup;
mod command;
pub mod config;
mod ending;
mod error;
mod files;
mod images;
mod mounts;
pub mod network;
mod node;
mod plan;
mod preload;
mod probe;
pub mod value;

pub use error::{NodeError, Result};
pub use network::NetworkState;
pub use node::Node;
pub use plan::{Ending, Plan, PodNetwork, Programs, ProxyMode};

//! What containerd, kubelet and kube-proxy are started with: files and command lines that follow from a [`Plan`] and a few facts
//! about the machine. Nothing here touches the system.
//!
//! Files are written as JSON or TOML by serializers, never by pasting text, and a value reaches a command line only behind
//! `--name=` in the same argument: no setting can add a flag.

mod cni;
mod containerd;
mod kube_proxy;
mod kubeconfig;
mod kubelet;
mod layout;

use std::path::PathBuf;

pub use layout::Layout;

use crate::{Plan, PodNetwork};

/// Ports on 127.0.0.1 that only processes of the node reach.
pub mod ports {
    /// The kubelet's health.
    pub const KUBELET_HEALTH: u16 = 10248;
    /// kube-proxy's metrics.
    pub const PROXY_METRICS: u16 = 10249;
    /// kube-proxy's health.
    pub const PROXY_HEALTH: u16 = 10256;
}

/// The kubelet's port on the node's address.
pub const KUBELET_PORT: u16 = 10250;

/// The image of a pod's own process, which every pod needs.
pub const SANDBOX_IMAGE: &str = "registry.k8s.io/pause:3.10.2";

/// What the machine is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Whether processes may be made less likely to be killed when memory runs out (CAP_SYS_RESOURCE).
    pub may_lower_oom_score: bool,
    /// The name servers that pods may use.
    pub resolv_conf: PathBuf,
}

/// A file that a program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub content: String,
}

/// The arguments of the three programs, without their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The files, which name no secret's content.
    pub files: Vec<ConfigFile>,
    /// containerd's arguments.
    pub containerd: Vec<String>,
    /// The kubelet's.
    pub kubelet: Vec<String>,
    /// kube-proxy's.
    pub kube_proxy: Vec<String>,
}

impl Configuration {
    /// What follows from a plan.
    pub fn of(plan: &Plan, machine: &Machine) -> Self {
        let layout = Layout::of(plan);
        let mut files = vec![
            ConfigFile { path: layout.server_ca(), content: plan.server_ca.clone() },
            ConfigFile { path: layout.client_ca(), content: plan.client_ca.clone() },
            containerd::file(plan, machine, &layout),
            kubelet::file(plan, machine, &layout),
            kube_proxy::file(plan, &layout),
            kubeconfig::file(layout.kubelet_kubeconfig(), plan.api, &layout.server_ca(), &plan.kubelet_client),
            kubeconfig::file(layout.kube_proxy_kubeconfig(), plan.api, &layout.server_ca(), &plan.kube_proxy),
        ];
        if plan.pod_network == PodNetwork::Vxlan {
            files.push(cni::file(plan, &layout));
        }
        Self {
            files,
            containerd: containerd::arguments(&layout),
            kubelet: kubelet::arguments(plan, &layout),
            kube_proxy: kube_proxy::arguments(&layout),
        }
    }
}

/// `--name=value`.
fn flag(name: &'static str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::value::PlainPath;
use crate::{NodeError, Plan, PodNetwork, Result};

/// `sun_path` of `sockaddr_un` holds 108 bytes with its end.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where a node's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    state: PlainPath,
    run: PlainPath,
    kubelet: PlainPath,
    own_network: bool,
}

impl Layout {
    /// The files of a plan's node; nothing is made yet.
    pub fn of(plan: &Plan) -> Self {
        Self {
            state: plan.state_dir.clone(),
            run: plan.run_dir.clone(),
            kubelet: plan.kubelet_dir.clone(),
            own_network: plan.pod_network == PodNetwork::Vxlan,
        }
    }

    /// An error when the socket's path is too long for the system.
    pub fn check(&self) -> Result<()> {
        let longest = self.run.join("containerd/containerd.sock.ttrpc");
        if longest.as_str().len() <= LONGEST_SOCKET_PATH {
            return Ok(());
        }
        let rule = "at most 70 characters: sockets lie in it";
        Err(NodeError::Value { what: "the run folder", given: self.run.to_string(), rule })
    }

    /// containerd's images and layers.
    pub fn containerd_root(&self) -> PlainPath {
        self.state.join("containerd")
    }

    /// containerd's running containers, their network namespaces and its socket.
    pub fn containerd_state(&self) -> PlainPath {
        self.run.join("containerd")
    }

    /// containerd's socket.
    pub fn containerd_socket(&self) -> PathBuf {
        self.run.join("containerd/containerd.sock").as_path().into()
    }

    /// The kubelet's own folder.
    pub fn kubelet(&self) -> &PlainPath {
        &self.kubelet
    }

    /// Where CNI configurations lie.
    pub fn cni_configuration(&self) -> PathBuf {
        if self.own_network { self.run.join("cni/net.d").as_path().into() } else { "/etc/cni/net.d".into() }
    }

    /// Which addresses were given to which pods.
    pub fn cni_addresses(&self) -> PathBuf {
        self.run.join("cni/addresses").as_path().into()
    }

    /// Configuration files.
    pub fn configuration(&self) -> PathBuf {
        self.run.join("config").as_path().into()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.configuration().join(name)
    }

    /// The authority of the API server.
    pub fn server_ca(&self) -> PathBuf {
        self.file("server-ca.crt")
    }

    /// The authority of the kubelet's clients.
    pub fn client_ca(&self) -> PathBuf {
        self.file("client-ca.crt")
    }

    pub(super) fn kubelet_kubeconfig(&self) -> PathBuf {
        self.file("kubelet.kubeconfig")
    }

    pub(super) fn kube_proxy_kubeconfig(&self) -> PathBuf {
        self.file("kube-proxy.kubeconfig")
    }

    /// Name servers for pods, where the machine's own are of no use to them.
    pub fn resolv_conf(&self) -> PathBuf {
        self.file("resolv.conf")
    }

    /// The folders to make before anything starts.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = [&self.state, &self.run, &self.kubelet]
            .into_iter()
            .chain([&self.containerd_root(), &self.containerd_state()])
            .map(|path| path.as_path().into())
            .collect();
        folders.push(self.configuration());
        if self.own_network {
            folders.extend([self.cni_configuration(), self.cni_addresses()]);
        }
        folders
    }

    /// What is of no use without the pods it was made for: volumes on disk, sockets, given addresses.
    pub fn made_for_pods(&self) -> Vec<PathBuf> {
        vec![self.kubelet.join("pods").as_path().into(), self.containerd_state().as_path().into(), self.cni_addresses()]
    }

    /// The folders below which pods make mounts.
    pub fn mounted_below(&self) -> Vec<PathBuf> {
        [&self.containerd_root(), &self.containerd_state(), &self.kubelet].map(|path| path.as_path().into()).into()
    }
}

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use daas_supervise::Launcher;

use crate::value::{Cidr, DnsName, NodeName, PlainPath};
use crate::{NodeError, Result};

/// Everything a worker is started with. Addresses, ranges and names come from the master, certificates from the join gateway.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The Node's name.
    pub name: NodeName,
    /// The node's own address, as registered.
    pub address: Ipv4Addr,
    /// Its pods' range.
    pub pod_cidr: Cidr,
    /// All pods' range.
    pub cluster_cidr: Cidr,
    /// All services' range.
    pub service_cidr: Cidr,
    /// The cluster's DNS service.
    pub cluster_dns: Ipv4Addr,
    /// The cluster's domain.
    pub cluster_domain: DnsName,
    /// Where the API server is reached: the local balancer, `127.0.0.1:6443`.
    pub api: SocketAddr,
    /// The authority of the API server, PEM.
    pub server_ca: String,
    /// The authority of the kubelet's clients, PEM.
    pub client_ca: String,
    /// The kubelet's client certificate with its key: one PEM file, replaced by a rename when renewed. So are the next two.
    pub kubelet_client: PathBuf,
    /// The kubelet's serving certificate with its key.
    pub kubelet_serving: PathBuf,
    /// kube-proxy's client certificate with its key; the pod network uses it, too.
    pub kube_proxy: PathBuf,
    /// The programs.
    pub programs: Programs,
    /// A folder of OCI archives (`*.tar`) to have in containerd before the kubelet starts.
    pub images: Option<PathBuf>,
    /// A folder of registry configurations (`<host>/hosts.toml`), as in containerd's `config_path`.
    pub registries: Option<PathBuf>,
    /// What survives a reboot: images, containers' layers.
    pub state_dir: PlainPath,
    /// What does not: sockets, network namespaces, addresses given to pods. Best in memory.
    pub run_dir: PlainPath,
    /// The kubelet's own folder; many volume plugins expect `/var/lib/kubelet`.
    pub kubelet_dir: PlainPath,
    /// The cgroup that pods and containerd live in, below the root of every hierarchy: `/k3s-daas/worker-1`.
    pub cgroup_root: PlainPath,
    /// Who connects pods.
    pub pod_network: PodNetwork,
    /// How services are made.
    pub proxy_mode: ProxyMode,
    /// The name servers of the machine, for pods that use them and for CoreDNS: `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
}

/// The programs of a worker, by absolute path.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The multi-call binary with kubelet and kube-proxy.
    pub kube: PathBuf,
    /// containerd.
    pub containerd: PathBuf,
    /// containerd-shim-runc-v2.
    pub containerd_shim: PathBuf,
    /// ctr, which loads images.
    pub ctr: PathBuf,
    /// runc.
    pub runc: PathBuf,
    /// The folder of CNI plugins: bridge, host-local, portmap.
    pub cni: PathBuf,
    /// What starts them so that they die with this process.
    pub launcher: Launcher,
}

impl Programs {
    /// The programs by their usual names in one folder each.
    pub fn in_folders(
        kube: impl Into<PathBuf>,
        containerd: impl Into<PathBuf>,
        runc: impl Into<PathBuf>,
        cni: impl Into<PathBuf>,
        launcher: Launcher,
    ) -> Self {
        let containerd = containerd.into();
        Self {
            kube: kube.into().join("kube"),
            containerd_shim: containerd.join("containerd-shim-runc-v2"),
            ctr: containerd.join("ctr"),
            containerd: containerd.join("containerd"),
            runc: runc.into().join("runc"),
            cni: cni.into(),
            launcher,
        }
    }
}

/// Who connects pods across workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodNetwork {
    /// This crate: a bridge on each worker, VXLAN among them.
    Vxlan,
    /// The user, with a CNI of their own, whose configuration lies in `/etc/cni/net.d` and plugins in `/opt/cni/bin`.
    None,
}

/// How kube-proxy makes services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyMode {
    /// nftables, which needs the program `nft`.
    #[default]
    Nftables,
    /// iptables, for kernels without nftables.
    Iptables,
}

/// What becomes of pods when a node stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// They run on: the next start of the node takes them up.
    LeavePods,
    /// They end now, with everything that was made for them.
    EndPods,
}

impl Plan {
    /// Whether its values fit together and its programs can be named.
    pub(crate) fn check(&self) -> Result<()> {
        let contradiction = |text: String| Err(NodeError::Contradiction(text));
        if !self.cluster_cidr.holds(&self.pod_cidr) {
            return contradiction(format!(
                "the node's range {} is not in the cluster's {}",
                self.pod_cidr, self.cluster_cidr
            ));
        }
        if self.pod_cidr.prefix() > 29 {
            return contradiction(format!("the node's range {} is too small for pods", self.pod_cidr));
        }
        if self.cluster_cidr.overlaps(&self.service_cidr) {
            return contradiction(format!("pods {} and services {} overlap", self.cluster_cidr, self.service_cidr));
        }
        if self.cluster_cidr.contains(self.address) || self.service_cidr.contains(self.address) {
            return contradiction(format!("the node's address {} is one of pods or services", self.address));
        }
        for (one, other) in
            [(&self.state_dir, &self.run_dir), (&self.state_dir, &self.kubelet_dir), (&self.run_dir, &self.kubelet_dir)]
        {
            if one.as_path().starts_with(other.as_path()) || other.as_path().starts_with(one.as_path()) {
                return contradiction(format!("the folders {one} and {other} must lie apart"));
            }
        }
        for (what, folder) in [("the folder of images", &self.images), ("the folder of registries", &self.registries)] {
            if let Some(given) = folder.as_ref().filter(|folder| !folder.is_absolute() || folder.to_str().is_none()) {
                let given = given.to_string_lossy().into_owned();
                return Err(NodeError::Value { what, given, rule: "an absolute path in UTF-8" });
            }
        }
        let programs = &self.programs;
        for path in [
            &programs.kube,
            &programs.containerd,
            &programs.containerd_shim,
            &programs.ctr,
            &programs.runc,
            &programs.cni,
        ] {
            if !path.is_absolute() || path.to_str().is_none() {
                let given = path.to_string_lossy().into_owned();
                return Err(NodeError::Value { what: "a program", given, rule: "an absolute path in UTF-8" });
            }
            if !path.exists() {
                let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(NodeError::File { doing: "looking for", path: path.clone(), cause });
            }
        }
        Ok(())
    }
}

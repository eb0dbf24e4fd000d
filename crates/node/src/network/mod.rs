//! The network of pods: a VXLAN device, and routes, neighbours and packet filter kept in step with the cluster's Nodes.
//!
//! Each node's pods are on a bridge; a pod of another node is behind the VXLAN device (id 1, UDP 8472). Who the nodes are and which
//! range each has, the API server alone says: nothing is learned from packets, and encapsulated packets are taken from current
//! Nodes' addresses only. They travel in clear text.

mod follow;
mod link;
mod packet_filter;
mod peers;
mod watch_nodes;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::value::{Cidr, NodeName};
use crate::{Plan, ProxyMode, Result, command};

/// The bridge that a node's pods are on.
pub const BRIDGE: &str = "cni0";
/// The VXLAN device.
pub const DEVICE: &str = "daas.1";
/// What fits through VXLAN over Ethernet: 1500 less 50.
pub const POD_MTU: u16 = 1450;
/// VXLAN's identifier and port: as flannel's in k3s, so that firewalls that know one know the other.
const VXLAN_ID: u32 = 1;
const VXLAN_PORT: u16 = 8472;

/// How the pod network is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkState {
    /// Whether it was in step with the Nodes once.
    pub in_step: bool,
    /// Other nodes that are reached now.
    pub peers: usize,
    /// What went wrong last; empty when nothing does.
    pub detail: String,
}

/// What the network needs of a plan.
#[derive(Debug, Clone)]
struct Settings {
    name: NodeName,
    address: Ipv4Addr,
    pod_cidr: Cidr,
    cluster_cidr: Cidr,
    service_cidr: Cidr,
    api: SocketAddr,
    server_ca: String,
    certificate: PathBuf,
    tools: Tools,
}

/// The programs that set the kernel's tables.
#[derive(Debug, Clone)]
struct Tools {
    ip: PathBuf,
    bridge: PathBuf,
    nft: PathBuf,
}

impl Tools {
    fn find() -> Result<Self> {
        Ok(Self {
            ip: command::find("ip", "iproute2")?,
            bridge: command::find("bridge", "iproute2")?,
            nft: command::find("nft", "nftables")?,
        })
    }
}

/// A pod network that is kept in step. Dropping it leaves it as it is.
pub(crate) struct Network {
    state: watch::Receiver<NetworkState>,
    task: JoinHandle<()>,
}

impl Network {
    /// Makes the devices and the packet filter, and follows the Nodes from now on.
    pub(crate) async fn start(plan: &Plan) -> Result<Self> {
        let settings = Settings {
            name: plan.name.clone(),
            address: plan.address,
            pod_cidr: plan.pod_cidr,
            cluster_cidr: plan.cluster_cidr,
            service_cidr: plan.service_cidr,
            api: plan.api,
            server_ca: plan.server_ca.clone(),
            certificate: plan.kube_proxy.clone(),
            tools: Tools::find()?,
        };
        link::forward_packets().await?;
        link::make_device(&settings).await?;
        packet_filter::make(&settings).await?;
        let (tell, state) = watch::channel(NetworkState::default());
        let task = tokio::spawn(follow::follow(settings, tell));
        Ok(Self { state, task })
    }

    pub(crate) fn state(&self) -> watch::Receiver<NetworkState> {
        self.state.clone()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Removes what [`Network`], the bridge plugin and kube-proxy made in this network namespace.
pub(crate) async fn remove(mode: ProxyMode) {
    let Ok(tools) = Tools::find() else { return };
    link::remove(&tools).await;
    packet_filter::remove(&tools, mode).await;
}

//! The node's programs as the worker uses them, and [`daas_node`] behind that.

use std::env;
use std::ffi::OsString;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use daas_join::{Audience, Network};
use daas_node::value::PlainPath;
use daas_seal_token::NodeName;
use daas_settings::{PodNetwork, ProxyMode, StakerSettings};
use daas_supervise::{Launcher, Phase};

use crate::credentials::CredentialFolder;
use crate::error::Error;
use crate::life::Place;

pub use daas_node::Ending;

/// The first argument with which the worker's own program becomes the launcher of its children.
pub const LAUNCH: &str = "launch";

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodePlan {
    /// Its name.
    pub name: NodeName,
    /// Its place.
    pub place: Place,
    /// Where kube-apiserver is reached.
    pub api: SocketAddr,
    /// The server CA, PEM.
    pub server_ca: String,
    /// The CA of client certificates, PEM.
    pub client_ca: String,
    /// Where its certificates are.
    pub credentials: CredentialFolder,
}

/// Starts nodes.
pub trait Programs: Send + Sync + 'static {
    /// A node that runs.
    type Node: RunningNode;

    /// Starts one; it is not ready yet. Pods that a node before left running are taken up.
    fn start(&self, plan: &NodePlan) -> impl Future<Output = Result<Self::Node, Error>> + Send;

    /// Ends what a node of an earlier process left running.
    fn end_left_pods(&self, plan: &NodePlan) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A node that runs.
pub trait RunningNode: Send + 'static {
    /// Whether all its programs are ready.
    fn is_ready(&self) -> bool;

    /// Ends it within five seconds.
    fn stop(self, ending: Ending) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The real programs.
#[derive(Debug, Clone)]
pub struct Installed {
    settings: StakerSettings,
}

impl Installed {
    /// Those that the settings name.
    pub fn new(settings: &StakerSettings) -> Self {
        Self { settings: settings.clone() }
    }

    fn plan(&self, plan: &NodePlan) -> Result<daas_node::Plan, Error> {
        let settings = &self.settings;
        let node_id = &settings.node_id;
        let cgroup = settings.cgroup_root.clone().unwrap_or_else(|| PathBuf::from(format!("/k3s-daas/{node_id}")));
        let place = &plan.place;
        Ok(daas_node::Plan {
            name: plan.name.as_str().parse().map_err(told)?,
            address: v4(place.address)?,
            pod_cidr: range(place.pod_cidr)?,
            cluster_cidr: range(place.cluster_cidr)?,
            service_cidr: range(place.service_cidr)?,
            cluster_dns: v4(place.cluster_dns)?,
            cluster_domain: place.cluster_domain.parse().map_err(told)?,
            api: plan.api,
            server_ca: plan.server_ca.clone(),
            client_ca: plan.client_ca.clone(),
            kubelet_client: plan.credentials.path(Audience::Kubelet),
            kubelet_serving: plan.credentials.path(Audience::KubeletServing),
            kube_proxy: plan.credentials.path(Audience::KubeProxy),
            programs: self.programs()?,
            images: settings.images.clone(),
            registries: settings.registries.clone(),
            state_dir: plain(&settings.state_dir.join("node"))?,
            run_dir: plain(&settings.run_dir.join("node"))?,
            kubelet_dir: plain(&settings.kubelet_dir)?,
            cgroup_root: plain(&cgroup)?,
            pod_network: match settings.pod_network {
                PodNetwork::Vxlan => daas_node::PodNetwork::Vxlan,
                PodNetwork::None => daas_node::PodNetwork::None,
            },
            proxy_mode: match settings.proxy_mode {
                ProxyMode::Nftables => daas_node::ProxyMode::Nftables,
                ProxyMode::Iptables => daas_node::ProxyMode::Iptables,
            },
            resolv_conf: settings.resolv_conf.clone(),
        })
    }

    fn programs(&self) -> Result<daas_node::Programs, Error> {
        let folder = &self.settings.programs;
        let own = env::current_exe().map_err(|error| Error::Node(format!("its own program: {error}")))?;
        Ok(daas_node::Programs {
            kube: find(folder, "kube")?,
            containerd: find(folder, "containerd")?,
            containerd_shim: find(folder, "containerd-shim-runc-v2")?,
            ctr: find(folder, "ctr")?,
            runc: find(folder, "runc")?,
            cni: self.settings.cni_plugins.clone(),
            launcher: Launcher::within(own, [OsString::from(LAUNCH)]),
        })
    }
}

impl Programs for Installed {
    type Node = daas_node::Node;

    async fn start(&self, plan: &NodePlan) -> Result<daas_node::Node, Error> {
        daas_node::Node::start(self.plan(plan)?).await.map_err(told)
    }

    async fn end_left_pods(&self, plan: &NodePlan) -> Result<(), Error> {
        daas_node::Node::end_left_pods(&self.plan(plan)?).await.map_err(told)
    }
}

impl RunningNode for daas_node::Node {
    fn is_ready(&self) -> bool {
        let states = self.states();
        let states = states.borrow();
        !states.is_empty() && states.values().all(|state| state.phase == Phase::Ready)
    }

    async fn stop(self, ending: Ending) -> Result<(), Error> {
        Self::stop(self, ending).await.map_err(told)
    }
}

/// A program in the folder, or the first of `PATH`.
fn find(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_absolute() && path.is_file());
    found.ok_or_else(|| Error::Node(format!("{name} is neither in {} nor in PATH", folder.display())))
}

fn plain(path: &Path) -> Result<PlainPath, Error> {
    path.to_str().unwrap_or_default().parse().map_err(told)
}

fn v4(address: IpAddr) -> Result<Ipv4Addr, Error> {
    match address {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(address) => Err(Error::Node(format!("{address}: nodes and pods have IPv4 addresses"))),
    }
}

fn range(network: Network) -> Result<daas_node::value::Cidr, Error> {
    network.to_string().parse().map_err(told)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: daas_node::NodeError) -> Error {
    Error::Node(error.to_string())
}

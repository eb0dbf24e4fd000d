use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use daas_diagnostics::Phrase;

use daas_seal_token::NodeId;

use crate::error::SettingsError;
use crate::listing::Listing;
use crate::origin::Origin;
use crate::table::settings;
use crate::values::{
    ChainId, ContainerRuntime, CriEndpoint, Endpoint, KeySource, LogLevel, Mist, PodNetwork, ProxyMode, RuntimeKind,
    SuiAddress, TrustMode, format_duration,
};

settings! {
    /// The worker: stakes, joins, and keeps its node running.
    pub struct StakerSettings: "daas-staker",
        file "STAKER_CONFIG_PATH" or Some("./staker-config.json"), prefix "STAKER_"
    {
        /// The name of this node; the contract appends `-` and eight hex digits of the stake's id.
        node_id: NodeId, env ["STAKER_NODE_ID"], default None;
        /// The cluster to join: the id of its Cluster object.
        cluster: SuiAddress, env ["STAKER_CLUSTER"], default None;
        /// The published K3s-DaaS package.
        contract_address: SuiAddress, env ["STAKER_CONTRACT_ADDRESS"], default None;
        /// The Sui nodes to ask, by gRPC.
        sui_rpc_endpoint: Vec<Endpoint>, env ["STAKER_SUI_RPC_ENDPOINT"], default None;
        /// The chain that these nodes must serve; without it the first answer is trusted.
        chain_id: Option<ChainId>, env ["STAKER_CHAIN_ID"], default None;
        /// How far a single Sui node is believed.
        trust: TrustMode, env ["STAKER_TRUST"], default Some("rpc");
        /// How many Sui nodes must agree with trust `quorum`; without it, more than half of them.
        quorum: Option<u32>, env ["STAKER_QUORUM"], default None;
        /// The wallet's private key, or rather where to find it.
        sui_private_key: KeySource, env ["STAKER_SUI_PRIVATE_KEY"], default None;
        /// The sui keystore that an alias points into; without it, `~/.sui/sui_config/sui.keystore`.
        keystore_path: Option<PathBuf>, env ["STAKER_KEYSTORE_PATH"], default None;
        /// The wallet's address, if it should be checked against the key.
        sui_wallet_address: Option<SuiAddress>, env ["STAKER_SUI_WALLET_ADDRESS"], default None;
        /// How much to stake.
        stake_amount: Mist, env ["STAKER_STAKE_AMOUNT"], default Some("1 SUI");
        /// A guard against typing errors: a smaller `stake_amount` is refused.
        min_stake_amount: Mist, env ["STAKER_MIN_STAKE_AMOUNT"], default Some("1 SUI");
        /// The most gas that one transaction may cost; without it the cost is estimated.
        gas_budget: Option<Mist>, env ["STAKER_GAS_BUDGET"], default None;
        /// The master's API, if it should not be taken from the Cluster object.
        nautilus_endpoint: Option<Endpoint>, env ["STAKER_NAUTILUS_ENDPOINT"], default None;
        /// Who runs the pods: the containerd that the worker brings, or any runtime that speaks CRI.
        container_runtime: RuntimeKind, env ["STAKER_CONTAINER_RUNTIME"], default Some("containerd");
        /// The socket of that other runtime.
        cri_endpoint: Option<CriEndpoint>, env ["STAKER_CRI_ENDPOINT"], default None;
        /// Whether pods end when the staker stops. A slash always ends them.
        stop_pods_on_exit: bool, env ["STAKER_STOP_PODS_ON_EXIT"], default Some("false");
        /// Where the worker keeps its keys and state.
        state_dir: PathBuf, env ["STAKER_STATE_DIR"], default Some("{state}/staker");
        /// Where the worker keeps sockets and pids.
        run_dir: PathBuf, env ["STAKER_RUN_DIR"], default Some("/run/k3s-daas/staker");
        /// The node's address among the workers; without it, the one from which the master is reached.
        address: Option<IpAddr>, env ["STAKER_ADDRESS"], default None;
        /// The folder with `kube`, `containerd`, `containerd-shim-runc-v2`, `ctr` and `runc`; what is missing there is looked for in `PATH`.
        programs: PathBuf, env ["STAKER_PROGRAMS"], default Some("/usr/lib/k3s-daas");
        /// The folder with the CNI plug-ins.
        cni_plugins: PathBuf, env ["STAKER_CNI_PLUGINS"], default Some("/usr/lib/cni");
        /// A folder of OCI archives that are there before the first pod starts.
        images: Option<PathBuf>, env ["STAKER_IMAGES"], default None;
        /// A folder of registry configurations (`<host>/hosts.toml`), as in containerd's `config_path`.
        registries: Option<PathBuf>, env ["STAKER_REGISTRIES"], default None;
        /// The kubelet's own folder; many volume plug-ins expect this one.
        kubelet_dir: PathBuf, env ["STAKER_KUBELET_DIR"], default Some("/var/lib/kubelet");
        /// The name servers of the machine, for pods that use them.
        resolv_conf: PathBuf, env ["STAKER_RESOLV_CONF"], default Some("/etc/resolv.conf");
        /// How services are made.
        proxy_mode: ProxyMode, env ["STAKER_PROXY_MODE"], default Some("nftables");
        /// How pods reach those of other workers.
        pod_network: PodNetwork, env ["STAKER_POD_NETWORK"], default Some("vxlan");
        /// The control group below which pods run, as the kubelet names it; without it, `/k3s-daas/` and the node's id.
        cgroup_root: Option<PathBuf>, env ["STAKER_CGROUP_ROOT"], default None;
        /// Where the local API listens; loopback only.
        api_listen: SocketAddr, env ["STAKER_API_LISTEN"], default Some("127.0.0.1:10251");
        /// A root of attestation besides AWS', for simulated hardware; refused on production networks.
        attestation_root: Option<PathBuf>, env ["STAKER_ATTESTATION_ROOT"], default None;
        /// How long a Seal token lives on chain; it is extended when a third of that is left.
        token_lifetime: Duration, env ["STAKER_TOKEN_LIFETIME"], default Some("30d");
        /// How long pods may take to leave before the stake is taken back.
        drain_timeout: Duration, env ["STAKER_DRAIN_TIMEOUT"], default Some("2m");
        /// How much is logged.
        log_level: LogLevel, env ["STAKER_LOG_LEVEL"], default Some("info");
    }
}

/// A token that has to be extended all the time costs gas all the time.
const SHORTEST_TOKEN: Duration = Duration::from_hours(1);
/// The contract gives no more (`k8s_gateway`).
const LONGEST_TOKEN: Duration = Duration::from_hours(366 * 24);

impl StakerSettings {
    /// The container runtime with what it needs.
    pub fn runtime(&self) -> ContainerRuntime {
        match &self.cri_endpoint {
            Some(endpoint) => ContainerRuntime::Cri(endpoint.clone()),
            None => ContainerRuntime::Containerd,
        }
    }

    fn check(&self, listing: &Listing) -> Result<(), SettingsError> {
        super::client::check_quorum("sui_rpc_endpoint", &self.sui_rpc_endpoint, self.trust, self.quorum)?;
        let bad = |name, value, expected| {
            let origin = listing.origin(name).cloned().unwrap_or(Origin::Default);
            Err(SettingsError::BadValue { name, origin, value, expected })
        };
        if !self.api_listen.ip().is_loopback() {
            let expected = Phrase::new("an address of loopback: `127.0.0.1:10251`", "루프백 주소: `127.0.0.1:10251`");
            return bad("api_listen", self.api_listen.to_string(), expected);
        }
        if !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&self.token_lifetime) {
            let expected = Phrase::new("1h to 366d", "1h에서 366d 사이");
            return bad("token_lifetime", format_duration(self.token_lifetime), expected);
        }
        if self.stake_amount < self.min_stake_amount {
            let (amount, minimum) = (self.stake_amount, self.min_stake_amount);
            return Err(SettingsError::StakeBelowMinimum { amount, minimum });
        }
        let reason = match (self.container_runtime, &self.cri_endpoint) {
            (RuntimeKind::Containerd, None) | (RuntimeKind::Cri, Some(_)) => return Ok(()),
            (RuntimeKind::Cri, None) => {
                Phrase::new("\"cri\" needs the socket of the runtime", "\"cri\"에는 런타임의 소켓이 필요합니다")
            }
            (RuntimeKind::Containerd, Some(_)) => Phrase::new(
                "the worker's own containerd has its own socket; a socket belongs to \"cri\"",
                "워커의 containerd는 자체 소켓을 씁니다. 소켓은 \"cri\"에만 지정합니다",
            ),
        };
        Err(SettingsError::Conflict { first: "container_runtime", second: "cri_endpoint", reason })
    }
}

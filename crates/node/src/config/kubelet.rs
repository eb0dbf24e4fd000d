use serde_json::json;

use super::{ConfigFile, KUBELET_PORT, Layout, Machine, flag, ports};
use crate::{Plan, ProxyMode};

/// `KubeletConfiguration` (`k8s.io/kubelet/config/v1beta1/types.go`).
pub(super) fn file(plan: &Plan, machine: &Machine, layout: &Layout) -> ConfigFile {
    let content = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",

        // Who may speak to it: clients of the cluster's client authority, and tokens that the API server vouches for; what
        // they may do, the API server says each second anew.
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true, "cacheTTL": "1s"},
            "x509": {"clientCAFile": layout.client_ca()},
        },
        "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "1s", "cacheUnauthorizedTTL": "1s"}},
        "tlsCertFile": plan.kubelet_serving,
        "tlsPrivateKeyFile": plan.kubelet_serving,
        "tlsMinVersion": "VersionTLS13",
        "port": KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": ports::KUBELET_HEALTH,
        "enableProfilingHandler": false,
        "enableDebugFlagsHandler": false,

        // Certificates are replaced in their files by whoever started this node.
        "rotateCertificates": false,
        "serverTLSBootstrap": false,

        // Nodes run what the cluster tells them, nothing else.
        "staticPodPath": "",
        "staticPodURL": "",
        // The master makes Nodes and the API server refuses a node that tries to. A kubelet that is refused takes up the Node that
        // is there and gives it its labels (kubernetes.io/hostname, os, arch) and the annotation that has volumes attached
        // (pkg/kubelet/kubelet_node_status.go, tryRegisterWithAPIServer); without registration it would do neither.
        "registerNode": true,

        "containerRuntimeEndpoint": format!("unix://{}", layout.containerd_socket().display()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": plan.cgroup_root.as_str(),
        "failCgroupV1": false,
        "failSwapOn": false,
        "seccompDefault": true,
        "volumePluginDir": layout.kubelet().join("volume-plugins").as_str(),
        // In nftables mode nothing here needs iptables.
        "makeIPTablesUtilChains": plan.proxy_mode == ProxyMode::Iptables,

        "clusterDNS": [plan.cluster_dns],
        "clusterDomain": plan.cluster_domain.as_str(),
        "resolvConf": machine.resolv_conf,

        // Amounts, not parts: a twentieth of a large disk is nothing to evict pods for, and of a small one too little to live on.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi", "nodefs.inodesFree": "2%", "imagefs.inodesFree": "2%"},
        "evictionMinimumReclaim": {"nodefs.available": "500Mi", "imagefs.available": "500Mi"},
        // The kubelet counts what others have on the same disk: only a full one is a reason to remove images.
        "imageGCHighThresholdPercent": 99,
        "imageGCLowThresholdPercent": 98,
        "serializeImagePulls": false,
        "logging": {"format": "json"},
    });
    ConfigFile { path: layout.file("kubelet.json"), content: content.to_string() }
}

pub(super) fn arguments(plan: &Plan, layout: &Layout) -> Vec<String> {
    vec![
        flag("config", layout.file("kubelet.json").display()),
        flag("kubeconfig", layout.kubelet_kubeconfig().display()),
        flag("hostname-override", plan.name.as_str()),
        flag("node-ip", plan.address),
        flag("root-dir", layout.kubelet()),
        flag("cert-dir", layout.kubelet().join("pki")),
    ]
}

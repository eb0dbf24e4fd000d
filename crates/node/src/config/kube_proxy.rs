use serde_json::json;

use super::{ConfigFile, Layout, flag, ports};
use crate::{Plan, ProxyMode};

/// `KubeProxyConfiguration` (`k8s.io/kube-proxy/config/v1alpha1/types.go`). The node's name is in the file: a flag would have the
/// file's other values win or lose by upstream's rules of the day.
pub(super) fn file(plan: &Plan, layout: &Layout) -> ConfigFile {
    let content = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": layout.kube_proxy_kubeconfig()},
        "hostnameOverride": plan.name.as_str(),
        "mode": match plan.proxy_mode {
            ProxyMode::Nftables => "nftables",
            ProxyMode::Iptables => "iptables",
        },
        "clusterCIDR": plan.cluster_cidr.to_string(),
        "bindAddress": plan.address,
        "healthzBindAddress": format!("127.0.0.1:{}", ports::PROXY_HEALTH),
        "metricsBindAddress": format!("127.0.0.1:{}", ports::PROXY_METRICS),
        "enableProfiling": false,
        // Zero leaves the kernel's own values, which a network namespace may not be able to change.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "logging": {"format": "json"},
    });
    ConfigFile { path: layout.file("kube-proxy.json"), content: content.to_string() }
}

pub(super) fn arguments(layout: &Layout) -> Vec<String> {
    vec![flag("config", layout.file("kube-proxy.json").display())]
}

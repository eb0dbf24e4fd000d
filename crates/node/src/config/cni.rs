use serde_json::json;

use super::{ConfigFile, Layout};
use crate::network::{BRIDGE, POD_MTU};
use crate::{Plan, ProxyMode};

/// How containerd connects a pod: a bridge whose address is the pods' gateway, an address of the node's own range, host ports.
/// What leaves the cluster is masqueraded by [`crate::network`], which knows the cluster's range.
pub(super) fn file(plan: &Plan, layout: &Layout) -> ConfigFile {
    let backend = match plan.proxy_mode {
        ProxyMode::Nftables => "nftables",
        ProxyMode::Iptables => "iptables",
    };
    let content = json!({
        "cniVersion": "1.0.0",
        "name": "daas",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isDefaultGateway": true,
                "forceAddress": true,
                // A pod may reach itself through its own service.
                "hairpinMode": true,
                "mtu": POD_MTU,
                "ipam": {
                    "type": "host-local",
                    "dataDir": layout.cni_addresses(),
                    "ranges": [[{"subnet": plan.pod_cidr.to_string()}]],
                },
            },
            {"type": "portmap", "backend": backend, "capabilities": {"portMappings": true}},
        ],
    });
    ConfigFile { path: layout.cni_configuration().join("10-daas.conflist"), content: content.to_string() }
}

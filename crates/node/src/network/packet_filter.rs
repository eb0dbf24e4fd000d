//! The packet filter of the pod network: a table of its own, replaced as a whole or in one set, always in one transaction.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::peers::Peer;
use super::{BRIDGE, DEVICE, Settings, Tools, VXLAN_PORT};
use crate::config::KUBELET_PORT;
use crate::{ProxyMode, Result, command};

const TABLE: &str = "ip daas";
const LIMIT: Duration = Duration::from_secs(5);

/// Makes the table, in which no other node is known yet. Masquerading never stops: old rules are replaced by new ones at once.
pub(super) async fn make(settings: &Settings) -> Result<()> {
    nft(&settings.tools, "making the packet filter", &table(settings)).await
}

/// Takes packets of these peers, and of nobody else.
pub(super) async fn admit(settings: &Settings, peers: &BTreeSet<Peer>) -> Result<()> {
    nft(&settings.tools, "admitting nodes", &set(peers)).await
}

/// Removes the tables: this crate's, kube-proxy's and the port mappings'.
pub(super) async fn remove(tools: &Tools, mode: ProxyMode) {
    let mut tables = vec![TABLE];
    if mode == ProxyMode::Nftables {
        // kube-proxy's (`pkg/proxy/nftables`) and the plugin's for host ports (`plugins/meta/portmap`).
        tables.extend(["ip kube-proxy", "ip6 kube-proxy", "ip cni_hostport", "ip6 cni_hostport"]);
    }
    for table in tables {
        // It may never have been there.
        let _ = nft(tools, "removing a table", &format!("delete table {table}\n")).await;
    }
}

fn table(settings: &Settings) -> String {
    let Settings { pod_cidr, cluster_cidr, .. } = settings;
    format!(
        "add table {TABLE}
delete table {TABLE}
table {TABLE} {{
  set nodes {{
    type ipv4_addr
  }}
  chain from_outside {{
    type filter hook input priority filter - 5; policy accept;
    udp dport {VXLAN_PORT} ip saddr != @nodes drop
    tcp dport {KUBELET_PORT} fib saddr type != local iifname != \"{BRIDGE}\" ip saddr != {cluster_cidr} ip saddr != @nodes drop
    iifname \"{DEVICE}\" ip saddr != {cluster_cidr} drop
  }}
  chain through {{
    type filter hook forward priority filter - 5; policy accept;
    iifname \"{DEVICE}\" ip saddr {pod_cidr} drop
    iifname \"{DEVICE}\" ip saddr != {cluster_cidr} drop
    iifname \"{BRIDGE}\" ip saddr != {pod_cidr} drop
  }}
  chain leaving {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {pod_cidr} ip daddr != {cluster_cidr} ip daddr != 224.0.0.0/4 oifname != \"{BRIDGE}\" masquerade
  }}
}}
"
    )
}

fn set(peers: &BTreeSet<Peer>) -> String {
    let mut text = format!("flush set {TABLE} nodes\n");
    if !peers.is_empty() {
        let addresses: Vec<_> = peers.iter().map(|peer| Ipv4Addr::to_string(&peer.address)).collect();
        let _ = writeln!(text, "add element {TABLE} nodes {{ {} }}", addresses.join(", "));
    }
    text
}

async fn nft(tools: &Tools, doing: &str, rules: &str) -> Result<()> {
    command::run(doing, &tools.nft, &["-f", "-"], rules, LIMIT).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::peers::tests::settings;
    use super::*;

    #[test]
    fn the_table_names_this_nodes_ranges() {
        insta::assert_snapshot!(table(&settings()));
    }

    #[test]
    fn the_set_is_replaced_in_one_transaction() {
        let peer = |last: u8| Peer {
            range: format!("10.42.{last}.0/24").parse().unwrap(),
            address: [172, 30, 0, last].into(),
        };
        let text = set(&[peer(12), peer(13)].into());
        assert_eq!(text, "flush set ip daas nodes\nadd element ip daas nodes { 172.30.0.12, 172.30.0.13 }\n");
        assert_eq!(set(&BTreeSet::new()), "flush set ip daas nodes\n");
    }
}

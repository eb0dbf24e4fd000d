//! Which other nodes there are, from Node objects; and what must change for the kernel to know the same. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::Ipv4Addr;

use serde::Deserialize;

use super::{DEVICE, Settings};
use crate::value::Cidr;

/// The parts of a Node that matter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct NodeObject {
    pub(super) metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) resource_version: String,
    #[serde(default)]
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Spec {
    #[serde(default, rename = "podCIDR")]
    pod_cidr: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Status {
    #[serde(default)]
    addresses: Vec<Address>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

/// What is kept of a Node: its range and address as they were given, if they can be read and it is not being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    range: Option<Cidr>,
    address: Option<Ipv4Addr>,
}

impl From<&NodeObject> for Record {
    fn from(node: &NodeObject) -> Self {
        // Deleted, and held by a finalizer alone: nobody's traffic goes there any more.
        if node.metadata.deletion_timestamp.is_some() {
            return Self { range: None, address: None };
        }
        let mut internal = node.status.addresses.iter().filter(|address| address.kind == "InternalIP");
        Self {
            range: node.spec.pod_cidr.parse().ok(),
            address: internal.find_map(|address| address.address.parse().ok()),
        }
    }
}

/// Another node: pods of its range are behind its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Peer {
    pub(super) range: Cidr,
    pub(super) address: Ipv4Addr,
}

/// The peers among the Nodes. A Node that claims what is not a node's to claim is left out; of two that claim the same, the first by name stays.
pub(super) fn peers(settings: &Settings, nodes: &BTreeMap<String, Record>) -> BTreeSet<Peer> {
    let mut peers: BTreeSet<Peer> = BTreeSet::new();
    let mut addresses = BTreeSet::from([settings.address]);
    let mut ranges = BTreeMap::from([(settings.pod_cidr.network(), settings.pod_cidr)]);
    for (name, record) in nodes {
        let Record { range: Some(range), address: Some(address) } = *record else { continue };
        if name == settings.name.as_str() {
            continue;
        }
        let outside = !settings.cluster_cidr.contains(address) && !settings.service_cidr.contains(address);
        let of_a_host = !address.is_loopback()
            && !address.is_multicast()
            && !address.is_unspecified()
            && !address.is_broadcast()
            && !address.is_link_local();
        // Ranges that overlap are neighbours when sorted by their first address, or one holds the other's first.
        let before = ranges.range(..=range.network()).next_back();
        let after = ranges.range(range.network()..).next();
        let taken = [before, after].into_iter().flatten().any(|(_, other)| other.overlaps(&range));
        if !outside || !of_a_host || !settings.cluster_cidr.holds(&range) || taken || addresses.contains(&address) {
            tracing::warn!(node = %name, %range, %address, "a Node claims what is not its own; its pods are not reached");
            continue;
        }
        addresses.insert(address);
        ranges.insert(range.network(), range);
        peers.insert(Peer { range, address });
    }
    peers
}

/// The hardware address of a node's VXLAN device follows from the node's address, so that nobody has to tell it: locally administered,
/// unicast (IEEE 802 §8.4).
pub(super) fn hardware_address(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:da:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// The kernel's tables about the device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tables {
    /// Ranges that are routed to the device.
    pub(super) routes: BTreeSet<Cidr>,
    /// Gateways and the hardware addresses they have.
    pub(super) neighbours: BTreeSet<(Ipv4Addr, String)>,
    /// Hardware addresses and the nodes they are behind.
    pub(super) forwarding: BTreeSet<(String, Ipv4Addr)>,
}

impl Tables {
    /// What they must hold. A peer's gateway is the first address of its range: its device has it.
    pub(super) fn of(peers: &BTreeSet<Peer>) -> Self {
        Self {
            routes: peers.iter().map(|peer| peer.range).collect(),
            neighbours: peers.iter().map(|peer| (peer.range.network(), hardware_address(peer.address))).collect(),
            forwarding: peers.iter().map(|peer| (hardware_address(peer.address), peer.address)).collect(),
        }
    }

    /// Commands of `ip -batch` and `bridge -batch` that make these out of `now`.
    pub(super) fn changes_from(&self, now: &Self) -> (String, String) {
        let (mut ip, mut bridge) = (String::new(), String::new());
        for range in now.routes.difference(&self.routes) {
            let _ = writeln!(ip, "route del {range} dev {DEVICE}");
        }
        for (gateway, _) in now.neighbours.difference(&self.neighbours) {
            // One whose hardware address changes is replaced below.
            if !self.neighbours.iter().any(|(wanted, _)| wanted == gateway) {
                let _ = writeln!(ip, "neigh del {gateway} dev {DEVICE}");
            }
        }
        for (hardware, node) in now.forwarding.difference(&self.forwarding) {
            let _ = writeln!(bridge, "fdb del {hardware} dev {DEVICE} dst {node}");
        }
        for (hardware, node) in self.forwarding.difference(&now.forwarding) {
            let _ = writeln!(bridge, "fdb append {hardware} dev {DEVICE} dst {node} self permanent");
        }
        for (gateway, hardware) in self.neighbours.difference(&now.neighbours) {
            let _ = writeln!(ip, "neigh replace {gateway} lladdr {hardware} dev {DEVICE} nud permanent");
        }
        for range in self.routes.difference(&now.routes) {
            let _ = writeln!(ip, "route replace {range} via {} dev {DEVICE} onlink", range.network());
        }
        (ip, bridge)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::network::Tools;

    pub(crate) fn settings() -> Settings {
        Settings {
            name: "w1".parse().unwrap(),
            address: [172, 30, 0, 11].into(),
            pod_cidr: "10.42.1.0/24".parse().unwrap(),
            cluster_cidr: "10.42.0.0/16".parse().unwrap(),
            service_cidr: "10.43.0.0/16".parse().unwrap(),
            api: ([127, 0, 0, 1], 6443).into(),
            server_ca: String::new(),
            certificate: PathBuf::new(),
            tools: Tools { ip: "/ip".into(), bridge: "/bridge".into(), nft: "/nft".into() },
        }
    }

    fn found(nodes: &[(&str, &str, &str)]) -> Vec<String> {
        let nodes = nodes.iter().map(|(name, range, address)| {
            let json = serde_json::json!({
                "metadata": {"name": name}, "spec": {"podCIDR": range},
                "status": {"addresses": [{"type": "Hostname", "address": "9.9.9.9"}, {"type": "InternalIP", "address": address}]},
            });
            let node: NodeObject = serde_json::from_value(json).unwrap();
            (node.metadata.name.clone(), Record::from(&node))
        });
        let peers = peers(&settings(), &nodes.collect());
        peers.iter().map(|peer| format!("{} {}", peer.range, peer.address)).collect()
    }

    #[test]
    fn other_nodes_are_peers_and_this_one_is_not() {
        let nodes = [("w1", "10.42.1.0/24", "172.30.0.11"), ("w2", "10.42.2.0/24", "172.30.0.12")];
        assert_eq!(found(&nodes), ["10.42.2.0/24 172.30.0.12"]);
        // A Node without range, address or status is not reached yet.
        assert_eq!(found(&[("w2", "", "172.30.0.12"), ("w3", "10.42.3.0/24", "")]), [""; 0]);
        let bare: NodeObject = serde_json::from_str(r#"{"metadata":{"name":"w4"}}"#).unwrap();
        assert_eq!(Record::from(&bare), Record { range: None, address: None });
    }

    #[test]
    fn a_node_that_is_being_deleted_is_no_peer() {
        let mut node = serde_json::json!({
            "metadata": {"name": "w2"}, "spec": {"podCIDR": "10.42.2.0/24"},
            "status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.12"}]},
        });
        let peers = |node: &serde_json::Value| {
            let node: NodeObject = serde_json::from_value(node.clone()).unwrap();
            peers(&settings(), &BTreeMap::from([("w2".to_owned(), Record::from(&node))])).len()
        };
        assert_eq!(peers(&node), 1);
        node["metadata"]["finalizers"] = serde_json::json!(["example.com/stay"]);
        node["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert_eq!(peers(&node), 0);
    }

    #[test]
    fn what_is_not_a_nodes_to_claim_is_left_out() {
        for (range, address) in [
            ("10.42.1.0/25", "172.30.0.12"), // this node's pods
            ("10.42.0.0/16", "172.30.0.12"), // everybody's pods
            ("10.43.0.0/24", "172.30.0.12"), // services
            ("0.0.0.0/0", "172.30.0.12"),
            ("10.42.2.0/24", "172.30.0.11"), // this node
            ("10.42.2.0/24", "127.0.0.1"),
            ("10.42.2.0/24", "0.0.0.0"),
            ("10.42.2.0/24", "224.0.0.1"),
            ("10.42.2.0/24", "255.255.255.255"),
            ("10.42.2.0/24", "169.254.169.254"),
            ("10.42.2.0/24", "10.42.3.1"), // a pod
            ("10.42.2.0/24", "10.43.0.1"), // a service
            ("10.42.2.0/24", "fd00::1"),
        ] {
            assert_eq!(found(&[("w2", range, address)]), [""; 0], "{range} {address}");
        }
    }

    #[test]
    fn of_two_that_claim_the_same_the_first_by_name_stays() {
        let nodes = [
            ("w4", "10.42.2.128/25", "172.30.0.14"),
            ("w2", "10.42.2.0/24", "172.30.0.12"),
            ("w3", "10.42.3.0/24", "172.30.0.12"),
        ];
        assert_eq!(found(&nodes), ["10.42.2.0/24 172.30.0.12"]);
    }

    #[test]
    fn changes_lead_from_what_is_to_what_shall_be() {
        let peer = |third: u8, last: u8| Peer {
            range: format!("10.42.{third}.0/24").parse().unwrap(),
            address: [172, 30, 0, last].into(),
        };
        let now = Tables::of(&BTreeSet::from([peer(2, 12), peer(3, 13)]));
        let wanted = Tables::of(&BTreeSet::from([peer(2, 22), peer(4, 14)]));
        let (ip, bridge) = wanted.changes_from(&now);
        insta::assert_snapshot!(format!("{ip}--\n{bridge}"), @r"
        route del 10.42.3.0/24 dev daas.1
        neigh del 10.42.3.0 dev daas.1
        neigh replace 10.42.2.0 lladdr 02:da:ac:1e:00:16 dev daas.1 nud permanent
        neigh replace 10.42.4.0 lladdr 02:da:ac:1e:00:0e dev daas.1 nud permanent
        route replace 10.42.4.0/24 via 10.42.4.0 dev daas.1 onlink
        --
        fdb del 02:da:ac:1e:00:0c dev daas.1 dst 172.30.0.12
        fdb del 02:da:ac:1e:00:0d dev daas.1 dst 172.30.0.13
        fdb append 02:da:ac:1e:00:0e dev daas.1 dst 172.30.0.14 self permanent
        fdb append 02:da:ac:1e:00:16 dev daas.1 dst 172.30.0.22 self permanent
        ");
        assert_eq!(wanted.changes_from(&wanted), (String::new(), String::new()));
    }

    proptest! {
        /// Whatever Nodes claim, peers have addresses and ranges of their own, and none of them is this node's.
        #[test]
        fn peers_never_collide(claims in prop::collection::vec((0_u8..8, 20_u8..=30, 0_u8..6), 0..12)) {
            let nodes = claims.iter().enumerate().map(|(number, (third, prefix, last))| {
                let network = u32::from(Ipv4Addr::new(10, 42, *third, 0)) & (u32::MAX << (32 - prefix));
                let range = format!("{}/{prefix}", Ipv4Addr::from(network)).parse().ok();
                (format!("n{number}"), Record { range, address: Some([172, 30, 0, 10 + last].into()) })
            });
            let settings = settings();
            let peers: Vec<_> = peers(&settings, &nodes.collect()).into_iter().collect();
            for (number, one) in peers.iter().enumerate() {
                prop_assert!(!one.range.overlaps(&settings.pod_cidr) && one.address != settings.address);
                for other in &peers[number + 1..] {
                    prop_assert!(!one.range.overlaps(&other.range) && one.address != other.address);
                }
            }
        }
    }
}

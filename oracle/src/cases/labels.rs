use super::{Case, case};
use crate::stage::{ALICE, SUI};
use crate::transaction::pure;

const M: &str = "labels";

macro_rules! node {
    ($name:expr, $expected:expr, $node_id:expr) => {
        case(M, $name, $expected, |s| {
            let cluster = s.cluster();
            s.stake_for_node(&cluster, ALICE, &$node_id, SUI)
        })
    };
}

macro_rules! endpoints {
    ($name:expr, $expected:expr, $api:expr, $join:expr, $master:expr) => {
        case(M, $name, $expected, |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "set_endpoints", [$api, $join, $master].map(pure))
        })
    };
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        node!("a node id is a DNS label", "ok", "rack-7-node-01"),
        node!("the longest node id has 54 characters", "ok", "a".repeat(54)),
        node!("a node id is not longer", "abort labels 1", "a".repeat(55)),
        node!("a node id is not empty", "abort labels 1", ""),
        node!("a node id has no upper case", "abort labels 2", "Node"),
        node!("a node id has no dot", "abort labels 2", "node.example"),
        node!("a node id does not begin with a dash", "abort labels 3", "-node"),
        node!("a node id does not end with a dash", "abort labels 3", "node-"),
        node!("a node id is not an address", "abort labels 4", "10-0-0-1"),
        node!("a node id is not localhost", "abort labels 5", "localhost"),
        endpoints!("endpoints are set", "ok", "api.example:1", "[::1]:65535", "10.0.0.1:9345"),
        endpoints!("an endpoint may be missing", "ok", "", "", ""),
        endpoints!("an endpoint has a port", "abort labels 8", "api.example", "", ""),
        endpoints!("an endpoint has a host", "abort labels 8", "", ":443", ""),
        endpoints!("port 0 is none", "abort labels 8", "", "", "host:0"),
        endpoints!("a port has 16 bits", "abort labels 8", "host:65536", "", ""),
        endpoints!("a port is a number", "abort labels 8", "host:44a", "", ""),
        endpoints!("a host has no space", "abort labels 8", "my host:443", "", ""),
        case(M, "a text has no control character", "abort labels 7", |s| s.new_cluster("fleet\n")),
    ]
}

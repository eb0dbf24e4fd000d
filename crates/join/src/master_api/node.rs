//! What a worker says, and is told.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use daas_seal_token::NodeName;
use serde::{Deserialize, Serialize};

use super::wire::text;
use crate::Network;

/// `POST /api/v1/register-worker`: a worker asks for its Node. Asking again changes nothing but the address and the resources.
///
/// ```
/// let request: daas_join::master_api::RegisterWorker = serde_json::from_str(r#"{
///     "node_name": "worker-1-0a1b2c3d", "address": "172.30.0.11", "timestamp_ms": 1763760000000,
///     "resources": {"cpu_millis": 2000, "memory_bytes": 4294967296}
/// }"#)?;
/// assert_eq!(request.node_name.as_str(), "worker-1-0a1b2c3d");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterWorker {
    /// Its name on chain.
    #[serde(with = "text")]
    pub node_name: NodeName,
    /// Where other workers reach it.
    #[serde(with = "text")]
    pub address: NodeAddress,
    /// When the request was made, Unix time in milliseconds ([`super::is_timely`]).
    pub timestamp_ms: u64,
    /// What the machine has.
    pub resources: NodeResources,
}

/// The answer: the Node exists, and the gateway knows the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredWorker {
    /// The Node's name.
    #[serde(with = "text")]
    pub node_name: NodeName,
    /// The addresses of its pods.
    #[serde(with = "text")]
    pub pod_cidr: Network,
    /// The cluster's name server.
    pub cluster_dns: IpAddr,
    /// The cluster's domain.
    pub cluster_domain: String,
    /// The addresses of all pods.
    #[serde(with = "text")]
    pub cluster_cidr: Network,
    /// The addresses of services.
    #[serde(with = "text")]
    pub service_cidr: Network,
    /// Port of kube-apiserver.
    pub api_port: u16,
    /// Port of the join gateway.
    pub join_port: u16,
    /// How often to say that it is there.
    pub heartbeat_seconds: u32,
}

/// `POST /api/v1/nodes/heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Its name on chain.
    #[serde(with = "text")]
    pub node_name: NodeName,
    /// When the heartbeat was made: later than any before it.
    pub timestamp_ms: u64,
    /// How it does.
    pub status: NodeStatus,
    /// How much of the machine is in use.
    pub resources: ResourceUse,
    /// Pods that run on it.
    pub running_pods: u32,
}

/// The answer: the stake is good, the heartbeat counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// Always true; a heartbeat that does not count is answered with an error.
    pub accepted: bool,
    /// How often to come again.
    pub heartbeat_seconds: u32,
}

/// What a worker says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Takes pods.
    Ready,
    /// Does not, for now.
    NotReady,
    /// Is on its way out.
    Draining,
}

/// Why a value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// An address that no worker has for others.
    #[error("a node's address is one that other nodes reach: no loopback, link-local, multicast or unspecified one")]
    Address,
    /// Nothing, or more than any machine has.
    #[error(
        "cpu_millis is 1 to {}, memory_bytes 1 to {}",
        NodeResources::MAX_CPU_MILLIS,
        NodeResources::MAX_MEMORY_BYTES
    )]
    Resources,
    /// Not 0 to 100.
    #[error("a percentage is a whole number from 0 to 100")]
    Percent,
}

/// An address that other nodes can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeAddress(IpAddr);

impl NodeAddress {
    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

impl TryFrom<IpAddr> for NodeAddress {
    type Error = ValueError;

    fn try_from(address: IpAddr) -> Result<Self, ValueError> {
        let nobody = address.is_loopback() || address.is_unspecified() || address.is_multicast();
        let local = match address {
            IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_unicast_link_local() || has_an_ipv4_spelling(address),
        };
        if nobody || local { Err(ValueError::Address) } else { Ok(Self(address)) }
    }
}

/// One address has one spelling: `::ffff:192.0.2.1` is none.
fn has_an_ipv4_spelling(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

impl FromStr for NodeAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.parse::<IpAddr>().map_err(|_| ValueError::Address)?.try_into()
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawResources")]
pub struct NodeResources {
    cpu_millis: u32,
    memory_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResources {
    cpu_millis: u32,
    memory_bytes: u64,
}

impl NodeResources {
    /// 4 096 processors.
    pub const MAX_CPU_MILLIS: u32 = 4_096_000;
    /// 64 TiB.
    pub const MAX_MEMORY_BYTES: u64 = 1 << 46;

    /// Thousandths of a processor, and bytes.
    pub fn new(cpu_millis: u32, memory_bytes: u64) -> Result<Self, ValueError> {
        let possible =
            (1..=Self::MAX_CPU_MILLIS).contains(&cpu_millis) && (1..=Self::MAX_MEMORY_BYTES).contains(&memory_bytes);
        if possible { Ok(Self { cpu_millis, memory_bytes }) } else { Err(ValueError::Resources) }
    }

    /// Thousandths of a processor.
    pub const fn cpu_millis(self) -> u32 {
        self.cpu_millis
    }

    /// Bytes of memory.
    pub const fn memory_bytes(self) -> u64 {
        self.memory_bytes
    }
}

impl TryFrom<RawResources> for NodeResources {
    type Error = ValueError;

    fn try_from(raw: RawResources) -> Result<Self, ValueError> {
        Self::new(raw.cpu_millis, raw.memory_bytes)
    }
}

/// How much of a machine is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceUse {
    /// Of the processors.
    pub cpu_percent: Percent,
    /// Of the memory.
    pub memory_percent: Percent,
    /// Of the disk that pods write to.
    pub disk_percent: Percent,
}

/// 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// `part` of `whole`, rounded down; nothing of nothing is 0, and more than all is 100.
    pub fn of(part: u64, whole: u64) -> Self {
        let percent = u128::from(part) * 100 / u128::from(whole.max(1));
        Self(u8::try_from(percent.min(100)).unwrap_or(100))
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = ValueError;

    fn try_from(value: u8) -> Result<Self, ValueError> {
        if value <= 100 { Ok(Self(value)) } else { Err(ValueError::Percent) }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn registration() -> Value {
        json!({
            "node_name": "worker-1-0a1b2c3d", "address": "172.30.0.11", "timestamp_ms": 1_763_760_000_000_u64,
            "resources": {"cpu_millis": 2000, "memory_bytes": 4_294_967_296_u64},
        })
    }

    fn heartbeat() -> Value {
        json!({
            "node_name": "worker-1-0a1b2c3d", "timestamp_ms": 5, "status": "not_ready", "running_pods": 3,
            "resources": {"cpu_percent": 1, "memory_percent": 0, "disk_percent": 100},
        })
    }

    #[test]
    fn requests_are_written_as_they_are_read() {
        let request: RegisterWorker = serde_json::from_value(registration()).unwrap();
        assert_eq!(request.resources, NodeResources::new(2000, 4 << 30).unwrap());
        assert_eq!(serde_json::to_value(&request).unwrap(), registration());
        let beat: Heartbeat = serde_json::from_value(heartbeat()).unwrap();
        assert_eq!(beat.status, NodeStatus::NotReady);
        assert_eq!(serde_json::to_value(&beat).unwrap(), heartbeat());
    }

    #[test]
    fn a_registration_with_a_value_that_nobody_has_is_refused() {
        for (place, value) in [
            ("/node_name", json!("10.42.3.7")),
            ("/node_name", json!("worker-1")),
            ("/node_name", json!("Worker-1-0a1b2c3d")),
            ("/address", json!("127.0.0.1")),
            ("/address", json!("::1")),
            ("/address", json!("0.0.0.0")),
            ("/address", json!("169.254.169.254")),
            ("/address", json!("fe80::1")),
            ("/address", json!("224.0.0.1")),
            ("/address", json!("255.255.255.255")),
            ("/address", json!("::ffff:172.30.0.11")),
            ("/address", json!("host.example")),
            ("/timestamp_ms", json!(-1)),
            ("/timestamp_ms", json!("5")),
            ("/resources/cpu_millis", json!(0)),
            ("/resources/cpu_millis", json!(NodeResources::MAX_CPU_MILLIS + 1)),
            ("/resources/memory_bytes", json!(0)),
            ("/resources/memory_bytes", json!(NodeResources::MAX_MEMORY_BYTES + 1)),
        ] {
            let mut request = registration();
            *request.pointer_mut(place).unwrap() = value.clone();
            assert!(serde_json::from_value::<RegisterWorker>(request).is_err(), "{place} = {value}");
        }
    }

    #[test]
    fn requests_with_other_fields_are_refused() {
        for place in ["", "/resources"] {
            for request in [registration(), heartbeat()] {
                let mut request = request;
                request.pointer_mut(place).unwrap()["labels"] = json!({"a": "b"});
                assert!(serde_json::from_value::<RegisterWorker>(request.clone()).is_err(), "{request}");
                assert!(serde_json::from_value::<Heartbeat>(request.clone()).is_err(), "{request}");
            }
        }
    }

    #[test]
    fn a_share_is_a_percentage() {
        for (part, whole, percent) in
            [(0, 0, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100), (u64::MAX, u64::MAX, 100), (1, u64::MAX, 0)]
        {
            assert_eq!(Percent::of(part, whole).get(), percent, "{part}/{whole}");
        }
        assert_eq!(Percent::try_from(101), Err(ValueError::Percent));
        assert!(serde_json::from_value::<Percent>(json!(12.5)).is_err());
    }

    #[test]
    fn networks_of_the_answer_are_written_with_a_slash() {
        let answer = RegisteredWorker {
            node_name: "worker-1-0a1b2c3d".parse().unwrap(),
            pod_cidr: "10.42.1.0/24".parse().unwrap(),
            cluster_dns: "10.43.0.10".parse().unwrap(),
            cluster_domain: "cluster.local".into(),
            cluster_cidr: "10.42.0.0/16".parse().unwrap(),
            service_cidr: "10.43.0.0/16".parse().unwrap(),
            api_port: 6443,
            join_port: 9345,
            heartbeat_seconds: 30,
        };
        let mut json = serde_json::to_value(&answer).unwrap();
        assert_eq!((&json["pod_cidr"], &json["cluster_dns"]), (&json!("10.42.1.0/24"), &json!("10.43.0.10")));
        json["new"] = json!("answers may grow");
        assert_eq!(serde_json::from_value::<RegisteredWorker>(json).unwrap(), answer);
    }
}

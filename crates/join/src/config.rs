//! The configuration document of `GET /v1-k3s/config`.
//!
//! Fields and spelling are those of k3s' `config.Control` (`pkg/daemons/config/types.go`) that an agent reads
//! (`pkg/agent/config/config.go`); Go's `net.IPNet` is `{"IP": text, "Mask": base64}`.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The document is never longer than this.
const MAX_BYTES: usize = 16 * 1024;

/// What an agent must know of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the document's own fields")]
pub struct AgentConfig {
    /// Pod addresses.
    #[serde(rename = "ClusterIPRange")]
    pub cluster_range: Network,
    /// Service addresses.
    #[serde(rename = "ServiceIPRange")]
    pub service_range: Network,
    /// The cluster's name server.
    #[serde(rename = "ClusterDNS")]
    pub cluster_dns: IpAddr,
    /// The cluster's domain.
    pub cluster_domain: String,
    /// Port of kube-apiserver.
    #[serde(rename = "HTTPSPort")]
    pub https_port: u16,
    /// Port of the join gateway.
    pub supervisor_port: u16,
    /// `none`: the worker's own pod network is not flannel.
    pub flannel_backend: String,
    /// `cluster`: pods and kubelets are reached through the tunnel.
    pub egress_selector_mode: String,
    /// No network-policy controller.
    #[serde(rename = "DisableNPC")]
    pub disable_network_policy: bool,
    /// No cloud controller.
    #[serde(rename = "DisableCCM")]
    pub disable_cloud_controller: bool,
    /// No service load balancer.
    #[serde(rename = "DisableServiceLB")]
    pub disable_service_lb: bool,
    /// Workers run kube-proxy.
    pub disable_kube_proxy: bool,
}

impl AgentConfig {
    /// k3s' defaults for a cluster whose API is on `https_port` and whose join gateway is on `supervisor_port`.
    pub fn new(https_port: u16, supervisor_port: u16) -> Self {
        let network = |address: [u8; 4]| Network { address: IpAddr::V4(Ipv4Addr::from(address)), prefix: 16 };
        Self {
            cluster_range: network([10, 42, 0, 0]),
            service_range: network([10, 43, 0, 0]),
            cluster_dns: IpAddr::V4(Ipv4Addr::new(10, 43, 0, 10)),
            cluster_domain: "cluster.local".to_owned(),
            https_port,
            supervisor_port,
            flannel_backend: "none".to_owned(),
            egress_selector_mode: "cluster".to_owned(),
            disable_network_policy: true,
            disable_cloud_controller: true,
            disable_service_lb: true,
            disable_kube_proxy: false,
        }
    }

    /// Reads the document.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_BYTES {
            return Err(Error::Config(format!("it is longer than {MAX_BYTES} bytes")));
        }
        serde_json::from_slice(json).map_err(|error| Error::Config(error.to_string()))
    }

    /// The document.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Config(error.to_string()))
    }
}

/// A network: `10.42.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "GoNetwork", into = "GoNetwork")]
pub struct Network {
    /// Its first address.
    pub address: IpAddr,
    /// Bits that all its addresses share.
    pub prefix: u8,
}

impl Network {
    /// Whether an address is inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same(u32::from(network).into(), u32::from(address).into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => same(network.into(), address.into(), 128, self.prefix),
            _ => false,
        }
    }

    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        let network = Self { address, prefix };
        (prefix <= width && network.first() == address).then_some(network)
    }

    fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => IpAddr::V4((u32::from(address) & mask4(self.prefix)).into()),
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) & mask6(self.prefix)).into()),
        }
    }
}

/// Reads `10.42.0.0/16`; host bits must be zero.
impl std::str::FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Config("a network is an address, a slash and a prefix length".to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(refused)?;
        let prefix = prefix.parse().map_err(|_| refused())?;
        Self::new(address.parse().map_err(|_| refused())?, prefix).ok_or_else(refused)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[derive(Serialize, Deserialize)]
struct GoNetwork {
    #[serde(rename = "IP")]
    address: IpAddr,
    #[serde(rename = "Mask")]
    mask: String,
}

impl From<Network> for GoNetwork {
    fn from(network: Network) -> Self {
        let mask = match network.address {
            IpAddr::V4(_) => BASE64.encode(mask4(network.prefix).to_be_bytes()),
            IpAddr::V6(_) => BASE64.encode(mask6(network.prefix).to_be_bytes()),
        };
        Self { address: network.address, mask }
    }
}

impl TryFrom<GoNetwork> for Network {
    type Error = &'static str;

    fn try_from(network: GoNetwork) -> Result<Self, Self::Error> {
        const REFUSED: &str = "a network's mask does not fit its address";
        let mask = BASE64.decode(network.mask).map_err(|_| REFUSED)?;
        let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
        let prefix = u8::try_from(ones).map_err(|_| REFUSED)?;
        let read = Self::new(network.address, prefix).ok_or(REFUSED)?;
        let same = GoNetwork::from(read).mask == BASE64.encode(mask);
        if same { Ok(read) } else { Err(REFUSED) }
    }
}

fn same(a: u128, b: u128, width: u32, prefix: u8) -> bool {
    let shift = width.saturating_sub(u32::from(prefix));
    a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go: `json.Marshal(&net.IPNet{IP: net.ParseIP("10.42.0.0"), Mask: net.CIDRMask(16, 32)})` is
    /// `{"IP":"10.42.0.0","Mask":"//8AAA=="}`.
    #[test]
    fn networks_are_written_as_go_writes_them() {
        let json = AgentConfig::new(6443, 9345).to_json().unwrap();
        assert!(json.contains(r#""ClusterIPRange":{"IP":"10.42.0.0","Mask":"//8AAA=="}"#), "{json}");
        assert!(json.contains(r#""ServiceIPRange":{"IP":"10.43.0.0","Mask":"//8AAA=="}"#), "{json}");
        for field in
            [r#""ClusterDNS":"10.43.0.10""#, r#""HTTPSPort":6443"#, r#""SupervisorPort":9345"#, r#""DisableNPC":true"#]
        {
            assert!(json.contains(field), "{field} in {json}");
        }
        assert_eq!(AgentConfig::parse(json.as_bytes()), Ok(AgentConfig::new(6443, 9345)));
    }

    #[test]
    fn networks_with_host_bits_or_broken_masks_are_refused() {
        for text in ["10.42.0.1/16", "10.42.0.0/33", "10.42.0.0", "10.42.0.0/", "fd00::/129", "::1/64"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let json = AgentConfig::new(1, 2).to_json().unwrap();
        for mask in ["/wD/AA==", "//8=", "", "?"] {
            assert!(AgentConfig::parse(json.replacen("//8AAA==", mask, 1).as_bytes()).is_err(), "{mask}");
        }
        assert!(AgentConfig::parse(&vec![b' '; MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        let network: Network = "10.42.3.0/24".parse().unwrap();
        for (address, inside) in
            [("10.42.3.0", true), ("10.42.3.255", true), ("10.42.4.0", false), ("::ffff:10.42.3.1", false)]
        {
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("255.1.2.3".parse().unwrap()));
        assert!("fd00::/64".parse::<Network>().unwrap().contains("fd00::1".parse().unwrap()));
        assert!(!"fd00::/64".parse::<Network>().unwrap().contains("fd00:0:0:1::1".parse().unwrap()));
    }
}

//! What the control plane may reach on this machine: the kubelet and this node's own pods.

use std::net::{IpAddr, SocketAddr};

use daas_join::Network;

/// Where kubelets serve.
pub const KUBELET_PORT: u16 = 10250;

/// The addresses that a tunnel may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Where this node's kubelet is; asked for as `127.0.0.1:10250` (k3s) or by the node's own address.
    kubelet: SocketAddr,
    pods: Network,
}

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not `tcp`.
    #[error("only tcp is dialled")]
    Protocol,
    /// Names are not looked up.
    #[error("not an address and a port")]
    Form,
    /// Neither the kubelet nor a pod of this node.
    #[error("neither this node's kubelet nor one of its pods")]
    Address,
}

impl Rules {
    /// For a node with this address and these pods.
    pub fn new(address: IpAddr, pods: Network) -> Self {
        Self { kubelet: SocketAddr::new(address, KUBELET_PORT), pods }
    }

    /// The same with a kubelet elsewhere.
    #[cfg(test)]
    pub(super) fn with_kubelet(self, kubelet: SocketAddr) -> Self {
        Self { kubelet, ..self }
    }

    /// Where to dial for what was asked.
    pub fn target(&self, protocol: &str, address: &str) -> Result<SocketAddr, Forbidden> {
        if protocol != "tcp" {
            return Err(Forbidden::Protocol);
        }
        let wanted: SocketAddr = address.parse().map_err(|_| Forbidden::Form)?;
        let is_own = wanted.ip() == self.kubelet.ip() || wanted.ip() == IpAddr::from([127, 0, 0, 1]);
        if is_own && wanted.port() == KUBELET_PORT {
            return Ok(self.kubelet);
        }
        if wanted.port() != 0 && self.is_pod(wanted.ip()) { Ok(wanted) } else { Err(Forbidden::Address) }
    }

    /// The first address names the network, the second is the bridge's, thus the machine itself, the last is everybody's.
    fn is_pod(&self, address: IpAddr) -> bool {
        let offset = match (self.pods.address, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let size = 1_u128 << (32 - u32::from(self.pods.prefix.min(32)));
                u128::from(u32::from(address)).checked_sub(u32::from(first).into()).map(|offset| (offset, size))
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let size = u128::MAX.checked_shr(self.pods.prefix.into()).unwrap_or(0).saturating_add(1);
                u128::from(address).checked_sub(first.into()).map(|offset| (offset, size))
            }
            _ => None,
        };
        offset.is_some_and(|(offset, size)| offset > 1 && offset < size.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::new("172.30.0.11".parse().unwrap(), "10.42.1.0/24".parse().unwrap())
    }

    #[test]
    fn the_kubelet_and_this_nodes_pods_are_dialled() {
        let kubelet: SocketAddr = "172.30.0.11:10250".parse().unwrap();
        assert_eq!(rules().target("tcp", "127.0.0.1:10250"), Ok(kubelet));
        assert_eq!(rules().target("tcp", "172.30.0.11:10250"), Ok(kubelet));
        for pod in ["10.42.1.2:80", "10.42.1.254:65535"] {
            assert_eq!(rules().target("tcp", pod), Ok(pod.parse().unwrap()), "{pod}");
        }
        let six = Rules::new("2001:db8::1".parse().unwrap(), "fd00:1::/64".parse().unwrap());
        assert!(six.target("tcp", "[fd00:1::2]:80").is_ok());
        assert!(six.target("tcp", "[fd00:2::2]:80").is_err());
    }

    #[test]
    fn nothing_else_is() {
        for address in [
            // This machine.
            "127.0.0.1:22",
            "127.0.0.1:6443",
            "127.0.0.1:10251",
            "127.0.0.2:10250",
            "172.30.0.11:22",
            "172.30.0.11:10249",
            "0.0.0.0:10250",
            "[::1]:10250",
            "[::ffff:127.0.0.1]:10250",
            // The pod network's own addresses.
            "10.42.1.0:80",
            "10.42.1.1:10250",
            "10.42.1.1:80",
            "10.42.1.255:80",
            "10.42.1.7:0",
            // Other workers, services, the cloud's metadata, the Internet.
            "10.42.2.7:80",
            "172.30.0.12:10250",
            "172.30.0.1:8443",
            "10.43.0.1:443",
            "169.254.169.254:80",
            "192.0.2.1:443",
        ] {
            assert_eq!(rules().target("tcp", address), Err(Forbidden::Address), "{address}");
        }
        for text in
            ["", "localhost:10250", "worker-1:10250", "10.42.1.7", "10.42.1.7:80:80", "10.42.1.7:080000", "/run/x"]
        {
            assert_eq!(rules().target("tcp", text), Err(Forbidden::Form), "{text}");
        }
        for protocol in ["udp", "unix", "", "TCP"] {
            assert_eq!(rules().target(protocol, "10.42.1.7:80"), Err(Forbidden::Protocol));
        }
    }
}

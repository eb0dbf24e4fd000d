use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::ControlPlaneError;

/// An address range such as `10.42.0.0/16`, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    const RULE: &'static str = "an address range without host bits, such as 10.42.0.0/16";

    /// The `n`-th address of the range, if it has so many.
    pub fn nth(&self, n: u32) -> Option<IpAddr> {
        let address = match self.network {
            IpAddr::V4(base) => IpAddr::V4(Ipv4Addr::from(u32::from(base).checked_add(n)?)),
            IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from(u128::from(base).checked_add(n.into())?)),
        };
        self.contains(address).then_some(address)
    }

    /// Whether an address lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                masked(address, self.prefix) == self.network
            }
            _ => false,
        }
    }

    /// Whether two ranges share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }

    /// The number of leading bits that all its addresses share.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether it is a range of IPv4 addresses.
    pub fn is_ipv4(&self) -> bool {
        self.network.is_ipv4()
    }
}

impl FromStr for Cidr {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ControlPlaneError::Setting { what: "an address range", given: text.into(), rule: Self::RULE };
        let (address, prefix) = text.split_once('/').ok_or_else(fault)?;
        let network: IpAddr = address.parse().map_err(|_| fault())?;
        let widest = if network.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = prefix.parse().ok().filter(|bits| *bits <= widest).ok_or_else(fault)?;
        if masked(network, prefix) != network {
            return Err(fault());
        }
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// One range, or two of different families (dual stack), as in k3s: `10.42.0.0/16` or `10.42.0.0/16,fd00:42::/56`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrList {
    first: Cidr,
    second: Option<Cidr>,
}

impl CidrList {
    /// The primary range.
    pub fn first(&self) -> Cidr {
        self.first
    }

    /// All ranges.
    pub fn iter(&self) -> impl Iterator<Item = Cidr> + '_ {
        std::iter::once(self.first).chain(self.second)
    }
}

impl FromStr for CidrList {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, second) = match text.split_once(',') {
            Some((first, second)) => (first.parse()?, Some(second.parse::<Cidr>()?)),
            None => (text.parse::<Cidr>()?, None),
        };
        if second.is_some_and(|second| second.is_ipv4() == first.is_ipv4()) {
            let rule = "one range, or one of IPv4 and one of IPv6";
            return Err(ControlPlaneError::Setting { what: "address ranges", given: text.into(), rule });
        }
        Ok(Self { first, second })
    }
}

impl fmt::Display for CidrList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.second.map_or(Ok(()), |second| write!(f, ",{second}"))
    }
}

/// A DNS name in lower case (RFC 1123), at most 253 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsName {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let label = |label: &str| {
            let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 253 || !text.split('.').all(label) {
            let rule = "lower-case letters, digits and '-' in parts joined by dots, such as cluster.local";
            return Err(ControlPlaneError::Setting { what: "a DNS name", given: text.into(), rule });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for text in ["10.42.0.0/16", "0.0.0.0/0", "10.0.0.1/32", "fd00:42::/56"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        for text in ["10.42.0.1/16", "10.42.0.0", "10.42.0.0/33", "10.42.0.0/-1", "10.42.0.0/16 --v=9", "::/129", ""] {
            assert!(text.parse::<Cidr>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn two_ranges_have_different_families() {
        assert!("10.42.0.0/16,fd00:42::/56".parse::<CidrList>().is_ok());
        assert!("10.42.0.0/16,10.44.0.0/16".parse::<CidrList>().is_err());
        assert!("10.42.0.0/16,fd00:42::/56,fd00:43::/56".parse::<CidrList>().is_err());
    }

    #[test]
    fn the_tenth_address_of_k3s_service_range_is_its_dns() {
        let services: Cidr = "10.43.0.0/16".parse().unwrap();
        assert_eq!(services.nth(1), Some("10.43.0.1".parse().unwrap()));
        assert_eq!(services.nth(10), Some("10.43.0.10".parse().unwrap()));
        assert_eq!("10.0.0.0/30".parse::<Cidr>().unwrap().nth(4), None);
    }

    #[test]
    fn names_follow_rfc_1123() {
        assert!("cluster.local".parse::<DnsName>().is_ok());
        for text in ["", ".", "a..b", "-a", "a-", "A", "a b", "a,b", "a\n", "a=b", &"a".repeat(64)] {
            assert!(text.parse::<DnsName>().is_err(), "{text:?}");
        }
    }
}

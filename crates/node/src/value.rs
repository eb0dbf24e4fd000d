//! Values as types that cannot hold a bad one: they reach command lines, files and the kernel's tables.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{NodeError, Result};

/// A range of IPv4 addresses such as `10.42.1.0/24`, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    const RULE: &'static str = "a range of IPv4 addresses without host bits, such as 10.42.0.0/16";

    /// Its first address.
    pub fn network(&self) -> Ipv4Addr {
        self.network
    }

    /// How many leading bits its addresses share.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether all of `other` lies in it.
    pub fn holds(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.network)
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.prefix) == u32::from(self.network)
    }

    /// Whether an address lies in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl FromStr for Cidr {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || NodeError::Value { what: "an address range", given: shortened(text), rule: Self::RULE };
        let (network, prefix) = text.split_once('/').ok_or_else(fault)?;
        let network: Ipv4Addr = network.parse().map_err(|_| fault())?;
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|bits| digits && *bits <= 32).ok_or_else(fault)?;
        let range = Self { network, prefix };
        range.contains(network).then_some(range).ok_or_else(fault)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The name of a Node: a DNS subdomain (RFC 1123) whose last part is no number, so that it never reads as an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(DnsName);

impl NodeName {
    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for NodeName {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        let name: DnsName = text.parse()?;
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            let rule = "a DNS name that does not end in a number";
            return Err(NodeError::Value { what: "a node's name", given: shortened(text), rule });
        }
        Ok(Self(name))
    }
}

/// A DNS name in lower case (RFC 1123), at most 253 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsName {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 253 || !text.split('.').all(label) {
            let rule = "lower-case letters, digits and '-' in parts joined by dots";
            return Err(NodeError::Value { what: "a DNS name", given: shortened(text), rule });
        }
        Ok(Self(text.into()))
    }
}

/// An absolute path of letters, digits and `._-` between slashes, without `.` and `..`.
///
/// Such a path stands in overlayfs options (where `,` and `:` separate), in `unix://` addresses (where `%` and `#` have a
/// meaning) and in mount tables (where spaces are escaped), and reads the same in all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlainPath(PathBuf);

impl PlainPath {
    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default() // ASCII
    }

    /// A path below, of this crate's own constants and other plain names.
    pub(crate) fn join(&self, below: &str) -> Self {
        debug_assert!(format!("/{below}").parse::<Self>().is_ok(), "{below}");
        Self(self.0.join(below))
    }
}

impl FromStr for PlainPath {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self> {
        let part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        match text.strip_prefix('/') {
            Some(rest) if text.len() <= 1024 && rest.split('/').all(part) => Ok(Self(text.into())),
            _ => {
                let rule = "absolute, of letters, digits and '._-' between slashes";
                Err(NodeError::Value { what: "a path", given: shortened(text), rule })
            }
        }
    }
}

impl TryFrom<&Path> for PlainPath {
    type Error = NodeError;

    fn try_from(path: &Path) -> Result<Self> {
        path.to_string_lossy().parse()
    }
}

impl fmt::Display for PlainPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_without_host_bits_are_read() {
        for text in ["10.42.0.0/16", "0.0.0.0/0", "10.0.0.1/32"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        for text in
            ["10.42.0.1/16", "10.42.0.0", "10.42.0.0/33", "10.42.0.0/+8", "10.42.0.0/16 x", "fd00::/56", "", "/"]
        {
            assert!(text.parse::<Cidr>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn ranges_know_what_lies_in_them() {
        let of = |text: &str| text.parse::<Cidr>().unwrap();
        assert!(of("10.42.0.0/16").holds(&of("10.42.3.0/24")));
        assert!(!of("10.42.3.0/24").holds(&of("10.42.0.0/16")));
        assert!(of("10.42.3.0/24").overlaps(&of("10.42.0.0/16")));
        assert!(!of("10.42.3.0/24").overlaps(&of("10.42.4.0/24")));
        assert!(of("0.0.0.0/0").contains([255, 255, 255, 255].into()));
    }

    #[test]
    fn a_node_is_never_called_like_an_address() {
        assert_eq!("worker-1-0a1b2c3d".parse::<NodeName>().unwrap().as_str(), "worker-1-0a1b2c3d");
        for text in ["10.42.3.7", "7", "a.7", "", "A", "a_b", "-a", "a/b", "a..b", "a\n", &"a".repeat(64)] {
            assert!(text.parse::<NodeName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn paths_with_odd_characters_are_refused() {
        for text in ["/var/lib/k3s-daas/worker-1", "/a", "/a.b_c/d"] {
            assert_eq!(text.parse::<PlainPath>().unwrap().as_str(), text);
        }
        for text in ["", "/", "a", "/a b", "/a,b", "/a:b", "/a//b", "/a/../b", "/a/.", "/a%20", "/a\n", "/ä", "/a/"] {
            assert!(text.parse::<PlainPath>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_parsed_reads_back(text in "\\PC{0,40}") {
            if let Ok(path) = text.parse::<PlainPath>() {
                prop_assert_eq!(path.as_str(), text.as_str());
            }
            if let Ok(range) = text.parse::<Cidr>() {
                prop_assert_eq!(range.to_string(), text);
            }
        }
    }
}

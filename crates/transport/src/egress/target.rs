use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// RFC 1035 §2.3.4, as written: without the root's dot.
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host's name: labels of lower-case letters, digits and hyphens, and nothing that could be taken for an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

/// Where a connection should go: a name, never an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The name.
    pub host: Host,
    /// The port; never zero.
    pub port: u16,
}

impl Host {
    /// Reads a name. There is one form of each: upper case and a dot at the end are refused.
    pub fn parse(text: &str) -> Result<Self> {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= LONGEST_LABEL
                && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // `inet_aton` takes `127.1`, `0x7f.1` and `2130706433` for addresses: their last label begins with a digit. No
        // top-level domain does (RFC 3696 §2).
        let last = text.rsplit('.').next().unwrap_or_default();
        let good = text.len() <= LONGEST_HOST
            && text.split('.').all(label)
            && !last.starts_with(|first: char| first.is_ascii_digit());
        if good { Ok(Self(text.into())) } else { Err(Error::NoTarget(shortened(text))) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Target {
    /// Reads `host:port`.
    pub fn parse(text: &str) -> Result<Self> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let plain = (1..=5).contains(&port.len())
                && port.bytes().all(|digit| digit.is_ascii_digit())
                && !port.starts_with('0');
            Some(Self { host: Host::parse(host).ok()?, port: port.parse().ok().filter(|_| plain)? })
        });
        parsed.ok_or_else(|| Error::NoTarget(shortened(text)))
    }
}

/// As much as an error should repeat of what was no destination.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_with_ports_are_destinations_and_addresses_in_any_dress_are_not() {
        for good in ["chain.internal:9123", "fullnode.testnet.sui.io:443", "localhost:1", "a:65535", "1a.x1:80"] {
            assert_eq!(Target::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            ":1",
            "a",
            "a:",
            "a:0",
            "a:01",
            "a:+1",
            "a:65536",
            "a:1 ",
            " a:1",
            "A.b:1",
            "a.:1",
            ".a:1",
            "a..b:1",
            "-a:1",
            "a-:1",
            "a_b:1",
            "a:1:2",
            "127.0.0.1:80",
            "127.1:80",
            "2130706433:80",
            "0x7f.0x1:80",
            "a.0x7f:80",
            "[::1]:80",
            "::1:80",
            "a@b:1",
            "a/b:1",
            "a%2eb:1",
            "a\0:1",
            "a\r:1",
            "ä.de:1",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
        let label = "a".repeat(63);
        assert!(Host::parse(&label).is_ok());
        assert!(Host::parse(&format!("{label}a")).is_err());
        let longest = [label.as_str(), &label, &label, &label[2..]].join(".");
        assert_eq!(longest.len(), 253);
        assert!(Host::parse(&longest).is_ok());
        assert!(Host::parse(&format!("{longest}a")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_is_written_and_no_address(text in "[a-f0-9x.:\\-]{1,24}") {
            if let Ok(target) = Target::parse(&text) {
                prop_assert_eq!(target.to_string(), text);
                prop_assert!(target.host.as_str().parse::<std::net::IpAddr>().is_err());
            }
        }
    }
}

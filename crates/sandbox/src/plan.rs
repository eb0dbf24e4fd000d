//! What a sandbox is to be, parsed once.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What the sandbox stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An enclave: no network but its own loopback device.
    Enclave,
    /// A worker: a network card in the LAN.
    Worker,
}

/// A sandbox's name: a DNS label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name(String);

/// An address and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub ip: Ipv4Addr,
    /// How many of its bits name the network.
    pub prefix: u8,
}

/// A folder or file of the host, and where it is seen inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// On the host.
    pub source: PathBuf,
    /// Inside.
    pub target: PathBuf,
}

/// What process 1 inside is told by the process outside.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub kind: Kind,
    pub address: Option<Address>,
    pub gateway: Option<Ipv4Addr>,
    pub binds: Vec<Bind>,
    pub hosts: Option<PathBuf>,
    pub program: Vec<String>,
}

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let good = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        if good { Ok(Self(text.into())) } else { Err(Error::NoName(text.into())) }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('/').and_then(|(ip, prefix)| {
            let address = Self { ip: ip.parse().ok()?, prefix: prefix.parse().ok().filter(|prefix| *prefix <= 32)? };
            (address.to_string() == text).then_some(address)
        });
        parsed.ok_or_else(|| Error::NoAddress(text.into()))
    }
}

impl FromStr for Bind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some((source, target)) if source.starts_with('/') && target.starts_with('/') && !target.contains(':') => {
                Ok(Self { source: source.into(), target: target.into() })
            }
            _ => Err(Error::NoBind(text.into())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.ip, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_binds_are_read_or_refused() {
        assert_eq!("worker-1".parse::<Name>().unwrap().as_str(), "worker-1");
        for bad in ["", "-a", "a-", "A", "a/b", "..", "a.b", "a_b", &"a".repeat(64)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert_eq!("172.30.0.11/24".parse::<Address>().unwrap().to_string(), "172.30.0.11/24");
        for bad in ["172.30.0.11", "172.30.0.11/33", "172.30.0.11/024", "172.30.0.11/+4", "::1/64", "a/24"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
        let bind: Bind = "/a:/b".parse().unwrap();
        assert_eq!((bind.source, bind.target), ("/a".into(), "/b".into()));
        for bad in ["/a", "a:/b", "/a:b", "/a:/b:/c", ":"] {
            assert!(bad.parse::<Bind>().is_err(), "{bad:?}");
        }
    }
}

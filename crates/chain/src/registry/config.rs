use std::collections::BTreeSet;
use std::time::Duration;

use sui_sdk_types::{Address, Digest};

use crate::client::{Package, place};
use crate::error::Error;

/// How old the newest checkpoint may be before every verdict is refused.
pub const DEFAULT_STALENESS: Duration = Duration::from_secs(30);
/// The most that may be configured.
pub const MAX_STALENESS: Duration = Duration::from_mins(5);

/// Whom the registry believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// One node. It can hide and invent what it likes.
    Rpc,
    /// This many nodes must agree; more than half, so that no two groups can.
    Quorum {
        /// How many.
        needed: usize,
    },
}

/// What the registry follows, and how.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// The nodes' addresses.
    pub nodes: Vec<String>,
    /// Whom to believe.
    pub trust: Trust,
    /// The chain identifier that all nodes must have.
    pub chain: Digest,
    /// The package.
    pub package: Package,
    /// The cluster.
    pub cluster: Address,
    /// Staleness bound; values above [`MAX_STALENESS`] are lowered to it.
    pub staleness: Duration,
    /// A node that sends nothing for this long is asked anew.
    pub silence: Duration,
}

impl RegistryConfig {
    /// One node, default bounds.
    pub fn rpc(node: impl Into<String>, chain: Digest, package: Package, cluster: Address) -> Self {
        Self {
            nodes: vec![node.into()],
            trust: Trust::Rpc,
            chain,
            package,
            cluster,
            staleness: DEFAULT_STALENESS,
            silence: Duration::from_secs(10),
        }
    }

    /// `needed` of these nodes, default bounds.
    pub fn quorum(nodes: Vec<String>, needed: usize, chain: Digest, package: Package, cluster: Address) -> Self {
        Self { nodes, trust: Trust::Quorum { needed }, ..Self::rpc("", chain, package, cluster) }
    }

    pub(super) fn needed(&self) -> usize {
        match self.trust {
            Trust::Rpc => 1,
            Trust::Quorum { needed } => needed,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let total = self.nodes.len();
        let possible = match self.trust {
            Trust::Rpc => total == 1,
            Trust::Quorum { needed } => needed <= total && needed * 2 > total,
        };
        // One node under several spellings would be a quorum of its own.
        let distinct: BTreeSet<_> = self.nodes.iter().map(|node| place(node)).collect();
        if possible && distinct.len() == total {
            Ok(())
        } else {
            Err(Error::QuorumUnreachable { answered: distinct.len(), needed: self.needed(), total })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nodes: [&str; 3]) -> Result<(), Error> {
        let nodes = nodes.map(str::to_owned).to_vec();
        let package = Package { id: Address::TWO, origin: Address::TWO };
        RegistryConfig::quorum(nodes, 2, Digest::ZERO, package, Address::TWO).check()
    }

    #[test]
    fn one_node_in_two_spellings_is_no_quorum() {
        assert!(check(["https://a.example", "https://b.example", "https://c.example:9000"]).is_ok());
        assert!(check(["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"]).is_ok());
        for twin in [
            "https://a.example",
            "https://a.example/",
            "https://A.example:443",
            "https://a.example./path",
            "https://user@a.example",
        ] {
            assert!(check(["https://a.example", twin, "https://c.example"]).is_err(), "{twin}");
        }
    }
}

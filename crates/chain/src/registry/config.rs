use std::time::Duration;

use sui_sdk_types::{Address, Digest};

use crate::client::Package;
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
        let distinct: std::collections::BTreeSet<_> = self.nodes.iter().collect();
        if possible && distinct.len() == total {
            Ok(())
        } else {
            Err(Error::QuorumUnreachable { answered: distinct.len(), needed: self.needed(), total })
        }
    }
}

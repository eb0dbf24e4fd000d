//! The chain, as the master needs it: found through its nodes, followed by the registry, asked for verdicts.

use std::sync::Arc;
use std::time::Duration;

use daas_chain::client::{Node, NodeOptions, Package};
use daas_chain::registry::{ClusterState, Health, Registry, RegistryConfig, StakeRecord};
use daas_chain::types::{Cluster, MoveObject as _};
use daas_seal_token::{
    ExpectedPurpose, Identity, NodeIdentity, NodeName, Refusal, SealToken, StakeId, Stale, TokenId, TokenView,
};
use sui_sdk_types::{Address, ObjectType};

use crate::error::{Error, Result};
use crate::runtime::Runtime;

/// Between two attempts to reach a node.
const AGAIN: Duration = Duration::from_secs(1);

/// What verdicts and status pages need to know of the chain. None of it makes a network call.
pub trait ChainView: Send + Sync {
    /// Whether the view is young enough to judge by.
    fn check_fresh(&self, now_ms: u64) -> Result<(), Stale>;
    /// Who shows this token of the join purpose for this node.
    fn joining(&self, token: &SealToken, node: &NodeName, now_ms: u64) -> Result<NodeIdentity, Refusal>;
    /// Whether a token and its stake are good now.
    fn is_alive(&self, token: &TokenId, now_ms: u64) -> Result<(), Refusal>;
    /// The stake of a node.
    fn stake_of(&self, name: &NodeName) -> Option<Arc<StakeRecord>>;
    /// A stake that has not been withdrawn.
    fn stake(&self, id: &StakeId) -> Option<Arc<StakeRecord>>;
    /// What there is once a cluster.
    fn cluster(&self) -> Option<Arc<ClusterState>>;
    /// How the registry does.
    fn health(&self) -> Health;
}

impl ChainView for Registry {
    fn check_fresh(&self, now_ms: u64) -> Result<(), Stale> {
        TokenView::check_fresh(self, now_ms)
    }

    fn joining(&self, token: &SealToken, node: &NodeName, now_ms: u64) -> Result<NodeIdentity, Refusal> {
        match self.verify(token, ExpectedPurpose::Join { node: Some(node.as_str()) }, now_ms)? {
            Identity::Node(identity) => Ok(identity),
            // A join token becomes nobody else; should it ever, it is not let in.
            Identity::Bearer(_) => Err(Refusal::Unknown),
        }
    }

    fn is_alive(&self, token: &TokenId, now_ms: u64) -> Result<(), Refusal> {
        TokenView::check_fresh(self, now_ms)?;
        TokenView::token(self, token).ok_or(Refusal::Unknown)?.check_alive(now_ms)
    }

    fn stake_of(&self, name: &NodeName) -> Option<Arc<StakeRecord>> {
        Self::stake_of(self, name)
    }

    fn stake(&self, id: &StakeId) -> Option<Arc<StakeRecord>> {
        Self::stake(self, id)
    }

    fn cluster(&self) -> Option<Arc<ClusterState>> {
        Self::cluster(self)
    }

    fn health(&self) -> Health {
        Self::health(self)
    }
}

/// Follows the cluster of a configuration: with one node it is believed, of several more than half must agree.
pub async fn follow(runtime: &Runtime) -> Result<(Registry, Package)> {
    let package = loop {
        match package_of(runtime).await {
            Ok(package) => break package,
            Err(error @ Error::NoCluster(_)) => return Err(error),
            Err(error) => tracing::warn!(%error, "the chain is not reached yet"),
        }
        tokio::time::sleep(AGAIN).await;
    };
    let urls: Vec<_> = runtime.nodes.iter().map(|node| node.url.clone()).collect();
    let config = if let [only] = urls.as_slice() {
        RegistryConfig::rpc(only, runtime.chain, package, runtime.cluster)
    } else {
        let needed = urls.len() / 2 + 1;
        RegistryConfig::quorum(urls, needed, runtime.chain, package, runtime.cluster)
    };
    Ok((Registry::start(config)?, package))
}

/// The package that defined the cluster's type. A node that lies here makes a registry that finds no cluster of that package.
async fn package_of(runtime: &Runtime) -> Result<Package> {
    let mut last = Error::NoCluster(runtime.cluster);
    for node in &runtime.nodes {
        match ask(&node.url, runtime).await {
            Ok(origin) => return Ok(Package { id: origin, origin }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask(url: &str, runtime: &Runtime) -> Result<Address> {
    let node = Node::connect(url, Some(runtime.chain), NodeOptions::default()).await?;
    let object = node.object(runtime.cluster).await?;
    match object.object_type() {
        ObjectType::Struct(tag) if tag.module().as_str() == Cluster::MODULE && tag.name().as_str() == Cluster::NAME => {
            Ok(*tag.address())
        }
        _ => Err(Error::NoCluster(runtime.cluster)),
    }
}

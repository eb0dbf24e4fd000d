//! The way to the chain: which node, which network, which package, which cluster.

use daas_chain::client::{Journal, Node, NodeOptions, Package, Session};
use daas_chain::types::{Cluster, ClusterField, Registration, Release, SealTokenObject, Stake, decode_object};
use daas_chain::wallet::Account;
use daas_diagnostics::{Diagnose as _, Diagnostic, codes};
use daas_settings::{ChainId, SuiAddress, TrustMode};
use sui_sdk_types::Address;

use crate::invocation::Invocation;
use crate::nodes;
use crate::sheet::Network;

/// A node whose network was checked.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) node: Node,
    pub(crate) network: Network,
}

/// A cluster on a checked network.
#[derive(Debug)]
pub(crate) struct ClusterLink {
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) package: Package,
    pub(crate) cluster: Address,
}

impl Invocation {
    /// Connects to the first node of the settings that answers, and checks that it serves the configured chain. With trust `quorum` the others
    /// are its witnesses: what it says counts where enough of them say the same.
    pub(crate) async fn connect(&self) -> Result<Connection, Diagnostic> {
        let options = NodeOptions { answer_timeout: self.settings.timeout, ..NodeOptions::default() };
        let (mut nodes, mut first_error) = (Vec::new(), None);
        for endpoint in &self.settings.rpc {
            match Node::connect(&endpoint.to_string(), None, options).await {
                Ok(node) => nodes.push(node),
                Err(error) => first_error = first_error.or(Some(error.diagnostic())),
            }
            if self.settings.trust == TrustMode::Rpc && !nodes.is_empty() {
                break;
            }
        }
        let mut nodes = nodes.into_iter();
        let first = nodes.next().ok_or_else(|| first_error.unwrap_or_else(|| missing("rpc")))?;
        let node = match self.settings.trust {
            TrustMode::Rpc => first,
            TrustMode::Quorum => self.with_witnesses(first, nodes.collect())?,
        };
        self.check_network(node)
    }

    fn with_witnesses(&self, first: Node, others: Vec<Node>) -> Result<Node, Diagnostic> {
        let (total, answered) = (self.settings.rpc.len(), others.len() + 1);
        let needed = self.settings.quorum.map_or(total / 2 + 1, |needed| needed as usize);
        if answered < needed {
            return Err(told(daas_chain::Error::QuorumUnreachable { answered, needed, total }));
        }
        first.with_witnesses(others, needed).map_err(told)
    }

    fn check_network(&self, node: Node) -> Result<Connection, Diagnostic> {
        let digest = node.network().0;
        if let Some(expected) = self.settings.chain_id
            && !expected.matches(&digest)
        {
            return Err(Diagnostic::new(codes::WRONG_NETWORK)
                .with("endpoint", node.endpoint())
                .with("expected", expected)
                .with("actual", node.chain()));
        }
        let production = ChainId::Digest(digest).is_production();
        Ok(Connection { network: if production { Network::Production } else { Network::Development }, node })
    }

    /// Connects and checks the package.
    pub(crate) async fn connect_package(&self) -> Result<(Connection, Package), Diagnostic> {
        let package = self.settings.package.ok_or_else(|| missing("package"))?;
        let connection = self.connect().await?;
        let package = Package::load(&connection.node, address(package)).await.map_err(told)?;
        Ok((connection, package))
    }

    /// Connects and names the cluster.
    pub(crate) async fn connect_cluster(&self) -> Result<ClusterLink, Diagnostic> {
        let cluster = self.settings.cluster.ok_or_else(|| missing("cluster"))?;
        let (Connection { node, network }, package) = self.connect_package().await?;
        Ok(ClusterLink { node, network, package, cluster: address(cluster) })
    }

    /// A wallet at work: transactions that move money are kept in a journal until their outcome is known.
    pub(crate) fn sign_with(&self, account: Account, node: Node, package: Package) -> Result<Session, Diagnostic> {
        let journal = Journal::open(self.settings.state_dir.join("journal")).map_err(told)?;
        let budget = self.settings.gas_budget.map(|budget| budget.0);
        Ok(Session::new(node, package, account).with_journal(journal).with_gas_budget(budget))
    }
}

/// The chain's time, ms since the Unix epoch: that of its newest checkpoint, with trust `quorum` as enough nodes have it.
pub(crate) async fn chain_time_ms(node: &Node) -> Result<u64, Diagnostic> {
    node.time_ms().await.map_err(told)
}

impl ClusterLink {
    /// The chain's time: what expires and unbonds goes by it.
    pub(crate) async fn now_ms(&self) -> Result<u64, Diagnostic> {
        chain_time_ms(&self.node).await
    }

    /// The chain and the node that was asked first, in a line.
    pub(crate) fn describe(&self) -> String {
        format!("{}, as {} says", self.node.chain(), self.node.endpoint())
    }

    /// The Cluster object.
    pub(crate) async fn read(&self) -> Result<Cluster, Diagnostic> {
        self.node.read(self.cluster, &self.package.origin).await.map_err(told)
    }

    /// Everything that hangs on the cluster.
    pub(crate) async fn fields(&self) -> Result<Vec<ClusterField>, Diagnostic> {
        let objects = self.node.dynamic_fields(self.cluster).await.map_err(told)?;
        let fields = objects.iter().map(|object| ClusterField::decode(object, &self.package.origin));
        fields.collect::<Result<_, _>>().map_err(|error| told(error.into()))
    }

    /// The releases, newest first.
    pub(crate) async fn releases(&self) -> Result<Vec<Release>, Diagnostic> {
        let fields = self.fields().await?.into_iter();
        let mut releases: Vec<_> = fields
            .filter_map(|field| if let ClusterField::Release(_, release) = field { Some(*release) } else { None })
            .collect();
        releases.sort_by(|a, b| b.proposed_at_ms.cmp(&a.proposed_at_ms).then(a.pcrs.cmp(&b.pcrs)));
        Ok(releases)
    }

    /// The registered instances.
    pub(crate) async fn instances(&self) -> Result<Vec<Registration>, Diagnostic> {
        let fields = self.fields().await?.into_iter();
        Ok(fields
            .filter_map(|field| if let ClusterField::Registration(_, known) = field { Some(*known) } else { None })
            .collect())
    }

    /// All stakes that ever had a name here, by name.
    pub(crate) async fn stakes(&self) -> Result<Vec<Stake>, Diagnostic> {
        let fields = self.fields().await?;
        let ids: Vec<_> = fields
            .iter()
            .filter_map(|field| if let ClusterField::Name(_, stake) = field { Some(*stake) } else { None })
            .collect();
        let objects = self.node.objects(&ids).await.map_err(told)?;
        let stakes = objects.iter().flatten().map(|object| decode_object::<Stake>(object, &self.package.origin));
        let mut stakes: Vec<_> = stakes.collect::<Result<_, _>>().map_err(|error| told(error.into()))?;
        // A name of another cluster's stake cannot stand here, unless the node lies.
        stakes.retain(|stake| stake.cluster == self.cluster);
        stakes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(stakes)
    }

    /// The stake that somebody means.
    pub(crate) async fn stake(&self, wanted: &str) -> Result<Stake, Diagnostic> {
        nodes::find(wanted, &self.stakes().await?, &self.cluster.to_string()).cloned()
    }

    /// The Seal token of a stake.
    pub(crate) async fn token(&self, stake: &Stake) -> Result<Option<SealTokenObject>, Diagnostic> {
        match &stake.token {
            Some(token) => self.node.read(token.id, &self.package.origin).await.map(Some).map_err(told),
            None => Ok(None),
        }
    }
}

/// An error of the chain client in words. By value, for `map_err`.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn told(error: daas_chain::Error) -> Diagnostic {
    error.diagnostic()
}

/// An address of the settings as the SDK has it.
pub(crate) fn address(setting: SuiAddress) -> Address {
    Address::new(setting.0)
}

/// A setting that is needed here and was not given.
pub(crate) fn missing(name: &'static str) -> Diagnostic {
    let how = format!("--{name}, DAAS_{}, \"{name}\" (JSON, TOML)", name.to_ascii_uppercase());
    Diagnostic::new(codes::MISSING_SETTING).with("name", name).with("how", how)
}

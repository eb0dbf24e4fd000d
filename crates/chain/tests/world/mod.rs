//! A development chain with the real package and one cluster.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use daas_chain::client::{
    Bytecode, NewCluster, Node, NodeOptions, Package, Session, SettingChange, StakeNode, StakedNode, TokenRequest,
};
use daas_chain::registry::{Registry, RegistryConfig};
use daas_chain::types::cluster::Endpoints;
use daas_chain::types::staking::Terms;
use daas_chain::types::{Bytes, Cluster};
use daas_chain::wallet::Account;
use daas_devnet::{AttestationRoot, Config, Devnet};
use daas_seal_token::{SigningKey, Tier, TokenId};
use sui_sdk_types::Address;

pub const SUI: u64 = 1_000_000_000;
pub const DAY_MS: u64 = 24 * 3600 * 1000;

pub struct World {
    pub devnet: Devnet,
    pub node: Node,
    pub operator: Session,
    pub package: Package,
    pub cluster: Address,
    /// A worker's, as the cluster was made.
    pub terms: Terms,
    pub folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with_settings(vec![SettingChange::Unbonding(1000)]).await
    }

    pub async fn with_settings(settings: Vec<SettingChange>) -> Self {
        Self::trusting(Vec::new(), settings).await
    }

    /// On a chain that takes documents of simulated hardware under these roots.
    pub async fn trusting(roots: Vec<AttestationRoot>, settings: Vec<SettingChange>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path().join("chain"));
        config.attestation_roots = roots;
        let devnet = Devnet::start(config).await.unwrap();
        let node = Node::connect(&devnet.url(), Some(devnet.chain_id()), NodeOptions::default()).await.unwrap();
        let operator = Account::from_ed25519([1; 32]);
        devnet.faucet(operator.address(), &[500 * SUI, 500 * SUI]).await.unwrap();
        let bytecode = Bytecode::parse(include_str!("../../../../move/bytecode/package.json")).unwrap();
        let (operator, published) = Session::publish(node.clone(), operator, &bytecode).await.unwrap();
        let new = NewCluster {
            name: "test".into(),
            endpoints: Endpoints {
                api: "127.0.0.1:6443".into(),
                join: "127.0.0.1:9345".into(),
                master: "127.0.0.1:8443".into(),
            },
            treasury: Address::new([9; 32]),
            settings,
        };
        let created = operator.create_cluster(&new).await.unwrap();
        let package = published.package;
        let cluster: Cluster = node.read(created.cluster, &package.origin).await.unwrap();
        let terms = Terms::of(&cluster.settings, Tier::Worker);
        Self { devnet, node, operator, package, cluster: created.cluster, terms, folder }
    }

    /// A wallet of its own with money.
    pub async fn staker(&self, number: u8) -> Session {
        let account = Account::from_ed25519([number; 32]);
        self.devnet.faucet(account.address(), &[50 * SUI, 50 * SUI]).await.unwrap();
        Session::new(self.node.clone(), self.package, account)
    }

    pub fn stake_request(&self, node_id: &str, key: &SigningKey) -> StakeNode {
        StakeNode {
            cluster: self.cluster,
            node_id: node_id.parse().unwrap(),
            amount: 2 * SUI,
            agreed: self.terms.clone(),
            token: TokenRequest { session_key: Bytes(key.public().to_bytes()), lifetime_ms: 30 * DAY_MS },
        }
    }

    pub fn config(&self) -> RegistryConfig {
        RegistryConfig::rpc(self.devnet.url(), self.devnet.chain_id(), self.package, self.cluster)
    }

    pub async fn registry(&self) -> Registry {
        let registry = Registry::start(self.config()).unwrap();
        registry.ready(Duration::from_secs(20)).await.unwrap();
        registry
    }

    /// The newest checkpoint is in the registry.
    pub async fn catch_up(&self, registry: &Registry) {
        let height = self.node.height().await.unwrap();
        registry.reached(height, Duration::from_secs(20)).await.unwrap();
    }
}

pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub fn token_of(staked: &StakedNode) -> TokenId {
    TokenId(staked.token.into_inner())
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

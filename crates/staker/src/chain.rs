//! What the worker asks of the chain, and what it does there.

use std::time::{Duration, SystemTime};

use daas_chain::client::{Journal, Node, NodeOptions, Package, Session, StakeNode, TokenRequest};
use daas_chain::types::staking::Terms;
use daas_chain::types::{Bytes, Cluster, ClusterField, Registration, Release, SealTokenObject, Stake};
use daas_chain::wallet::Account;
use daas_seal_token::{
    Claims, ClusterId, NodeId, NodeName, Purpose, SealToken, SigningKey, StakeStatus, Tier, TokenId,
};
use daas_settings::{ChainId, StakerSettings, TrustMode};
use sui_sdk_types::Address;

use crate::error::Error;
use crate::judge::ChainWord;
use crate::life::{Staked, Tokened};
use crate::random;
use crate::session_keys::SessionKeys;
use crate::state_file::Owner;

/// Longest wait for one answer of a node.
const ANSWER: Duration = Duration::from_secs(15);
/// Join tokens are made for each use and live no longer than they must.
const BEARER_LIFE_MS: u64 = 60_000;

/// One worker's view of the chain: its cluster, its wallet, its keys.
pub struct Chain {
    session: Session,
    cluster: Address,
    node_id: NodeId,
    amount: u64,
    token_lifetime: Duration,
    keys: SessionKeys,
    is_quorum: bool,
}

/// What has to be known of a cluster to judge its enclave.
#[derive(Debug)]
pub struct ClusterFacts {
    /// The Cluster object.
    pub cluster: Cluster,
    /// Its releases.
    pub releases: Vec<Release>,
    /// The registration of its active instance, if it has one.
    pub active: Option<Registration>,
}

impl Chain {
    /// Connects to the first node that answers; with trust `quorum` the others are its witnesses.
    pub async fn connect(settings: &StakerSettings, account: Account) -> Result<Self, Error> {
        let node = connect(settings).await?;
        let package = Package::load(&node, Address::new(settings.contract_address.0)).await?;
        let journal = Journal::open(settings.state_dir.join("journal"))?;
        let budget = settings.gas_budget.map(|budget| budget.0);
        Ok(Self {
            session: Session::new(node, package, account).with_journal(journal).with_gas_budget(budget),
            cluster: Address::new(settings.cluster.0),
            node_id: settings.node_id.clone(),
            amount: settings.stake_amount.0,
            token_lifetime: settings.token_lifetime,
            keys: SessionKeys::below(&settings.state_dir),
            is_quorum: settings.trust == TrustMode::Quorum,
        })
    }

    /// Whose state this worker's is.
    pub fn owner(&self) -> Owner {
        Owner {
            chain: self.session.node().chain().to_string(),
            cluster: self.cluster.to_string(),
            wallet: self.session.address().to_string(),
            node_id: self.node_id.to_string(),
        }
    }

    /// Whether money that counts is at stake.
    pub fn is_production(&self) -> bool {
        ChainId::Digest(self.session.node().chain().into_inner()).is_production()
    }

    /// The cluster's id.
    pub fn cluster(&self) -> Address {
        self.cluster
    }

    /// The chain's time: that of its newest checkpoint.
    pub async fn now_ms(&self) -> Result<u64, Error> {
        Ok(self.session.node().time_ms().await?)
    }

    /// Sees to it that stake and Seal token exist and that this machine can sign with the token. Done again, it pays nothing again.
    pub async fn stake(&self) -> Result<Tokened, Error> {
        let cluster = self.read_cluster().await?;
        let agreed = Terms::of(&cluster.settings, Tier::Worker);
        let draft = self.keys.draft()?;
        let session_key = Bytes(draft.public().to_bytes());
        let token = TokenRequest { session_key, lifetime_ms: self.lifetime_ms() };
        let known = self.session.find_stakes(self.cluster, &self.node_id, Tier::Worker).await?;
        // A stake that is there already may be older than today's minimum.
        if known.is_empty() && self.amount < agreed.minimum_stake {
            return Err(Error::StakeTooSmall { amount: self.amount, minimum: agreed.minimum_stake });
        }
        let new =
            StakeNode { cluster: self.cluster, node_id: self.node_id.clone(), amount: self.amount, agreed, token };
        let staked = self.session.stake_node(&new).await?;
        let (stake, id) = (staked.stake.id, staked.stake.id.to_string());
        let name: NodeName = staked
            .stake
            .name
            .parse()
            .map_err(|_| Error::Address { what: "the node's name on chain", text: staked.stake.name.clone() })?;
        if staked.digest.is_some() {
            tracing::info!(node = %name, stake = %id, "staked");
        }
        let object = self.token(staked.token).await?;
        if object.session_key == session_key {
            self.keys.adopt(&id)?;
        } else if self.keys.read(&id)?.is_none_or(|key| key.public().to_bytes() != object.session_key.0) {
            return Err(Error::SessionKeyElsewhere(id));
        }
        Ok(Staked { stake, name }.tokened(staked.token))
    }

    /// Extends the Seal token when a third of its life is left; a dead one is replaced. Gives back the token to use.
    pub async fn keep_token(&self, tokened: &Tokened) -> Result<Tokened, Error> {
        let stake = self.read_stake(tokened.staked.stake).await?;
        if stake.status != StakeStatus::Active {
            // What that means is the judge's to say, once the master has spoken.
            return Ok(tokened.clone());
        }
        let now = now_ms();
        let live = stake.token.filter(|token| token.expires_at_ms > now);
        let Some(token) = live else {
            let session_key = Bytes(self.keys.draft()?.public().to_bytes());
            let request = TokenRequest { session_key, lifetime_ms: self.lifetime_ms() };
            self.session.create_token(&stake, request).await?;
            let stake = self.read_stake(stake.id).await?;
            let token = stake.token.ok_or(Error::TokenVoid("it was not made"))?;
            self.keys.adopt(&stake.id.to_string())?;
            tracing::info!(token = %token.id, "the Seal token had expired; there is a new one");
            return Ok(Tokened { token: token.id, ..tokened.clone() });
        };
        if token.expires_at_ms - now < self.lifetime_ms() / 3 {
            self.session.extend_token(&stake, self.lifetime_ms()).await?;
            tracing::info!(token = %token.id, "the Seal token was extended");
        }
        Ok(Tokened { token: token.id, ..tokened.clone() })
    }

    /// A bearer for the join gateway and the master, made for one use. No call of the chain.
    pub fn bearer(&self, tokened: &Tokened) -> Result<SealToken, Error> {
        let stake = tokened.staked.stake.to_string();
        let key: SigningKey = self.keys.read(&stake)?.ok_or(Error::SessionKeyElsewhere(stake))?;
        let (cluster, token) = (ClusterId(self.cluster.into_inner()), TokenId(tokened.token.into_inner()));
        let network = self.session.node().network();
        let claims = Claims::new(network, cluster, token, Purpose::Join, now_ms(), BEARER_LIFE_MS, random()?);
        let claims = claims.map_err(|_| Error::Crypto("making a Seal token"))?;
        Ok(key.sign(&claims))
    }

    /// The generation of the token's session key, as the chain has it. The key must be this machine's.
    pub async fn key_generation(&self, tokened: &Tokened) -> Result<u64, Error> {
        let stake = tokened.staked.stake.to_string();
        let object = self.token(tokened.token).await?;
        match self.keys.read(&stake)? {
            Some(key) if key.public().to_bytes() == object.session_key.0 => Ok(object.key_generation),
            _ => Err(Error::SessionKeyElsewhere(stake)),
        }
    }

    /// The stake as the chain has it.
    pub async fn read_stake(&self, stake: Address) -> Result<Stake, Error> {
        Ok(self.session.node().read(stake, &self.session.package().origin).await?)
    }

    /// What the chain says of the stake, and how much that weighs. Takes at most `limit`.
    pub async fn word(&self, stake: Address, limit: Duration) -> ChainWord {
        match tokio::time::timeout(limit, self.read_stake(stake)).await {
            Ok(Ok(stake)) => ChainWord::Status { status: stake.status, quorum: self.is_quorum },
            Ok(Err(error)) => {
                tracing::debug!(%error, "the chain says nothing of the stake");
                ChainWord::Nothing
            }
            Err(_) => ChainWord::Nothing,
        }
    }

    /// Begins unbonding; a stake that is past that is left as it is.
    pub async fn unstake(&self, staked: &Staked) -> Result<(), Error> {
        let stake = self.read_stake(staked.stake).await?;
        if stake.status == StakeStatus::Active {
            self.session.unstake(&stake).await?;
        }
        Ok(())
    }

    /// The Cluster object.
    pub async fn read_cluster(&self) -> Result<Cluster, Error> {
        Ok(self.session.node().read(self.cluster, &self.session.package().origin).await?)
    }

    /// The cluster, its releases and the registration of its active instance.
    pub async fn facts(&self) -> Result<ClusterFacts, Error> {
        let cluster = self.read_cluster().await?;
        let objects = self.session.node().dynamic_fields(self.cluster).await?;
        let (mut releases, mut active) = (Vec::new(), None);
        for object in &objects {
            let field = ClusterField::decode(object, &self.session.package().origin);
            match field.map_err(daas_chain::Error::from)? {
                ClusterField::Release(_, release) => releases.push(*release),
                ClusterField::Registration(_, known)
                    if cluster.active.as_ref().is_some_and(|active| active.instance == known.instance) =>
                {
                    active = Some(*known);
                }
                _ => {}
            }
        }
        Ok(ClusterFacts { cluster, releases, active })
    }

    /// Forgets the session keys: the stake is over.
    pub fn forget_keys(&self) -> Result<(), Error> {
        self.keys.remove()
    }

    async fn token(&self, id: Address) -> Result<SealTokenObject, Error> {
        Ok(self.session.node().read(id, &self.session.package().origin).await?)
    }

    fn lifetime_ms(&self) -> u64 {
        u64::try_from(self.token_lifetime.as_millis()).unwrap_or(u64::MAX)
    }
}

/// This machine's clock, milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn connect(settings: &StakerSettings) -> Result<Node, Error> {
    let options = NodeOptions { answer_timeout: ANSWER, ..NodeOptions::default() };
    let (mut nodes, mut first_error) = (Vec::new(), None);
    for endpoint in &settings.sui_rpc_endpoint {
        match Node::connect(&endpoint.to_string(), None, options).await {
            Ok(node) => nodes.push(node),
            Err(error) => first_error = first_error.or(Some(error)),
        }
        if settings.trust == TrustMode::Rpc && !nodes.is_empty() {
            break;
        }
    }
    let (answered, total) = (nodes.len(), settings.sui_rpc_endpoint.len());
    let needed = settings.quorum.map_or(total / 2 + 1, |needed| needed as usize);
    let mut nodes = nodes.into_iter();
    let Some(first) = nodes.next() else {
        let nobody = daas_chain::Error::QuorumUnreachable { answered: 0, needed: 1, total };
        return Err(first_error.unwrap_or(nobody).into());
    };
    let node = match settings.trust {
        TrustMode::Rpc => first,
        TrustMode::Quorum if answered < needed => {
            return Err(daas_chain::Error::QuorumUnreachable { answered, needed, total }.into());
        }
        TrustMode::Quorum => first.with_witnesses(nodes.collect(), needed)?,
    };
    let chain = node.chain();
    match settings.chain_id {
        Some(expected) if !expected.matches(&chain.into_inner()) => Err(Error::OtherChain {
            endpoint: node.endpoint().to_owned(),
            expected: expected.to_string(),
            actual: chain.to_string(),
        }),
        _ => Ok(node),
    }
}

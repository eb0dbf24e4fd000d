use crate::ids::{TokenId, WalletAddress};
use crate::name::NodeName;
use crate::tier::Tier;

/// Who a verified Seal token speaks for, in Kubernetes' terms.
///
/// Groups are made from fixed prefixes, ids, numbers and tiers only, so that no name on chain can become
/// `system:masters` or any `system:` group beyond a node's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A user of the Kubernetes API.
    Bearer(Bearer),
    /// A worker.
    Node(NodeIdentity),
}

/// A user of the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The wallet that owns the stake.
    pub owner: WalletAddress,
    /// The token on chain.
    pub token: TokenId,
    /// The generation of its session key.
    pub key_generation: u64,
    /// The tiers whose groups it gets, lowest first; see [`Tier::granted`].
    pub tiers: Vec<Tier>,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The wallet that owns the stake.
    pub owner: WalletAddress,
    /// The token on chain.
    pub token: TokenId,
    /// The generation of its session key.
    pub key_generation: u64,
    /// The node's name.
    pub name: NodeName,
}

impl Identity {
    /// Kubernetes' user name: `seal:<owner>` or `system:node:<name>`.
    pub fn user_name(&self) -> String {
        match self {
            Self::Bearer(bearer) => format!("seal:{}", bearer.owner),
            Self::Node(node) => format!("system:node:{}", node.name),
        }
    }

    /// Kubernetes' uid: the owner's address.
    pub fn uid(&self) -> String {
        self.owner().to_string()
    }

    /// Kubernetes' groups.
    pub fn groups(&self) -> Vec<String> {
        let mut groups = vec![format!("seal:token:{}", self.token()), format!("seal:key:{}", self.key_generation())];
        match self {
            Self::Bearer(bearer) => groups.extend(bearer.tiers.iter().map(|tier| tier.group().to_owned())),
            Self::Node(node) => groups.extend(["system:nodes".to_owned(), format!("seal:node:{}", node.name)]),
        }
        groups
    }

    /// The wallet that owns the stake.
    pub fn owner(&self) -> &WalletAddress {
        match self {
            Self::Bearer(bearer) => &bearer.owner,
            Self::Node(node) => &node.owner,
        }
    }

    /// The token on chain.
    pub fn token(&self) -> &TokenId {
        match self {
            Self::Bearer(bearer) => &bearer.token,
            Self::Node(node) => &node.token,
        }
    }

    /// The generation of the session key.
    pub fn key_generation(&self) -> u64 {
        match self {
            Self::Bearer(bearer) => bearer.key_generation,
            Self::Node(node) => node.key_generation,
        }
    }
}

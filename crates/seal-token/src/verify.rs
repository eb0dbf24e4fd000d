use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::claims::Purpose;
use crate::identity::{Bearer, Identity, NodeIdentity};
use crate::ids::{ClusterId, NetworkId, StakeId, TokenId, WalletAddress};
use crate::key::SessionKey;
use crate::name::NodeName;
use crate::tier::Tier;
use crate::token::SealToken;

/// How far the signer's clock may be off, either way; the last millisecond still counts.
pub const CLOCK_SKEW_MS: u64 = 30_000;

/// What the one who checks a token is, and wants.
#[derive(Debug, Clone)]
pub struct Expectation<'a> {
    /// The network whose registry is asked.
    pub network: NetworkId,
    /// The cluster that is being entered.
    pub cluster: ClusterId,
    /// What the token is shown to.
    pub purpose: ExpectedPurpose<'a>,
}

/// What a token is shown to.
#[derive(Debug, Clone, Copy)]
pub enum ExpectedPurpose<'a> {
    /// The Kubernetes API.
    Api,
    /// The join gateway.
    Join {
        /// The node that the request names; `None` only on paths that name no node (`/ping`'s kin).
        node: Option<&'a str>,
    },
}

/// What the chain says of a token and the stake behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveToken {
    /// The token.
    pub token: TokenId,
    /// Its cluster.
    pub cluster: ClusterId,
    /// The wallet that owns its stake.
    pub owner: WalletAddress,
    /// Its stake.
    pub stake: StakeId,
    /// The node's name.
    pub name: NodeName,
    /// The session key; `None` if the bytes on chain are no usable key, which lets nobody in.
    pub session_key: Option<SessionKey>,
    /// Counts the session keys of this token, from 1.
    pub key_generation: u64,
    /// The tier of stake and token.
    pub tier: Tier,
    /// End of the token on chain, exclusive.
    pub expires_at_ms: u64,
    /// Revoked by its owner or the cluster's admin.
    pub revoked: bool,
    /// State of the stake.
    pub stake_status: StakeStatus,
    /// Suspended by the cluster's admin or by evidence.
    pub suspended: bool,
    /// MIST in the stake.
    pub staked: u64,
    /// MIST that its terms ask for.
    pub minimum_stake: u64,
}

/// The life of a stake, `u8` on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum StakeStatus {
    /// Earns its place.
    Active,
    /// On its way back to the owner.
    Unbonding,
    /// Given back.
    Withdrawn,
    /// Slashed, for good.
    Slashed,
}

impl TryFrom<u8> for StakeStatus {
    type Error = u8;

    fn try_from(number: u8) -> Result<Self, u8> {
        [Self::Active, Self::Unbonding, Self::Withdrawn, Self::Slashed].get(usize::from(number)).copied().ok_or(number)
    }
}

impl From<StakeStatus> for u8 {
    fn from(status: StakeStatus) -> Self {
        status as Self
    }
}

/// The view of the chain is too old to judge by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the view of the chain is {age_ms} ms old, {bound_ms} ms are allowed")]
pub struct Stale {
    /// Age of the newest checkpoint seen.
    pub age_ms: u64,
    /// The staleness bound.
    pub bound_ms: u64,
}

/// What a verdict needs to know of the chain. Look-ups are in memory.
pub trait TokenView {
    /// Whether the view is fresh enough at this time.
    fn check_fresh(&self, now_ms: u64) -> Result<(), Stale>;
    /// The token, if it exists in this cluster.
    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>>;
    /// Whether the cluster opens the tier to stake alone or grants it to this wallet.
    fn admits(&self, owner: &WalletAddress, tier: Tier) -> bool;
    /// Whether the key signed the token. A view may remember what it has found true; a signature never becomes another one.
    fn is_signed(&self, token: &SealToken, key: &SessionKey) -> bool {
        token.is_signed_by(key)
    }
}

/// Why a well-formed token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Claims of another network.
    #[error("the token is for another network")]
    WrongNetwork,
    /// Claims of another cluster.
    #[error("the token is for another cluster")]
    WrongCluster,
    /// A join token shown to the API, or the reverse.
    #[error("the token is for {found}, not for {expected}")]
    WrongPurpose {
        /// What it was shown to.
        expected: Purpose,
        /// What it says.
        found: Purpose,
    },
    /// Issued and expiry are further apart than its purpose allows, or in the wrong order.
    #[error("the token claims a longer life than its purpose allows")]
    Lifetime,
    /// Issued after now and the allowed skew.
    #[error("the token is issued {ahead_ms} ms in the future")]
    NotYetValid {
        /// How far.
        ahead_ms: u64,
    },
    /// Expired before now and the allowed skew.
    #[error("the token expired {ago_ms} ms ago")]
    Expired {
        /// How long ago.
        ago_ms: u64,
    },
    /// The registry cannot be relied on at the moment.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// The chain has no such token in this cluster.
    #[error("the chain knows no such token in this cluster")]
    Unknown,
    /// The session key on chain can verify nothing.
    #[error("the token's session key on chain is unusable")]
    UnusableKey,
    /// Not signed by the session key that is on chain now.
    #[error("the token is not signed by its present session key")]
    Signature,
    /// Revoked on chain.
    #[error("the token has been revoked on chain")]
    Revoked,
    /// Its life on chain is over.
    #[error("the token has expired on chain")]
    ExpiredOnChain,
    /// The stake is unbonding, withdrawn or slashed.
    #[error("the stake behind the token is {0:?}")]
    StakeNotActive(StakeStatus),
    /// The stake is suspended.
    #[error("the stake behind the token is suspended")]
    Suspended,
    /// The stake holds less than its terms ask for.
    #[error("the stake behind the token holds {staked} MIST, {minimum} are needed")]
    StakeTooSmall {
        /// MIST in the stake.
        staked: u64,
        /// MIST needed.
        minimum: u64,
    },
    /// The cluster no longer grants the tier to this wallet.
    #[error("the cluster does not grant the {0} tier to this wallet")]
    TierNotGranted(Tier),
    /// Only worker stakes join.
    #[error("a token of the {0} tier cannot join a node")]
    NotAWorker(Tier),
    /// A join token that names another node than the request does.
    #[error("the token is for the node {0}")]
    WrongNode(NodeName),
}

/// The verdict on a token: three checks (time window, signature by the on-chain session key, live stake), no I/O.
///
/// The window is inclusive: good from [`CLOCK_SKEW_MS`] before `issued_at_ms` to [`CLOCK_SKEW_MS`] after
/// `expires_at_ms`. What the token and the stake are on chain is told only to who holds the session key.
pub fn verify(
    token: &SealToken,
    expected: &Expectation<'_>,
    view: &impl TokenView,
    now_ms: u64,
) -> Result<Identity, Refusal> {
    check_claims(token, expected, now_ms)?;
    view.check_fresh(now_ms)?;
    let live = view.token(&token.claims().token).ok_or(Refusal::Unknown)?;
    if live.token != token.claims().token || live.cluster != expected.cluster {
        return Err(Refusal::Unknown);
    }
    let key = live.session_key.as_ref().ok_or(Refusal::UnusableKey)?;
    if !view.is_signed(token, key) {
        return Err(Refusal::Signature);
    }
    check_alive(&live, now_ms)?;
    identify(&live, expected, view)
}

impl LiveToken {
    /// Whether token and stake are good at this time, whoever holds the key: for certificates and running streams.
    pub fn check_alive(&self, now_ms: u64) -> Result<(), Refusal> {
        check_alive(self, now_ms)
    }
}

impl ExpectedPurpose<'_> {
    fn purpose(&self) -> Purpose {
        match self {
            Self::Api => Purpose::Api,
            Self::Join { .. } => Purpose::Join,
        }
    }
}

fn check_claims(token: &SealToken, expected: &Expectation<'_>, now_ms: u64) -> Result<(), Refusal> {
    let claims = token.claims();
    if claims.network != expected.network {
        return Err(Refusal::WrongNetwork);
    }
    if claims.cluster != expected.cluster {
        return Err(Refusal::WrongCluster);
    }
    if claims.purpose != expected.purpose.purpose() {
        return Err(Refusal::WrongPurpose { expected: expected.purpose.purpose(), found: claims.purpose });
    }
    claims.check_lifetime().map_err(|_| Refusal::Lifetime)?;
    let ahead_ms = claims.issued_at_ms.saturating_sub(now_ms);
    if ahead_ms > CLOCK_SKEW_MS {
        return Err(Refusal::NotYetValid { ahead_ms });
    }
    let ago_ms = now_ms.saturating_sub(claims.expires_at_ms);
    if ago_ms > CLOCK_SKEW_MS {
        return Err(Refusal::Expired { ago_ms });
    }
    Ok(())
}

fn check_alive(live: &LiveToken, now_ms: u64) -> Result<(), Refusal> {
    if live.stake_status != StakeStatus::Active {
        return Err(Refusal::StakeNotActive(live.stake_status));
    }
    if live.suspended {
        return Err(Refusal::Suspended);
    }
    if live.revoked {
        return Err(Refusal::Revoked);
    }
    if now_ms >= live.expires_at_ms {
        return Err(Refusal::ExpiredOnChain);
    }
    if live.staked < live.minimum_stake {
        return Err(Refusal::StakeTooSmall { staked: live.staked, minimum: live.minimum_stake });
    }
    Ok(())
}

fn identify(live: &LiveToken, expected: &Expectation<'_>, view: &impl TokenView) -> Result<Identity, Refusal> {
    match expected.purpose {
        ExpectedPurpose::Api => {
            let admits = |tier| view.admits(&live.owner, tier);
            let tiers = live.tier.granted(admits).ok_or(Refusal::TierNotGranted(live.tier))?;
            Ok(Identity::Bearer(Bearer {
                owner: live.owner,
                token: live.token,
                key_generation: live.key_generation,
                tiers,
            }))
        }
        ExpectedPurpose::Join { node } => {
            if live.tier != Tier::Worker {
                return Err(Refusal::NotAWorker(live.tier));
            }
            if node.is_some_and(|node| node != live.name.as_str()) {
                return Err(Refusal::WrongNode(live.name.clone()));
            }
            Ok(Identity::Node(NodeIdentity {
                owner: live.owner,
                token: live.token,
                key_generation: live.key_generation,
                name: live.name.clone(),
            }))
        }
    }
}

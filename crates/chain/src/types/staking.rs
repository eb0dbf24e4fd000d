//! `staking::*`.

use std::sync::Arc;

use daas_seal_token::{StakeStatus, Tier};
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::cluster::{Consequence, Settings};

/// `terms::Terms`: fixed when the stake is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Terms {
    /// MIST.
    pub minimum_stake: u64,
    /// Milliseconds between unstake and withdraw.
    pub unbonding_ms: u64,
    /// The most that slashes may take of the principal, in basis points.
    pub slash_share_bps: u64,
    /// Where slashed money goes.
    pub treasury: Address,
    /// What follows from evidence, by offence.
    pub offences: Vec<Consequence>,
}

impl Terms {
    /// What a stake of this tier would get under these settings. The contract takes a stake only from somebody who names these very terms.
    pub fn of(settings: &Settings, tier: Tier) -> Self {
        Self {
            minimum_stake: settings.minimum_stake(tier),
            unbonding_ms: settings.unbonding_ms,
            slash_share_bps: settings.slash_share_bps,
            treasury: settings.treasury,
            offences: settings.offences.clone(),
        }
    }
}

/// `staking::Stake`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// Its id.
    pub id: Address,
    /// The one cluster in which it counts.
    pub cluster: Address,
    /// Who alone can move it.
    pub owner: Address,
    /// What the staker calls the node.
    pub node_id: String,
    /// Node id, dash, eight hex digits of the stake's id.
    pub name: String,
    /// What it buys.
    pub tier: Tier,
    /// Where it is in its life.
    pub status: StakeStatus,
    /// Kept out by the admin or by evidence.
    pub suspended: bool,
    /// MIST in it now.
    pub balance: u64,
    /// MIST ever put in.
    pub principal: u64,
    /// MIST taken by slashes.
    pub slashed: u64,
    /// Its terms.
    pub terms: Terms,
    /// Chain time.
    pub staked_at_ms: u64,
    /// Chain time from which it can be withdrawn; 0 while Active.
    pub releases_at_ms: u64,
    /// Its one Seal token.
    pub token: Option<TokenRef>,
}

/// `staking::TokenRef`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRef {
    /// The Seal token.
    pub id: Address,
    /// Its end.
    pub expires_at_ms: u64,
}

/// `staking::MemberKey`: a stake that has not been withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberKey {
    /// The stake.
    pub stake: Address,
}

/// `staking::Member`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The node's name.
    pub name: String,
}

/// `staking::NameKey`: a name that was ever used; its value is the stake's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameKey {
    /// The node's name.
    pub name: String,
}

/// Terms are the same for most stakes: shared in memory.
pub type SharedTerms = Arc<Terms>;

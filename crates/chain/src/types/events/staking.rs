//! `staking::*`: the life of stakes.

use daas_seal_token::{StakeStatus, Tier};
use sui_sdk_types::Address;

use super::structs;
use crate::types::numbers::Offence;
use crate::types::staking::Terms;

structs! {
    /// A stake was made.
    Staked {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// Who.
        owner: Address,
        /// What the staker calls the node.
        node_id: String,
        /// The node's name.
        name: String,
        /// What it buys.
        tier: Tier,
        /// MIST.
        amount: u64,
        /// Its terms.
        terms: Terms,
        /// Chain time.
        at_ms: u64,
    }

    /// More money in a stake.
    ToppedUp {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// MIST added.
        added: u64,
        /// MIST in it now.
        amount: u64,
    }

    /// A stake is unbonding.
    Unstaked {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// MIST in it.
        amount: u64,
        /// Chain time from which it can be withdrawn.
        releases_at_ms: u64,
    }

    /// A stake went back to its owner.
    Withdrawn {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// Who.
        owner: Address,
        /// MIST paid out.
        amount: u64,
        /// Status afterwards.
        status: StakeStatus,
    }

    /// A stake was slashed.
    Slashed {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// MIST taken.
        amount: u64,
        /// MIST left.
        remaining: u64,
        /// What for.
        offence: Offence,
        /// The admin's words.
        reason: String,
        /// Where the money went.
        treasury: Address,
        /// Chain time from which the rest can be withdrawn.
        releases_at_ms: u64,
    }

    /// A stake is kept out.
    Suspended {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
        /// What for.
        offence: Offence,
    }

    /// A stake is let in again.
    Resumed {
        /// The cluster.
        cluster: Address,
        /// The stake.
        stake: Address,
    }
}

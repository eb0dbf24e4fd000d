use daas_seal_token::{NodeName, StakeId, Tier, TokenId, WalletAddress};
use tokio::sync::broadcast;

use crate::types::{Bytes32, Offence, Pcrs};

/// How many changes a slow subscriber may be behind before it is told to look at everything anew.
pub(super) const BACKLOG: usize = 4096;

/// What just became different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An identity is over: close its connections.
    Ended {
        /// Its token, if it had one.
        token: Option<TokenId>,
        /// Its stake.
        stake: StakeId,
        /// Its node.
        name: NodeName,
        /// Its wallet.
        owner: WalletAddress,
        /// Why.
        reason: EndReason,
    },
    /// A stake was made.
    Staked {
        /// The stake.
        stake: StakeId,
        /// Its node.
        name: NodeName,
    },
    /// A token was made.
    TokenCreated {
        /// The token.
        token: TokenId,
        /// Its stake.
        stake: StakeId,
    },
    /// A token has another session key: bearer sessions under the old one are over.
    KeyRotated {
        /// The token.
        token: TokenId,
        /// The new generation.
        key_generation: u64,
    },
    /// A token lives longer.
    TokenExtended {
        /// The token.
        token: TokenId,
        /// Chain time.
        expires_at_ms: u64,
    },
    /// A stake that was kept out may come back.
    Resumed {
        /// The stake.
        stake: StakeId,
    },
    /// A grant was given or taken.
    Grant {
        /// Who.
        wallet: WalletAddress,
        /// What.
        tier: Tier,
        /// Given.
        granted: bool,
    },
    /// Settings or endpoints.
    Settings,
    /// A release was listed, approved, retired or revoked.
    Release {
        /// Which.
        pcrs: Pcrs,
    },
    /// An instance was registered, renewed or forgotten.
    Registration {
        /// Which.
        instance: Bytes32,
    },
    /// Another instance speaks for the cluster, or none.
    Generation {
        /// The new generation.
        generation: u64,
        /// Who.
        active: Option<Bytes32>,
    },
    /// A newer sealed state is anchored.
    Anchored {
        /// Its epoch.
        epoch: u64,
    },
    /// Evidence was counted.
    Evidence {
        /// Against whom.
        stake: StakeId,
        /// Who signed it.
        instance: Bytes32,
        /// The sequence that is used up.
        sequence: u64,
        /// SHA-256 of the proof.
        digest: Bytes32,
    },
    /// Changes may have been missed: look at everything anew.
    Reloaded,
}

/// Why an identity is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Slashed.
    Slashed(Offence),
    /// Suspended.
    Suspended(Offence),
    /// Unbonding.
    Unstaked,
    /// Withdrawn.
    Withdrawn,
    /// Its token was revoked.
    Revoked,
}

/// A subscription to changes, in order.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

impl Changes {
    pub(super) fn new(receiver: broadcast::Receiver<Change>) -> Self {
        Self(receiver)
    }

    /// The next change; `None` when the registry is gone. A subscriber that falls too far behind gets
    /// [`Change::Reloaded`].
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Change::Reloaded),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

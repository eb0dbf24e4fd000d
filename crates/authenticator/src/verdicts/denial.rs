use daas_seal_token::{ParseError, Refusal, Stale};

use super::subject::Unplaced;

/// Why somebody is refused: told to whoever asks, so it names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// Not a Seal token.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// The chain says no, or the registry cannot be relied on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody on chain answers for the user.
    #[error(transparent)]
    Unplaced(#[from] Unplaced),
    /// The session key was rotated since.
    #[error("the session key has been rotated")]
    Rotated,
    /// The user's name, groups or node are not those of its token.
    #[error("the chain says something else about this user")]
    Mismatch,
    /// The stake of this node is gone, or has no token.
    #[error("no live stake has this node's name")]
    NodeGone,
    /// Nobody is known to have had this service-account token made.
    #[error("nobody answers for this service-account token")]
    MakerUnknown,
    /// The master does it for them, so that a node says nothing about itself that others act on.
    #[error("nodes do not {0}")]
    NotForNodes(&'static str),
}

impl From<Stale> for Denial {
    fn from(stale: Stale) -> Self {
        Self::Refused(Refusal::Stale(stale))
    }
}

impl Denial {
    /// One word for each kind, for metrics.
    pub(super) const KINDS: [&str; 9] = [
        "malformed",
        "stale",
        "refused",
        "unplaced",
        "rotated",
        "mismatch",
        "node_gone",
        "maker_unknown",
        "not_for_nodes",
    ];

    /// Its place among [`Self::KINDS`].
    pub(super) fn kind(&self) -> usize {
        match self {
            Self::Malformed(_) => 0,
            Self::Refused(Refusal::Stale(_)) => 1,
            Self::Refused(_) => 2,
            Self::Unplaced(_) => 3,
            Self::Rotated => 4,
            Self::Mismatch => 5,
            Self::NodeGone => 6,
            Self::MakerUnknown => 7,
            Self::NotForNodes(_) => 8,
        }
    }
}

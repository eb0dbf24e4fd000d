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
    /// For metrics: one word for each kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Refused(Refusal::Stale(_)) => "stale",
            Self::Refused(_) => "refused",
            Self::Unplaced(_) => "unplaced",
            Self::Rotated => "rotated",
            Self::Mismatch => "mismatch",
            Self::NodeGone => "node_gone",
            Self::MakerUnknown => "maker_unknown",
            Self::NotForNodes(_) => "not_for_nodes",
        }
    }
}

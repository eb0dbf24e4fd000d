use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a stake buys, `u8` on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// Reads the cluster (Kubernetes' `view`).
    Reader,
    /// Runs a worker.
    Worker,
    /// Administers the cluster.
    Admin,
}

/// A tier number that the contract does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown tier {0}: a tier is reader (0), worker (1) or admin (2)")]
pub struct UnknownTier(pub String);

impl Tier {
    /// All tiers, lowest first, in the order of the contract's vectors.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Worker, Self::Admin];

    /// The lower-case word used in groups, settings and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }

    /// The Kubernetes group of the tier.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Reader => "seal:tier:reader",
            Self::Worker => "seal:tier:worker",
            Self::Admin => "seal:tier:admin",
        }
    }

    /// The tiers whose groups a bearer gets, or `None` if the tier itself is no longer open to this wallet.
    ///
    /// `admits` tells whether the cluster opens a tier to stake alone or grants it to the bearer's wallet. Tiers are
    /// cumulative, with one exception: a worker's stake is a refundable deposit that anybody can make, and
    /// must not buy everybody's Secrets. So a worker reads the cluster only where the reader tier is
    /// open or granted to it, and reader and admin tokens end when their grant is taken back. A worker keeps its own
    /// tier when the cluster closes it to newcomers.
    pub fn granted(self, admits: impl Fn(Self) -> bool) -> Option<Vec<Self>> {
        match self {
            Self::Admin => admits(Self::Admin).then(|| vec![Self::Reader, Self::Worker, Self::Admin]),
            Self::Worker if admits(Self::Reader) => Some(vec![Self::Reader, Self::Worker]),
            Self::Worker => Some(vec![Self::Worker]),
            Self::Reader => admits(Self::Reader).then(|| vec![Self::Reader]),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(text: &str) -> Result<Self, UnknownTier> {
        Self::ALL.into_iter().find(|tier| tier.name() == text).ok_or_else(|| UnknownTier(text.to_owned()))
    }
}

impl TryFrom<u8> for Tier {
    type Error = UnknownTier;

    fn try_from(number: u8) -> Result<Self, UnknownTier> {
        Self::ALL.get(usize::from(number)).copied().ok_or_else(|| UnknownTier(number.to_string()))
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> Self {
        tier as Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_reads_only_where_reading_is_open_or_granted() {
        assert_eq!(Tier::Worker.granted(|_| false), Some(vec![Tier::Worker]));
        assert_eq!(Tier::Worker.granted(|tier| tier == Tier::Reader), Some(vec![Tier::Reader, Tier::Worker]));
        assert_eq!(Tier::Worker.granted(|tier| tier == Tier::Admin), Some(vec![Tier::Worker]));
    }

    #[test]
    fn reader_and_admin_end_with_their_grant() {
        assert_eq!(Tier::Admin.granted(|tier| tier != Tier::Admin), None);
        assert_eq!(Tier::Reader.granted(|tier| tier != Tier::Reader), None);
        assert_eq!(Tier::Admin.granted(|tier| tier == Tier::Admin).map(|tiers| tiers.len()), Some(3));
        assert_eq!(Tier::Reader.granted(|_| true), Some(vec![Tier::Reader]));
    }

    #[test]
    fn unknown_numbers_and_words_are_refused() {
        assert!(Tier::try_from(3).is_err());
        assert!("Admin".parse::<Tier>().is_err());
        assert!(bcs::from_bytes::<Tier>(&[3]).is_err());
        assert_eq!(bcs::to_bytes(&Tier::Admin).unwrap(), [2]);
    }
}

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{ClusterId, NetworkId, TokenId};

/// Longest life of an Api token: 5 minutes.
pub const MAX_API_LIFETIME_MS: u64 = 5 * 60 * 1000;
/// Longest life of a Join token: 10 minutes.
pub const MAX_JOIN_LIFETIME_MS: u64 = 10 * 60 * 1000;

/// What a token may be shown to. Its number is part of the signed bytes: never reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// The join gateway: opens the node paths for the token's own node.
    Join,
    /// The Kubernetes API.
    Api,
}

impl Purpose {
    /// The longest life of a token of this purpose, in milliseconds.
    pub const fn max_lifetime_ms(self) -> u64 {
        match self {
            Self::Join => MAX_JOIN_LIFETIME_MS,
            Self::Api => MAX_API_LIFETIME_MS,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Join => "join",
            Self::Api => "api",
        })
    }
}

/// What the session key signs. Field order is BCS order; the encoding is always 129 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claims {
    /// The network, so that a token of a development chain means nothing elsewhere.
    pub network: NetworkId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The `SealToken` object whose session key signed.
    pub token: TokenId,
    /// What the token may be shown to.
    pub purpose: Purpose,
    /// Milliseconds since the Unix epoch.
    pub issued_at_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub expires_at_ms: u64,
    /// From the caller's random source; makes tokens of the same instant distinct.
    pub nonce: [u8; 16],
}

/// The wished life of a token is zero or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token for {purpose} lives 1 ms to {} s", .purpose.max_lifetime_ms() / 1000)]
pub struct LifetimeError {
    /// The purpose asked for.
    pub purpose: Purpose,
}

impl Claims {
    /// Claims that begin at `issued_at_ms` and last `lifetime_ms`.
    pub fn new(
        network: NetworkId,
        cluster: ClusterId,
        token: TokenId,
        purpose: Purpose,
        issued_at_ms: u64,
        lifetime_ms: u64,
        nonce: [u8; 16],
    ) -> Result<Self, LifetimeError> {
        let expires_at_ms = issued_at_ms.checked_add(lifetime_ms).ok_or(LifetimeError { purpose })?;
        let claims = Self { network, cluster, token, purpose, issued_at_ms, expires_at_ms, nonce };
        claims.check_lifetime()?;
        Ok(claims)
    }

    pub(crate) fn check_lifetime(&self) -> Result<(), LifetimeError> {
        match self.expires_at_ms.checked_sub(self.issued_at_ms) {
            Some(1..) if self.expires_at_ms - self.issued_at_ms <= self.purpose.max_lifetime_ms() => Ok(()),
            _ => Err(LifetimeError { purpose: self.purpose }),
        }
    }

    /// The BCS bytes. Written by hand so that encoding cannot fail; a test holds it against `bcs`.
    pub(crate) fn encode(&self) -> [u8; CLAIMS_LENGTH] {
        let mut bytes = [0; CLAIMS_LENGTH];
        bytes[..32].copy_from_slice(&self.network.0);
        bytes[32..64].copy_from_slice(&self.cluster.0);
        bytes[64..96].copy_from_slice(&self.token.0);
        bytes[96] = match self.purpose {
            Purpose::Join => 0,
            Purpose::Api => 1,
        };
        bytes[97..105].copy_from_slice(&self.issued_at_ms.to_le_bytes());
        bytes[105..113].copy_from_slice(&self.expires_at_ms.to_le_bytes());
        bytes[113..].copy_from_slice(&self.nonce);
        bytes
    }
}

/// Three ids, a variant number, two times, a nonce.
pub(crate) const CLAIMS_LENGTH: usize = 3 * 32 + 1 + 2 * 8 + 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims() -> impl Strategy<Value = Claims> {
        let ids = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
        let rest = (any::<bool>(), any::<u64>(), any::<u64>(), any::<[u8; 16]>());
        (ids, rest).prop_map(|((network, cluster, token), (join, issued_at_ms, expires_at_ms, nonce))| Claims {
            network: NetworkId(network),
            cluster: ClusterId(cluster),
            token: TokenId(token),
            purpose: if join { Purpose::Join } else { Purpose::Api },
            issued_at_ms,
            expires_at_ms,
            nonce,
        })
    }

    proptest! {
        #[test]
        fn the_encoding_is_bcs(claims in claims()) {
            let expected = bcs::to_bytes(&claims).unwrap();
            prop_assert_eq!(claims.encode().to_vec(), expected);
        }
    }

    #[test]
    fn lifetimes_are_bounded_and_never_zero() {
        let new = |purpose, issued, lifetime| {
            Claims::new(NetworkId([0; 32]), ClusterId([0; 32]), TokenId([0; 32]), purpose, issued, lifetime, [0; 16])
        };
        for (purpose, max) in [(Purpose::Api, 300_000), (Purpose::Join, 600_000)] {
            assert!(new(purpose, 5, max).is_ok());
            assert!(new(purpose, 5, 1).is_ok());
            assert!(new(purpose, 5, max + 1).is_err());
            assert!(new(purpose, 5, 0).is_err());
            assert!(new(purpose, u64::MAX, 1).is_err());
        }
    }
}

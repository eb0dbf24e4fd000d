use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is not `0x` and 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 0x and 64 hex digits")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl AsRef<[u8; 32]> for $name {
            fn as_ref(&self) -> &[u8; 32] {
                &self.0
            }
        }
    )*};
}

ids! {
    /// The chain identifier: the digest of the network's first checkpoint.
    NetworkId;
    /// The id of a `cluster::Cluster` object.
    ClusterId;
    /// The id of a `k8s_gateway::SealToken` object.
    TokenId;
    /// The id of a `staking::Stake` object.
    StakeId;
    /// The address of a wallet.
    WalletAddress;
}

fn parse(text: &str) -> Result<[u8; 32], IdError> {
    let digits = text.strip_prefix("0x").ok_or(IdError)?.as_bytes();
    if digits.len() != 64 {
        return Err(IdError);
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, IdError> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(IdError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_and_parse() {
        let id = TokenId([0xa5; 32]);
        assert_eq!(id.to_string(), format!("0x{}", "a5".repeat(32)));
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in
            ["", "0x", "a5", &"a5".repeat(32), &format!("0x{}", "g5".repeat(32)), &format!("0x{}+5", "a5".repeat(31))]
        {
            assert_eq!(wrong.parse::<TokenId>(), Err(IdError), "{wrong}");
        }
    }
}

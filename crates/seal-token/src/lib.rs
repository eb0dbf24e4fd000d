//! The Seal token: the bearer string that replaces the k3s join token and the kubeconfig secret.
//!
//! `seal1.<b64url(BCS(claims))>.<b64url(Ed25519 signature)>`, signed by a session key that the chain knows. This crate
//! knows neither clocks nor sockets: time and the view of the chain come in as arguments, and no network call is ever
//! made to reach a verdict.
//!
//! ```
//! use daas_seal_token::{Claims, ClusterId, NetworkId, Purpose, SealToken, SigningKey, TokenId};
//!
//! let key = SigningKey::from_bytes(&[7; 32]);
//! let claims = Claims::new(NetworkId([1; 32]), ClusterId([2; 32]), TokenId([3; 32]), Purpose::Api, 1_000, 60_000, [4; 16])?;
//! let bearer = key.sign(&claims).to_bearer();
//! let token = SealToken::parse(&bearer)?;
//! assert_eq!(token.claims(), &claims);
//! assert_eq!(token.to_string(), "seal1.…"); // logs never see the real one
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claims;
mod domain;
mod identity;
mod ids;
mod key;
mod name;
mod tier;
mod token;
mod verify;

pub use claims::{Claims, LifetimeError, MAX_API_LIFETIME_MS, MAX_JOIN_LIFETIME_MS, Purpose};
pub use domain::signed_bytes;
pub use identity::{Bearer, Identity, NodeIdentity};
pub use ids::{ClusterId, IdError, NetworkId, StakeId, TokenId, WalletAddress};
pub use key::{SessionKey, SigningKey, UnusableKey};
pub use name::{NameError, NodeId, NodeName};
pub use tier::{Tier, UnknownTier};
pub use token::{BEARER_LENGTH, ParseError, SealToken};
pub use verify::{
    CLOCK_SKEW_MS, Expectation, ExpectedPurpose, LiveToken, Refusal, StakeStatus, Stale, TokenView, verify,
};

//! Parses and verifies AWS Nitro attestation documents.
//!
//! A document is a COSE_Sign1 message (RFC 9052) in CBOR (RFC 8949) that the Nitro hypervisor signs with a key certified
//! by a chain up to a pinned root. [`verify`] is the one function that accepts a document. It cannot be called without the
//! expected measurements, the caller's nonce rule and the expected claims, and what it gives back is a [`Verdict`] or, for a
//! document that carries no claims of this project, an [`Unbound`]. [`Unverified`] shows what a document says without judging it.
//!
//! There is no I/O here, no clock and no global state: the time and the cache of verified chains are arguments. The rules and
//! their sources are listed in `docs/attestation.md`; [`Refusal::rule`] names the one that a document broke.
//!
//! ```
//! use daas_attestation::{AgeRule, Measurements, Network, NonceRule, Policy, Refusal, Release, Unchecked, Unverified, UnixTime, verify};
//!
//! let document = include_bytes!("../tests/vectors/production_2024-02-26.bin");
//! let said = Unverified::parse(document)?;
//! let [pcr0, pcr1, pcr2] = [0, 1, 2].map(|index| *said.pcrs().get(index).unwrap());
//! let release = Release::active(Measurements::new(pcr0, pcr1, pcr2)?);
//! let policy = Policy {
//!     network: Network::Production,
//!     now: UnixTime::from_seconds(1_708_931_000),
//!     releases: &[release],
//!     nonce: NonceRule::None,
//!     age: AgeRule::WhileCertified,
//!     claims: Unchecked,
//! };
//! let verdict = verify(document, &policy, None)?;
//! assert_eq!(verdict.document().module_id(), "i-0df237f0418feb41e-enc018d1c7ef94eb110");
//! # Ok::<(), Refusal>(())
//! ```

mod answer;
pub mod cbor;
mod certificate;
mod chain;
mod chain_cache;
mod claims;
mod cose;
pub mod der;
mod document;
pub mod merkle;
pub mod nitrotpm;
mod pcr;
mod policy;
mod refusal;
mod roots;
mod signature;
#[cfg(feature = "sui-native")]
pub mod sui;
mod time;
mod tls_key;
mod verify;

pub use answer::{Answer, AnswerError};
pub use certificate::CertificateSummary;
pub use chain_cache::ChainCache;
pub use claims::Claims;
pub use document::{Document, MAX_DOCUMENT_BYTES, Platform, Unverified};
pub use pcr::{Pcr, Pcrs};
pub use policy::{
    AgeRule, BoundTo, ClaimsRule, Measurements, NonceRule, Policy, Release, ReleaseState, TlsPeer, Unchecked,
};
pub use refusal::{Refusal, Rule, Stage};
pub use roots::{Network, RootError, TrustedRoots};
pub use time::UnixTime;
pub use tls_key::tls_spki_sha256;
pub use verify::{Unbound, Verdict, verify};

//! The one function that accepts a document, and what it gives back.

use std::sync::LazyLock;

use crate::chain::{self, CertifiedKey};
use crate::document::Payload;
use crate::policy::{Genuine, find_release};
use crate::{
    ChainCache, Claims, ClaimsRule, Document, Network, Platform, Policy, Refusal, TrustedRoots, UnixTime, Unverified,
};

/// The pinned certificate, decoded once: a constant, not state.
static AWS: LazyLock<TrustedRoots> = LazyLock::new(TrustedRoots::aws);

/// Judges a document: genuine, made by a good release, answering the caller, and claiming what the caller expects.
///
/// With a cache a chain of certificates that was verified before is not verified again.
pub fn verify<C: ClaimsRule>(
    document: &[u8],
    policy: &Policy<'_, C>,
    cache: Option<&mut ChainCache>,
) -> Result<C::Verdict, Refusal> {
    let unverified = Unverified::parse(document)?;
    let authentic = authenticate(&unverified, policy.network, policy.now, cache)?;
    let payload = &unverified.payload;
    if payload.platform != Platform::Enclave {
        return Err(Refusal::NotAnEnclave);
    }
    let release = find_release(&payload.pcrs, policy.releases, policy.now)?;
    policy.nonce.check(payload.nonce)?;
    policy.age.check(unverified.timestamp(), policy.now)?;
    policy.claims.judge(Genuine {
        payload,
        release,
        is_simulated: authentic.is_simulated,
        is_production: matches!(policy.network, Network::Production),
        certified_until: authentic.certified_until,
    })
}

/// A good document of an enclave of this project: measured, bound to a cluster, and to the TLS peer where there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    measured: Unbound,
    claims: Claims,
    instance_key: [u8; 32],
}

/// A good document of which nobody asked what it claims: measured, unbound. It says which code made it, and for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbound {
    document: Document,
    release: usize,
    is_simulated: bool,
    is_production: bool,
    certified_until: UnixTime,
}

impl Verdict {
    pub(crate) fn new(measured: Unbound, claims: Claims, instance_key: [u8; 32]) -> Self {
        Self { measured, claims, instance_key }
    }

    /// What the enclave claims; every field that the policy named is as named.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The Ed25519 key with which the enclave speaks to the chain.
    pub fn instance_key(&self) -> &[u8; 32] {
        &self.instance_key
    }

    /// What the document says.
    pub fn document(&self) -> &Document {
        &self.measured.document
    }

    /// The place of its release among those of the policy.
    pub fn release(&self) -> usize {
        self.measured.release
    }

    /// Whether simulated hardware made it. Never in production.
    pub fn is_simulated(&self) -> bool {
        self.measured.is_simulated
    }

    /// Whether the verdict counts in production; otherwise whoever shows it says DEVELOPMENT.
    pub fn is_production(&self) -> bool {
        self.measured.is_production
    }

    /// The last second in which all certificates are valid.
    pub fn certified_until(&self) -> UnixTime {
        self.measured.certified_until
    }
}

impl Unbound {
    pub(crate) fn new(document: Document, genuine: Genuine<'_, '_>) -> Self {
        let Genuine { release, is_simulated, is_production, certified_until, .. } = genuine;
        Self { document, release, is_simulated, is_production, certified_until }
    }

    /// What the document says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The place of its release among those of the policy.
    pub fn release(&self) -> usize {
        self.release
    }

    /// Whether simulated hardware made it. Never in production.
    pub fn is_simulated(&self) -> bool {
        self.is_simulated
    }

    /// Whether the verdict counts in production; otherwise whoever shows it says DEVELOPMENT.
    pub fn is_production(&self) -> bool {
        self.is_production
    }

    /// The last second in which all certificates are valid.
    pub fn certified_until(&self) -> UnixTime {
        self.certified_until
    }
}

/// Signed by hardware under a trusted root, and all its certificates valid now. This alone is no verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authentic {
    pub(crate) is_simulated: bool,
    pub(crate) certified_until: UnixTime,
}

pub(crate) fn authenticate(
    unverified: &Unverified<'_>,
    network: Network<'_>,
    now: UnixTime,
    cache: Option<&mut ChainCache>,
) -> Result<Authentic, Refusal> {
    let payload = &unverified.payload;
    let roots = match network {
        Network::Production => &*AWS,
        Network::Development(roots) => roots,
    };
    let root = payload.cabundle.first().and_then(|der| roots.find(der)).ok_or(Refusal::UnknownRoot)?;
    let authentic = |certified: &CertifiedKey| {
        check_signature(unverified, certified)?;
        let certified_until = UnixTime::from_seconds(certified.window.1);
        Ok(Authentic { is_simulated: !root.is_aws, certified_until })
    };
    let Some(cache) = cache else {
        return authentic(&chain::verify(payload, root, now)?);
    };
    if let Some(certified) = cache.find(payload, now) {
        return authentic(certified);
    }
    let certified = chain::verify(payload, root, now)?;
    let verdict = authentic(&certified)?;
    cache.remember(payload, certified);
    Ok(verdict)
}

fn check_signature(unverified: &Unverified<'_>, certified: &CertifiedKey) -> Result<(), Refusal> {
    let message = unverified.message;
    if certified.key.verify(&message.signed_message(), message.signature) {
        Ok(())
    } else {
        Err(Refusal::DocumentSignature)
    }
}

/// For the modules that judge by another policy.
pub(crate) fn open<'a>(
    document: &'a [u8],
    network: Network<'_>,
    now: UnixTime,
    cache: Option<&mut ChainCache>,
) -> Result<Payload<'a>, Refusal> {
    let unverified = Unverified::parse(document)?;
    authenticate(&unverified, network, now, cache)?;
    Ok(unverified.payload)
}

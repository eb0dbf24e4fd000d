//! What a caller expects of a document. Every part is given; none has a default.

use std::time::Duration;

use crate::document::Payload;
use crate::verify::{Unbound, Verdict};
use crate::{Claims, Document, Network, Pcr, Pcrs, Refusal, UnixTime, merkle};

/// What [`verify`](crate::verify) holds a document against.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a, C> {
    /// Which roots count.
    pub network: Network<'a>,
    /// The time to judge at: the caller's clock, or for an old document a moment in its past.
    pub now: UnixTime,
    /// The releases that may run; the document must show one of them, and that one must be good at `now`.
    pub releases: &'a [Release],
    /// What the document's nonce must be.
    pub nonce: NonceRule<'a>,
    /// How old the document may be.
    pub age: AgeRule,
    /// What it must claim: [`BoundTo`] a cluster, or [`Unchecked`].
    pub claims: C,
}

/// The registers of an image. PCR0 to 2 are always among them, and none is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurements {
    expected: Pcrs,
}

/// An image and where it is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// What it measures.
    pub measurements: Measurements,
    /// Whether it may run.
    pub state: ReleaseState,
}

/// The life of a release as the chain tells it (`measurements::Release`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// Proposed: its delay runs, or approvals are missing.
    Pending,
    /// May run.
    Active,
    /// May run up to and including this moment.
    Retiring {
        /// The last moment.
        until: UnixTime,
    },
    /// May not run.
    Revoked,
}

/// What the nonce of a document must be.
#[derive(Debug, Clone, Copy)]
pub enum NonceRule<'a> {
    /// The caller sent no challenge. A document that answers one was made for somebody else and is refused.
    None,
    /// These very bytes.
    Exactly(&'a [u8]),
    /// The root that this path leads to from the caller's nonce: one document answers a batch of callers.
    Batched {
        /// The caller's own.
        nonce: &'a [u8; merkle::NONCE_LENGTH],
        /// What the enclave sent with the document.
        path: &'a merkle::Path,
    },
}

/// How old a document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeRule {
    /// As old as its certificate allows, about three hours.
    WhileCertified,
    /// At most so old; and not made in the future, by more than the five seconds that two clocks may differ.
    AtMost(Duration),
}

/// Demands the claims of this project's enclaves; the verdict is a [`Verdict`].
#[derive(Debug, Clone, Copy)]
pub struct BoundTo<'a> {
    /// The Cluster object.
    pub cluster: &'a [u8; 32],
    /// The connection that the document came through.
    pub tls: TlsPeer<'a>,
    /// The instance key that must be the document's, where the cluster's active instance is meant and not just one of its code.
    pub instance: Option<&'a [u8; 32]>,
    /// The server CA of the active instance.
    pub server_ca_sha256: Option<&'a [u8; 32]>,
    /// The configuration that the Cluster pins.
    pub config_sha256: Option<&'a [u8; 32]>,
}

/// The peer of the TLS connection that a document came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPeer<'a> {
    /// SHA-256 of the public key (SPKI, DER) of the peer's certificate.
    Spki(&'a [u8; 32]),
    /// The document came from a file or the chain. The verdict says who may be trusted, not who is at the other end.
    NoConnection,
}

/// Asks for no claims: judges a foreign document, which says nothing of this project. The verdict is an [`Unbound`].
#[derive(Debug, Clone, Copy)]
pub struct Unchecked;

/// [`BoundTo`] or [`Unchecked`].
pub trait ClaimsRule: sealed::Sealed {
    /// What the caller gets for it.
    type Verdict;

    #[doc(hidden)]
    fn judge(&self, genuine: Genuine<'_, '_>) -> Result<Self::Verdict, Refusal>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::BoundTo<'_> {}
    impl Sealed for super::Unchecked {}
}

/// A document for which everything but the claims has been judged.
#[derive(Debug, Clone, Copy)]
pub struct Genuine<'a, 'b> {
    pub(crate) payload: &'a Payload<'b>,
    pub(crate) release: usize,
    pub(crate) is_simulated: bool,
    pub(crate) is_production: bool,
    pub(crate) certified_until: UnixTime,
}

/// How far an enclave's clock may be ahead of ours.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);
/// PCR0: image, PCR1: kernel and boot ramdisk, PCR2: application.
pub(crate) const IMAGE_PCRS: [u8; 3] = [0, 1, 2];
const INSTANCE_KEY_LENGTH: usize = 32;

impl Measurements {
    /// The registers of every enclave image.
    pub fn new(pcr0: Pcr, pcr1: Pcr, pcr2: Pcr) -> Result<Self, Refusal> {
        let none = Self { expected: Pcrs::empty() };
        none.and(0, pcr0)?.and(1, pcr1)?.and(2, pcr2)
    }

    /// Demands a further register: 3 (the parent's role), 4 (the parent instance), 8 (who signed the image), 16 (configuration).
    pub fn and(mut self, index: u8, value: Pcr) -> Result<Self, Refusal> {
        if value.is_zero() {
            return Err(Refusal::ZeroMeasurement { index });
        }
        *self.expected.slot(index.into()).ok_or(Refusal::PcrIndex { index: index.into() })? = Some(value);
        Ok(self)
    }

    /// The registers, by index.
    pub fn pcrs(&self) -> &Pcrs {
        &self.expected
    }

    /// The first register that differs.
    fn check(&self, pcrs: &Pcrs) -> Result<(), Refusal> {
        for (index, expected) in self.expected.iter() {
            let found = pcrs.get(index).ok_or(Refusal::PcrMissing { index })?;
            if found != expected {
                let (expected, found) = (expected.to_string(), found.to_string());
                return Err(Refusal::Measurement { index, expected, found });
            }
        }
        Ok(())
    }

    fn is_image_of(&self, pcrs: &Pcrs) -> bool {
        IMAGE_PCRS.iter().all(|index| self.expected.get(*index) == pcrs.get(*index))
    }
}

impl Release {
    /// A release that may run: one of the chain's, or measurements that the caller names.
    pub fn active(measurements: Measurements) -> Self {
        Self { measurements, state: ReleaseState::Active }
    }

    fn check_state(&self, now: UnixTime) -> Result<(), Refusal> {
        match self.state {
            ReleaseState::Active => Ok(()),
            ReleaseState::Retiring { until } if now <= until => Ok(()),
            ReleaseState::Retiring { until } => Err(Refusal::ReleaseRetired { until_ms: until.millis() }),
            ReleaseState::Pending => Err(Refusal::ReleaseNotActive),
            ReleaseState::Revoked => Err(Refusal::ReleaseRevoked),
        }
    }
}

/// The release that the registers show, by its place in `releases`.
pub(crate) fn find_release(pcrs: &Pcrs, releases: &[Release], now: UnixTime) -> Result<usize, Refusal> {
    for index in IMAGE_PCRS {
        if pcrs.get(index).ok_or(Refusal::PcrMissing { index })?.is_zero() {
            return Err(Refusal::DebugMode { index });
        }
    }
    if let [only] = releases {
        only.measurements.check(pcrs)?;
    }
    let mut refusal = None;
    for (place, release) in releases.iter().enumerate().filter(|(_, release)| release.measurements.is_image_of(pcrs)) {
        match release.measurements.check(pcrs).and_then(|()| release.check_state(now)) {
            Ok(()) => return Ok(place),
            // Whatever else a list says of the same image.
            Err(Refusal::ReleaseRevoked) => return Err(Refusal::ReleaseRevoked),
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    Err(refusal.unwrap_or_else(|| match (releases, pcrs.get(0)) {
        ([_, ..], Some(image)) => Refusal::UnknownRelease { pcr0: image.to_string() },
        _ => Refusal::NoReleases,
    }))
}

impl NonceRule<'_> {
    pub(crate) fn check(&self, nonce: Option<&[u8]>) -> Result<(), Refusal> {
        let expected = match self {
            Self::None => return if nonce.is_none() { Ok(()) } else { Err(Refusal::NonceUnexpected) },
            Self::Exactly(expected) => expected.to_vec(),
            Self::Batched { nonce, path } => path.root(nonce).ok_or(Refusal::NonceMismatch)?.to_vec(),
        };
        match nonce {
            None => Err(Refusal::NonceMissing),
            Some(nonce) if nonce == expected => Ok(()),
            Some(_) => Err(Refusal::NonceMismatch),
        }
    }
}

impl AgeRule {
    pub(crate) fn check(self, made: UnixTime, now: UnixTime) -> Result<(), Refusal> {
        let Self::AtMost(limit) = self else { return Ok(()) };
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (age, ahead) = (now.since(made), made.since(now));
        if ahead > CLOCK_DIFFERENCE {
            Err(Refusal::FromTheFuture { ahead_ms: millis(ahead) })
        } else if age > limit {
            Err(Refusal::TooOld { age_ms: millis(age), limit_ms: millis(limit) })
        } else {
            Ok(())
        }
    }
}

impl ClaimsRule for Unchecked {
    type Verdict = Unbound;

    fn judge(&self, genuine: Genuine<'_, '_>) -> Result<Unbound, Refusal> {
        Ok(Unbound::new(Document::of(genuine.payload), genuine))
    }
}

impl ClaimsRule for BoundTo<'_> {
    type Verdict = Verdict;

    fn judge(&self, genuine: Genuine<'_, '_>) -> Result<Verdict, Refusal> {
        let payload = genuine.payload;
        let claims = Claims::parse(payload.user_data.ok_or(Refusal::ClaimsMissing)?)?;
        let differs = |expected: Option<&[u8; 32]>, found| expected.is_some_and(|expected| *expected != found);
        if claims.cluster != *self.cluster {
            return Err(Refusal::OtherCluster);
        }
        if let TlsPeer::Spki(peer) = self.tls
            && claims.tls_spki_sha256 != *peer
        {
            return Err(Refusal::OtherTlsKey);
        }
        if differs(self.server_ca_sha256, claims.server_ca_sha256) {
            return Err(Refusal::OtherServerCa);
        }
        if differs(self.config_sha256, claims.config_sha256) {
            return Err(Refusal::OtherConfiguration);
        }
        let instance_key: [u8; INSTANCE_KEY_LENGTH] =
            payload.public_key.and_then(|key| key.try_into().ok()).ok_or(Refusal::InstanceKeyMissing)?;
        if differs(self.instance, instance_key) {
            return Err(Refusal::OtherInstance);
        }
        Ok(Verdict::new(Unbound::new(Document::of(payload), genuine), claims, instance_key))
    }
}

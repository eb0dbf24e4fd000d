//! Which enclave to trust: a fresh document of the cluster's active instance, running a good release, over the connection whose key it
//! claims. Everything else is refused.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use daas_attestation::{
    AgeRule, BoundTo, Measurements, Network, Pcr, Policy, Release, ReleaseState, TrustedRoots, UnixTime, verify,
};
use daas_attested_tls::{AskError, Live, ask};
use daas_chain::types::{Bytes, ReleaseStatus};

use crate::chain::{Chain, ClusterFacts, now_ms};
use crate::error::Error;
use crate::life::Enclave;
use crate::random;

/// Longest wait for a document.
const ASK: Duration = Duration::from_secs(15);
/// How far the newest checkpoint of a production chain may lie behind this machine's clock: a frozen node would keep revoked releases
/// good.
const MAX_CHAIN_AGE: Duration = Duration::from_mins(1);

/// Which hardware is believed.
pub enum Roots {
    /// The AWS root alone.
    Production,
    /// AWS', or the one of the settings; the chain is for development.
    Development(TrustedRoots),
}

/// The time that a verdict is made for; it goes on while the enclave is asked.
struct Clock(u64, Instant);

impl Roots {
    /// On a production network no root may be given.
    pub fn of(root: Option<&Path>, is_production: bool) -> Result<Self, Error> {
        match (root, is_production) {
            (None, true) => Ok(Self::Production),
            (None, false) => Ok(Self::Development(TrustedRoots::aws())),
            (Some(path), true) => {
                let reason = "on a production network only the AWS root counts".to_owned();
                Err(Error::Root { path: path.to_owned(), reason })
            }
            (Some(path), false) => {
                let pem = fs::read_to_string(path).map_err(Error::file("read", path))?;
                let refused = |error: daas_attestation::RootError| Error::Root {
                    path: path.to_owned(),
                    reason: error.to_string(),
                };
                TrustedRoots::development(&pem).map(Self::Development).map_err(refused)
            }
        }
    }

    fn network(&self) -> Network<'_> {
        match self {
            Self::Production => Network::Production,
            Self::Development(roots) => Network::Development(roots),
        }
    }
}

/// Asks the enclave at `address` (`host:port`) for a document with a fresh nonce and judges it by what the chain says now.
pub async fn verify_enclave(chain: &Chain, roots: &Roots, address: &str) -> Result<Enclave, Error> {
    let facts = chain.facts().await?;
    let clock = Clock::of(chain).await?;
    let endpoint = format!("https://{address}").parse();
    let endpoint = endpoint.map_err(|_| Error::Address { what: "the master's API", text: address.to_owned() })?;
    let asked = ask(&endpoint, random()?, ASK).await;
    let live = asked.map_err(|source: AskError| Error::NoDocument { address: address.to_owned(), source })?;
    judge(&facts, chain.cluster().inner(), roots, clock.now(), &live).map_err(|refusal| match refusal {
        Judged::Refused(source) => Error::EnclaveRefused { address: address.to_owned(), source },
        Judged::NoInstance(reason) => Error::NoInstance { cluster: chain.cluster().to_string(), reason },
    })
}

/// Why a document is not taken.
#[derive(Debug)]
pub(crate) enum Judged {
    /// The document breaks a rule.
    Refused(daas_attestation::Refusal),
    /// There is nothing to compare it with.
    NoInstance(&'static str),
}

impl From<daas_attestation::Refusal> for Judged {
    fn from(refusal: daas_attestation::Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Pure: facts, time and answer in, enclave out.
pub(crate) fn judge(
    facts: &ClusterFacts,
    cluster: &[u8; 32],
    roots: &Roots,
    now: UnixTime,
    live: &Live,
) -> Result<Enclave, Judged> {
    let active = facts.cluster.active.as_ref().ok_or(Judged::NoInstance("the operator has activated none"))?;
    let registered = facts.active.as_ref().is_some_and(|known| known.expires_at_ms >= now.millis());
    if !registered {
        return Err(Judged::NoInstance("the active instance has no registration that is still good"));
    }
    let releases = facts.releases.iter().map(|release| release_of(release, now)).collect::<Result<Vec<_>, _>>()?;
    let config = facts.cluster.settings.config_sha256.map(|pin| pin.0);
    let policy = Policy {
        network: roots.network(),
        now,
        releases: &releases,
        nonce: live.nonce_rule(),
        age: AgeRule::AtMost(Duration::from_millis(facts.cluster.settings.document_max_age_ms)),
        claims: BoundTo {
            cluster,
            tls: live.tls_peer(),
            instance: Some(&active.instance.0),
            server_ca_sha256: Some(&active.server_ca_sha256.0),
            config_sha256: config.as_ref(),
        },
    };
    let verdict = verify(&live.answer.document, &policy, None)?;
    Ok(Enclave {
        instance: Bytes(*verdict.instance_key()),
        tls_spki_sha256: Bytes(verdict.claims().tls_spki_sha256),
        server_ca_sha256: Bytes(verdict.claims().server_ca_sha256),
        is_simulated: verdict.is_simulated(),
    })
}

impl Clock {
    /// The clock of a development chain may have been moved, and its hardware goes by it. Elsewhere no node is asked for the time: a
    /// frozen one would keep old documents alive.
    async fn of(chain: &Chain) -> Result<Self, Error> {
        let chain_ms = chain.now_ms().await?;
        if !chain.is_production() {
            return Ok(Self(chain_ms, Instant::now()));
        }
        let own_ms = now_ms();
        let age = Duration::from_millis(own_ms.saturating_sub(chain_ms));
        if age > MAX_CHAIN_AGE { Err(Error::ChainStale(age)) } else { Ok(Self(own_ms, Instant::now())) }
    }

    fn now(&self) -> UnixTime {
        let Self(ms, since) = self;
        UnixTime::from_millis(ms.saturating_add(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)))
    }
}

/// A release of the chain as the verifier knows it.
fn release_of(release: &daas_chain::types::Release, now: UnixTime) -> Result<Release, daas_attestation::Refusal> {
    let state = match release.status {
        ReleaseStatus::Listed if release.is_active(now.millis()) => ReleaseState::Active,
        ReleaseStatus::Listed => ReleaseState::Pending,
        ReleaseStatus::Retiring => ReleaseState::Retiring { until: UnixTime::from_millis(release.retiring_until_ms) },
        ReleaseStatus::Revoked => ReleaseState::Revoked,
    };
    let mut image = [Pcr([0; 48]); 3];
    for (pcr, bytes) in image.iter_mut().zip(release.pcrs.0.as_chunks::<48>().0) {
        *pcr = Pcr(*bytes);
    }
    let [pcr0, pcr1, pcr2] = image;
    let measurements = Measurements::new(pcr0, pcr1, pcr2)?;
    let measurements = match release.pcr8 {
        Some(pcr8) => measurements.and(8, Pcr(pcr8.0))?,
        None => measurements,
    };
    Ok(Release { measurements, state })
}

//! What a document is held against: from files, from the chain, from the command line.

use std::time::{Duration, Instant};

use daas_attestation::{AgeRule, Measurements, Pcr, Release, ReleaseState, TrustedRoots, UnixTime};
use daas_chain::types::{Cluster, ReleaseStatus};
use daas_diagnostics::{Diagnostic, codes};

use super::source::Source;
use super::{Claims, Verify};
use crate::connection::{ClusterLink, address, missing};
use crate::invocation::Invocation;
use crate::measurements::{self, Kind};
use crate::moment;
use crate::places::file_failed;
use crate::sheet::Network;

/// Everything that a verdict rests on.
#[derive(Debug)]
pub(super) struct Expectation {
    /// Production has no place for a root.
    pub(super) roots: Roots,
    pub(super) clock: Clock,
    /// Where releases and instances come from; none where no node was asked.
    pub(super) chain: Option<String>,
    pub(super) releases: Vec<Release>,
    /// For a stored document; one that an enclave was asked for answers what was sent.
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) age: AgeRule,
    pub(super) claims: Bound,
}

/// The time that a verdict is made for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    /// As the caller wants it.
    Fixed(UnixTime),
    /// Read at an instant; it goes on while the chain and the enclave are asked.
    Running(UnixTime, Instant),
}

/// How far the newest checkpoint of a production chain may lie behind this machine's clock: a frozen node would keep revoked releases
/// good.
const MAX_CHAIN_AGE: Duration = Duration::from_mins(1);

/// How old the document of an enclave that was asked may be, where no cluster says otherwise (the contract's default).
const MAX_AGE: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(super) enum Roots {
    /// The AWS root alone, for a verdict that counts.
    Production,
    /// For development.
    Development(TrustedRoots),
}

#[derive(Debug)]
pub(super) enum Bound {
    /// Only the code is judged.
    ToNothing,
    /// The document must claim these.
    To(Box<Bonds>),
}

#[derive(Debug)]
pub(super) struct Bonds {
    pub(super) cluster: [u8; 32],
    pub(super) instance: Option<[u8; 32]>,
    pub(super) server_ca_sha256: Option<[u8; 32]>,
    pub(super) config_sha256: Option<[u8; 32]>,
}

impl Expectation {
    /// Asks the chain only for what was not given.
    pub(super) async fn of(invocation: &Invocation, arguments: &Verify, source: &Source) -> Result<Self, Diagnostic> {
        let wanted = arguments.claims.unwrap_or(match arguments.pcrs {
            Some(_) => Claims::Cluster,
            None => Claims::Active,
        });
        let link = match (&arguments.pcrs, wanted) {
            (Some(_), Claims::Cluster | Claims::None) => None,
            _ => Some(invocation.connect_cluster().await?),
        };
        let network = link.as_ref().map(|link| link.network).or_else(|| configured_network(invocation));
        let roots = roots(network, arguments)?;
        if let Some(link) = &link {
            check_fresh(link).await?;
        }
        let clock = Clock::of(link.as_ref(), arguments).await?;
        let now = clock.now();
        let releases = match (&arguments.pcrs, &link) {
            (None, Some(link)) => releases_of(link, now).await?,
            (None, None) => Vec::new(),
            (Some(path), _) => vec![release_in(path)?],
        };
        let claims = match (wanted, &link) {
            (Claims::None, _) => Bound::ToNothing,
            (Claims::Cluster | Claims::Active, None) => {
                let cluster = invocation.settings.cluster.ok_or_else(|| missing("cluster"))?;
                Bound::to(address(cluster).into_inner())
            }
            (Claims::Cluster, Some(link)) => {
                let config_sha256 = link.read().await?.settings.config_sha256.map(|pin| pin.0);
                Bound::To(Box::new(Bonds { config_sha256, ..Bonds::to(link.cluster.into_inner()) }))
            }
            (Claims::Active, Some(link)) => active(link, now).await?,
        };
        let nonce = arguments.nonce.as_ref().map(|nonce| nonce.0.clone());
        let age = match (arguments.max_age, source) {
            (Some(seconds), _) => AgeRule::AtMost(Duration::from_secs(seconds)),
            (None, Source::Enclave(_)) => AgeRule::AtMost(max_age(link.as_ref()).await?),
            (None, Source::File(_)) => AgeRule::WhileCertified,
        };
        let chain = link.as_ref().map(ClusterLink::describe);
        Ok(Self { roots, clock, chain, releases, nonce, age, claims })
    }
}

impl Bonds {
    fn to(cluster: [u8; 32]) -> Self {
        Self { cluster, instance: None, server_ca_sha256: None, config_sha256: None }
    }
}

impl Bound {
    fn to(cluster: [u8; 32]) -> Self {
        Self::To(Box::new(Bonds::to(cluster)))
    }
}

/// The network that the settings name, where no node was asked.
fn configured_network(invocation: &Invocation) -> Option<Network> {
    let chain = invocation.settings.chain_id?;
    Some(if chain.is_production() { Network::Production } else { Network::Development })
}

/// Without a chain the AWS root decides, and that verdict is production's; with a root it is development's.
fn roots(network: Option<Network>, arguments: &Verify) -> Result<Roots, Diagnostic> {
    match (network, &arguments.root) {
        (Some(Network::Production), Some(path)) => {
            Err(Diagnostic::new(codes::ROOT_IN_PRODUCTION).with("path", path.display()))
        }
        (_, Some(path)) => {
            let pem = std::fs::read_to_string(path).map_err(|error| file_failed("read", path, &error))?;
            TrustedRoots::development(&pem).map(Roots::Development).map_err(|error| {
                Diagnostic::new(codes::ATTESTATION_ROOT_INVALID)
                    .with("path", path.display())
                    .with("reason", &error)
                    .caused_by(&error)
            })
        }
        (Some(Network::Development), None) => Ok(Roots::Development(TrustedRoots::aws())),
        (Some(Network::Production) | None, None) => Ok(Roots::Production),
    }
}

/// As the cluster says, where the chain is asked at all.
async fn max_age(link: Option<&ClusterLink>) -> Result<Duration, Diagnostic> {
    match link {
        Some(link) => Ok(Duration::from_millis(link.read().await?.settings.document_max_age_ms)),
        None => Ok(MAX_AGE),
    }
}

impl Clock {
    /// The clock of a development chain may have been moved, and its hardware goes by it. Elsewhere no node is asked for the time: a
    /// frozen one would keep old documents alive.
    async fn of(link: Option<&ClusterLink>, arguments: &Verify) -> Result<Self, Diagnostic> {
        let running = |ms| Self::Running(UnixTime::from_millis(ms), Instant::now());
        match (arguments.at, link) {
            (Some(seconds), _) => Ok(Self::Fixed(UnixTime::from_seconds(seconds))),
            (None, Some(link)) if link.network == Network::Development => link.now_ms().await.map(running),
            (None, _) => Ok(running(moment::now_ms())),
        }
    }

    /// The time now.
    pub(super) fn now(self) -> UnixTime {
        match self {
            Self::Fixed(time) => time,
            Self::Running(time, since) => UnixTime::from_millis(
                time.millis().saturating_add(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)),
            ),
        }
    }
}

/// A production chain seals checkpoints all the time; the clock of a development chain may stand anywhere.
async fn check_fresh(link: &ClusterLink) -> Result<(), Diagnostic> {
    if link.network == Network::Development {
        return Ok(());
    }
    let age = Duration::from_millis(moment::now_ms().saturating_sub(link.now_ms().await?));
    if age > MAX_CHAIN_AGE {
        let seconds = |age: Duration| format!("{} s", age.as_secs());
        return Err(Diagnostic::new(codes::CHAIN_VIEW_STALE)
            .with("age", seconds(age))
            .with("limit", seconds(MAX_CHAIN_AGE)));
    }
    Ok(())
}

async fn releases_of(link: &ClusterLink, now: UnixTime) -> Result<Vec<Release>, Diagnostic> {
    // An empty list of a cluster that does not exist would be a lie.
    link.read().await?;
    let releases = link.releases().await?;
    releases.iter().map(|release| judged(release, now)).collect()
}

fn judged(release: &daas_chain::types::Release, now: UnixTime) -> Result<Release, Diagnostic> {
    let state = match release.status {
        ReleaseStatus::Listed if release.is_active(now.millis()) => ReleaseState::Active,
        ReleaseStatus::Listed => ReleaseState::Pending,
        ReleaseStatus::Retiring => ReleaseState::Retiring { until: UnixTime::from_millis(release.retiring_until_ms) },
        ReleaseStatus::Revoked => ReleaseState::Revoked,
    };
    let (parts, _) = release.pcrs.0.as_chunks::<48>();
    let registers = (0_u8..).zip(parts.iter().copied()).chain(release.pcr8.map(|pcr| (8, pcr.0)));
    Ok(Release { measurements: measured(registers)?, state })
}

fn release_in(path: &std::path::Path) -> Result<Release, Diagnostic> {
    let file = measurements::Measurements::read(path)?;
    if file.kind == Kind::Worker {
        let (english, korean) =
            ("it measures a worker image, not an enclave's", "엔클레이브가 아니라 워커 이미지의 측정값입니다");
        let diagnostic = Diagnostic::new(codes::MEASUREMENTS_INVALID).with("path", path.display());
        return Err(diagnostic.with_words("reason", english, korean));
    }
    Ok(Release::active(measured(file.pcrs.into_iter())?))
}

/// The contract and the measurement file both have registers 0 to 2, none of them zero.
fn measured(registers: impl Iterator<Item = (u8, [u8; 48])>) -> Result<Measurements, Diagnostic> {
    let internal = |reason: &dyn std::fmt::Display| Diagnostic::new(codes::INTERNAL).technical(reason);
    let mut registers: std::collections::BTreeMap<_, _> = registers.collect();
    let mut take = |index: u8| registers.remove(&index).map(Pcr).ok_or_else(|| internal(&"a release lacks a register"));
    let image = Measurements::new(take(0)?, take(1)?, take(2)?).map_err(|refusal| internal(&refusal))?;
    registers
        .into_iter()
        .try_fold(image, |image, (index, value)| image.and(index, Pcr(value)))
        .map_err(|refusal| internal(&refusal))
}

async fn active(link: &ClusterLink, now: UnixTime) -> Result<Bound, Diagnostic> {
    let none = |english: &str, korean: &str| {
        let diagnostic = Diagnostic::new(codes::NO_ACTIVE_INSTANCE).with("cluster", link.cluster);
        diagnostic.with_words("reason", english, korean)
    };
    let Cluster { active, settings, .. } = link.read().await?;
    let Some(active) = active else {
        return Err(none("The operator has activated none", "운영자가 활성화한 인스턴스가 없습니다"));
    };
    let instances = link.instances().await?;
    let registration = instances.iter().find(|known| known.instance == active.instance);
    if registration.is_none_or(|known| known.expires_at_ms < now.millis()) {
        return Err(none("Its registration has expired", "활성 인스턴스의 등록이 만료되었습니다"));
    }
    Ok(Bound::To(Box::new(Bonds {
        cluster: link.cluster.into_inner(),
        instance: Some(active.instance.0),
        server_ca_sha256: Some(active.server_ca_sha256.0),
        config_sha256: settings.config_sha256.map(|pin| pin.0),
    })))
}

//! The certificates between a development root and the key that signs documents, as AWS has them: region, zone, instance,
//! enclave.

use std::time::Duration;

use daas_attestation::UnixTime;
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::KeyUsages;

use crate::certificates::{authority_extensions, basic_constraints, key_usage, leaf_extensions, template};
use crate::{Authority, DevelopmentRoot, Error, SigningKey, Subject};

/// Where the simulated hardware stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Such as `local-1`.
    pub region: String,
    /// Such as `i-0df237f0418feb41e`.
    pub instance: String,
    /// Such as `018d1c7ef94eb110`: the enclave on that instance.
    pub enclave: String,
}

/// A chain down to a signing key that is valid now.
#[derive(Debug)]
pub struct Chain {
    /// Root first.
    pub cabundle: Vec<Vec<u8>>,
    /// The certificate of `key`.
    pub certificate: Vec<u8>,
    /// Signs documents.
    pub key: SigningKey,
    from: UnixTime,
}

const DAY: u64 = 86_400;
/// AWS' lifetimes.
const REGION_LIFETIME: Duration = Duration::from_secs(20 * DAY);
const ZONE_LIFETIME: Duration = Duration::from_secs(6 * DAY);
const INSTANCE_LIFETIME: Duration = Duration::from_secs(DAY);
const ENCLAVE_LIFETIME: Duration = Duration::from_secs(3 * 3600 + 3);
/// A document must be good for a while after it was made.
const RENEWED_BEFORE_END: Duration = Duration::from_mins(15);

impl Location {
    /// As documents name the module.
    pub fn module_id(&self) -> String {
        format!("{}-enc{}", self.instance, self.enclave)
    }
}

impl Chain {
    /// Certifies a new key under `root`, valid from `now`.
    pub fn issue(root: &DevelopmentRoot, location: &Location, now: UnixTime) -> Result<Self, Error> {
        let Location { region, instance, .. } = location;
        let root = root.authority();
        let region_subject = Subject::regional(&format!("region.{region}.simulated.nitro-enclaves"));
        let region_ca = authority(root, &region_subject, 2, now, REGION_LIFETIME)?;
        let zone_subject = Subject::zonal(&format!("zone.zonal.{region}.simulated.nitro-enclaves"));
        let zone_ca = authority(&region_ca, &zone_subject, 1, now, ZONE_LIFETIME)?;
        let instance_subject = Subject::instance(&format!("{instance}.{region}.simulated.nitro-enclaves"));
        let instance_ca = instance_authority(&zone_ca, &instance_subject, now)?;

        let key = SigningKey::generate()?;
        let subject = Subject::instance(&format!("{}.{region}.simulated", location.module_id()));
        let certificate =
            instance_ca.issue(template(&subject, key.point(), now, ENCLAVE_LIFETIME, leaf_extensions()?)?)?;
        let cabundle = [root, &region_ca, &zone_ca, &instance_ca]
            .iter()
            .map(|authority| authority.certificate().to_vec())
            .collect();
        Ok(Self { cabundle, certificate, key, from: now })
    }

    /// A chain made elsewhere, such as one that no verifier should take.
    pub fn of(cabundle: Vec<Vec<u8>>, certificate: Vec<u8>, key: SigningKey, from: UnixTime) -> Self {
        Self { cabundle, certificate, key, from }
    }

    /// Whether a document that is signed now will be good for a while.
    pub(crate) fn serves(&self, now: UnixTime) -> bool {
        now >= self.from && now.since(self.from) + RENEWED_BEFORE_END < ENCLAVE_LIFETIME
    }
}

fn authority(
    issuer: &Authority,
    subject: &Subject,
    path_length: u8,
    now: UnixTime,
    lifetime: Duration,
) -> Result<Authority, Error> {
    let key = SigningKey::generate()?;
    let extensions = authority_extensions(Some(path_length), &key, Some(issuer.key()))?;
    let certificate = issuer.issue(template(subject, key.point(), now, lifetime, extensions)?)?;
    Authority::new(subject, key, certificate)
}

/// The instance's certificate has two extensions only, and signs certificates only.
fn instance_authority(issuer: &Authority, subject: &Subject, now: UnixTime) -> Result<Authority, Error> {
    let key = SigningKey::generate()?;
    let usage: FlagSet<KeyUsages> = KeyUsages::KeyCertSign.into();
    let extensions = vec![basic_constraints(true, true, Some(0))?, key_usage(true, usage)?];
    let certificate = issuer.issue(template(subject, key.point(), now, INSTANCE_LIFETIME, extensions)?)?;
    Authority::new(subject, key, certificate)
}

//! Which roots of trust count, and where.

use thiserror::Error;
use x509_cert::der::Encode as _;

use crate::Refusal;
use crate::certificate::{Certificate, Place};
use crate::der::certificate_from_pem;
use crate::signature::AuthorityKey;

const AWS_ROOT_PEM: &str = include_str!("../../../attestation/aws-nitro-enclaves-root-g1.pem");

/// The network that a verdict is for. Production has no place for a root: there only AWS' counts.
///
/// ```compile_fail
/// # use daas_attestation::{Network, TrustedRoots};
/// let roots = TrustedRoots::aws();
/// let network = Network::Production(&roots);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Network<'a> {
    /// Sui mainnet or testnet: the AWS root and no other.
    Production,
    /// Any other chain: also simulated hardware, if its root is given.
    Development(&'a TrustedRoots),
}

/// The roots that a development network trusts: AWS', and simulated ones.
#[derive(Debug)]
pub struct TrustedRoots {
    roots: Vec<Root>,
}

/// Why a file is not a root certificate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootError {
    /// Not one PEM certificate.
    #[error("this is not a PEM certificate")]
    Pem(#[source] x509_cert::der::Error),
    /// Not usable as a root.
    #[error("this certificate cannot be a root of attestation")]
    Unusable(#[source] Refusal),
    /// Signed by somebody else.
    #[error("a root must be signed by itself, this certificate is not")]
    NotSelfSigned,
}

/// A root certificate, pinned by all its bytes.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) der: Vec<u8>,
    pub(crate) key: AuthorityKey,
    pub(crate) is_aws: bool,
}

impl TrustedRoots {
    /// The AWS Nitro Enclaves root G1 alone.
    pub fn aws() -> Self {
        // A constant of the program; a test reads it.
        Self { roots: Root::from_pem(AWS_ROOT_PEM, true).into_iter().collect() }
    }

    /// The AWS root and the root of simulated hardware, one PEM certificate.
    pub fn development(pem: &str) -> Result<Self, RootError> {
        let mut trusted = Self::aws();
        trusted.roots.push(Root::from_pem(pem, false)?);
        Ok(trusted)
    }

    /// The root that these bytes are, if it is trusted.
    pub(crate) fn find(&self, der: &[u8]) -> Option<&Root> {
        self.roots.iter().find(|root| root.der == der)
    }
}

impl Root {
    fn from_pem(pem: &str, is_aws: bool) -> Result<Self, RootError> {
        let der = certificate_from_pem(pem.as_bytes()).and_then(|read| read.to_der()).map_err(RootError::Pem)?;
        let key = {
            let certificate = Certificate::parse(&der, Place::Cabundle(0)).map_err(RootError::Unusable)?;
            certificate.check_authority(0).map_err(RootError::Unusable)?;
            let key = AuthorityKey::parse(certificate.point().map_err(RootError::Unusable)?).ok_or_else(|| {
                RootError::Unusable(Refusal::CertificateKey { certificate: certificate.place.to_string() })
            })?;
            let signature = certificate.signature().map_err(RootError::Unusable)?;
            if certificate.issuer != certificate.subject || !key.verify(certificate.signed, signature) {
                return Err(RootError::NotSelfSigned);
            }
            key
        };
        Ok(Self { der, key, is_aws })
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// The fingerprint that AWS publishes (docs.aws.amazon.com/enclaves/latest/user/verify-root.html).
    #[test]
    fn the_pinned_root_is_the_one_that_aws_publishes() {
        let roots = TrustedRoots::aws();
        assert_eq!(roots.roots.len(), 1);
        let published = "641A0321A3E244EFE456463195D606317ED7CDCC3C1756E09893F3C68F79BB5B";
        let fingerprint = Sha256::digest(&roots.roots[0].der);
        assert_eq!(format!("{fingerprint:X}"), published);
    }

    #[test]
    fn what_is_not_a_root_certificate_is_not_trusted() {
        assert!(matches!(TrustedRoots::development("not a certificate"), Err(RootError::Pem(_))));
        let broken = AWS_ROOT_PEM.replacen("MII", "MIJ", 1);
        assert!(TrustedRoots::development(&broken).is_err());
    }
}

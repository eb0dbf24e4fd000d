//! Signs certificates for nodes. The keys of the CAs are given at start and never leave the enclave.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use daas_join::{CertificateRequest, Profile, Validity, assemble};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _, EncodePem as _, pem::LineEnding};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

use crate::error::Error;
use daas_https::tls::Identity;

const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
/// Clocks of workers may be behind.
const BACKDATE: Duration = Duration::from_mins(5);

/// Signs what a certificate says.
pub trait Signer: Send + Sync + 'static {
    /// The certificate as PEM, followed by the CA's, which is what an agent stores.
    fn sign(&self, profile: &Profile, request: &CertificateRequest) -> Result<String, Error>;
}

/// A CA whose key is in memory.
pub struct Issuer {
    certificate: Certificate,
    pem: String,
    key: EcdsaKeyPair,
    algorithm: AlgorithmIdentifierOwned,
    lifetime: Duration,
    random: SystemRandom,
}

impl Issuer {
    /// Takes certificate and PKCS #8 key (P-256 or P-384) of a CA; its certificates live for `lifetime`, but never
    /// longer than the CA.
    pub fn new(ca: &Identity, lifetime: Duration) -> Result<Self, Error> {
        let refused = |why: &dyn ToString| Error::credential("CA that signs for nodes", why.to_string());
        let der = CertificateDer::from_pem_slice(ca.certificate.as_ref()).map_err(|error| refused(&error))?;
        let certificate = Certificate::from_der(&der).map_err(|error| refused(&error))?;
        let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(&ca.key).map_err(|error| refused(&error))?;
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.secret_pkcs8_der());
        let (key, oid) = match p256 {
            Ok(key) => (key, ECDSA_SHA256),
            Err(_) => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8.secret_pkcs8_der())
                .map(|key| (key, ECDSA_SHA384))
                .map_err(|error| refused(&error))?,
        };
        let point = certificate.tbs_certificate.subject_public_key_info.subject_public_key.as_bytes();
        if point != Some(aws_lc_rs::signature::KeyPair::public_key(&key).as_ref()) {
            return Err(refused(&"its key is another one's"));
        }
        let pem = certificate.to_pem(LineEnding::LF).map_err(|error| refused(&error))?;
        let algorithm = AlgorithmIdentifierOwned { oid, parameters: None };
        Ok(Self { certificate, pem, key, algorithm, lifetime, random })
    }

    fn validity(&self) -> Result<Validity, Error> {
        let of_ca = &self.certificate.tbs_certificate.validity;
        let now = SystemTime::now();
        let time = |time: SystemTime| Time::try_from(time).map_err(|_| Error::Signing);
        let ca_begins = of_ca.not_before.to_system_time();
        let ca_ends = of_ca.not_after.to_system_time();
        let not_before = now.checked_sub(BACKDATE).ok_or(Error::Signing)?.max(ca_begins);
        let not_after = now.checked_add(self.lifetime).ok_or(Error::Signing)?.min(ca_ends);
        if not_before >= not_after {
            return Err(Error::Signing);
        }
        Ok(Validity { not_before: time(not_before)?, not_after: time(not_after)? })
    }
}

impl Signer for Issuer {
    fn sign(&self, profile: &Profile, request: &CertificateRequest) -> Result<String, Error> {
        let mut serial = [0; 16];
        self.random.fill(&mut serial).map_err(|_| Error::Signing)?;
        let tbs = profile.certificate(request, &self.certificate, self.algorithm.clone(), serial, self.validity()?)?;
        let signed = tbs.to_der().map_err(|_| Error::Signing)?;
        let signature = self.key.sign(&self.random, &signed).map_err(|_| Error::Signing)?;
        let der = assemble(tbs, signature.as_ref())?;
        let leaf = <Certificate as x509_cert::der::Decode>::from_der(&der).map_err(|_| Error::Signing)?;
        let mut pem = leaf.to_pem(LineEnding::LF).map_err(|_| Error::Signing)?;
        pem.push_str(&self.pem);
        Ok(pem)
    }
}

//! X.509 certificates of the shape that AWS' Nitro chain has: P-384, ecdsa-with-SHA384, basicConstraints and keyUsage.
//!
//! [`template`] gives the unsigned certificate as a value with public fields, so that a test can change any of them and still
//! have it signed correctly.

use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use daas_attestation::UnixTime;
use sha2::{Digest as _, Sha256};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{
    Any, BitString, GeneralizedTime, OctetString, PrintableStringRef, SetOfVec, UtcTime, Utf8StringRef,
};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::oid::db::rfc4519::{
    COMMON_NAME, COUNTRY_NAME, LOCALITY_NAME, ORGANIZATION_NAME, ORGANIZATIONAL_UNIT_NAME, ST,
};
use x509_cert::der::oid::db::rfc5912::{ECDSA_WITH_SHA_384, ID_EC_PUBLIC_KEY, SECP_384_R_1};
use x509_cert::der::{self, Encode, oid::ObjectIdentifier};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, Version};

use crate::{Error, SigningKey};

/// Somebody who signs certificates.
#[derive(Debug)]
pub struct Authority {
    name: Name,
    key: SigningKey,
    certificate: Vec<u8>,
}

/// The attributes of a name, in the order in which AWS writes them in that kind of certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(pub Vec<(ObjectIdentifier, String)>);

impl Subject {
    /// C, O, OU, CN: the root and the region.
    pub fn regional(common_name: &str) -> Self {
        Self::of(&[
            (COUNTRY_NAME, "US"),
            (ORGANIZATION_NAME, "K3s-DaaS"),
            (ORGANIZATIONAL_UNIT_NAME, "Development"),
            (COMMON_NAME, common_name),
        ])
    }

    /// CN, OU, O, C, ST, L: the zone.
    pub fn zonal(common_name: &str) -> Self {
        Self::of(&[
            (COMMON_NAME, common_name),
            (ORGANIZATIONAL_UNIT_NAME, "Development"),
            (ORGANIZATION_NAME, "K3s-DaaS"),
            (COUNTRY_NAME, "US"),
            (ST, "WA"),
            (LOCALITY_NAME, "Seattle"),
        ])
    }

    /// C, ST, L, O, OU, CN: the instance and the enclave.
    pub fn instance(common_name: &str) -> Self {
        Self::of(&[
            (COUNTRY_NAME, "US"),
            (ST, "Washington"),
            (LOCALITY_NAME, "Seattle"),
            (ORGANIZATION_NAME, "K3s-DaaS"),
            (ORGANIZATIONAL_UNIT_NAME, "Development"),
            (COMMON_NAME, common_name),
        ])
    }

    fn of(attributes: &[(ObjectIdentifier, &str)]) -> Self {
        Self(attributes.iter().map(|(oid, value)| (*oid, (*value).to_owned())).collect())
    }

    fn name(&self) -> der::Result<Name> {
        let attribute = |(oid, value): &(ObjectIdentifier, String)| {
            let value = match *oid {
                COUNTRY_NAME => Any::from(PrintableStringRef::new(value)?),
                _ => Any::from(Utf8StringRef::new(value)?),
            };
            let mut set = SetOfVec::new();
            set.insert(AttributeTypeAndValue { oid: *oid, value })?;
            Ok(RelativeDistinguishedName(set))
        };
        self.0.iter().map(attribute).collect::<der::Result<Vec<_>>>().map(RdnSequence)
    }
}

impl Authority {
    /// A root: signs itself.
    pub fn self_signed(subject: &Subject, key: SigningKey, from: UnixTime, lifetime: Duration) -> Result<Self, Error> {
        let extensions = authority_extensions(None, &key, None)?;
        let name = subject.name().map_err(malformed)?;
        let tbs = template(subject, key.point(), from, lifetime, extensions)?;
        let unsigned = Self { name, key, certificate: Vec::new() };
        let certificate = unsigned.issue(tbs)?;
        Ok(Self { certificate, ..unsigned })
    }

    /// The owner of `key`, whose `certificate` somebody issued.
    pub fn new(subject: &Subject, key: SigningKey, certificate: Vec<u8>) -> Result<Self, Error> {
        Ok(Self { name: subject.name().map_err(malformed)?, key, certificate })
    }

    /// As its certificate names it.
    pub(crate) fn from_certificate(certificate: Vec<u8>, key: SigningKey) -> Option<Self> {
        let parsed = <Certificate as der::Decode>::from_der(&certificate).ok()?.tbs_certificate;
        let is_its_key = parsed.subject_public_key_info.subject_public_key.as_bytes() == Some(key.point());
        is_its_key.then_some(Self { name: parsed.subject, key, certificate })
    }

    /// Signs a certificate in its own name.
    pub fn issue(&self, template: TbsCertificate) -> Result<Vec<u8>, Error> {
        self.sign(TbsCertificate { issuer: self.name.clone(), ..template })
    }

    /// Signs a certificate as it is, whatever issuer it names.
    pub fn sign(&self, tbs: TbsCertificate) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign_der(&tbs.to_der().map_err(malformed)?)?;
        let certificate = Certificate {
            signature_algorithm: tbs.signature.clone(),
            signature: BitString::from_bytes(&signature).map_err(malformed)?,
            tbs_certificate: tbs,
        };
        certificate.to_der().map_err(malformed)
    }

    /// The DER certificate.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

/// A certificate without issuer and signature: version 3, a random serial number, all fields free to change.
pub fn template(
    subject: &Subject,
    point: &[u8],
    from: UnixTime,
    lifetime: Duration,
    extensions: Vec<Extension>,
) -> Result<TbsCertificate, Error> {
    let until = from.seconds().saturating_add(lifetime.as_secs());
    let mut serial = [0; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| Error::Chain { what: "a serial number" })?;
    serial[0] = serial[0] & 0x7f | 1;
    let parts = || {
        Ok(TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&serial)?,
            signature: AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_384, parameters: None },
            issuer: RdnSequence::default(),
            validity: Validity { not_before: time(from.seconds())?, not_after: time(until)? },
            subject: subject.name()?,
            subject_public_key_info: SubjectPublicKeyInfoOwned {
                algorithm: AlgorithmIdentifierOwned {
                    oid: ID_EC_PUBLIC_KEY,
                    parameters: Some(Any::from(&SECP_384_R_1)),
                },
                subject_public_key: BitString::from_bytes(point)?,
            },
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions),
        })
    };
    parts().map_err(malformed)
}

/// The extensions of an authority: CA with this path length, and what it may sign.
pub fn authority_extensions(
    path_length: Option<u8>,
    key: &SigningKey,
    issuer: Option<&SigningKey>,
) -> Result<Vec<Extension>, Error> {
    let mut extensions = vec![basic_constraints(true, true, path_length)?];
    if let Some(issuer) = issuer {
        let key_identifier = Some(key_identifier(issuer)?);
        extensions.push(extension(false, &AuthorityKeyIdentifier { key_identifier, ..Default::default() })?);
    }
    extensions.push(extension(false, &SubjectKeyIdentifier(key_identifier(key)?))?);
    let usages = KeyUsages::DigitalSignature | KeyUsages::KeyCertSign | KeyUsages::CRLSign;
    extensions.push(key_usage(true, usages)?);
    Ok(extensions)
}

/// The extensions of the certificate that signs documents: no CA; keyUsage is not critical there.
pub fn leaf_extensions() -> Result<Vec<Extension>, Error> {
    let usages = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
    Ok(vec![basic_constraints(true, false, None)?, key_usage(false, usages)?])
}

/// basicConstraints.
pub fn basic_constraints(critical: bool, authority: bool, path_length: Option<u8>) -> Result<Extension, Error> {
    extension(critical, &BasicConstraints { ca: authority, path_len_constraint: path_length })
}

/// keyUsage.
pub fn key_usage(critical: bool, usages: impl Into<FlagSet<KeyUsages>>) -> Result<Extension, Error> {
    extension(critical, &KeyUsage(usages.into()))
}

fn extension<T: Encode + AssociatedOid>(critical: bool, value: &T) -> Result<Extension, Error> {
    let extn_value = value.to_der().and_then(OctetString::new).map_err(malformed)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value })
}

/// RFC 7093 §2: a truncated SHA-256 of the key.
fn key_identifier(key: &SigningKey) -> Result<OctetString, Error> {
    OctetString::new(&Sha256::digest(key.point())[..20]).map_err(malformed)
}

/// RFC 5280 §4.1.2.5: UTCTime up to 2049.
fn time(seconds: u64) -> der::Result<Time> {
    let duration = Duration::from_secs(seconds);
    match UtcTime::from_unix_duration(duration) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => GeneralizedTime::from_unix_duration(duration).map(Time::GeneralTime),
    }
}

fn malformed(_: der::Error) -> Error {
    Error::Chain { what: "a certificate" }
}

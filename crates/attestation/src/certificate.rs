//! One X.509 certificate (RFC 5280), strictly DER, with what a Nitro chain needs of it.
//!
//! The crate `x509-cert` reads it; the bytes that are signed and the names that are compared are the certificate's own, not
//! a re-encoding.

use std::fmt;

use x509_cert::der::asn1::{BitString, ObjectIdentifier};
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::oid::db::rfc5912::{ECDSA_WITH_SHA_384, ID_EC_PUBLIC_KEY, SECP_384_R_1};
use x509_cert::der::{self, Decode as _, Header, Reader as _, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::{TbsCertificate, Version};

use crate::der::lengths_fit;
use crate::{Refusal, UnixTime};

/// Where a certificate stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `cabundle[index]`, the root first.
    Cabundle(usize),
    /// `certificate`.
    Leaf,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cabundle(index) => write!(f, "cabundle[{index}]"),
            Self::Leaf => f.write_str("certificate"),
        }
    }
}

/// What a certificate says, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    /// RFC 4514.
    pub subject: String,
    /// RFC 4514.
    pub issuer: String,
    /// First second of validity.
    pub not_before: UnixTime,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// Whether basicConstraints says CA.
    pub is_authority: bool,
}

/// A certificate whose form is right; its signature is not verified.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    pub(crate) place: Place,
    /// What the issuer signs.
    pub(crate) signed: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    tbs: TbsCertificate,
    signature: BitString,
    constraints: Option<Constraints>,
    usage: Option<KeyUsage>,
}

#[derive(Debug, Clone, Copy)]
struct Constraints {
    critical: bool,
    authority: bool,
    path_length: Option<u8>,
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(der: &'a [u8], place: Place) -> Result<Self, Refusal> {
        if !lengths_fit(der) {
            return Err(Refusal::CertificateEncoding { certificate: place.to_string() });
        }
        let malformed = |_: der::Error| Refusal::CertificateEncoding { certificate: place.to_string() };
        let certificate = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        let raw = RawParts::read(der).map_err(malformed)?;
        let tbs = certificate.tbs_certificate;
        if tbs.version != Version::V3 || tbs.issuer_unique_id.is_some() || tbs.subject_unique_id.is_some() {
            return Err(Refusal::CertificateVersion { certificate: place.to_string() });
        }
        let algorithms = [&tbs.signature, &certificate.signature_algorithm];
        if algorithms.iter().any(|algorithm| algorithm.oid != ECDSA_WITH_SHA_384 || algorithm.parameters.is_some()) {
            return Err(Refusal::CertificateAlgorithm { certificate: place.to_string() });
        }
        let mut parsed = Self {
            place,
            signed: raw.signed,
            issuer: raw.issuer,
            subject: raw.subject,
            tbs,
            signature: certificate.signature,
            constraints: None,
            usage: None,
        };
        parsed.read_extensions()?;
        Ok(parsed)
    }

    /// The key as an encoded point; which encodings and points are good is for the signature's implementation to say.
    pub(crate) fn point(&self) -> Result<&[u8], Refusal> {
        let wrong = || Refusal::CertificateKey { certificate: self.place.to_string() };
        let key = &self.tbs.subject_public_key_info;
        let curve = key.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        if key.algorithm.oid != ID_EC_PUBLIC_KEY || curve != Some(SECP_384_R_1) {
            return Err(wrong());
        }
        key.subject_public_key.as_bytes().ok_or_else(wrong)
    }

    /// The signature as the issuer wrote it: a DER `ECDSA-Sig-Value`.
    pub(crate) fn signature(&self) -> Result<&[u8], Refusal> {
        self.signature.as_bytes().ok_or_else(|| Refusal::CertificateSignature { certificate: self.place.to_string() })
    }

    /// May sign certificates, with `below` further authorities between itself and the leaf.
    pub(crate) fn check_authority(&self, below: u64) -> Result<(), Refusal> {
        let Some(Constraints { critical: true, authority: true, path_length }) = self.constraints else {
            return Err(Refusal::NotAuthority { certificate: self.place.to_string() });
        };
        if let Some(allowed) = path_length.map(u64::from)
            && below > allowed
        {
            return Err(Refusal::PathLength { certificate: self.place.to_string(), allowed, found: below });
        }
        if self.usage.is_some_and(|usage| usage.key_cert_sign()) {
            Ok(())
        } else {
            Err(Refusal::KeyUsage { certificate: self.place.to_string(), required: "keyCertSign" })
        }
    }

    /// May sign documents, and nothing that an authority signs.
    pub(crate) fn check_leaf(&self) -> Result<(), Refusal> {
        let authority = |constraints: Constraints| constraints.authority || constraints.path_length.is_some();
        if self.constraints.is_some_and(authority) || self.usage.is_some_and(|usage| usage.key_cert_sign()) {
            return Err(Refusal::LeafIsAuthority);
        }
        if self.usage.is_some_and(|usage| usage.digital_signature()) {
            Ok(())
        } else {
            Err(Refusal::KeyUsage { certificate: self.place.to_string(), required: "digitalSignature" })
        }
    }

    /// The first and the last second of validity, both included (RFC 5280 §4.1.2.5).
    pub(crate) fn validity(&self) -> (u64, u64) {
        let validity = &self.tbs.validity;
        (validity.not_before.to_unix_duration().as_secs(), validity.not_after.to_unix_duration().as_secs())
    }

    pub(crate) fn check_validity(&self, now: UnixTime) -> Result<(), Refusal> {
        let (not_before, not_after) = self.validity();
        let now = now.seconds();
        if now < not_before {
            return Err(Refusal::NotYetValid { certificate: self.place.to_string(), not_before, now });
        }
        if now > not_after {
            return Err(Refusal::Expired { certificate: self.place.to_string(), not_after, now });
        }
        Ok(())
    }

    pub(crate) fn summary(&self) -> CertificateSummary {
        let (not_before, not_after) = self.validity();
        CertificateSummary {
            subject: self.tbs.subject.to_string(),
            issuer: self.tbs.issuer.to_string(),
            not_before: UnixTime::from_seconds(not_before),
            not_after: UnixTime::from_seconds(not_after),
            is_authority: self.constraints.is_some_and(|constraints| constraints.authority),
        }
    }

    fn read_extensions(&mut self) -> Result<(), Refusal> {
        let extensions = self.tbs.extensions.as_deref().unwrap_or_default();
        let certificate = || self.place.to_string();
        let malformed = |_: der::Error| Refusal::CertificateEncoding { certificate: certificate() };
        let (mut constraints, mut usage) = (None, None);
        for (index, extension) in extensions.iter().enumerate() {
            if extensions[..index].iter().any(|earlier| earlier.extn_id == extension.extn_id) {
                return Err(Refusal::ExtensionRepeats { certificate: certificate() });
            }
            let value = extension.extn_value.as_bytes();
            let is_read = [BasicConstraints::OID, KeyUsage::OID].contains(&extension.extn_id);
            if is_read && !lengths_fit(value) {
                return Err(Refusal::CertificateEncoding { certificate: certificate() });
            }
            if extension.extn_id == BasicConstraints::OID {
                let read = BasicConstraints::from_der(value).map_err(malformed)?;
                constraints = Some(Constraints {
                    critical: extension.critical,
                    authority: read.ca,
                    path_length: read.path_len_constraint,
                });
            } else if extension.extn_id == KeyUsage::OID {
                usage = Some(KeyUsage::from_der(value).map_err(malformed)?);
            } else if extension.critical {
                let oid = extension.extn_id.to_string();
                return Err(Refusal::CriticalExtension { certificate: certificate(), oid });
            }
        }
        self.constraints = constraints;
        self.usage = usage;
        Ok(())
    }
}

/// The parts of a certificate that are compared or hashed as bytes.
struct RawParts<'a> {
    signed: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
}

impl<'a> RawParts<'a> {
    fn read(der: &'a [u8]) -> der::Result<Self> {
        let mut outer = SliceReader::new(der)?;
        Header::decode(&mut outer)?;
        let signed = outer.tlv_bytes()?;
        let mut inner = SliceReader::new(signed)?;
        Header::decode(&mut inner)?;
        // version, serialNumber, signature; a version-1 certificate has no version and is refused before this matters.
        for _ in 0..3 {
            inner.tlv_bytes()?;
        }
        let issuer = inner.tlv_bytes()?;
        inner.tlv_bytes()?; // validity
        let subject = inner.tlv_bytes()?;
        Ok(Self { signed, issuer, subject })
    }
}

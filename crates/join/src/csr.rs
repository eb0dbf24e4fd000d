//! Certificate requests (PKCS #10, RFC 2986). A request brings a key and proves that its sender holds it; everything
//! else that a certificate says is composed from what the registry knows ([`crate::Profile`]).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::request::CertReq;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::error::Error;

/// A request with a P-384 key is about 400 bytes long.
pub const MAX_REQUEST_BYTES: usize = 2048;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// The keys that certificates are given to. k3s agents make P-256 keys; RSA of any size is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

/// A request whose sender holds its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    key: SubjectPublicKeyInfoOwned,
    kind: KeyKind,
}

impl CertificateRequest {
    /// Reads the raw DER and checks its signature. A request that wishes for a name or for extensions is refused: stock
    /// agents send none (`x509.CertificateRequest{}`), so whoever does hopes that somebody takes them over.
    pub fn parse(der: &[u8]) -> Result<Self, Error> {
        if der.is_empty() {
            return Err(Error::NoRequest);
        }
        // The reader makes room for the lengths that are promised: they are compared with what is there first.
        if der.len() > MAX_REQUEST_BYTES || !daas_attestation::der::lengths_fit(der) {
            return Err(Error::Request);
        }
        let request = CertReq::from_der(der).map_err(|_| Error::Request)?;
        // What was read is what was sent, so that the bytes below are the signed ones.
        if request.to_der().map_err(|_| Error::Request)? != der {
            return Err(Error::Request);
        }
        if !request.info.subject.0.is_empty() {
            return Err(Error::RequestWish("a subject"));
        }
        if !request.info.attributes.is_empty() {
            return Err(Error::RequestWish("extensions or attributes"));
        }
        let kind = key_kind(&request.info.public_key)?;
        check_signature(&request, kind)?;
        Ok(Self { key: request.info.public_key, kind })
    }

    /// The key, as it goes into the certificate.
    pub fn key(&self) -> &SubjectPublicKeyInfoOwned {
        &self.key
    }

    /// The kind of key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }
}

fn key_kind(key: &SubjectPublicKeyInfoOwned) -> Result<KeyKind, Error> {
    if key.algorithm.oid != EC_PUBLIC_KEY {
        return Err(Error::RequestKey);
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
    let (kind, length) = match curve {
        Some(P256) => (KeyKind::P256, 65),
        Some(P384) => (KeyKind::P384, 97),
        _ => return Err(Error::RequestKey),
    };
    // Uncompressed, as every implementation writes them; whether the point is on the curve, the verification tells.
    let point = key.subject_public_key.as_bytes().ok_or(Error::RequestKey)?;
    if point.len() == length && point[0] == 4 { Ok(kind) } else { Err(Error::RequestKey) }
}

fn check_signature(request: &CertReq, kind: KeyKind) -> Result<(), Error> {
    let (oid, algorithm): (_, &'static dyn VerificationAlgorithm) = match kind {
        KeyKind::P256 => (ECDSA_SHA256, &ECDSA_P256_SHA256_ASN1),
        KeyKind::P384 => (ECDSA_SHA384, &ECDSA_P384_SHA384_ASN1),
    };
    if request.algorithm.oid != oid || request.algorithm.parameters.is_some() {
        return Err(Error::RequestSignature);
    }
    let signed = request.info.to_der().map_err(|_| Error::Request)?;
    let signature = request.signature.as_bytes().ok_or(Error::RequestSignature)?;
    let point = request.info.public_key.subject_public_key.as_bytes().ok_or(Error::RequestKey)?;
    UnparsedPublicKey::new(algorithm, point).verify(&signed, signature).map_err(|_| Error::RequestSignature)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with OpenSSL: see `tests/data/make`.
    pub(crate) const GOOD: &[u8] = include_bytes!("../tests/data/p256.csr");

    #[test]
    fn keys_of_both_curves_are_taken_from_requests_that_wish_for_nothing() {
        assert_eq!(CertificateRequest::parse(GOOD).unwrap().kind(), KeyKind::P256);
        let p384 = CertificateRequest::parse(include_bytes!("../tests/data/p384.csr")).unwrap();
        assert_eq!(p384.kind(), KeyKind::P384);
    }

    #[test]
    fn requests_that_wish_for_names_extensions_or_a_ca_are_refused() {
        for (what, der) in [
            ("a subject", include_bytes!("../tests/data/subject.csr").as_slice()),
            ("extensions or attributes", include_bytes!("../tests/data/sans.csr")),
            ("extensions or attributes", include_bytes!("../tests/data/ca.csr")),
        ] {
            assert_eq!(CertificateRequest::parse(der), Err(Error::RequestWish(what)));
        }
    }

    #[test]
    fn weak_and_foreign_keys_are_refused() {
        for der in [
            include_bytes!("../tests/data/rsa1024.csr").as_slice(),
            include_bytes!("../tests/data/rsa4096.csr"),
            include_bytes!("../tests/data/p224.csr"),
            include_bytes!("../tests/data/secp256k1.csr"),
            include_bytes!("../tests/data/ed25519.csr"),
        ] {
            assert_eq!(CertificateRequest::parse(der), Err(Error::RequestKey));
        }
    }

    #[test]
    fn a_request_without_its_keys_signature_is_refused() {
        // Another key in the same request, then another signature.
        let other = include_bytes!("../tests/data/other.csr");
        assert!(CertificateRequest::parse(other).is_ok());
        let mut request = CertReq::from_der(GOOD).unwrap();
        request.info.public_key = CertReq::from_der(other).unwrap().info.public_key;
        assert_eq!(CertificateRequest::parse(&request.to_der().unwrap()), Err(Error::RequestSignature));
        let mut request = CertReq::from_der(GOOD).unwrap();
        request.algorithm.oid = ECDSA_SHA384;
        assert_eq!(CertificateRequest::parse(&request.to_der().unwrap()), Err(Error::RequestSignature));
    }

    #[test]
    fn no_request_is_no_key() {
        assert_eq!(CertificateRequest::parse(b""), Err(Error::NoRequest));
        let trailing = [GOOD, b"\0"].concat();
        assert_eq!(CertificateRequest::parse(&trailing), Err(Error::Request));
        assert_eq!(CertificateRequest::parse(&GOOD[..GOOD.len() - 1]), Err(Error::Request));
        assert_eq!(CertificateRequest::parse(&[0x30; MAX_REQUEST_BYTES + 1]), Err(Error::Request));
    }

    proptest! {
        #[test]
        fn a_changed_request_is_refused_and_never_panics(place in 0..GOOD.len(), bit in 0..8_u32) {
            let mut der = GOOD.to_vec();
            der[place] ^= 1 << bit;
            prop_assert!(CertificateRequest::parse(&der).is_err());
        }

        #[test]
        fn arbitrary_bytes_are_no_request(der in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(CertificateRequest::parse(&der).is_err());
        }
    }
}

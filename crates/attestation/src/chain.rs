//! The certificate chain from a trusted root to the key that signed the document (RFC 5280 §6.1; AWS §3.2.3).

use crate::certificate::{Certificate, Place};
use crate::document::Payload;
use crate::roots::Root;
use crate::signature::{AuthorityKey, LeafKey};
use crate::{Refusal, UnixTime};

/// The key at the end of a verified chain, and when the whole chain is valid.
#[derive(Debug)]
pub(crate) struct CertifiedKey {
    pub(crate) key: LeafKey,
    /// First and last second in which every certificate is valid.
    pub(crate) window: (u64, u64),
}

/// Verifies the chain of a document whose `cabundle[0]` is `root`. Forms and times of all certificates are judged before
/// the first signature is, which costs a hundred times as much.
pub(crate) fn verify(payload: &Payload<'_>, root: &Root, now: UnixTime) -> Result<CertifiedKey, Refusal> {
    let authorities = parse_authorities(&payload.cabundle)?;
    let leaf = Certificate::parse(payload.certificate, Place::Leaf)?;
    leaf.check_leaf()?;
    let mut window = (0, u64::MAX);
    for (index, certificate) in authorities.iter().chain([&leaf]).enumerate() {
        certificate.check_validity(now)?;
        let (not_before, not_after) = certificate.validity();
        window = (window.0.max(not_before), window.1.min(not_after));
        check_names(certificate, &authorities[..index.min(authorities.len())])?;
    }
    // The root is pinned by its bytes, so its signature of itself says nothing new.
    let mut issuer = None;
    for certificate in authorities.iter().skip(1) {
        check_signature(certificate, issuer.as_ref().unwrap_or(&root.key))?;
        issuer = Some(key(certificate, AuthorityKey::parse)?);
    }
    check_signature(&leaf, issuer.as_ref().unwrap_or(&root.key))?;
    Ok(CertifiedKey { key: key(&leaf, LeafKey::parse)?, window })
}

fn parse_authorities<'a>(cabundle: &[&'a [u8]]) -> Result<Vec<Certificate<'a>>, Refusal> {
    let mut authorities = Vec::with_capacity(cabundle.len());
    for (index, der) in cabundle.iter().enumerate() {
        let certificate = Certificate::parse(der, Place::Cabundle(index))?;
        certificate.check_authority((cabundle.len() - 1 - index) as u64)?;
        authorities.push(certificate);
    }
    Ok(authorities)
}

/// Issued by the one before it, and not one that stood earlier. The first names itself.
fn check_names(certificate: &Certificate<'_>, earlier: &[Certificate<'_>]) -> Result<(), Refusal> {
    let place = || certificate.place.to_string();
    if earlier.iter().any(|other| other.subject == certificate.subject) {
        return Err(Refusal::RepeatedSubject { certificate: place() });
    }
    match earlier.last() {
        Some(issuer) if issuer.subject != certificate.issuer => Err(Refusal::IssuerMismatch { certificate: place() }),
        _ => Ok(()),
    }
}

fn check_signature(certificate: &Certificate<'_>, issuer: &AuthorityKey) -> Result<(), Refusal> {
    if issuer.verify(certificate.signed, certificate.signature()?) {
        Ok(())
    } else {
        Err(Refusal::CertificateSignature { certificate: certificate.place.to_string() })
    }
}

fn key<K>(certificate: &Certificate<'_>, parse: fn(&[u8]) -> Option<K>) -> Result<K, Refusal> {
    parse(certificate.point()?).ok_or_else(|| Refusal::CertificateKey { certificate: certificate.place.to_string() })
}

//! Root certificates of simulated hardware.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::Error;

/// A DER certificate that the operator named as a root of attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationRoot(Vec<u8>);

impl AttestationRoot {
    /// Reads the first certificate of a PEM file (RFC 7468).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text).ok_or_else(|| Error::AttestationRoot { path: path.to_owned() })
    }

    /// The certificate's DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let base64: String = body.split_whitespace().collect();
        let der = STANDARD.decode(base64).ok()?;
        // A certificate is a DER SEQUENCE; its content is judged by whoever verifies with it.
        (der.first() == Some(&0x30)).then_some(Self(der))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_taken_and_anything_else_is_not() {
        let pem = "text\n-----BEGIN CERTIFICATE-----\nMAMC\nAQE=\n-----END CERTIFICATE-----\n";
        assert_eq!(AttestationRoot::parse(pem).unwrap().der(), [0x30, 3, 2, 1, 1]);
        assert!(AttestationRoot::parse("").is_none());
        assert!(AttestationRoot::parse(&pem.replace("MAMC", "AAAA")).is_none());
        assert!(AttestationRoot::parse(&pem.replace("MAMC", "M*MC")).is_none());
    }
}

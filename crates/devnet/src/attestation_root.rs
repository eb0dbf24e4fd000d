//! Root certificates of simulated hardware.

use std::{fs, path::Path, sync::Arc};

use daas_attestation::{RootError, TrustedRoots};

use crate::Error;

/// A root of attestation that the operator named.
#[derive(Debug, Clone)]
pub struct AttestationRoot(Arc<TrustedRoots>);

impl AttestationRoot {
    /// Reads the certificate of a PEM file (RFC 7468).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::from_pem(&text).map_err(|source| Error::AttestationRoot { path: path.to_owned(), source })
    }

    /// A certificate as PEM: P-384, signed by itself, and an authority.
    pub fn from_pem(pem: &str) -> Result<Self, RootError> {
        TrustedRoots::development(pem).map(Arc::new).map(Self)
    }

    /// This root and AWS'.
    pub(crate) fn trusted(&self) -> &TrustedRoots {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use daas_attestation::UnixTime;
    use daas_nsm::DevelopmentRoot;

    use super::*;

    #[test]
    fn a_root_certificate_is_taken_and_anything_else_is_not() {
        let root = DevelopmentRoot::generate(UnixTime::from_seconds(1_800_000_000)).unwrap();
        let pem = root.certificate_pem().unwrap();
        AttestationRoot::from_pem(&pem).unwrap();
        assert!(AttestationRoot::from_pem("").is_err());
        assert!(AttestationRoot::from_pem(&pem.replace("CERTIFICATE", "PRIVATE KEY")).is_err());
        let at = pem.rfind("\n-----END").unwrap() - 8;
        let mut changed = pem.into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(AttestationRoot::from_pem(std::str::from_utf8(&changed).unwrap()).is_err());
    }

    #[test]
    fn the_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.pem");
        fs::write(&path, "nothing").unwrap();
        let error = AttestationRoot::read(&path).unwrap_err();
        assert!(error.to_string().contains("root.pem"), "{error}");
    }
}

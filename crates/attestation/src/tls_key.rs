//! The key of a TLS peer, as claims name it.

use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::der::lengths_fit;

/// SHA-256 of the public key (SPKI, DER) in a certificate; `None` if it is not a certificate in DER.
///
/// The key is compared and not the certificate, so that an enclave may renew its certificate without a new document.
pub fn tls_spki_sha256(certificate: &[u8]) -> Option<[u8; 32]> {
    if !lengths_fit(certificate) {
        return None;
    }
    // DER has one form: what is written again is what was read.
    let key = Certificate::from_der(certificate).ok()?.tbs_certificate.subject_public_key_info;
    Some(Sha256::digest(key.to_der().ok()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl x509 -in attestation/aws-nitro-enclaves-root-g1.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum`
    #[test]
    fn the_hash_is_that_of_openssl() {
        use x509_cert::der::DecodePem as _;
        let pem = include_str!("../../../attestation/aws-nitro-enclaves-root-g1.pem");
        let der = Certificate::from_pem(pem).unwrap().to_der().unwrap();
        assert_eq!(
            hex::encode(tls_spki_sha256(&der).unwrap()),
            "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225"
        );
        assert_eq!(tls_spki_sha256(&der[1..]), None);
        assert_eq!(tls_spki_sha256(b""), None);
    }
}

//! TLS to peers that attestation vouches for: 8443 by the very key that the enclave claimed, everything else by the server CA whose hash it
//! claimed. No other certificate authority counts.

use std::sync::Arc;

use daas_attestation::tls_spki_sha256;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::Error;

/// Talks to whoever holds this key (SHA-256 of its SPKI, DER), whatever the certificate says besides.
pub fn by_key(spki_sha256: [u8; 32]) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(ByKey { spki_sha256, provider: Arc::clone(&provider) });
    let config = versions(provider)?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(finish(config))
}

/// Talks to servers of this CA (PEM), showing `client` (certificates and key, PEM) if they ask.
pub fn by_ca(ca: &[u8], client: Option<&[u8]>) -> Result<Arc<ClientConfig>, Error> {
    let config = versions(Arc::new(aws_lc_rs::default_provider()))?.with_root_certificates(roots(ca)?);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(pem) => {
            let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| Error::handed("client key", error))?;
            config
                .with_client_auth_cert(certificates(pem)?, key)
                .map_err(|error| Error::handed("client certificate", error))?
        }
    };
    Ok(finish(config))
}

/// All certificates of a PEM text.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.map_err(|error| Error::handed("certificate", error))
}

pub(crate) fn roots(ca: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| Error::handed("CA certificate", error))?;
    }
    Ok(roots)
}

fn versions(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| Error::Crypto("setting up TLS 1.3"))
}

fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Each connection proves its key anew.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

#[derive(Debug)]
struct ByKey {
    spki_sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ByKey {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if tls_spki_sha256(certificate) == Some(self.spki_sha256) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 was not offered".to_owned()))
    }

    /// The peer holds the key: its signature is over this very handshake (RFC 8446 §4.4.3).
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

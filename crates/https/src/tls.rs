//! TLS 1.3, one cryptographic library.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::error::Error;

const HTTP1: &[u8] = b"http/1.1";
/// Of RFC 9113 §3.2.
pub(crate) const HTTP2: &[u8] = b"h2";

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The chain, leaf first.
    pub certificate: Vec<u8>,
    /// The key: a secret.
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

/// What a server asks of its clients.
#[derive(Debug, Clone, Copy)]
pub enum ClientCertificate<'a> {
    /// Nothing: clients show what they are by other means.
    Unasked,
    /// One of this CA, or none at all.
    Optional(&'a [u8]),
    /// One of this CA.
    Required(&'a [u8]),
}

/// What new connections are served with; certificates are renewed while the server runs.
pub type CurrentTls = Arc<ArcSwap<TlsAcceptor>>;

/// Ends TLS for a server that speaks HTTP/1.1.
pub fn acceptor(identity: &Identity, clients: ClientCertificate<'_>) -> Result<TlsAcceptor, Error> {
    speaking(identity, clients, &[HTTP1])
}

/// Ends TLS for a server of one client of ours that asks many things at once: over HTTP/2 they share a connection.
pub fn multiplexing(identity: &Identity, client: &[u8]) -> Result<TlsAcceptor, Error> {
    speaking(identity, ClientCertificate::Required(client), &[HTTP2, HTTP1])
}

fn speaking(identity: &Identity, clients: ClientCertificate<'_>, protocols: &[&[u8]]) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let known = |ca| {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(ca)?), Arc::clone(&provider));
        Ok::<_, Error>(verifier)
    };
    let refused = |error| Error::credential("CA of client certificates", error);
    let verifier = match clients {
        ClientCertificate::Unasked => WebPkiClientVerifier::no_client_auth(),
        ClientCertificate::Optional(ca) => known(ca)?.allow_unauthenticated().build().map_err(refused)?,
        ClientCertificate::Required(ca) => known(ca)?.build().map_err(refused)?,
    };
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Error::credential("TLS version", error))?
        .with_client_cert_verifier(verifier);
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|error| Error::credential("server key", error))?;
    let mut config = config
        .with_single_cert(chain(&identity.certificate)?, key)
        .map_err(|error| Error::credential("server certificate", error))?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    chain.map_err(|error| Error::credential("certificate", error))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(pem)? {
        roots.add(certificate).map_err(|error| Error::credential("CA certificate", error))?;
    }
    Ok(roots)
}

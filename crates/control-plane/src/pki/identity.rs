use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};

use super::{AuthorityName, LeafName, Pki};
use crate::{ControlPlaneError, Result};

/// A certificate of this process, ready for TLS 1.3.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// The current certificate of `name`.
    pub fn of(pki: &Pki, name: LeafName) -> Self {
        let leaf = pki.leaf(name);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key().to_der().to_vec()));
        Self { chain: vec![CertificateDer::from(leaf.der().to_vec())], key: Arc::new(key) }
    }

    /// A client that presents this certificate and trusts servers of one authority only.
    pub fn client(&self, pki: &Pki, servers: AuthorityName) -> Result<Arc<ClientConfig>> {
        let fault = |cause: rustls::Error| ControlPlaneError::Tls { what: "client", cause: cause.to_string() };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(fault)?
            .with_root_certificates(trust(pki, servers)?)
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .map_err(fault)?;
        Ok(Arc::new(config))
    }

    /// A server with this certificate, which speaks to clients of one authority only.
    pub fn mutual_server(&self, pki: &Pki, clients: AuthorityName) -> Result<Arc<ServerConfig>> {
        let fault = |cause: rustls::Error| ControlPlaneError::Tls { what: "server", cause: cause.to_string() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(trust(pki, clients)?), Arc::clone(&provider))
                .build()
                .map_err(|cause| ControlPlaneError::Tls { what: "server", cause: cause.to_string() })?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(fault)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(fault)?;
        Ok(Arc::new(config))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

fn trust(pki: &Pki, name: AuthorityName) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(pki.authority(name).der().to_vec()))
        .map_err(|cause| ControlPlaneError::Tls { what: "trust", cause: cause.to_string() })?;
    Ok(roots)
}

//! A stand-in for a master: serves `GET /api/v1/attestation?nonce=` with a simulated device behind it, over TLS or not.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use daas_attestation::{Answer, tls_spki_sha256};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A key and a certificate that nobody signed but itself.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub fn generate() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["somebody.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        Self { certificate: made.cert.der().clone(), key }
    }

    /// SHA-256 of its public key, as claims name it.
    pub fn spki_sha256(&self) -> [u8; 32] {
        tls_spki_sha256(&self.certificate).unwrap()
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.with_certificate_of(self)
    }

    /// Shows another's certificate and signs with the own key.
    pub fn with_certificate_of(&self, other: &Self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = provider.key_provider.load_private_key(self.key.clone_key()).unwrap();
        let shown = CertifiedKey::new(vec![other.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What the stand-in says to a nonce.
pub type Reply = dyn Fn([u8; 32]) -> Response<Full<Bytes>> + Send + Sync;

/// A listener that is gone with this value.
pub struct Enclave {
    pub address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Enclave {
    /// Serves; without an acceptor in the clear.
    pub async fn serve(tls: Option<TlsAcceptor>, reply: Arc<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, reply) = (tls.clone(), reply.clone());
                tokio::spawn(async move {
                    let answer = service_fn(move |request| {
                        let answered = answer(&request, &*reply);
                        async { Ok::<_, Infallible>(answered) }
                    });
                    match tls {
                        None => drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
                            }
                        }
                    }
                });
            }
        });
        Self { address, listening }
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for Enclave {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// 200 with this answer.
pub fn good(answer: &Answer) -> Response<Full<Bytes>> {
    Response::new(Full::from(answer.to_json()))
}

pub fn status(status: u16) -> Response<Full<Bytes>> {
    Response::builder().status(status).header("location", "http://127.0.0.1:1/").body(Full::default()).unwrap()
}

fn answer(request: &Request<Incoming>, reply: &Reply) -> Response<Full<Bytes>> {
    let nonce = (request.uri().path() == "/api/v1/attestation")
        .then(|| request.uri().query()?.strip_prefix("nonce="))
        .flatten()
        .and_then(|digits| hex::decode(digits).ok()?.try_into().ok());
    nonce.map_or_else(|| status(404), reply)
}

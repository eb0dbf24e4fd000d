//! The webhooks over real TLS: only kube-apiserver's certificate opens them.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use daas_seal_token::Purpose;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::server::{Limits, serve};
use crate::tls::{ClientCertificate, Identity, acceptor};
use crate::verdicts::tests::{FakeView, bearer_at, world};

type Ca = CertifiedIssuer<'static, KeyPair>;

struct Bench {
    view: FakeView,
    address: SocketAddr,
    ca: Ca,
}

fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(ca: &Ca, name: &str) -> (String, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, ca).unwrap().pem(), key)
}

async fn bench() -> Bench {
    let (view, verdicts) = world();
    let ca = ca();
    let (certificate, key) = leaf(&ca, "webhooks");
    let identity = Identity { certificate: certificate.into_bytes(), key: key.serialize_pem().into_bytes().into() };
    let tls = acceptor(&identity, ClientCertificate::Required(ca.pem().as_bytes())).unwrap();
    let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
    let webhooks = Webhooks::new(Arc::new(verdicts), Arc::default(), Arc::new(nodes));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Arc::new(arc_swap::ArcSwap::from_pointee(tls));
    tokio::spawn(serve(listener, tls, Limits::LOOPBACK, Arc::new(webhooks), CancellationToken::new()));
    Bench { view, address, ca }
}

impl Bench {
    /// `None` if the server does not talk to this client.
    async fn post(&self, path: &str, body: Vec<u8>, client: Option<&Ca>) -> Option<(StatusCode, String)> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            Some(ca) => {
                let (certificate, key) = leaf(ca, "kube-apiserver");
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
                config.with_client_auth_cert(vec![certificate], key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.address).await.unwrap();
        let server = ServerName::try_from("webhooks").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await.ok()?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let request = Request::post(path).body(Full::new(Bytes::from(body))).unwrap();
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8(body.to_vec()).unwrap()))
    }

    async fn review(&self, token: u8) -> String {
        let token = bearer_at(token, Purpose::Api, now_ms()).to_bearer();
        let body =
            format!(r#"{{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{{"token":"{token}"}}}}"#);
        let (status, answer) = self.post("/token?timeout=10s", body.into_bytes(), Some(&self.ca)).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        answer
    }
}

#[tokio::test]
async fn only_kube_apiservers_certificate_opens_the_webhooks() {
    let bench = bench().await;
    assert!(bench.review(7).await.contains(r#""authenticated":true"#));
    let stranger = ca();
    for client in [None, Some(&stranger)] {
        assert!(bench.post("/token", b"{}".to_vec(), client).await.is_none());
    }
}

#[tokio::test]
async fn a_stale_registry_is_a_prompt_deny_and_no_time_out() {
    let bench = bench().await;
    bench.view.stale.store(true, Ordering::SeqCst);
    let start = std::time::Instant::now();
    let answer = bench.review(7).await;
    assert!(answer.contains(r#""authenticated":false"#) && answer.contains("31000 ms old"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn bodies_that_are_too_long_or_no_reviews_are_refused_and_lost_events_are_noted() {
    let bench = bench().await;
    let post = async |path: &str, body: Vec<u8>| bench.post(path, body, Some(&bench.ca)).await.unwrap().0;
    assert_eq!(post("/token", vec![b' '; MAX_REVIEW_BYTES + 1]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post("/access", b"[]".to_vec()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post("/elsewhere", b"{}".to_vec()).await, StatusCode::NOT_FOUND);
    assert_eq!(post("/audit", b"not events".to_vec()).await, StatusCode::BAD_REQUEST);
    // A megabyte of headers, each byte escaped.
    let long = format!(r#"{{"items":[{{"user":{{"username":"x"}},"sourceIPs":["{}"]}}]}}"#, r"\u003c".repeat(1 << 20));
    assert_eq!(post("/audit", long.into_bytes()).await, StatusCode::OK);
}

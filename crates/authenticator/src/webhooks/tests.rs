//! The webhooks over real TLS: only kube-apiserver's certificate opens them.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use daas_seal_token::Purpose;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::testing::{self, Ca, ca, leaf};
use crate::verdicts::fake::{FakeView, bearer_at, world};
use daas_https::server::{Limits, serve};
use daas_https::tls::{ClientCertificate, Identity, acceptor};

struct Bench {
    view: FakeView,
    address: SocketAddr,
    ca: Ca,
}

async fn bench() -> Bench {
    let (view, verdicts) = world();
    let ca = ca("loopback");
    let (certificate, key) = leaf(&ca);
    let identity = Identity { certificate: certificate.into_bytes(), key: key.into_bytes().into() };
    let tls = acceptor(&identity, ClientCertificate::Required(ca.pem().as_bytes())).unwrap();
    let webhooks = Webhooks::new(Arc::new(verdicts), Arc::default(), Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Arc::new(arc_swap::ArcSwap::from_pointee(tls));
    tokio::spawn(serve(listener, tls, Limits::LOOPBACK, Arc::new(webhooks), CancellationToken::new()));
    Bench { view, address, ca }
}

impl Bench {
    /// `None` if the server does not talk to this client.
    async fn post(&self, path: &str, body: Vec<u8>, client: Option<&Ca>) -> Option<(StatusCode, String)> {
        let client = client.map(leaf);
        let client = client.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str()));
        let stream = testing::dial(&self.ca.pem(), client, self.address).await?;
        testing::send(stream, Request::post(path), body).await
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
    let stranger = ca("loopback");
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
    assert_eq!(post("/admission", b"{}".to_vec()).await, StatusCode::NOT_FOUND);
    assert_eq!(post("/audit", b"not events".to_vec()).await, StatusCode::BAD_REQUEST);
    // A megabyte of headers, each byte escaped.
    let long = format!(r#"{{"items":[{{"user":{{"username":"x"}},"sourceIPs":["{}"]}}]}}"#, r"\u003c".repeat(1 << 20));
    assert_eq!(post("/audit", long.into_bytes()).await, StatusCode::OK);
}

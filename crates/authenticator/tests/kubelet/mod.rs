//! A stand-in for a kubelet at the end of a real tunnel: it reports its node, says a line of a log every moment, and echoes
//! what is sent to a program or a port.

use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use daas_staker::tunnel::{Rules, serve};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::scene::{As, Certificate, NODES, Scene, Worker};
use crate::testing::WebSocket;

type Body = BoxBody<Bytes, Infallible>;

/// Serves at the worker's own address, and carries its tunnel with the worker's side of the project.
pub(crate) async fn run(scene: &Scene, worker: &Worker, tunnel: WebSocket) {
    let address = format!("{}/32", worker.address);
    assert!(Command::new("ip").args(["address", "add", &address, "dev", "lo"]).status().unwrap().success());
    let listener = TcpListener::bind((worker.address.as_str(), 10250)).await.unwrap();
    let acceptor = acceptor(&worker.serving);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .with_upgrades()
                    .await;
            });
        }
    });
    let rules = Rules::new(worker.address.parse().unwrap(), worker.pods.parse().unwrap());
    tokio::spawn(serve(tunnel, rules, CancellationToken::new()));
    report(scene, worker).await;
}

/// What a kubelet says of its node when it starts; the admission webhook holds it to what the master recorded.
async fn report(scene: &Scene, worker: &Worker) {
    let status = |address: &str| {
        json!({"status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": worker.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        }})
    };
    let path = format!("{NODES}/{}/status", worker.name);
    let say = async |body| {
        let kubelet = As::Certificate(&worker.kubelet);
        let kind = [("Content-Type", "application/strategic-merge-patch+json")];
        let (answered, body) = scene.open(Method::PATCH, &path, kubelet, &kind, Some(&body)).await.unwrap();
        (answered, String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned())
    };
    let (answered, why) = say(status("192.0.2.250")).await;
    assert_eq!(answered, StatusCode::FORBIDDEN, "{why}");
    assert!(why.contains("not the one that it registered with"), "{why}");
    let (answered, why) = say(status(&worker.address)).await;
    assert_eq!(answered, StatusCode::OK, "{why}");
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut answer = Response::new(Empty::new().boxed());
    if path.starts_with("/containerLogs/") {
        let lines = futures::stream::unfold(0_u64, |number| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Some((Ok(Frame::data(Bytes::from(format!("line {number}\n")))), number + 1))
        });
        *answer.body_mut() = StreamBody::new(lines).boxed();
    } else if path.starts_with("/exec/") || path.starts_with("/portForward/") {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let Ok(stream) = upgraded.await else { return };
            let (mut from, mut to) = tokio::io::split(TokioIo::new(stream));
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        for (name, value) in [(header::CONNECTION, "Upgrade"), (header::UPGRADE, "SPDY/3.1")] {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
    } else {
        *answer.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(answer)
}

fn acceptor(Certificate(certificate, key): &Certificate) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

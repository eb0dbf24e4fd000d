use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::{Credentials, Policy, review};
use crate::components::ports;
use crate::{ControlPlaneError, Result};

/// Where kube-apiserver asks.
pub const WEBHOOK_PATH: &str = "/v1/own-identities";

/// A SubjectAccessReview is some hundred bytes; names and extras have limits of their own in Kubernetes.
const LARGEST_REVIEW: usize = 64 * 1024;
/// kube-apiserver keeps one or two connections; the others are refused in the handshake.
const MOST_CONNECTIONS: usize = 64;
const SLOWEST: Duration = Duration::from_secs(10);

/// What the server needs, replaced as a whole when a certificate is renewed.
#[derive(Clone)]
pub struct Served {
    /// Certificate and trust.
    pub tls: Arc<ServerConfig>,
    /// The fingerprints that are believed.
    pub credentials: Arc<Credentials>,
}

/// Answers kube-apiserver's questions about the control plane's own identities, on loopback and with mutual TLS.
pub struct PolicyServer {
    listener: TcpListener,
    policy: Arc<Policy>,
    served: watch::Receiver<Served>,
}

impl PolicyServer {
    /// Listens on [`ports::MASTER_WEBHOOK`].
    pub async fn bind(policy: Policy, served: watch::Receiver<Served>) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::MASTER_WEBHOOK));
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| ControlPlaneError::Listen { address: address.to_string(), cause })?;
        Ok(Self { listener, policy: Arc::new(policy), served })
    }

    /// Serves until dropped.
    pub async fn run(self) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of file descriptors: let others give some back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (policy, served) = (Arc::clone(&self.policy), self.served.clone());
            tokio::spawn(async move {
                let _place = place;
                serve(stream, policy, served).await;
            });
        }
    }
}

async fn serve(stream: TcpStream, policy: Arc<Policy>, served: watch::Receiver<Served>) {
    let tls = Arc::clone(&served.borrow().tls);
    let accepted = tokio::time::timeout(SLOWEST, TlsAcceptor::from(tls).accept(stream)).await;
    let Ok(Ok(stream)) = accepted else {
        tracing::debug!("a client of the master's webhook could not show a certificate");
        return;
    };
    let service = service_fn(move |request| {
        let (policy, served) = (Arc::clone(&policy), served.clone());
        async move { Ok::<_, Infallible>(review_one(request, &policy, &served).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_mins(5))
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the master's webhook ended");
    }
}

async fn review_one(
    request: Request<Incoming>,
    policy: &Policy,
    served: &watch::Receiver<Served>,
) -> Response<Full<Bytes>> {
    if request.uri().path() != WEBHOOK_PATH || request.method() != Method::POST {
        return plain(StatusCode::NOT_FOUND);
    }
    let body = tokio::time::timeout(SLOWEST, Limited::new(request.into_body(), LARGEST_REVIEW).collect()).await;
    let Ok(Ok(body)) = body else { return plain(StatusCode::PAYLOAD_TOO_LARGE) };
    let Some(wanted) = review::read(&body.to_bytes()) else { return plain(StatusCode::BAD_REQUEST) };
    let verdict = policy.judge(&wanted, &served.borrow().credentials);
    let mut answer = Response::new(Full::from(review::answer(verdict).to_string()));
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

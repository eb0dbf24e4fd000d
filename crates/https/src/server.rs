//! A bounded HTTP/1.1 server over TLS: connections in all and of each client, time for handshake, headers, body and the
//! connection as a whole, sizes of headers and bodies.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use daas_transport::accept::{Accept, Slots, each_connection};

use crate::tls::{CurrentTls, HTTP2};

/// The answer of a handler.
pub type Answer = Response<Full<Bytes>>;

/// How much a server lets itself be used.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client.
    pub per_peer: usize,
    /// Time for the TLS handshake.
    pub handshake: Duration,
    /// Time for a request's headers, also while the connection waits for one.
    pub headers: Duration,
    /// Time for a request's body.
    pub body: Duration,
    /// Life of a connection that is not upgraded.
    pub connection: Duration,
}

impl Limits {
    /// For clients that nobody has vouched for yet.
    pub const PUBLIC: Self = Self {
        connections: 2048,
        per_peer: 64,
        handshake: Duration::from_secs(5),
        headers: Duration::from_secs(10),
        body: Duration::from_secs(10),
        connection: Duration::from_mins(1),
    };
    /// For kube-apiserver on loopback, which keeps its connections.
    pub const LOOPBACK: Self = Self {
        connections: 256,
        per_peer: 256,
        handshake: Duration::from_secs(5),
        headers: Duration::from_mins(5),
        body: Duration::from_secs(10),
        connection: Duration::from_hours(24),
    };
}

/// Request line and headers together; hyper refuses more.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Requests at once on a connection that is shared.
const MAX_STREAMS: u32 = 1024;
/// A client that is gone without a word is noticed after this, twice.
const ALIVE: Duration = Duration::from_secs(30);

/// Who is at the other end.
#[derive(Debug)]
pub struct Peer {
    /// As the listener knows it.
    pub address: Option<IpAddr>,
    /// The leaf that it showed, verified up to the CA.
    pub certificate: Option<CertificateDer<'static>>,
}

/// What a server does with requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers.
    fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Arc<Peer>) -> impl Future<Output = Answer> + Send;
}

/// Serves until `stop`.
pub async fn serve<A: Accept, H: Handler>(
    listener: A,
    tls: CurrentTls,
    limits: Limits,
    handler: Arc<H>,
    stop: CancellationToken,
) {
    let slots = Slots::new(limits.connections, limits.per_peer);
    each_connection(listener, slots, stop, |stream, address| {
        serve_one(stream, address, TlsAcceptor::clone(&tls.load()), limits, Arc::clone(&handler))
    })
    .await;
}

async fn serve_one<H: Handler>(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    address: Option<IpAddr>,
    tls: TlsAcceptor,
    limits: Limits,
    handler: Arc<H>,
) {
    let Ok(Ok(stream)) = tokio::time::timeout(limits.handshake, tls.accept(stream)).await else { return };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = Arc::new(Peer { address, certificate: certificate.map(|leaf| leaf.clone().into_owned()) });
    let service = service_fn(move |request| {
        let (handler, peer) = (Arc::clone(&handler), Arc::clone(&peer));
        async move { Ok::<_, std::convert::Infallible>(handler.answer(request, peer).await) }
    });
    if stream.get_ref().1.alpn_protocol() == Some(HTTP2) {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .serve_connection(TokioIo::new(stream), service);
        let _ = tokio::time::timeout(limits.connection, connection).await;
        return;
    }
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Errors are the client's: it went away, was too slow or sent no HTTP.
    let _ = tokio::time::timeout(limits.connection, connection).await;
}

/// A request's body, if it is not too long and does not take too long.
pub async fn read_body(body: Incoming, max: usize, within: Duration) -> Result<Bytes, StatusCode> {
    let collected = tokio::time::timeout(within, Limited::new(body, max).collect());
    match collected.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// An answer of text.
pub fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    answer(status, "text/plain", body.into().into())
}

/// An answer of JSON.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    answer(status, "application/json", body.into())
}

fn answer(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    answer
}

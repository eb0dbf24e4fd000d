//! One HTTP/1.1 request over TLS to a server on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// One without a body.
    pub fn plain(method: Method, path: &str) -> Self {
        Self { method, path: path.into(), content_type: "application/json", body: Vec::new() }
    }
}

/// Sends a request on a connection of its own and reads an answer of at most `longest` bytes.
pub async fn exchange(
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    request: Request,
    longest: usize,
) -> Result<(StatusCode, Bytes), String> {
    let tcp = TcpStream::connect(address).await.map_err(|cause| format!("connecting: {cause}"))?;
    let name = ServerName::IpAddress(address.ip().into());
    let stream = TlsConnector::from(tls).connect(name, tcp).await.map_err(|cause| format!("TLS: {cause}"))?;
    let fault = |cause: hyper::Error| format!("HTTP: {cause}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let built = http::Request::builder()
            .method(request.method)
            .uri(request.path)
            .header(header::HOST, HeaderValue::from_static("localhost"))
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .header(header::CONTENT_TYPE, HeaderValue::from_static(request.content_type))
            .body(Full::<Bytes>::from(request.body))
            .map_err(|cause| format!("request: {cause}"))?;
        let answer = sender.send_request(built).await.map_err(fault)?;
        let status = answer.status();
        let body =
            Limited::new(answer.into_body(), longest).collect().await.map_err(|cause| format!("body: {cause}"))?;
        Ok((status, body.to_bytes()))
    }
    .await;
    driver.abort();
    answer
}

//! One challenge and its answer.

use std::time::Duration;

use daas_attestation::merkle::NONCE_LENGTH;
use daas_attestation::{Answer, AnswerError, NonceRule, TlsPeer};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::{Endpoint, client_config, peer_spki_sha256};

/// What came back, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The document and the path from the nonce.
    pub answer: Answer,
    /// The nonce that was sent.
    pub nonce: [u8; NONCE_LENGTH],
    /// SHA-256 of the TLS peer's public key (SPKI, DER); none without TLS.
    pub tls_spki_sha256: Option<[u8; 32]>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody listens, or no such host.
    #[error("no connection: {0}")]
    Connect(#[source] std::io::Error),
    /// The handshake failed.
    #[error("no TLS 1.3 connection: {0}")]
    Tls(#[source] std::io::Error),
    /// This machine's TLS library or the address' name.
    #[error("TLS cannot be set up: {0}")]
    TlsSetUp(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The peer's certificate is not one.
    #[error("the peer's certificate cannot be read")]
    Certificate,
    /// HTTP broke.
    #[error("no HTTP answer: {0}")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another status than 200; redirects are not followed.
    #[error("the status is {0}, not 200")]
    Status(StatusCode),
    /// The body is not an answer.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// It took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
}

impl Live {
    /// The document must answer the nonce that was sent.
    pub fn nonce_rule(&self) -> NonceRule<'_> {
        self.answer.nonce_rule(&self.nonce)
    }

    /// The document must claim the connection's key, where there is one.
    pub fn tls_peer(&self) -> TlsPeer<'_> {
        self.tls_spki_sha256.as_ref().map_or(TlsPeer::NoConnection, TlsPeer::Spki)
    }
}

/// Sends `nonce`, which must be random and used once, and reads the answer. All of it takes at most `limit`.
pub async fn ask(endpoint: &Endpoint, nonce: [u8; NONCE_LENGTH], limit: Duration) -> Result<Live, AskError> {
    tokio::time::timeout(limit, connect_and_ask(endpoint, nonce)).await.map_err(|_| AskError::TimedOut(limit))?
}

async fn connect_and_ask(endpoint: &Endpoint, nonce: [u8; NONCE_LENGTH]) -> Result<Live, AskError> {
    let tcp = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.map_err(AskError::Connect)?;
    if !endpoint.is_tls {
        let answer = request(endpoint, &nonce, tcp).await?;
        return Ok(Live { answer, nonce, tls_spki_sha256: None });
    }
    let config = client_config().map_err(|error| AskError::TlsSetUp(error.into()))?;
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| AskError::TlsSetUp(error.into()))?;
    let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(AskError::Tls)?;
    let key = peer_spki_sha256(tls.get_ref().1).ok_or(AskError::Certificate)?;
    let answer = request(endpoint, &nonce, tls).await?;
    Ok(Live { answer, nonce, tls_spki_sha256: Some(key) })
}

async fn request<S>(endpoint: &Endpoint, nonce: &[u8; NONCE_LENGTH], stream: S) -> Result<Answer, AskError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http_failed = |error: hyper::Error| AskError::Http(error.into());
    let request = Request::get(format!("{}?nonce={}", endpoint.path, hex::encode(nonce)))
        .header(header::HOST, endpoint.authority())
        .header(header::ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|error| AskError::Http(error.into()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(http_failed)?;
    // The connection is driven beside the request and ends with it, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(http_failed)?;
    if response.status() != StatusCode::OK {
        return Err(AskError::Status(response.status()));
    }
    let body = Limited::new(response.into_body(), Answer::MAX_BYTES).collect().await.map_err(AskError::Http)?;
    Ok(Answer::from_json(&body.to_bytes())?)
}

//! Questions to the master's API through the link.

use std::net::{Ipv4Addr, SocketAddr};

use daas_transport::{Link, ports};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::inbound;

/// The body of the answer to `GET path`, of at most `longest` bytes; the error is for people.
///
/// The peer's certificate is not looked at: nothing that it answers is trusted, and nothing secret is sent.
pub async fn get(link: &Link, path: &str, longest: usize) -> Result<Bytes, String> {
    let own = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let stream = inbound::reach(link, ports::MASTER, own).await.map_err(|cause| cause.to_string())?;
    let tls = daas_attested_tls::client_config().map_err(|cause| cause.to_string())?;
    let name = ServerName::IpAddress(own.ip().into());
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|cause| format!("TLS: {cause}"))?;
    let fault = |cause: hyper::Error| format!("HTTP: {cause}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
    // The connection is driven beside the request and ends with it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|cause| cause.to_string())?;
    let answer = sender.send_request(request).await.map_err(fault)?;
    if answer.status() != StatusCode::OK {
        return Err(format!("{path} is answered with {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), longest).collect().await.map_err(|cause| format!("{path}: {cause}"))?;
    Ok(body.to_bytes())
}

//! The websocket's beginning, the client's side (RFC 6455 §4.1).

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daas_join::Endpoint;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::session::websocket_limits;
use crate::error::Error;
use crate::http_client::Peer;
use crate::random;

/// RFC 6455 §1.3.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const WHAT: &str = "the tunnel";
const WITHIN: Duration = Duration::from_secs(15);

/// Opens the tunnel's websocket at the gateway, which is shown the kubelet's certificate.
pub async fn connect(gateway: &Peer) -> Result<WebSocketStream<TokioIo<Upgraded>>, Error> {
    tokio::time::timeout(WITHIN, open(gateway)).await.map_err(|_| Error::exchange(WHAT, "no answer in time"))?
}

async fn open(gateway: &Peer) -> Result<WebSocketStream<TokioIo<Upgraded>>, Error> {
    let fault = |error: hyper::Error| Error::exchange(WHAT, error);
    let stream = gateway.connect(WHAT).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
    tokio::spawn(connection.with_upgrades());
    let key = BASE64.encode(random::<16>()?);
    let request = Request::get(Endpoint::Connect.path())
        .header(header::HOST, gateway.authority())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .body(Empty::<Bytes>::new())
        .map_err(|error| Error::exchange(WHAT, error))?;
    let answer = sender.send_request(request).await.map_err(fault)?;
    let status = answer.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::Refused { what: WHAT, status, why: String::new() });
    }
    check(answer.headers(), &key)?;
    let upgraded = TokioIo::new(hyper::upgrade::on(answer).await.map_err(fault)?);
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(websocket_limits())).await)
}

fn check(headers: &HeaderMap, key: &str) -> Result<(), Error> {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), MAGIC].concat());
    let accepted = headers.get(header::SEC_WEBSOCKET_ACCEPT).and_then(|value| value.to_str().ok());
    let upgrades = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    let is_websocket = upgrades.is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    if is_websocket && accepted == Some(BASE64.encode(hash).as_str()) {
        Ok(())
    } else {
        Err(Error::exchange(WHAT, "the gateway does not speak the websocket's protocol"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 §1.3.
    #[test]
    fn the_answer_must_be_to_the_key_that_was_sent() {
        let mut headers = HeaderMap::new();
        headers.insert(header::UPGRADE, "websocket".parse().unwrap());
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap());
        assert!(check(&headers, "dGhlIHNhbXBsZSBub25jZQ==").is_ok());
        assert!(check(&headers, "dGhlIHNhbXBsZSBub25jZR==").is_err());
        headers.remove(header::UPGRADE);
        assert!(check(&headers, "dGhlIHNhbXBsZSBub25jZQ==").is_err());
    }
}

//! The websocket's beginning (RFC 6455 §4.2).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daas_join::NodeSubject;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::offences::Offences;
use crate::tunnel::{Rhythm, Tunnel, Tunnels, websocket_limits};
use daas_https::server::{Answer, text};

/// RFC 6455 §1.3.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Accepts a websocket and runs the node's tunnel on it; `None` if none is asked for. The node is judged once more when the
/// tunnel stands in the table, so that a verdict that flips in between is seen here or by the sweep that it starts.
pub(super) fn accept(
    request: &mut Request<Incoming>,
    tunnel: Tunnel,
    tunnels: Arc<Tunnels>,
    offences: Arc<Offences>,
    may_go_on: impl Fn(&NodeSubject) -> bool + Send + 'static,
) -> Option<Answer> {
    let accept = accept_key(request.headers())?;
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(stream) = upgraded.await else { return };
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(websocket_limits())).await;
        let (subject, session) = (tunnel.subject.clone(), Arc::clone(&tunnel.session));
        let Ok(contest) = tunnels.put(tunnel) else { return };
        if may_go_on(&subject) {
            if let Some(contest) = contest {
                tokio::spawn(async move {
                    if let Some(seen) = contest.run(Rhythm::default()).await {
                        offences.note(&seen);
                    }
                });
            }
            tracing::info!(node = %subject.name, "tunnel is up");
            session.run(socket).await;
        }
        tunnels.remove(&subject.name, &session);
    });
    let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Some(answer)
}

fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let single = |name: header::HeaderName| {
        let mut all = headers.get_all(name).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    };
    let upgrades = single(header::CONNECTION)?.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    if !upgrades || !single(header::UPGRADE)?.eq_ignore_ascii_case("websocket") {
        return None;
    }
    if single(header::SEC_WEBSOCKET_VERSION)? != "13" {
        return None;
    }
    let key = single(header::SEC_WEBSOCKET_KEY)?;
    if BASE64.decode(key).ok()?.len() != 16 {
        return None;
    }
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), MAGIC].concat());
    HeaderValue::from_str(&BASE64.encode(hash)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(changes: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        headers
    }

    /// The example of RFC 6455 §1.3.
    #[test]
    fn the_key_is_answered_as_the_standard_says() {
        assert_eq!(accept_key(&headers(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_websocket_is_not_upgraded() {
        for (name, value) in [
            ("connection", "close"),
            ("upgrade", "h2c"),
            ("sec-websocket-version", "8"),
            ("sec-websocket-key", "short"),
            ("sec-websocket-key", ""),
        ] {
            assert!(accept_key(&headers(&[(name, value)])).is_none(), "{name}: {value}");
        }
        let mut twice = headers(&[]);
        twice.append("upgrade", HeaderValue::from_static("websocket"));
        assert!(accept_key(&twice).is_none());
    }
}

//! Lists and watches Nodes (Kubernetes API concepts, "Efficient detection of changes"): pages of a list, then a stream of events from its
//! resource version on. Bounded: in the bytes of a page and of an event, in Nodes, and in the time without a byte.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Settings;
use super::peers::{NodeObject, Record};

/// A page of so many Nodes of some kilobytes each.
const PAGE: u32 = 250;
const LONGEST_PAGE: usize = 16 << 20;
/// etcd takes no object of more than 1.5 MiB.
const LONGEST_EVENT: usize = 2 << 20;
const MOST_NODES: usize = 10_000;
const CONNECTING: Duration = Duration::from_secs(10);
const ANSWERING: Duration = Duration::from_secs(30);
/// The API server sends a bookmark about every minute.
const SILENCE: Duration = Duration::from_secs(150);
const WATCH_SECONDS: u32 = 600;

/// A connection to the API server.
pub(super) struct Api {
    sender: SendRequest<Empty<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
}

/// All Nodes, and the version of the cluster in which they were so.
pub(super) struct Listed {
    pub(super) nodes: BTreeMap<String, Record>,
    pub(super) version: String,
}

/// What a watch tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A Node is now so.
    Set(String, Record, String),
    /// A Node is gone.
    Gone(String, String),
    /// Nothing happened until this version.
    Bookmark(String),
}

impl Api {
    pub(super) async fn connect(settings: &Settings) -> Result<Self, String> {
        let tls = tls(&settings.server_ca, &settings.certificate)?;
        let connect = async {
            let tcp = TcpStream::connect(settings.api).await.map_err(|cause| format!("connecting: {cause}"))?;
            let name = ServerName::IpAddress(settings.api.ip().into());
            let stream = TlsConnector::from(tls).connect(name, tcp).await.map_err(|cause| format!("TLS: {cause}"))?;
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|cause| format!("HTTP: {cause}"))
        };
        let (sender, connection) = tokio::time::timeout(CONNECTING, connect)
            .await
            .map_err(|_| format!("{}: no connection within {} s", settings.api, CONNECTING.as_secs()))??;
        let driver = tokio::spawn(async move {
            // What went wrong is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self { sender, driver })
    }

    pub(super) async fn list(&mut self) -> Result<Listed, String> {
        let mut nodes = BTreeMap::new();
        let mut next = String::new();
        loop {
            let path = format!("/api/v1/nodes?limit={PAGE}&continue={}", percent_encoded(&next));
            let answer = self.get(&path).await?;
            let body = Limited::new(answer.into_body(), LONGEST_PAGE).collect();
            let body = tokio::time::timeout(ANSWERING, body).await.map_err(|_| "the list does not end".to_owned())?;
            let body = body.map_err(|cause| format!("the list: {cause}"))?.to_bytes();
            let page: Page = serde_json::from_slice(&body).map_err(|cause| format!("the list: {cause}"))?;
            nodes.extend(page.items.iter().map(|node| (node.metadata.name.clone(), Record::from(node))));
            if nodes.len() > MOST_NODES {
                return Err(format!("more than {MOST_NODES} Nodes"));
            }
            match page.metadata.continue_ {
                token if token.is_empty() => return Ok(Listed { nodes, version: page.metadata.resource_version }),
                token => next = token,
            }
        }
    }

    /// Watches from a version on, until the server ends the stream.
    pub(super) async fn watch(mut self, version: &str) -> Result<Events, String> {
        let version = percent_encoded(version);
        let path = format!(
            "/api/v1/nodes?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}"
        );
        let body = self.get(&path).await?.into_body();
        Ok(Events { body, lines: Lines::default(), _api: self })
    }

    async fn get(&mut self, path: &str) -> Result<http::Response<Incoming>, String> {
        let request = Request::get(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "daas-node")
            .body(Empty::new())
            .map_err(|cause| format!("request: {cause}"))?;
        let sent = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        let answer = tokio::time::timeout(ANSWERING, sent).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", ANSWERING.as_secs()))?;
        let answer = answer.map_err(|cause| format!("HTTP: {cause}"))?;
        if answer.status() == StatusCode::OK {
            Ok(answer)
        } else {
            Err(format!("the API server says {}", answer.status()))
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The events of a watch.
pub(super) struct Events {
    body: Incoming,
    lines: Lines,
    _api: Api,
}

impl Events {
    /// The next event; `None` when the server ended the stream, as it does from time to time.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, String> {
        loop {
            if let Some(line) = self.lines.take() {
                return parse_event(&line).map(Some);
            }
            let frame = tokio::time::timeout(SILENCE, self.body.frame());
            let frame = frame.await.map_err(|_| format!("not a byte within {} s", SILENCE.as_secs()))?;
            match frame {
                None => return Ok(None),
                Some(Err(cause)) => return Err(format!("the watch: {cause}")),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.lines.feed(data)?;
                    }
                }
            }
        }
    }
}

/// Bytes as lines of bounded length.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    searched: usize,
}

impl Lines {
    fn feed(&mut self, data: &[u8]) -> Result<(), String> {
        self.bytes.extend_from_slice(data);
        if self.bytes.len() > 2 * LONGEST_EVENT { Err("an event is too long".into()) } else { Ok(()) }
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let Some(end) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let rest = self.bytes.split_off(self.searched + end + 1);
        self.searched = 0;
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    #[serde(default, deserialize_with = "null_is_empty")]
    items: Vec<NodeObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(default, rename = "continue")]
    continue_: String,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<NodeObject>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "type")]
    kind: String,
    object: serde_json::Value,
}

fn parse_event(line: &[u8]) -> Result<Event, String> {
    let RawEvent { kind, object } = serde_json::from_slice(line).map_err(|cause| format!("an event: {cause}"))?;
    if kind == "ERROR" {
        // 410: the version is too old, and the list is to be read again.
        return Err(format!("the watch: {} {}", object["code"], object["message"].as_str().unwrap_or_default()));
    }
    let node: NodeObject = serde_json::from_value(object).map_err(|cause| format!("an event: {cause}"))?;
    let record = Record::from(&node);
    let (name, version) = (node.metadata.name, node.metadata.resource_version);
    match kind.as_str() {
        "ADDED" | "MODIFIED" => Ok(Event::Set(name, record, version)),
        "DELETED" => Ok(Event::Gone(name, version)),
        "BOOKMARK" => Ok(Event::Bookmark(version)),
        other => Err(format!("an event of the unknown kind {other:?}")),
    }
}

/// Tokens and versions are the server's; they are opaque.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The certificate is read at each connection: it is renewed in its file.
fn tls(server_ca: &str, certificate: &Path) -> Result<Arc<ClientConfig>, String> {
    let what = |cause: &dyn std::fmt::Display| format!("{}: {cause}", certificate.display());
    let pem = std::fs::read(certificate).map_err(|cause| what(&cause))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|cause| what(&cause))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|cause| what(&cause))?;
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_slice_iter(server_ca.as_bytes()) {
        let ca = ca.map_err(|cause| format!("the server authority: {cause}"))?;
        roots.add(ca).map_err(|cause| format!("the server authority: {cause}"))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|cause| cause.to_string())?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|cause| what(&cause))?;
    Ok(Arc::new(config))
}

/// Where the API server is, for messages.
pub(super) fn told(api: SocketAddr, cause: &str) -> String {
    format!("Nodes cannot be followed at {api}: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read() {
        let node = r#"{"metadata":{"name":"w2","resourceVersion":"7"},"spec":{"podCIDR":"10.42.2.0/24"}}"#;
        let event = |kind: &str| parse_event(format!(r#"{{"type":"{kind}","object":{node}}}"#).as_bytes());
        assert!(matches!(event("ADDED"), Ok(Event::Set(name, _, version)) if name == "w2" && version == "7"));
        assert!(matches!(event("MODIFIED"), Ok(Event::Set(..))));
        assert_eq!(event("DELETED"), Ok(Event::Gone("w2".into(), "7".into())));
        assert_eq!(event("BOOKMARK"), Ok(Event::Bookmark("7".into())));
        assert!(event("HUH").is_err());
        let old = br#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#;
        assert_eq!(parse_event(old).unwrap_err(), "the watch: 410 too old");
        for broken in [&b"{"[..], b"", b"[]", br#"{"type":"ADDED","object":[]}"#, br#"{"type":"ADDED","object":{}}"#] {
            assert!(parse_event(broken).is_err());
        }
    }

    #[test]
    fn lines_arrive_in_any_pieces_and_are_bounded() {
        let mut lines = Lines::default();
        lines.feed(b"a\nb").unwrap();
        assert_eq!(lines.take().as_deref(), Some(&b"a\n"[..]));
        assert_eq!(lines.take(), None);
        lines.feed(b"c\n\n").unwrap();
        assert_eq!(lines.take().as_deref(), Some(&b"bc\n"[..]));
        assert_eq!(lines.take().as_deref(), Some(&b"\n"[..]));
        assert_eq!(lines.take(), None);
        let long = vec![b'x'; LONGEST_EVENT];
        assert!(lines.feed(&long).is_ok() && lines.feed(&long).is_ok());
        assert!(lines.feed(b"x").is_err());
    }

    #[test]
    fn a_list_of_null_is_empty_and_tokens_are_encoded() {
        let page: Page = serde_json::from_str(r#"{"metadata":{"resourceVersion":"1"},"items":null}"#).unwrap();
        assert!(page.items.is_empty() && page.metadata.continue_.is_empty());
        assert_eq!(percent_encoded("a&b=c/ü"), "a%26b%3Dc%2F%C3%BC");
    }

    #[test]
    fn a_missing_certificate_is_named() {
        assert!(tls("", Path::new("/no/such")).unwrap_err().contains("/no/such"));
    }
}

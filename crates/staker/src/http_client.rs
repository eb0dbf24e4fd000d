//! One HTTP/1.1 request over pinned TLS: bounded in time and bytes, no redirects, a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

/// The longest text of a refusal that is kept.
const MAX_REASON: usize = 300;
const CONNECT: Duration = Duration::from_secs(10);

/// Where a server is, and how it is known.
#[derive(Debug, Clone)]
pub struct Peer {
    host: String,
    port: u16,
    tls: Arc<ClientConfig>,
}

/// How much an answer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first packet to the last byte.
    pub time: Duration,
    /// Of the body.
    pub bytes: usize,
}

impl Peer {
    /// A server at `host:port`.
    pub fn new(address: &str, tls: Arc<ClientConfig>) -> Result<Self, Error> {
        let (host, port) = split(address)?;
        Ok(Self { host, port, tls })
    }

    /// Connects and ends the handshake.
    pub async fn connect(&self, what: &'static str) -> Result<TlsStream<TcpStream>, Error> {
        let dial = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(|error| Error::exchange(what, format_args!("connecting: {error}")))?;
            let _ = tcp.set_nodelay(true);
            let name = ServerName::try_from(self.host.clone())
                .map_err(|_| Error::Address { what: "a server", text: self.host.clone() })?;
            let tls = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
            tls.map_err(|error| Error::exchange(what, format_args!("TLS: {error}")))
        };
        tokio::time::timeout(CONNECT, dial).await.map_err(|_| Error::exchange(what, "no connection in time"))?
    }

    /// `host:port` as HTTP writes it.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn exchange(
        &self,
        what: &'static str,
        mut request: Request<Full<Bytes>>,
        limits: Limits,
    ) -> Result<(StatusCode, Bytes), Error> {
        if let Ok(host) = self.authority().parse() {
            request.headers_mut().insert(header::HOST, host);
        }
        let all = async {
            let stream = self.connect(what).await?;
            let fault = |error: hyper::Error| Error::exchange(what, error);
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
            // The connection is driven beside the request and ends with it, however that ends.
            let mut driver = JoinSet::new();
            driver.spawn(connection);
            read(what, sender.send_request(request).await.map_err(fault)?, limits.bytes).await
        };
        tokio::time::timeout(limits.time, all).await.map_err(|_| Error::exchange(what, "no answer in time"))?
    }
}

async fn read(what: &'static str, answer: Response<Incoming>, bytes: usize) -> Result<(StatusCode, Bytes), Error> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), bytes).collect().await;
    let body = body.map_err(|error| Error::exchange(what, format_args!("reading the answer: {error}")))?;
    Ok((status, body.to_bytes()))
}

/// The text of a refusal, short and on one line.
pub(crate) fn reason(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_REASON)]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// `host:port` with an address in brackets or not.
pub(crate) fn split(address: &str) -> Result<(String, u16), Error> {
    let refused = || Error::Address { what: "an endpoint", text: address.chars().take(100).collect() };
    let (host, port) = address.rsplit_once(':').ok_or_else(refused)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    match port.parse() {
        Ok(port) if plain && port != 0 => Ok((host.to_owned(), port)),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use daas_https::tls::{ClientCertificate, Identity, acceptor};
    use rcgen::{CertificateParams, KeyPair};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::pinned;

    /// A server that answers each request with the head, and then with the piece again and again, as long as anybody reads.
    async fn server(head: &'static str, piece: Vec<u8>, pause: Duration) -> Peer {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let pem = certificate.pem().into_bytes();
        let identity = Identity { certificate: pem.clone(), key: key.serialize_pem().into_bytes().into() };
        let tls = acceptor(&identity, ClientCertificate::Optional(&pem)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, piece) = (tls.clone(), piece.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(head.as_bytes()).await;
                    while stream.write_all(&piece).await.is_ok() && stream.flush().await.is_ok() {
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        let spki = daas_attestation::tls_spki_sha256(certificate.der()).unwrap();
        Peer::new(&address, pinned::by_key(spki).unwrap()).unwrap()
    }

    async fn ask(peer: &Peer, time: Duration) -> Result<(StatusCode, Bytes), Error> {
        let limits = Limits { time, bytes: 64 * 1024 };
        let request = Request::get("/x").body(Full::default()).unwrap();
        let within = Duration::from_secs(20);
        tokio::time::timeout(within, peer.exchange("the test", request, limits)).await.expect("the limit holds")
    }

    #[tokio::test]
    async fn huge_slow_and_endless_answers_are_errors_in_time() {
        const MEBIBYTE: usize = 1 << 20;
        let ms = Duration::from_millis;
        let announced = "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n";
        // What is huge is given up long before its time; what is slow has none to wait for.
        let (huge, slow) = (Duration::from_mins(1), ms(800));
        for (what, head, piece, pause, time) in [
            ("a body that does not end", "HTTP/1.1 200 OK\r\n\r\n", vec![b'a'; MEBIBYTE], ms(0), huge),
            ("a body that is announced", announced, vec![b'a'; MEBIBYTE], ms(0), huge),
            ("headers that do not end", "HTTP/1.1 200 OK\r\nx: ", vec![b'a'; MEBIBYTE], ms(0), huge),
            ("a body that drips", "HTTP/1.1 200 OK\r\n\r\n", vec![b'a'], ms(50), slow),
            ("headers that drip", "HTTP/1.1 200 OK\r\nx: ", vec![b'a'], ms(50), slow),
            ("no answer", "", Vec::new(), ms(50), slow),
            ("no HTTP", "SSH-2.0-x\r\n", Vec::new(), ms(50), slow),
        ] {
            let answer = ask(&server(head, piece, pause).await, time).await;
            assert!(matches!(answer, Err(Error::Exchange { .. })), "{what}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_another_key_is_never_spoken_to() {
        let head = "HTTP/1.1 307 X\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let peer = server(head, Vec::new(), Duration::from_millis(50)).await;
        assert_eq!(ask(&peer, Duration::from_secs(10)).await.unwrap().0, StatusCode::TEMPORARY_REDIRECT);
        let other = Peer { tls: pinned::by_key([9; 32]).unwrap(), ..peer };
        let refused = ask(&other, Duration::from_secs(10)).await;
        assert!(matches!(&refused, Err(Error::Exchange { why, .. }) if why.starts_with("TLS")), "{refused:?}");
    }

    #[test]
    fn endpoints_are_a_host_and_a_port() {
        assert_eq!(split("172.30.0.1:8443").unwrap(), ("172.30.0.1".into(), 8443));
        assert_eq!(split("[2001:db8::1]:9345").unwrap(), ("2001:db8::1".into(), 9345));
        assert_eq!(split("master.example:443").unwrap(), ("master.example".into(), 443));
        for wrong in ["", "a", "a:", ":1", "a:0", "a:65536", "a b:1", "a/b:1", "user@a:1", "a:1\r\n"] {
            assert!(split(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn reasons_are_short_and_on_one_line() {
        assert_eq!(reason(b"no\r\nway\x1b[2J"), "no  way [2J");
        assert!(reason(&[b'a'; 10_000]).len() <= MAX_REASON);
    }
}

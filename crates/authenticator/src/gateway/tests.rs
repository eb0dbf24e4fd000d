//! The gateway over real TLS, with a worker that is written here.

use std::net::SocketAddr;

use daas_join::Message;
use daas_seal_token::{Purpose, StakeStatus};
use futures::{SinkExt as _, StreamExt as _};
use hyper::body::Bytes;
use rcgen::{CertificateParams, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;
use x509_cert::Certificate;
use x509_cert::der::DecodePem as _;
use x509_cert::ext::pkix::SubjectAltName;

use super::*;
use crate::connections::Connections;
use crate::cut_off::CutOff;
use crate::issuer::Issuer;
use crate::nodes::NodeRecord;
use crate::testing::{self, Ca, WebSocket, ca, certificate_request};
use crate::verdicts::fake::{FakeView, name};
use daas_https::server::{Limits, serve};
use daas_https::tls::{ClientCertificate, Identity, acceptor};

const DAY: Duration = Duration::from_hours(24);
const WITHIN: Duration = Duration::from_secs(20);
const PASSWORD: &str = "0123456789abcdef0123456789abcdef";

struct World {
    view: FakeView,
    verdicts: Arc<Verdicts<FakeView>>,
    tunnels: Arc<Tunnels>,
    gateway: Arc<Gateway<FakeView>>,
    address: SocketAddr,
    server_ca: String,
    kubelet_ca: String,
}

/// A worker's key with a certificate, once it has one.
struct Key {
    pair: KeyPair,
    certificate: Option<String>,
}

struct Got {
    status: StatusCode,
    body: String,
}

fn identity(ca: &Ca) -> Identity {
    Identity { certificate: ca.pem().into_bytes(), key: ca.key().serialize_pem().into_bytes().into() }
}

async fn world() -> World {
    let (view, verdicts) = crate::verdicts::fake::world();
    let (server_ca, client_ca, kubelet_ca) = (ca("server"), ca("client"), ca("kubelet"));
    let (certificate, key) = testing::leaf(&server_ca);
    let serving = Identity { certificate: certificate.into_bytes(), key: key.into_bytes().into() };
    let tls = acceptor(&serving, ClientCertificate::Optional(client_ca.pem().as_bytes())).unwrap();
    let tls = Arc::new(arc_swap::ArcSwap::from_pointee(tls));
    let verdicts = Arc::new(verdicts);
    let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
    for number in [6, 8] {
        let address = format!("192.0.2.{number}").parse().unwrap();
        nodes.put(NodeRecord { name: name(number), address, pods: None }).unwrap();
    }
    let tunnels = Arc::new(Tunnels::default());
    let documents = Documents {
        server_ca: server_ca.pem().into_bytes(),
        client_ca: client_ca.pem().into_bytes(),
        config: AgentConfig::new(6443, 9345),
        api_servers: vec!["192.0.2.1:9345".to_owned()],
    };
    let signers = Signers {
        client: Arc::new(Issuer::new(&identity(&client_ca), DAY).unwrap()),
        kubelet_serving: Arc::new(Issuer::new(&identity(&kubelet_ca), DAY).unwrap()),
    };
    let passwords = PasswordBook::new([1; 32]);
    let (nodes, journal) = (Arc::new(nodes), Arc::default());
    let gateway =
        Gateway::new(Arc::clone(&verdicts), nodes, Arc::clone(&tunnels), documents, signers, passwords, journal);
    let gateway = Arc::new(gateway);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { headers: Duration::from_millis(500), ..Limits::PUBLIC };
    tokio::spawn(serve(listener, tls, limits, Arc::clone(&gateway), CancellationToken::new()));
    World { view, verdicts, tunnels, gateway, address, server_ca: server_ca.pem(), kubelet_ca: kubelet_ca.pem() }
}

impl Key {
    fn new() -> Self {
        Self { pair: KeyPair::generate().unwrap(), certificate: None }
    }

    fn request(&self) -> Vec<u8> {
        certificate_request(&self.pair)
    }
}

impl World {
    async fn dial(&self, key: Option<&Key>) -> tokio_rustls::client::TlsStream<TcpStream> {
        let key_pem = key.map(|key| key.pair.serialize_pem());
        let certificate = key.and_then(|key| key.certificate.as_deref());
        testing::dial(&self.server_ca, certificate.zip(key_pem.as_deref()), self.address).await.unwrap()
    }

    async fn send(&self, request: http::request::Builder, body: Vec<u8>, key: Option<&Key>) -> Got {
        let (status, body) = testing::send(self.dial(key).await, request, body).await.unwrap();
        Got { status, body }
    }

    async fn get(&self, path: &str, token: Option<u8>, key: Option<&Key>) -> Got {
        self.send(with_token(Request::get(path), token), Vec::new(), key).await
    }

    /// Asks for a certificate as the node with this number.
    async fn ask(&self, path: &str, token: Option<u8>, node: u8, key: &Key) -> Got {
        let request = with_token(Request::post(path), token)
            .header("k3s-Node-Name", name(node).as_str())
            .header("k3s-Node-Password", PASSWORD)
            .header("k3s-Node-IP", format!("192.0.2.{node}"));
        self.send(request, key.request(), Some(key)).await
    }

    async fn kubelet(&self, node: u8) -> Key {
        let mut key = Key::new();
        let got = self.ask("/v1-k3s/client-kubelet.crt", Some(node), node, &key).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.body);
        key.certificate = Some(got.body);
        key
    }

    async fn tunnel(&self, key: &Key) -> Result<WebSocket, StatusCode> {
        testing::websocket(self.dial(Some(key)).await).await
    }

    fn sweep(&self) -> usize {
        let connections = Arc::new(Connections::default());
        CutOff::new(Arc::clone(&self.verdicts), connections, Arc::clone(&self.tunnels)).sweep(now_ms())
    }
}

fn with_token(request: http::request::Builder, token: Option<u8>) -> http::request::Builder {
    match token {
        Some(token) => {
            let token = crate::verdicts::fake::bearer_at(token, Purpose::Join, now_ms());
            request.header("Authorization", BasicCredential(token).to_header().as_str())
        }
        None => request,
    }
}

/// The first certificate of several.
fn leaf(pem: &str) -> Certificate {
    let end = "-----END CERTIFICATE-----";
    Certificate::from_pem(pem.split_inclusive(end).next().unwrap()).unwrap()
}

fn organizations(pem: &str) -> String {
    leaf(pem).tbs_certificate.subject.to_string()
}

#[tokio::test]
async fn a_staked_worker_gets_its_documents_certificates_and_tunnel() {
    let world = world().await;
    let cacerts = world.get("/cacerts", None, None).await;
    assert_eq!((cacerts.status, &cacerts.body), (StatusCode::OK, &world.server_ca));
    assert_eq!(world.get("/ping", None, None).await.body, "pong");
    let config = world.get("/v1-k3s/config", Some(6), None).await.body;
    assert_eq!(AgentConfig::parse(config.as_bytes()), Ok(AgentConfig::new(6443, 9345)));
    assert_eq!(world.get("/v1-k3s/apiservers", Some(6), None).await.body, r#"["192.0.2.1:9345"]"#);
    assert_eq!(world.get("/v1-k3s/readyz", Some(6), None).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    world.gateway.set_ready(true);
    assert_eq!(world.get("/v1-k3s/readyz", Some(6), None).await.body, "ok");

    let key = world.kubelet(6).await;
    let subject = organizations(key.certificate.as_ref().unwrap());
    let token = format!("seal:token:0x{}", "06".repeat(32));
    for part in [&format!("CN=system:node:{}", name(6)), "O=system:nodes", &format!("O={token}"), "O=seal:key:3"] {
        assert!(subject.contains(part), "{part} in {subject}");
    }
    // With the certificate alone, too.
    assert_eq!(world.get("/v1-k3s/config", None, Some(&key)).await.status, StatusCode::OK);
    let serving = world.ask("/v1-k3s/serving-kubelet.crt", Some(6), 6, &key).await.body;
    let certificate = leaf(&serving);
    let issuer = Certificate::from_pem(world.kubelet_ca.as_bytes()).unwrap();
    assert_eq!(certificate.tbs_certificate.issuer, issuer.tbs_certificate.subject);
    let names = certificate.tbs_certificate.get::<SubjectAltName>().unwrap().unwrap().1;
    assert_eq!(names.0.len(), 2);

    let mut tunnel = world.tunnel(&key).await.unwrap();
    let session = loop {
        if let Some(session) = world.tunnels.get(&name(6)) {
            break session;
        }
        tokio::task::yield_now().await;
    };
    let _stream = session.open("127.0.0.1:10250").await.unwrap();
    let Some(Ok(tungstenite::Message::Binary(bytes))) = tunnel.next().await else { panic!() };
    assert!(Message::decode(&bytes).is_ok());
    tunnel.send(tungstenite::Message::Ping(Bytes::new())).await.unwrap();
    let pong = tokio::time::timeout(WITHIN, tunnel.next()).await.unwrap();
    assert!(matches!(pong, Some(Ok(tungstenite::Message::Pong(_)))));
}

#[tokio::test]
async fn without_a_live_stake_nothing_is_given() {
    let world = world().await;
    assert_eq!(world.get("/v1-k3s/config", None, None).await.status, StatusCode::UNAUTHORIZED);
    let key = world.kubelet(6).await;
    world.view.edit(6, |token| token.stake_status = StakeStatus::Slashed);
    for (token, key) in [(Some(6), None), (None, Some(&key)), (Some(6), Some(&key))] {
        assert_eq!(world.get("/v1-k3s/config", token, key).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(world.ask("/v1-k3s/client-kubelet.crt", Some(6), 6, &key).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.tunnel(&key).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    world.view.edit(8, |token| token.staked = 9);
    assert_eq!(world.get("/v1-k3s/config", Some(8), None).await.status, StatusCode::UNAUTHORIZED);
    // An admin's stake opens no node path.
    assert_eq!(world.get("/v1-k3s/config", Some(7), None).await.status, StatusCode::FORBIDDEN);
    world.view.stale.store(true, Ordering::SeqCst);
    assert_eq!(world.get("/v1-k3s/config", Some(8), None).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn another_stakers_name_address_or_password_is_refused() {
    let world = world().await;
    let key = Key::new();
    assert_eq!(world.ask("/v1-k3s/client-kubelet.crt", Some(8), 6, &key).await.status, StatusCode::FORBIDDEN);
    let with = async |name: &str, password: &str, address: &str| {
        let request = with_token(Request::post("/v1-k3s/serving-kubelet.crt"), Some(6))
            .header("k3s-Node-Name", name)
            .header("k3s-Node-Password", password)
            .header("k3s-Node-IP", address);
        world.send(request, key.request(), None).await.status
    };
    let mine = name(6);
    assert_eq!(with(mine.as_str(), PASSWORD, "192.0.2.8").await, StatusCode::FORBIDDEN);
    assert_eq!(with(mine.as_str(), PASSWORD, "192.0.2.6,10.43.0.1").await, StatusCode::FORBIDDEN);
    assert_eq!(with(mine.as_str(), PASSWORD, "192.0.2.6").await, StatusCode::OK);
    assert_eq!(with(mine.as_str(), &PASSWORD.replace('0', "1"), "192.0.2.6").await, StatusCode::FORBIDDEN);
    assert_eq!(with("10.42.3.7", PASSWORD, "").await, StatusCode::BAD_REQUEST);
    // A certificate and a token of two nodes.
    let other = world.kubelet(8).await;
    assert_eq!(world.get("/v1-k3s/config", Some(6), Some(&other)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_certificate_needs_a_request_that_wishes_for_nothing() {
    let world = world().await;
    for path in ["/v1-k3s/client-kubelet.crt", "/v1-k3s/client-kube-proxy.crt", "/v1-k3s/client-k3s-controller.crt"] {
        let got = world.get(path, Some(6), None).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(!got.body.contains("PRIVATE KEY"));
    }
    let post = async |body: Vec<u8>| {
        let request = with_token(Request::post("/v1-k3s/client-kube-proxy.crt"), Some(6));
        world.send(request, body, None).await.status
    };
    assert_eq!(post(Vec::new()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(vec![0; MAX_REQUEST_BYTES + 1]).await, StatusCode::PAYLOAD_TOO_LARGE);
    let mut params = CertificateParams::new(["kubernetes".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:masters");
    let foreign = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    assert_eq!(post(foreign).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(Key::new().request()).await, StatusCode::OK);
}

#[tokio::test]
async fn the_tunnel_is_for_kubelet_certificates_of_this_cluster() {
    let world = world().await;
    assert_eq!(world.tunnel(&Key::new()).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    let mut proxy = Key::new();
    let request = with_token(Request::post("/v1-k3s/client-kube-proxy.crt"), Some(6));
    proxy.certificate = Some(world.send(request, proxy.request(), None).await.body);
    assert_eq!(world.tunnel(&proxy).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    // Nor is it opened by a token.
    let got = world.get("/v1-k3s/connect", Some(6), None).await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn slash_ends_the_tunnel_of_that_worker_alone() {
    let world = world().await;
    let (slashed, honest) = (world.kubelet(6).await, world.kubelet(8).await);
    let mut slashed = world.tunnel(&slashed).await.unwrap();
    let _honest = world.tunnel(&honest).await.unwrap();
    while world.tunnels.nodes().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.sweep(), 0);
    world.view.edit(6, |token| token.stake_status = StakeStatus::Slashed);
    let start = std::time::Instant::now();
    assert_eq!(world.sweep(), 1);
    let ended = tokio::time::timeout(WITHIN, slashed.next()).await.unwrap();
    assert!(!matches!(ended, Some(Ok(tungstenite::Message::Binary(_)))));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(world.tunnels.nodes(), [name(8)]);
}

#[tokio::test]
async fn one_kubelet_key_in_two_tunnels_is_challenged_and_another_key_takes_the_place() {
    let world = world().await;
    let stolen = world.kubelet(6).await;
    let mut first = world.tunnel(&stolen).await.unwrap();
    while world.tunnels.load().tunnels < 1 {
        tokio::task::yield_now().await;
    }
    let _second = world.tunnel(&stolen).await.unwrap();
    let challenged = tokio::time::timeout(WITHIN, first.next()).await.unwrap();
    assert!(matches!(challenged, Some(Ok(tungstenite::Message::Ping(_)))), "{challenged:?}");
    assert_eq!(world.tunnels.load().tunnels, 2);
    // The same node with a new key: both of before end.
    let renewed = world.kubelet(6).await;
    let _third = world.tunnel(&renewed).await.unwrap();
    while let Some(Ok(_)) = tokio::time::timeout(WITHIN, first.next()).await.unwrap() {}
    while world.tunnels.load().tunnels > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_renewal_without_the_new_session_key_gives_no_new_generation() {
    let world = world().await;
    let key = world.kubelet(6).await;
    world.view.edit(6, |token| token.key_generation = 4);
    world.view.grace.store(true, Ordering::SeqCst);
    // In the grace the old certificate still works, but what it gets is as old as itself.
    let got = world.ask("/v1-k3s/client-kubelet.crt", None, 6, &key).await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(organizations(&got.body).contains("O=seal:key:3"));
    world.view.grace.store(false, Ordering::SeqCst);
    assert_eq!(world.ask("/v1-k3s/client-kubelet.crt", None, 6, &key).await.status, StatusCode::UNAUTHORIZED);
    let got = world.ask("/v1-k3s/client-kubelet.crt", Some(6), 6, &key).await;
    assert!(organizations(&got.body).contains("O=seal:key:4"));
}

#[tokio::test]
async fn paths_of_the_api_and_of_servers_are_not_served() {
    let world = world().await;
    for path in ["/api/v1/nodes", "/v1-k3s/server-bootstrap", "/v1-k3s//config", "/v1-k3s/%63onfig", "/cacerts?x"] {
        assert_eq!(world.get(path, Some(6), None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let got = world.send(Request::get("https://127.0.0.1/cacerts"), Vec::new(), None).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(world.send(Request::delete("/cacerts"), Vec::new(), None).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn slow_and_huge_headers_and_smuggled_requests_end_the_connection() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = world().await;
    let ends = async |bytes: &[u8]| {
        let mut stream = world.dial(None).await;
        // The server may close while this is still being written.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(WITHIN, stream.read_to_end(&mut answer)).await.expect("the connection ends");
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert_eq!(ends(b"GET /ping HTTP/1.1\r\nHost: a\r\nX: ").await.find("200 OK"), None);
    let huge = format!("GET /ping HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(64 * 1024));
    assert_eq!(ends(huge.as_bytes()).await.find("200 OK"), None);
    let many = format!("GET /ping HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(100));
    assert_eq!(ends(many.as_bytes()).await.find("200 OK"), None);
    let smuggled = "POST /cacerts HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(!ends(smuggled.as_bytes()).await.contains("pong"));
}

#[tokio::test]
#[ignore = "needs remotedialer's own client: scripts/test-tunnel builds it"]
async fn remotedialers_own_client_carries_streams_until_its_worker_is_slashed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let peer = std::env::var_os("TUNNEL_PEER").expect("TUNNEL_PEER is the client");
    let world = world().await;
    let key = world.kubelet(6).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let kubelet = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = tokio::process::Command::new(peer)
        .arg(format!("wss://{}/v1-k3s/connect", world.address))
        .arg(file("ca.crt", &world.server_ca))
        .arg(file("client.crt", key.certificate.as_ref().unwrap()))
        .arg(file("client.key", &key.pair.serialize_pem()))
        .arg(kubelet.local_addr().unwrap().to_string())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let deadline = tokio::time::Instant::now() + WITHIN;
    let session = loop {
        if let Some(session) = world.tunnels.get(&name(6)) {
            break session;
        }
        assert!(tokio::time::Instant::now() < deadline, "the client does not connect");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };

    // Two streams at once; one is read so slowly at first that both sides' back-pressure is needed.
    let open = async || {
        let stream = session.open("127.0.0.1:10250").await.unwrap();
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(stream.carry(ours));
        (theirs, kubelet.accept().await.unwrap().0)
    };
    let (mut lazy, mut lazy_kubelet) = open().await;
    let (mut quick, mut quick_kubelet) = open().await;
    let large: Vec<u8> = (0..16 * 1024 * 1024_u32).map(|number| number.to_le_bytes()[1] ^ 0x5a).collect();
    let sent = large.clone();
    let writer = tokio::spawn(async move {
        lazy_kubelet.write_all(&sent).await.unwrap();
        lazy_kubelet
    });
    while session.queued() < 512 * 1024 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for round in 0..100_u8 {
        quick.write_all(&[round; 1000]).await.unwrap();
        let mut got = [0; 1000];
        quick_kubelet.read_exact(&mut got).await.unwrap();
        assert_eq!(got, [round; 1000]);
        quick_kubelet.write_all(&got).await.unwrap();
        quick.read_exact(&mut got).await.unwrap();
    }
    assert!(session.queued() <= 8 * 1024 * 1024, "{}", session.queued());
    let mut all = vec![0; large.len()];
    tokio::time::timeout(3 * WITHIN, lazy.read_exact(&mut all)).await.unwrap().unwrap();
    assert!(all == large);
    // Challenged as one of two with its key would be: it shows that it lives.
    let answered = tokio::time::timeout(WITHIN, session.challenge([7; 16])).await;
    assert_eq!(answered, Ok(crate::tunnel::Answer::Empty));

    // The other way, until the kubelet has it all; then its end reaches us.
    let mut lazy_kubelet = writer.await.unwrap();
    let sent = large.clone();
    let writer = tokio::spawn(async move {
        lazy.write_all(&sent).await.unwrap();
        lazy
    });
    tokio::time::timeout(3 * WITHIN, lazy_kubelet.read_exact(&mut all)).await.unwrap().unwrap();
    assert!(all == large);
    let mut lazy = writer.await.unwrap();
    lazy_kubelet.write_all(b"bye").await.unwrap();
    drop(lazy_kubelet);
    let mut rest = Vec::new();
    tokio::time::timeout(WITHIN, lazy.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, b"bye");

    world.view.edit(6, |token| token.stake_status = StakeStatus::Slashed);
    assert_eq!(world.sweep(), 1);
    let status = tokio::time::timeout(Duration::from_secs(1), client.wait()).await.unwrap().unwrap();
    assert!(!status.success());
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(WITHIN, quick.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(quick_kubelet.read_to_end(&mut rest).await.unwrap_or(0), 0);
}

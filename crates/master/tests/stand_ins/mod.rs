//! The API over TLS on loopback, with stand-ins for chain, API server, join gateway and programs.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use daas_attestation::{Claims, Pcr, UnixTime};
use daas_attested_tls::client_config;
use daas_chain::registry::{ClusterState, Health, StakeRecord};
use daas_https::server::{Limits, serve};
use daas_https::tls::{ClientCertificate, Identity, acceptor};
use daas_join::Network;
use daas_master::api::{About, Api, Figures};
use daas_master::attestation::{Attestation, OfInstance};
use daas_master::authenticator::{ControlError, Gate};
use daas_master::chain::ChainView;
use daas_master::device::Device;
use daas_master::instance::Instance;
use daas_master::submissions::Offers;
use daas_master::workers::{Book, ClusterFacts, NodeApi, NodeApiError, NodeFound, Reserved, Workers};
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Simulated};
use daas_seal_token::{
    Claims as TokenClaims, ClusterId, NetworkId, NodeIdentity, NodeName, Purpose, Refusal, SealToken, SigningKey,
    StakeId, StakeStatus, Stale, TokenId, WalletAddress,
};
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// A chain that says what a test wants.
#[derive(Default)]
pub(crate) struct FakeChain {
    pub(crate) stale: AtomicBool,
    /// Names by the tokens' first byte.
    pub(crate) workers: Mutex<HashMap<u8, NodeName>>,
    pub(crate) slashed: Mutex<Vec<u8>>,
    /// Tokens by their first byte that exist no more.
    pub(crate) gone: Mutex<Vec<u8>>,
}

impl ChainView for FakeChain {
    fn check_fresh(&self, _now_ms: u64) -> Result<(), Stale> {
        let stale = Stale { age_ms: 60_000, bound_ms: 30_000 };
        if self.stale.load(Ordering::Relaxed) { Err(stale) } else { Ok(()) }
    }

    fn joining(&self, token: &SealToken, node: &NodeName, now_ms: u64) -> Result<NodeIdentity, Refusal> {
        self.check_fresh(now_ms)?;
        let id = token.claims().token;
        let name = self.workers.lock().unwrap().get(&id.0[0]).cloned().ok_or(Refusal::Unknown)?;
        self.is_alive(&id, now_ms)?;
        if name != *node {
            return Err(Refusal::WrongNode(name));
        }
        Ok(NodeIdentity { owner: WalletAddress([1; 32]), token: id, key_generation: 1, name })
    }

    fn is_alive(&self, token: &TokenId, now_ms: u64) -> Result<(), Refusal> {
        self.check_fresh(now_ms)?;
        if self.gone.lock().unwrap().contains(&token.0[0]) {
            return Err(Refusal::Unknown);
        }
        let slashed = self.slashed.lock().unwrap().contains(&token.0[0]);
        if slashed { Err(Refusal::StakeNotActive(StakeStatus::Slashed)) } else { Ok(()) }
    }

    fn stake_of(&self, _name: &NodeName) -> Option<Arc<StakeRecord>> {
        None
    }

    fn stake(&self, _id: &StakeId) -> Option<Arc<StakeRecord>> {
        None
    }

    fn cluster(&self) -> Option<Arc<ClusterState>> {
        None
    }

    fn health(&self) -> Health {
        Health { ready: true, sequence: 5, timestamp_ms: now_ms(), nodes: Vec::new(), problem: None }
    }
}

/// An API server and a join gateway that remember what they were told.
#[derive(Default)]
pub(crate) struct FakeCluster {
    pub(crate) nodes: Mutex<Vec<String>>,
    pub(crate) known: Mutex<HashMap<String, IpAddr>>,
    pub(crate) asked: AtomicUsize,
    /// What happens while the join gateway is told of a worker.
    pub(crate) meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl NodeApi for FakeCluster {
    fn make<'a>(&'a self, who: &'a NodeIdentity) -> BoxFuture<'a, Result<(), NodeApiError>> {
        let mut nodes = self.nodes.lock().unwrap();
        if !nodes.contains(&who.name.to_string()) {
            nodes.push(who.name.to_string());
        }
        Box::pin(async { Ok(()) })
    }

    fn pods_of<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<Option<Network>, NodeApiError>> {
        let nodes = self.nodes.lock().unwrap();
        let place = nodes.iter().position(|node| *node == name.as_str());
        let pods = place.map(|place| format!("10.42.{place}.0/24").parse().unwrap());
        Box::pin(async move { Ok(pods) })
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, NodeFound>, NodeApiError>> {
        let nodes = self.nodes.lock().unwrap();
        let found = |place, name: &str| NodeFound {
            pods: Some(format!("10.42.{place}.0/24").parse().unwrap()),
            is_ours: !name.starts_with("admins-"),
        };
        let all = nodes.iter().enumerate().map(|(place, name)| (name.clone(), found(place, name))).collect();
        Box::pin(async move { Ok(all) })
    }

    fn remove<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), NodeApiError>> {
        self.nodes.lock().unwrap().retain(|node| *node != name.as_str());
        Box::pin(async { Ok(()) })
    }
}

impl Gate for FakeCluster {
    fn verify_join<'a>(
        &'a self,
        _token: &'a SealToken,
        _node: &'a NodeName,
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }

    fn put_node<'a>(
        &'a self,
        name: &'a NodeName,
        address: IpAddr,
        _pods: Option<Network>,
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        self.known.lock().unwrap().insert(name.to_string(), address);
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        Box::pin(async { Ok(()) })
    }

    fn remove_node<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), ControlError>> {
        self.known.lock().unwrap().remove(name.as_str());
        Box::pin(async { Ok(()) })
    }
}

struct NoFigures;

impl Figures for NoFigures {
    fn texts(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async { Vec::new() })
    }
}

/// A served API.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) chain: Arc<FakeChain>,
    pub(crate) cluster: Arc<FakeCluster>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) device: Device,
    pub(crate) serves: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let (chain, cluster) = (Arc::new(FakeChain::default()), Arc::new(FakeCluster::default()));
        let serves = Arc::new(AtomicBool::new(true));
        let networks = vec!["10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap()];
        let reserved = Reserved { addresses: vec!["172.30.0.1".parse().unwrap()], networks: networks.clone() };
        let facts = ClusterFacts {
            cluster_cidr: networks[0],
            service_cidr: networks[1],
            cluster_dns: "10.43.0.10".parse().unwrap(),
            cluster_domain: "cluster.local".into(),
            api_port: 6443,
            join_port: 9345,
        };
        let view: Arc<dyn ChainView> = Arc::clone(&chain) as _;
        let workers = Arc::new(Workers::new(
            Arc::new(Book::new(10, reserved)),
            Arc::clone(&view),
            Arc::clone(&cluster) as Arc<dyn NodeApi>,
            Arc::clone(&cluster) as Arc<dyn Gate>,
            facts,
            Arc::clone(&serves),
        ));
        let device = Device::start(module(), &[1; 48]).unwrap();
        let claims = Claims {
            cluster: [2; 32],
            tls_spki_sha256: [3; 32],
            server_ca_sha256: [4; 32],
            config_sha256: [5; 32],
            state_epoch: 0,
        };
        let instance = Instance::new(SigningKey::from_bytes(&[6; 32]), claims);
        let of_instance = OfInstance { device: device.clone(), instance: instance.clone() };
        let api = Api {
            attestation: Attestation::start(of_instance),
            workers: Arc::clone(&workers),
            view,
            offers: Offers::default(),
            about: About { chain: "a-chain".into(), cluster: ClusterId([2; 32]), instance, device: device.clone() },
            serves: Arc::clone(&serves),
            states: Vec::new(),
            figures: Arc::new(NoFigures),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, tls(), Limits { per_peer: 2048, ..Limits::PUBLIC }, Arc::new(api), stop.clone()));
        Self { address, chain, cluster, workers, device, serves, stop }
    }

    /// A stake that the chain knows: its name and a Seal token.
    pub(crate) fn stake(&self, number: u8) -> (String, String) {
        let name = format!("worker-{number}-{number:08x}");
        self.chain.workers.lock().unwrap().insert(number, name.parse().unwrap());
        (name, bearer(number))
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        tokio_rustls::TlsConnector::from(client_config().unwrap()).connect(name, tcp).await.unwrap()
    }

    /// One request; `None` if the server ended the connection without an answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<(StatusCode, Value)> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await)).await.ok()?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("Host", "master");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(hyper::body::Bytes::from(body));
        let answer = sender.send_request(request.body(body).unwrap()).await.ok()?;
        let status = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())))
    }

    /// A request of a worker; the answer's status and code.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, String) {
        let headers = [("X-Seal-Token", token), ("Content-Type", "application/json")];
        let (status, answer) = self.send(Method::POST, path, &headers, body.to_string().into_bytes()).await.unwrap();
        (status.as_u16(), answer["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn bearer(number: u8) -> String {
    let claims = TokenClaims::new(
        NetworkId([1; 32]),
        ClusterId([2; 32]),
        TokenId([number; 32]),
        Purpose::Join,
        now_ms(),
        60_000,
        [number; 16],
    );
    SigningKey::from_bytes(&[number; 32]).sign(&claims.unwrap()).to_bearer()
}

pub(crate) fn registration(name: &str, address: &str, timestamp_ms: u64) -> Value {
    json!({
        "node_name": name, "address": address, "timestamp_ms": timestamp_ms,
        "resources": {"cpu_millis": 2000, "memory_bytes": 4_294_967_296_u64},
    })
}

pub(crate) fn heartbeat(name: &str, timestamp_ms: u64) -> Value {
    json!({
        "node_name": name, "timestamp_ms": timestamp_ms, "status": "ready", "running_pods": 0,
        "resources": {"cpu_percent": 1, "memory_percent": 2, "disk_percent": 3},
    })
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn module() -> Nsm {
    let now = UnixTime::from_millis(now_ms());
    let root = DevelopmentRoot::generate(now).unwrap();
    let location = Location { region: "local-1".into(), instance: "i-1".into(), enclave: "01".into() };
    let image = Image { pcrs: Some([Pcr([1; 48]), Pcr([2; 48]), Pcr([3; 48])]), signer: None, role: None };
    Nsm::Simulated(Box::new(Simulated::start(root, location, &image, now).unwrap()))
}

fn tls() -> daas_https::tls::CurrentTls {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem().into_bytes().into();
    let identity = Identity { certificate: made.cert.pem().into_bytes(), key };
    Arc::new(ArcSwap::from_pointee(acceptor(&identity, ClientCertificate::Unasked).unwrap()))
}

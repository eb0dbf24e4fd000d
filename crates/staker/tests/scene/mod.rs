//! A development chain, an enclave (the real authenticator, verdicts of the live registry, simulated hardware)
//! and workers whose programs are stand-ins.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use daas_attestation::{Answer as Attested, Claims, Pcr, UnixTime, merkle, tls_spki_sha256};
use daas_chain::client::{NewRelease, Session, SettingChange};
use daas_chain::registry::Registry;
use daas_chain::types::cluster::Endpoints;
use daas_chain::types::{Bytes, Bytes32, Stake};
use daas_devnet::AttestationRoot;
use daas_https::server::{Answer, Handler, Limits, Peer, json, read_body, serve};
use daas_https::tls::{ClientCertificate, Identity, acceptor};
use daas_join::master_api::{
    ErrorAnswer, ErrorCode, Heartbeat, HeartbeatAnswer, RegisterWorker, RegisteredWorker, SEAL_TOKEN_HEADER, path,
};
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request as NsmRequest, Simulated};
use daas_seal_token::{ExpectedPurpose, NodeName, Refusal, SealToken, SigningKey};
use daas_settings::{Environment, Flags, Loaded, Sources, StakerSettings};
use daas_staker::Error;
use daas_staker::daemon::{Ports, run};
use daas_staker::node::{Ending, NodePlan, Programs, RunningNode};
use daas_staker::worker::Finish;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[path = "../../../chain/tests/world/mod.rs"]
pub mod world;

use world::{SUI, World, now_ms};

pub const WITHIN: Duration = Duration::from_secs(40);
/// The registers of the image that the release names, and of another one.
pub const OURS: [Pcr; 3] = [Pcr([0x10; 48]), Pcr([0x11; 48]), Pcr([0x12; 48])];
pub const OTHER: [Pcr; 3] = [Pcr([0x20; 48]), Pcr([0x21; 48]), Pcr([0x22; 48])];
/// Pods of this range are on this machine's loopback, so that a tunnel reaches them.
const PODS: &str = "127.8.1.0/24";

type Ca = CertifiedIssuer<'static, KeyPair>;

pub struct Scene {
    pub chain: World,
    pub hardware: tempfile::TempDir,
    pub root_file: PathBuf,
}

pub async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = Instant::now() + WITHIN;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn ca(name: &str) -> Ca {
    ca_for(name, None)
}

/// One that begins now and lives so long.
fn ca_for(name: &str, life: Option<Duration>) -> Ca {
    let mut params = CertificateParams::default();
    if let Some(life) = life {
        let now = std::time::SystemTime::now();
        params.not_before = now.into();
        params.not_after = (now + life).into();
    }
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key, PEM.
fn leaf(ca: &Ca) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    (CertificateParams::new(names).unwrap().signed_by(&key, ca).unwrap().pem(), key.serialize_pem())
}

async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

impl Scene {
    pub async fn new() -> Self {
        let hardware = tempfile::tempdir().unwrap();
        let root = DevelopmentRoot::load_or_generate(hardware.path(), UnixTime::from_millis(now_ms())).unwrap();
        let pem = root.certificate_pem().unwrap();
        let root_file = hardware.path().join("root.pem");
        std::fs::write(&root_file, &pem).unwrap();
        let trusted = AttestationRoot::from_pem(&pem).unwrap();
        let chain = World::trusting(vec![trusted], vec![SettingChange::Unbonding(1000)]).await;
        let pcrs = OURS.map(|pcr| Bytes(pcr.0));
        let release = NewRelease {
            pcr0: pcrs[0],
            pcr1: pcrs[1],
            pcr2: pcrs[2],
            pcr8: None,
            worker_pcrs: Vec::new(),
            artifact_sha256: Bytes([1; 32]),
            source_revision: "test".into(),
        };
        chain.operator.publish_release(chain.cluster, &release).await.unwrap();
        Self { chain, hardware, root_file }
    }

    /// The cluster is reached at this enclave from now on.
    pub async fn activate(&self, enclave: &Enclave) {
        let (operator, cluster) = (&self.chain.operator, self.chain.cluster);
        operator.register_instance(cluster, &enclave.documents.make(None)).await.unwrap();
        operator.activate(cluster, &enclave.instance()).await.unwrap();
        let endpoints =
            Endpoints { api: "127.0.0.1:1".into(), join: enclave.join.to_string(), master: enclave.master.to_string() };
        operator.change_settings(cluster, &[SettingChange::Endpoints(endpoints)]).await.unwrap();
    }

    pub async fn stake(&self, worker: &WorkerFolder) -> Stake {
        let id = find(&worker.state(), "stake").expect("the state names a stake");
        self.chain.node.read(id.parse().unwrap(), &self.chain.package.origin).await.unwrap()
    }

    /// All worker stakes of the cluster.
    pub async fn stakes(&self, worker: &WorkerFolder) -> usize {
        let node_id = worker.node_id.parse().unwrap();
        worker.wallet.find_stakes(self.chain.cluster, &node_id, daas_seal_token::Tier::Worker).await.unwrap().len()
    }
}

/// The first text with this key, however deep.
fn find(value: &Value, key: &str) -> Option<String> {
    let Value::Object(map) = value else { return None };
    if let Some(Value::String(text)) = map.get(key) {
        return Some(text.clone());
    }
    map.values().find_map(|value| find(value, key))
}

/// What an enclave says in its documents.
#[derive(Clone)]
pub struct Papers {
    hardware: PathBuf,
    pub claims: Claims,
    pub key: SigningKey,
    pub pcrs: [Pcr; 3],
    /// One that is shown again and again, whatever the nonce.
    pub replayed: Option<Vec<u8>>,
    now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Papers {
    pub fn make(&self, nonce: Option<[u8; 32]>) -> Vec<u8> {
        if let (Some(document), Some(_)) = (&self.replayed, nonce) {
            return document.clone();
        }
        let now = UnixTime::from_millis((self.now_ms)());
        let text = str::to_owned;
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let image = Image { pcrs: Some(self.pcrs), signer: None, role: None };
        let root = DevelopmentRoot::load(&self.hardware).unwrap();
        // The device is older than its documents: its certificates count in whole seconds.
        let started = UnixTime::from_millis((self.now_ms)() - 60_000);
        let mut module = Nsm::Simulated(Box::new(Simulated::start(root, location, &image, started).unwrap()));
        let request = NsmRequest {
            public_key: Some(self.key.public().to_bytes().to_vec()),
            user_data: Some(self.claims.to_bytes().to_vec()),
            nonce: nonce.map(|nonce| nonce.to_vec()),
        };
        module.attest(&request, now).unwrap()
    }
}

pub struct Enclave {
    pub documents: Papers,
    pub join: SocketAddr,
    pub master: SocketAddr,
    /// For tests that let it vanish.
    pub stop: CancellationToken,
    /// For tests that overload the master.
    pub fails: Arc<AtomicBool>,
    /// How many heartbeats counted.
    pub heartbeats: Arc<AtomicUsize>,
    pub server_ca: String,
    folder: tempfile::TempDir,
}

impl Enclave {
    pub async fn start(scene: &Scene, number: u8) -> Self {
        Self::with(scene, number, |_| {}).await
    }

    /// One whose papers are not quite right.
    pub async fn with(scene: &Scene, number: u8, change: impl FnOnce(&mut Papers)) -> Self {
        Self::with_clients_for(scene, number, None, change).await
    }

    /// One whose authority for clients, and so whose certificates, live so long.
    pub async fn with_clients_for(
        scene: &Scene,
        number: u8,
        life: Option<Duration>,
        change: impl FnOnce(&mut Papers),
    ) -> Self {
        let chain = &scene.chain;
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        std::fs::create_dir(&pki).unwrap();
        let [server_ca, kubelet_ca, loopback_ca] = ["server", "kubelet", "loopback"].map(ca);
        let client_ca = ca_for("client", life);
        let write = |name: &str, content: String| std::fs::write(pki.join(name), content).unwrap();
        for (name, ca) in [
            ("server-ca", &server_ca),
            ("client-ca", &client_ca),
            ("kubelet-ca", &kubelet_ca),
            ("loopback-ca", &loopback_ca),
        ] {
            write(&format!("{name}.crt"), ca.pem());
        }
        write("client-ca.key", client_ca.key().serialize_pem());
        write("kubelet-ca.key", kubelet_ca.key().serialize_pem());
        for (name, ca) in [("join-serving.pem", &server_ca), ("webhook-serving.pem", &loopback_ca)] {
            let (certificate, key) = leaf(ca);
            write(name, certificate + &key);
        }
        let (api, join, apiserver) = (free_port().await, free_port().await, free_port().await);
        let control = folder.path().join("control.sock");
        let configuration = json!({
            "chain": {
                "nodes": [chain.devnet.url()], "chain_id": chain.devnet.chain_id().to_string(),
                "package": chain.package.id.to_string(), "cluster": chain.cluster.to_string(),
            },
            "pki": pki, "api_server": apiserver, "api_listener": api.to_string(), "join_listener": join.to_string(),
            "webhook_listener": free_port().await, "admission_listener": free_port().await,
            "egress_socket": folder.path().join("egress.sock"), "control_socket": control,
            "advertised": [join.to_string()], "https_port": 6443, "join_port": 9345, "cluster_range": "127.8.0.0/16",
        });
        let stop = CancellationToken::new();
        let configuration = serde_json::from_value(configuration).unwrap();
        tokio::spawn(daas_authenticator::daemon::run(configuration, stop.clone()));

        let (certificate, key) = leaf(&server_ca);
        let der = rustls::pki_types::pem::PemObject::from_pem_slice(certificate.as_bytes());
        let der: rustls::pki_types::CertificateDer<'static> = der.unwrap();
        let ledger = chain.devnet.ledger().clone();
        let mut documents = Papers {
            hardware: scene.hardware.path().to_owned(),
            claims: Claims {
                cluster: chain.cluster.into_inner(),
                tls_spki_sha256: tls_spki_sha256(&der).unwrap(),
                server_ca_sha256: sha2::Digest::finalize(sha2::Digest::chain_update(
                    <sha2::Sha256 as sha2::Digest>::new(),
                    server_ca.pem(),
                ))
                .into(),
                config_sha256: [3; 32],
                state_epoch: 5,
            },
            key: SigningKey::from_bytes(&[number; 32]),
            pcrs: OURS,
            replayed: None,
            now_ms: Arc::new(move || ledger.now_ms()),
        };
        change(&mut documents);

        let registry = chain.registry().await;
        let up = || async {
            ask_authenticator(&control, &json!({"command": "set_ready", "ready": true})).await["ok"] == true
        };
        until("the authenticator is up", up).await;
        let serving = Identity { certificate: certificate.into_bytes(), key: key.into_bytes().into() };
        let tls = acceptor(&serving, ClientCertificate::Optional(client_ca.pem().as_bytes())).unwrap();
        let tls = Arc::new(arc_swap::ArcSwap::from_pointee(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let master = listener.local_addr().unwrap();
        let fails = Arc::new(AtomicBool::new(false));
        let heartbeats = Arc::new(AtomicUsize::new(0));
        let front = Front {
            documents: documents.clone(),
            registry,
            control,
            registered: Mutex::default(),
            heartbeats: Arc::clone(&heartbeats),
            fails: Arc::clone(&fails),
        };
        let handler = Arc::new(front);
        tokio::spawn(serve(listener, tls, Limits::PUBLIC, handler, stop.clone()));
        Self { documents, join, master, stop, fails, heartbeats, server_ca: server_ca.pem(), folder }
    }

    pub fn instance(&self) -> Bytes32 {
        Bytes(self.documents.key.public().to_bytes())
    }

    /// The nodes that have a tunnel.
    pub async fn tunnels(&self) -> Value {
        let control = self.folder.path().join("control.sock");
        ask_authenticator(&control, &json!({"command": "status"})).await["tunnels"].clone()
    }

    /// A stream as kube-apiserver asks for it.
    pub async fn reach(&self, authority: &str) -> (String, UnixStream) {
        let mut stream = UnixStream::connect(self.folder.path().join("egress.sock")).await.unwrap();
        stream.write_all(format!("CONNECT {authority} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).await.unwrap() == 0 {
                break;
            }
            head.push(byte[0]);
        }
        (String::from_utf8(head).unwrap(), stream)
    }
}

/// One command to the authenticator; null while it is not up.
async fn ask_authenticator(control: &Path, command: &Value) -> Value {
    let Ok(stream) = UnixStream::connect(control).await else { return Value::Null };
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// 8443, as far as workers use it: verdicts are the live registry's, Nodes are always there.
struct Front {
    documents: Papers,
    registry: Registry,
    control: PathBuf,
    registered: Mutex<HashSet<NodeName>>,
    heartbeats: Arc<AtomicUsize>,
    fails: Arc<AtomicBool>,
}

type Refused = (ErrorCode, String);

impl Handler for Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, _: Arc<Peer>) -> Answer {
        if request.uri().path() == path::ATTESTATION {
            let query = request.uri().query().unwrap().strip_prefix("nonce=").unwrap();
            let mut nonce = [0; 32];
            hex::decode_to_slice(query, &mut nonce).unwrap();
            let document = self.documents.make(merkle::root(&[nonce]));
            let nonce_path = merkle::path(&[nonce], 0).unwrap();
            return json(StatusCode::OK, Attested { document, nonce_path }.to_json());
        }
        self.serve(request).await.map_or_else(
            |(code, error)| {
                let status = StatusCode::from_u16(code.status()).unwrap();
                json(status, serde_json::to_vec(&ErrorAnswer { code, error }).unwrap())
            },
            |answer| json(StatusCode::OK, answer),
        )
    }
}

impl Front {
    async fn serve(&self, request: Request<Incoming>) -> Result<Vec<u8>, Refused> {
        if self.fails.load(Ordering::Relaxed) {
            return Err((ErrorCode::Stale, "the view of the chain is too old".into()));
        }
        let (parts, body) = request.into_parts();
        let token = SealToken::parse(parts.headers[SEAL_TOKEN_HEADER].to_str().unwrap()).unwrap();
        let body = read_body(body, 4096, WITHIN).await.unwrap();
        match parts.uri.path() {
            path::REGISTER_WORKER => {
                let request: RegisterWorker = serde_json::from_slice(&body).unwrap();
                self.prove(&token, &request.node_name)?;
                let put = json!({
                    "command": "put_node", "name": request.node_name.as_str(), "address": request.address.ip(), "pods": PODS,
                });
                let put = ask_authenticator(&self.control, &put).await;
                if put["ok"] != true {
                    return Err((ErrorCode::Conflict, put.to_string()));
                }
                self.registered.lock().unwrap().insert(request.node_name.clone());
                let answer = RegisteredWorker {
                    node_name: request.node_name,
                    pod_cidr: PODS.parse().unwrap(),
                    cluster_dns: ip("10.43.0.10"),
                    cluster_domain: "cluster.local".into(),
                    cluster_cidr: "127.8.0.0/16".parse().unwrap(),
                    service_cidr: "10.43.0.0/16".parse().unwrap(),
                    api_port: 6443,
                    join_port: 9345,
                    heartbeat_seconds: 30,
                };
                Ok(serde_json::to_vec(&answer).unwrap())
            }
            path::HEARTBEAT => {
                let beat: Heartbeat = serde_json::from_slice(&body).unwrap();
                self.prove(&token, &beat.node_name)?;
                if !self.registered.lock().unwrap().contains(&beat.node_name) {
                    return Err((ErrorCode::NotRegistered, "register first".into()));
                }
                self.heartbeats.fetch_add(1, Ordering::Relaxed);
                Ok(serde_json::to_vec(&HeartbeatAnswer { accepted: true, heartbeat_seconds: 30 }).unwrap())
            }
            other => panic!("{other}"),
        }
    }

    fn prove(&self, token: &SealToken, name: &NodeName) -> Result<(), Refused> {
        let purpose = ExpectedPurpose::Join { node: Some(name.as_str()) };
        self.registry.verify(token, purpose, now_ms()).map(drop).map_err(|refusal| {
            let code = match &refusal {
                Refusal::Stale(_) => ErrorCode::Stale,
                Refusal::Revoked | Refusal::ExpiredOnChain | Refusal::StakeNotActive(_) | Refusal::Suspended => {
                    ErrorCode::IdentityOver
                }
                _ => ErrorCode::Unauthenticated,
            };
            (code, refusal.to_string())
        })
    }
}

/// What happened to a worker's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    Started { server_ca: String },
    Stopped(&'static str),
}

#[derive(Clone, Default)]
pub struct StandIn(Arc<Mutex<Vec<(Instant, Happened)>>>);

impl StandIn {
    pub fn happened(&self) -> Vec<Happened> {
        self.0.lock().unwrap().iter().map(|(_, what)| what.clone()).collect()
    }

    /// When the last one was.
    pub fn last(&self) -> Option<(Instant, Happened)> {
        self.0.lock().unwrap().last().cloned()
    }

    fn note(&self, what: Happened) {
        self.0.lock().unwrap().push((Instant::now(), what));
    }
}

impl Programs for StandIn {
    type Node = StandInNode;

    async fn start(&self, plan: &NodePlan) -> Result<StandInNode, Error> {
        self.note(Happened::Started { server_ca: plan.server_ca.clone() });
        Ok(StandInNode(self.clone()))
    }

    async fn end_left_pods(&self, _: &NodePlan) -> Result<(), Error> {
        self.note(Happened::Stopped("end left pods"));
        Ok(())
    }
}

pub struct StandInNode(StandIn);

impl RunningNode for StandInNode {
    fn is_ready(&self) -> bool {
        true
    }

    async fn stop(self, ending: Ending) -> Result<(), Error> {
        self.0.note(Happened::Stopped(match ending {
            Ending::LeavePods => "leave pods",
            Ending::EndPods => "end pods",
        }));
        Ok(())
    }
}

/// What a worker has on disk and on chain; it can be started again and again.
pub struct WorkerFolder {
    pub folder: tempfile::TempDir,
    pub node_id: String,
    pub wallet: Session,
    pub programs: StandIn,
    pub flags: Flags,
    api: SocketAddr,
}

pub struct Running {
    pub task: JoinHandle<Result<Finish, Error>>,
    pub stop: CancellationToken,
}

impl WorkerFolder {
    pub async fn new(scene: &Scene, number: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wallet = scene.chain.staker(number).await;
        let key = folder.path().join("wallet.key");
        std::fs::write(&key, hex::encode([number; 32])).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let api = free_port().await;
        let node_id = format!("worker-{number}");
        let text = |path: PathBuf| Some(path.display().to_string());
        let flags = Flags::new()
            .set("node_id", Some(&*node_id))
            .set("cluster", Some(scene.chain.cluster.to_string()))
            .set("contract_address", Some(scene.chain.package.id.to_string()))
            .set("sui_rpc_endpoint", Some(scene.chain.devnet.url()))
            .set("sui_private_key", text(key))
            .set("stake_amount", Some("2 SUI"))
            .set("address", Some(format!("172.30.0.{number}")))
            .set("state_dir", text(folder.path().join("state")))
            .set("run_dir", text(folder.path().join("run")))
            .set("kubelet_dir", text(folder.path().join("kubelet")))
            .set("api_listen", Some(api.to_string()))
            .set("drain_timeout", Some("1s"))
            .set("attestation_root", text(scene.root_file.clone()));
        Self { folder, node_id, wallet, programs: StandIn::default(), flags, api }
    }

    pub fn settings(&self) -> Loaded<StakerSettings> {
        let sources = Sources { flags: self.flags.clone(), ..Sources::default() };
        StakerSettings::load(&sources).unwrap()
    }

    pub fn start(&self) -> Running {
        let stop = CancellationToken::new();
        let (programs, stopping) = (self.programs.clone(), stop.clone());
        let loaded = self.settings();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let task = tokio::spawn(async move {
            let environment = Environment::of([("HOME", "/nonexistent")]);
            let ports = Ports { api: any, join: any };
            Box::pin(run(loaded.settings, loaded.listing, &environment, ports, programs, stopping)).await
        });
        Running { task, stop }
    }

    /// Starts it and waits until it is healthy.
    pub async fn joined(&self) -> Running {
        let running = self.start();
        until("the worker is healthy", || async { self.ask("GET", "/health", "").await.0 == 200 }).await;
        running
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, Value) {
        let Ok(mut stream) = TcpStream::connect(self.api).await else { return (0, Value::Null) };
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        let status = answer.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("state").join(below)
    }

    pub fn state(&self) -> Value {
        std::fs::read(self.path("state.json")).ok().map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap())
    }

    pub fn local_token(&self) -> String {
        std::fs::read_to_string(self.path("local-token")).unwrap()
    }
}

impl Running {
    /// Stops it as an upgrade would.
    pub async fn stopped(self) {
        self.stop.cancel();
        let finish = tokio::time::timeout(WITHIN, self.task).await.unwrap().unwrap();
        assert_eq!(finish.unwrap(), Finish::Stopped);
    }

    pub async fn finished(self) -> Result<Finish, Error> {
        tokio::time::timeout(WITHIN, self.task).await.expect("the worker ends").unwrap()
    }
}

pub fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub const STAKED: u64 = 2 * SUI;

//! The real master with the real authenticator and the real control plane, in network and mount namespaces with nothing but loopback, as
//! in an enclave; and what stands around it: a development chain, a parent, users and workers.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daas_attestation::UnixTime;
use daas_attested_tls::client_config;
use daas_chain::client::{AccessStake, NewRelease, SettingChange, StakedNode};
use daas_chain::types::cluster::Settings;
use daas_chain::types::messages::{EvidenceMessage, RenewMessage};
use daas_chain::types::staking::Terms;
use daas_chain::types::{Bytes, Cluster};
use daas_devnet::AttestationRoot;
use daas_join::master_api::{Offered, SEAL_TOKEN_HEADER, Submission, path};
use daas_measure::{Registers, measure_sandbox};
use daas_nsm::DevelopmentRoot;
use daas_seal_token::{Claims, ClusterId, Purpose, Tier, TokenId};
use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::{self, carry};
use daas_transport::egress::{Gateway, Host, Route, Routes};
use daas_transport::{Link, Stream, client_line, ports};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use sui_sdk_types::Address;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::world::{World, key, now_ms, token_of};

pub(crate) const ADVERTISED: &str = "10.99.0.1";
/// Registrations are renewed at half of this.
pub(crate) const REGISTRATION_MS: u64 = 40_000;
const INSIDE: &str = "DAAS_TEST_INSIDE";
pub(crate) const SOON: Duration = Duration::from_mins(1);
/// Where the chain is for the enclave.
const CHAIN_PORT: u16 = 9123;

/// Runs `scenario` in namespaces of its own: calls this test binary again inside them.
pub(crate) fn in_an_enclave_of_its_own<F: Future<Output = ()>>(test: &str, scenario: impl FnOnce() -> F) {
    if std::env::var_os(INSIDE).is_none() {
        let status = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "--mount", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, "1")
            .status()
            .expect("unshare (util-linux)");
        assert!(status.success(), "{test} failed inside its namespaces");
        return;
    }
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", &format!("{ADVERTISED}/32"), "dev", "lo"]] {
        assert!(Command::new("ip").args(arguments).status().expect("ip (iproute2)").success());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(scenario());
}

/// Everything.
pub(crate) struct Scene {
    pub(crate) chain: World,
    pub(crate) folder: TempDir,
    pub(crate) root_pem: String,
    pub(crate) registers: Registers,
    pub(crate) master: Child,
    /// Ends the parent's egress: the enclave loses the chain.
    pub(crate) egress: CancellationToken,
}

/// A worker: a stake and a key.
pub(crate) struct Worker {
    pub(crate) staked: StakedNode,
    number: u8,
}

impl Worker {
    pub(crate) fn name(&self) -> &str {
        &self.staked.stake.name
    }
}

impl Scene {
    /// A chain with the release of these very programs, a parent, and the master, just started.
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let programs = programs(folder.path());
        let registers = measured(&programs);
        let hardware = folder.path().join("hardware");
        std::fs::create_dir(&hardware).unwrap();
        let root = DevelopmentRoot::load_or_generate(&hardware, UnixTime::from_millis(now_ms())).unwrap();
        let root_pem = root.certificate_pem().unwrap();
        let freshness = SettingChange::Freshness { document_max_age_ms: 20_000, registration_ms: REGISTRATION_MS };
        let chain = World::trusting(vec![AttestationRoot::from_pem(&root_pem).unwrap()], vec![freshness]).await;
        chain.operator.publish_release(chain.cluster, &release(&registers)).await.unwrap();

        let link = Link::Folder(folder.path().join("link"));
        std::fs::create_dir(folder.path().join("link")).unwrap();
        let egress = CancellationToken::new();
        parent(&link, configuration(&chain), &chain, egress.clone()).await;
        let master = start(folder.path(), &programs, &hardware);
        Self { chain, folder, root_pem, registers, master, egress }
    }

    /// `GET` of the master's API, as anybody.
    pub(crate) async fn get(&self, path: &str) -> Option<(StatusCode, Value)> {
        request(ports::MASTER, Method::GET, path, &[], None).await
    }

    /// `POST` with a Seal token.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let headers = [(SEAL_TOKEN_HEADER, token), ("Content-Type", "application/json")];
        request(ports::MASTER, Method::POST, path, &headers, Some(body)).await.expect("an answer")
    }

    /// A request to kube-apiserver through the relay, with a Seal token of the API purpose.
    pub(crate) async fn kube(&self, method: Method, path: &str, token: &str) -> Option<(StatusCode, Value)> {
        let bearer = format!("Bearer {token}");
        request(ports::API, method, path, &[("Authorization", &bearer)], None).await
    }

    /// What anyone may do with what the enclave offers; says what was submitted.
    pub(crate) async fn submit(&self) -> Vec<&'static str> {
        let Some((StatusCode::OK, offered)) = self.get(path::SUBMISSIONS).await else { return Vec::new() };
        let offered: Vec<Offered> = serde_json::from_value(offered).unwrap();
        let mut done = Vec::new();
        for Offered { instance, submission, .. } in offered {
            done.push(submission.kind());
            match submission {
                Submission::Register { bytes } => {
                    self.chain.operator.register_instance(self.chain.cluster, &bytes).await.unwrap();
                    self.chain.operator.activate(self.chain.cluster, &Bytes(instance)).await.unwrap();
                }
                Submission::Renew { bytes, sequence, signature } => {
                    let document_at_ms = daas_attestation::Unverified::parse(&bytes).unwrap().timestamp().millis();
                    let message = RenewMessage {
                        cluster: self.chain.cluster,
                        instance: Bytes(instance),
                        sequence,
                        document_at_ms,
                    };
                    self.chain.operator.renew_instance(&message, &bytes, &signature).await.unwrap();
                }
                Submission::Evidence { bytes, stake, offence, sequence, signature } => {
                    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
                    let message = EvidenceMessage {
                        cluster: self.chain.cluster,
                        instance: Bytes(instance),
                        sequence,
                        stake: Address::new(stake.0),
                        offence: offence.try_into().unwrap(),
                        digest: Bytes(digest.as_ref().try_into().unwrap()),
                    };
                    self.chain.operator.report(&message, &bytes, &signature).await.unwrap();
                }
            }
        }
        done
    }

    /// Somebody who staked for a worker's place, under the terms of now.
    pub(crate) async fn worker(&self, number: u8) -> Worker {
        let wallet = self.chain.staker(number).await;
        let mut request = self.chain.stake_request(&format!("worker-{number}"), &key(number));
        request.agreed = Terms::of(&self.settings().await, Tier::Worker);
        Worker { staked: wallet.stake_node(&request).await.unwrap(), number }
    }

    /// A fresh Seal token of a worker.
    pub(crate) fn join_token(&self, worker: &Worker) -> String {
        self.sign(token_of(&worker.staked), worker.number, Purpose::Join)
    }

    /// Somebody with the admin's tier, granted and staked for: makes Seal tokens for the API.
    pub(crate) async fn admin(&self, number: u8) -> TokenId {
        let wallet = self.chain.staker(number).await;
        self.chain.operator.grant(self.chain.cluster, wallet.address(), Tier::Admin).await.unwrap();
        let mut stake = self.chain.stake_request(&format!("user-{number}"), &key(number));
        stake.agreed = Terms::of(&self.settings().await, Tier::Admin);
        stake.amount = stake.agreed.minimum_stake;
        token_of(&wallet.stake_access(&AccessStake { tier: Tier::Admin, stake }).await.unwrap())
    }

    async fn settings(&self) -> Settings {
        let cluster: Cluster = self.chain.node.read(self.chain.cluster, &self.chain.package.origin).await.unwrap();
        cluster.settings
    }

    pub(crate) fn api_token(&self, admin: TokenId, number: u8) -> String {
        self.sign(admin, number, Purpose::Api)
    }

    fn sign(&self, token: TokenId, number: u8, purpose: Purpose) -> String {
        let (network, cluster) = (self.chain.node.network(), ClusterId(self.chain.cluster.into_inner()));
        let claims = Claims::new(network, cluster, token, purpose, now_ms(), 120_000, [number; 16]).unwrap();
        key(number).sign(&claims).to_bearer()
    }

    /// What the master has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("master.log")).unwrap_or_default()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.master.kill();
        let _ = self.master.wait();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(80).collect();
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Waits for a condition, with a deadline.
pub(crate) async fn until<F: Future<Output = bool>>(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) -> Duration {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < limit, "not within {} s: {what}", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

pub(crate) async fn request(
    port: u16,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Option<(StatusCode, Value)> {
    let tcp = TcpStream::connect((ADVERTISED, port)).await.ok()?;
    let name = ServerName::try_from(ADVERTISED).unwrap();
    let tls = tokio_rustls::TlsConnector::from(client_config().unwrap()).connect(name, tcp).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.ok()?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("Host", ADVERTISED);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(ToString::to_string).unwrap_or_default();
    let answer = sender.send_request(request.body(Full::new(hyper::body::Bytes::from(body))).unwrap()).await.ok()?;
    let status = answer.status();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())))
}

/// The four programs by their names: cargo's, and Kubernetes'.
fn programs(folder: &Path) -> PathBuf {
    let built = std::env::current_exe().unwrap();
    let built = built.parent().and_then(Path::parent).unwrap();
    let kube = std::env::var_os("DAAS_KUBE").filter(|given| !given.is_empty()).expect(
        "DAAS_KUBE must name the multi-call binary: DAAS_KUBE=$(scripts/kubernetes-build --print kube)/kube builds it and says where it is",
    );
    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    symlink(PathBuf::from(kube).canonicalize().unwrap(), programs.join("kube")).unwrap();
    symlink(env!("CARGO_BIN_EXE_daas-master"), programs.join("daas-master")).unwrap();
    for name in ["daas-authenticator", "daas-launch"] {
        let program = built.join(name);
        assert!(program.exists(), "cargo build -p daas-authenticator -p daas-supervise makes {}", program.display());
        symlink(program, programs.join(name)).unwrap();
    }
    programs
}

fn measured(programs: &Path) -> Registers {
    let names = ["daas-authenticator", "daas-launch", "daas-master", "kube"];
    let read = |name: &str| (name.to_owned(), std::fs::read(programs.join(name)).unwrap());
    measure_sandbox(&names.map(read).into_iter().collect::<BTreeMap<_, _>>())
}

fn release(registers: &Registers) -> NewRelease {
    NewRelease {
        pcr0: Bytes(registers.pcr0.0),
        pcr1: Bytes(registers.pcr1.0),
        pcr2: Bytes(registers.pcr2.0),
        pcr8: None,
        worker_pcrs: Vec::new(),
        artifact_sha256: Bytes([7; 32]),
        source_revision: "test".into(),
    }
}

pub(crate) fn configuration(chain: &World) -> Value {
    json!({
        "version": 1, "chain_id": chain.devnet.chain_id().to_string(), "cluster": chain.cluster.to_string(),
        "rpc": [format!("http://chain.internal:{CHAIN_PORT}")], "advertise_address": ADVERTISED,
        "tls_names": ["127.0.0.1"], "log_level": "info", "limits": {"workers": 3},
    })
}

/// The parent: configuration, egress to the chain, and the three ports.
async fn parent(link: &Link, configuration: Value, chain: &World, egress: CancellationToken) {
    let mut asked = link.listen(ports::CONFIGURATION).unwrap();
    tokio::spawn(async move {
        use daas_transport::accept::Accept as _;
        while let Ok((mut stream, _)) = asked.accept().await {
            let _ = stream.write_all(configuration.to_string().as_bytes()).await;
        }
    });
    let to = chain.devnet.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let route = Route { host: Host::parse("chain.internal").unwrap(), port: CHAIN_PORT, to };
    let gateway = Gateway::new(Routes::new([route]), 64);
    tokio::spawn(gateway.serve(link.listen(ports::EGRESS).unwrap(), egress));
    for port in ports::INBOUND {
        let listener = TcpListener::bind((ADVERTISED, port)).await.unwrap();
        let link = link.clone();
        let slots = Slots::new(256, 256);
        tokio::spawn(each_connection(listener, slots, CancellationToken::new(), move |stream, peer| {
            pass_on(link.clone(), port, stream, SocketAddr::new(peer.unwrap(), 1))
        }));
    }
}

async fn pass_on(link: Link, port: u16, client: TcpStream, address: SocketAddr) {
    let Ok(mut enclave) = link.connect(port).await else { return };
    if client_line::write(&mut enclave, address).await.is_ok() {
        carry(Stream::from(client), enclave, carry::Limits::default(), &Arc::default()).await;
    }
}

fn start(folder: &Path, programs: &Path, hardware: &Path) -> Child {
    let hosts = folder.join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let mounted = Command::new("mount").arg("--bind").args([&hosts, Path::new("/etc/hosts")]).status();
    assert!(mounted.expect("mount (util-linux)").success());
    let log = std::fs::File::create(folder.join("master.log")).unwrap();
    Command::new(programs.join("daas-master"))
        .arg("--link")
        .arg(format!("folder:{}", folder.join("link").display()))
        .arg("--programs")
        .arg(programs)
        .args(["--hosts", "/etc/hosts", "--state"])
        .arg(folder.join("state"))
        .arg("--simulated-nsm")
        .arg(hardware)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

//! A development chain, a control plane of the real programs and the authenticator between them, in one network namespace.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use daas_authenticator::daemon::run;
use daas_chain::client::{AccessStake, StakedNode};
use daas_chain::types::Cluster as OnChain;
use daas_chain::types::staking::{Stake, Terms};
use daas_control_plane::addons::{AddOn, Choice};
use daas_control_plane::components::{AuthenticatorWebhooks, Layout, RawSettings, Webhooks};
use daas_control_plane::pki::{AuthorityName, Keeper};
use daas_join::BasicCredential;
use daas_seal_token::{Claims, ClusterId, Purpose, SigningKey, Tier};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use crate::cluster::{ADVERTISED, Cluster, until};
use crate::testing::{self, WebSocket, certificate_request};
use crate::world::{World, key, now_ms, token_of};

pub(crate) const SOON: Duration = Duration::from_secs(30);
pub(crate) const NODES: &str = "/api/v1/nodes";
pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

const WEBHOOKS: AuthenticatorWebhooks = AuthenticatorWebhooks { port: 9641, admission_port: Some(9642) };
/// The relay's end, which is the enclave's 6443.
const API: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 16443);
const JOIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9345);

/// A connection whose protocol has changed.
pub(crate) type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

pub(crate) struct Scene {
    pub(crate) chain: World,
    pub(crate) cluster: Cluster,
    pub(crate) server_ca: String,
    control: PathBuf,
    stop: CancellationToken,
    wallets: AtomicU8,
    tokens: AtomicU64,
    settings: OnChain,
}

/// Somebody with a stake that buys access, and a granted tier.
pub(crate) struct User {
    pub(crate) stake: Stake,
    key: SigningKey,
    token: daas_seal_token::TokenId,
}

/// A worker that has joined: its certificates, its PodCIDR and its tunnel.
pub(crate) struct Worker {
    pub(crate) stake: Stake,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) kubelet: Certificate,
    pub(crate) serving: Certificate,
    pub(crate) pods: String,
    pub(crate) tunnel: Option<WebSocket>,
}

/// PEM, and the key's.
#[derive(Clone)]
pub(crate) struct Certificate(pub(crate) String, pub(crate) String);

/// How somebody shows who he is.
#[derive(Clone, Copy)]
pub(crate) enum As<'a> {
    Token(&'a str),
    Certificate(&'a Certificate),
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let chain = World::new().await;
        let settings: OnChain = chain.node.read(chain.cluster, &chain.package.origin).await.unwrap();
        let stop = CancellationToken::new();
        let raw = RawSettings { tls_names: vec![testing::SERVER.into()], ..RawSettings::default() };
        let choice = Choice { disabled: AddOn::ALL.into(), ..Choice::default() };
        let mut control = PathBuf::new();
        let cluster =
            Cluster::with_settings(raw, Some(choice), Webhooks::Authenticator(WEBHOOKS), |_, layout: &Layout| {
                control = layout.cluster_egress().with_file_name("control.sock");
                let configuration = json!({
                    "chain": {
                        "nodes": [chain.devnet.url()], "chain_id": chain.devnet.chain_id().to_string(),
                        "package": chain.package.id.to_string(), "cluster": chain.cluster.to_string(),
                    },
                    "pki": layout.pki().of(Keeper::Authenticator), "api_server": "127.0.0.1:6443",
                    "api_listener": API.to_string(), "join_listener": JOIN.to_string(),
                    "webhook_listener": WEBHOOKS.address(), "admission_listener": WEBHOOKS.admission_address(),
                    "egress_socket": layout.cluster_egress(), "control_socket": control,
                    "advertised": [format!("{ADVERTISED}:9345")], "https_port": 6443, "join_port": 9345,
                });
                let (configuration, stop) = (serde_json::from_value(configuration).unwrap(), stop.clone());
                tokio::spawn(async move { run(configuration, stop).await.unwrap() });
            })
            .await;
        let server_ca = cluster.plane.with_pki(|pki| pki.authority(AuthorityName::Server).pem());
        Self {
            chain,
            cluster,
            server_ca,
            control,
            stop,
            wallets: AtomicU8::new(10),
            tokens: AtomicU64::new(0),
            settings,
        }
    }

    pub(crate) async fn end(self) {
        self.cluster.plane.stop().await;
        self.stop.cancel();
    }

    /// A command to the authenticator, as the master gives them.
    pub(crate) async fn command(&self, command: &Value) -> Value {
        let mut stream = BufReader::new(UnixStream::connect(&self.control).await.unwrap());
        stream.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn wallet(&self) -> u8 {
        self.wallets.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody whom the operator has granted the admin's tier, and who staked for it. His token is known here.
    pub(crate) async fn admin(&self) -> User {
        let number = self.wallet();
        let wallet = self.chain.staker(number).await;
        self.chain.operator.grant(self.chain.cluster, wallet.address(), Tier::Admin).await.unwrap();
        let key = key(number);
        let mut stake = self.chain.stake_request(&format!("user-{number}"), &key);
        stake.agreed = Terms::of(&self.settings.settings, Tier::Admin);
        stake.amount = stake.agreed.minimum_stake;
        let staked = wallet.stake_access(&AccessStake { tier: Tier::Admin, stake }).await.unwrap();
        let user = User { token: token_of(&staked), stake: staked.stake, key };
        until(SOON, "the admin may list nodes", || async {
            self.ask(Method::GET, NODES, As::Token(&self.token(&user)), None)
                .await
                .is_some_and(|(status, _)| status == 200)
        })
        .await;
        user
    }

    /// A fresh Seal token for the API.
    pub(crate) fn token(&self, user: &User) -> String {
        self.sign(user.token, &user.key, Purpose::Api).to_bearer()
    }

    fn sign(&self, token: daas_seal_token::TokenId, key: &SigningKey, purpose: Purpose) -> daas_seal_token::SealToken {
        let (network, cluster) = (self.chain.node.network(), ClusterId(self.chain.cluster.into_inner()));
        let nonce = u128::from(self.tokens.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        key.sign(&Claims::new(network, cluster, token, purpose, now_ms(), 120_000, nonce).unwrap())
    }

    /// One request through the relay, on a connection of its own. `None`: the connection ended without an answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        who: As<'_>,
        body: Option<&Value>,
    ) -> Option<(StatusCode, Value)> {
        let (status, body) = self.open(method, path, who, &[], body).await?;
        let body = body.collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())))
    }

    /// The beginning of an answer, whose rest may come later or never.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        who: As<'_>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(StatusCode, Incoming)> {
        let answer = self.send(method, path, who, headers, body).await?;
        Some((answer.status(), answer.into_body()))
    }

    /// A stream in place of an answer, as `exec` and `port-forward` begin it.
    pub(crate) async fn upgrade(&self, path: &str, who: As<'_>) -> Upgraded {
        let wish = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")];
        let answer = self.send(Method::POST, path, who, &wish, None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS, "{path}");
        TokioIo::new(hyper::upgrade::on(answer).await.unwrap())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        who: As<'_>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<http::Response<Incoming>> {
        let certificate = match who {
            As::Certificate(Certificate(certificate, key)) => Some((certificate.as_str(), key.as_str())),
            As::Token(_) => None,
        };
        let stream = testing::dial(&self.server_ca, certificate, API).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::builder().method(method).uri(path).header("Host", testing::SERVER);
        if let As::Token(token) = who {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.ok()
    }

    /// How long each of so many requests took, one after another on one connection, sorted.
    pub(crate) async fn latencies(&self, path: &str, token: &str, count: usize) -> Vec<Duration> {
        let stream = testing::dial(&self.server_ca, None, API).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut lasted = Vec::new();
        for _ in 0..count {
            let request = Request::get(path).header("Host", testing::SERVER);
            let request = request.header("Authorization", format!("Bearer {token}"));
            sender.ready().await.unwrap();
            let begun = Instant::now();
            let answer = sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            answer.into_body().collect().await.unwrap();
            lasted.push(begun.elapsed());
        }
        lasted.sort_unstable();
        lasted
    }

    /// Creates an object, which must work.
    pub(crate) async fn create(&self, path: &str, who: As<'_>, object: &Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, who, Some(object)).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{path}: {answer}");
        answer
    }

    /// Opens a watch that has begun.
    pub(crate) async fn watch(&self, path: &str, who: As<'_>) -> Incoming {
        let (status, body) = self.open(Method::GET, path, who, &[], None).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}");
        body
    }

    /// Stakes, is registered by the master, joins with a Seal token, opens its tunnel.
    pub(crate) async fn worker(&self) -> Worker {
        let number = self.wallet();
        let wallet = self.chain.staker(number).await;
        let key = key(number);
        let staked: StakedNode =
            wallet.stake_node(&self.chain.stake_request(&format!("worker-{number}"), &key)).await.unwrap();
        let name = staked.stake.name.clone();
        let token = self.sign(token_of(&staked), &key, Purpose::Join);
        let verify = json!({"command": "verify_join", "token": token.to_bearer(), "node": name});
        until(SOON, "the stake is seen", || async { self.command(&verify).await["ok"] == true }).await;

        let master = self.cluster.plane.client();
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        assert_eq!(master.create(NODES, &node).await.unwrap().0, 201);
        let path = format!("{NODES}/{name}");
        let pods = || async { master.get(&path).await.unwrap().1["spec"]["podCIDR"].as_str().map(str::to_owned) };
        until(SOON, "the node has a PodCIDR", || async { pods().await.is_some() }).await;
        let address = format!("192.0.2.{number}");
        let pods = pods().await.unwrap();
        let put = json!({"command": "put_node", "name": name, "address": address, "pods": pods});
        assert_eq!(self.command(&put).await["ok"], true);

        let certificate = async |path: &str| {
            let pair = KeyPair::generate().unwrap();
            let request = Request::post(path)
                .header("Authorization", BasicCredential(token.clone()).to_header().as_str())
                .header("k3s-Node-Name", &name)
                .header("k3s-Node-Password", "0123456789abcdef".repeat(2))
                .header("k3s-Node-IP", &address);
            let stream = testing::dial(&self.server_ca, None, JOIN).await.unwrap();
            let (status, pem) = testing::send(stream, request, certificate_request(&pair)).await.unwrap();
            assert_eq!(status, StatusCode::OK, "{pem}");
            Certificate(pem, pair.serialize_pem())
        };
        let kubelet = certificate("/v1-k3s/client-kubelet.crt").await;
        let serving = certificate("/v1-k3s/serving-kubelet.crt").await;
        let tunnel = Some(self.tunnel(&kubelet).await.unwrap());
        Worker { stake: staked.stake, name, address, kubelet, serving, pods, tunnel }
    }

    /// A tunnel with this certificate.
    pub(crate) async fn tunnel(&self, certificate: &Certificate) -> Result<WebSocket, StatusCode> {
        let Certificate(pem, key) = certificate;
        testing::websocket(testing::dial(&self.server_ca, Some((pem, key)), JOIN).await.unwrap()).await
    }
}

/// How often somebody new is slashed: so often, or `DAAS_TEST_ROUNDS` times (100 at most: each wallet has a number of its own).
pub(crate) fn rounds(usual: usize) -> usize {
    std::env::var("DAAS_TEST_ROUNDS").map_or(usual, |rounds| rounds.parse().expect("a number"))
}

/// Reads until the end or a reset.
pub(crate) async fn ended(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Waits until a body has said this.
pub(crate) async fn says(body: &mut Incoming, needle: &str) {
    let mut said = String::new();
    let hear = async {
        while !said.contains(needle) {
            let frame = body.frame().await.expect("the stream has ended").expect("the stream was cut");
            said.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
        }
    };
    tokio::time::timeout(SOON, hear).await.unwrap_or_else(|_| panic!("{needle:?} was not said"));
}

/// Asks again and again until it is refused; when that was.
pub(crate) async fn refused(mut ask: impl AsyncFnMut() -> Option<(StatusCode, Value)>) -> Instant {
    let deadline = Instant::now() + SOON;
    loop {
        match ask().await {
            Some((status, _)) if status.is_success() => assert!(Instant::now() < deadline, "it is not refused"),
            Some((status, answer)) => {
                assert!(matches!(status.as_u16(), 401 | 403), "{status}: {answer}");
                return Instant::now();
            }
            // A connection that was cut while it waited: nothing was said yet.
            None => {}
        }
    }
}

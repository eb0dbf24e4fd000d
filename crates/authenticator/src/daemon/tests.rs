//! The whole authenticator on a development chain with the real contract: two workers join, one is slashed.

use std::time::Instant;

use daas_join::BasicCredential;
use daas_seal_token::{Claims, ClusterId, NodeName, Purpose, TokenId};
use futures::StreamExt as _;
use http::{Request, StatusCode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio_tungstenite::tungstenite;

use super::*;
use crate::clock::now_ms;
use crate::testing::{self, Ca, WebSocket, ca, certificate_request, leaf};

#[path = "../../../chain/tests/world/mod.rs"]
mod world;

use world::{SUI, World, key, token_of};

const WITHIN: Duration = Duration::from_secs(30);
/// Rounds of staking, joining and slashing.
const ROUNDS: u8 = 5;

struct Scene {
    chain: World,
    folder: tempfile::TempDir,
    server_ca: String,
    loopback_ca: Ca,
    api: SocketAddr,
    join: SocketAddr,
    webhooks: SocketAddr,
    kube_apiserver: TcpListener,
    configuration: Value,
    running: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

/// A worker that has joined, with a connection to kube-apiserver on which it runs something.
struct Worker {
    stake: daas_chain::types::Stake,
    tunnel: WebSocket,
    client: TcpStream,
    server: TcpStream,
}

async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

impl Scene {
    async fn new() -> Self {
        let chain = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let pki = folder.path().join("pki");
        std::fs::create_dir(&pki).unwrap();
        let [server_ca, client_ca, kubelet_ca, loopback_ca] = ["server", "client", "kubelet", "loopback"].map(ca);
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
        let kube_apiserver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (api, join, webhooks) = (free_port().await, free_port().await, free_port().await);
        let configuration = json!({
            "chain": {
                "nodes": [chain.devnet.url()], "chain_id": chain.devnet.chain_id().to_string(),
                "package": chain.package.id.to_string(), "cluster": chain.cluster.to_string(),
            },
            "pki": pki, "api_server": kube_apiserver.local_addr().unwrap(), "api_listener": api.to_string(),
            "join_listener": join.to_string(), "webhook_listener": webhooks, "admission_listener": free_port().await,
            "egress_socket": folder.path().join("egress.sock"), "control_socket": folder.path().join("control.sock"),
            "advertised": ["192.0.2.100:9345"], "https_port": 6443, "join_port": 9345,
            "journal": folder.path().join("journal"),
        });
        let (server_ca, stop) = (server_ca.pem(), CancellationToken::new());
        let running = tokio::spawn(async {});
        let scene = Self {
            chain,
            folder,
            server_ca,
            loopback_ca,
            api,
            join,
            webhooks,
            kube_apiserver,
            configuration,
            running,
            stop,
        };
        scene.started().await
    }

    /// Starts the authenticator once the one before has ended, as its supervisor does.
    async fn started(self) -> Self {
        self.running.await.unwrap();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let configuration = serde_json::from_value(self.configuration.clone()).unwrap();
        let running = tokio::spawn(async move { run(configuration, stopping).await.unwrap() });
        let scene = Self { running, stop, ..self };
        let deadline = Instant::now() + WITHIN;
        while TcpStream::connect(scene.api).await.is_err()
            || scene.command(&json!({"command": "status"})).await["stale"] != Value::Null
        {
            assert!(Instant::now() < deadline, "the authenticator does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // That was the probe's.
        while tokio::time::timeout(Duration::from_millis(50), scene.kube_apiserver.accept()).await.is_ok() {}
        scene
    }

    async fn command(&self, command: &Value) -> Value {
        let Ok(stream) = UnixStream::connect(self.folder.path().join("control.sock")).await else {
            return json!({"stale": "down"});
        };
        let mut stream = BufReader::new(stream);
        stream.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    /// Stakes, registers, joins, opens the tunnel and a stream to kube-apiserver.
    async fn worker(&self, number: u8) -> Worker {
        let wallet = self.chain.staker(number).await;
        let staked =
            wallet.stake_node(&self.chain.stake_request(&format!("worker-{number}"), &key(number))).await.unwrap();
        let name: NodeName = staked.stake.name.parse().unwrap();
        let cluster = ClusterId(self.chain.cluster.into_inner());
        let claims = Claims::new(
            self.chain.node.network(),
            cluster,
            token_of(&staked),
            Purpose::Join,
            now_ms(),
            60_000,
            [number; 16],
        );
        let token = key(number).sign(&claims.unwrap());
        let verify = json!({"command": "verify_join", "token": token.to_bearer(), "node": name.as_str()});
        let deadline = Instant::now() + WITHIN;
        while self.command(&verify).await["ok"] != true {
            assert!(Instant::now() < deadline, "the stake is not seen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let address = format!("192.0.2.{number}");
        let put = self.command(&json!({"command": "put_node", "name": name.as_str(), "address": address})).await;
        assert_eq!(put["ok"], true, "{put}");

        let key_pair = KeyPair::generate().unwrap();
        let request = Request::post("/v1-k3s/client-kubelet.crt")
            .header("Authorization", BasicCredential(token).to_header().as_str())
            .header("k3s-Node-Name", name.as_str())
            .header("k3s-Node-Password", "0123456789abcdef".repeat(2))
            .header("k3s-Node-IP", address);
        let stream = testing::dial(&self.server_ca, None, self.join).await.unwrap();
        let (status, certificate) = testing::send(stream, request, certificate_request(&key_pair)).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{certificate}");
        let identity = (certificate.as_str(), &*key_pair.serialize_pem());
        let stream = testing::dial(&self.server_ca, Some(identity), self.join).await.unwrap();
        let tunnel = testing::websocket(stream).await.unwrap();

        let client = TcpStream::connect(self.api).await.unwrap();
        let (server, from) = self.kube_apiserver.accept().await.unwrap();
        let TokenId(token_id) = token_of(&staked);
        let token_group = format!("seal:token:{}", TokenId(token_id));
        self.audit(&json!({"items": [{
            "stage": "ResponseStarted", "verb": "watch", "sourceIPs": ["203.0.113.9", from.ip()],
            "user": {
                "username": format!("system:node:{name}"),
                "groups": ["system:nodes", format!("seal:node:{name}"), token_group, "seal:key:1", "system:authenticated"],
                "extra": {"authentication.kubernetes.io/credential-id": ["X509SHA256=aa"]},
            },
        }]}))
        .await;
        Worker { stake: staked.stake, tunnel, client, server }
    }

    async fn audit(&self, events: &Value) {
        self.asked("/audit", events).await;
    }

    /// What kube-apiserver asks.
    async fn asked(&self, path: &str, question: &Value) -> String {
        let (certificate, key) = leaf(&self.loopback_ca);
        let stream = testing::dial(&self.loopback_ca.pem(), Some((&certificate, &key)), self.webhooks).await.unwrap();
        let (status, answer) =
            testing::send(stream, Request::post(path), question.to_string().into_bytes()).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        answer
    }
}

impl Worker {
    /// Whether its connection still carries bytes.
    async fn lives(&mut self) -> bool {
        let mut byte = [0];
        self.server.write_all(b"x").await.is_ok()
            && matches!(tokio::time::timeout(WITHIN, self.client.read(&mut byte)).await, Ok(Ok(1)))
    }

    /// Waits until connection and tunnel have ended.
    async fn ended(&mut self) {
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(WITHIN, self.client.read_to_end(&mut rest)).await.expect("the connection ends");
        while let Some(Ok(message)) = tokio::time::timeout(WITHIN, self.tunnel.next()).await.expect("the tunnel ends") {
            assert!(!matches!(message, tungstenite::Message::Binary(_)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_on_chain_ends_that_workers_connection_and_tunnel_within_a_second_and_no_others() {
    let scene = Scene::new().await;
    let mut honest = scene.worker(100).await;
    let mut worst = Duration::ZERO;
    for round in 0..ROUNDS {
        let mut rogue = scene.worker(10 + round).await;
        assert!(rogue.lives().await && honest.lives().await);
        // From before the transaction is sent: that it is executed and in a checkpoint counts, too.
        let start = Instant::now();
        let stake = rogue.stake.clone();
        let (slashed, ()) = tokio::join!(scene.chain.operator.slash(&stake, SUI, "for the test"), rogue.ended());
        slashed.unwrap();
        worst = worst.max(start.elapsed());
        assert!(honest.lives().await, "round {round}");
    }
    println!("slash sent to the last byte, worst of {ROUNDS}: {worst:?}");
    assert!(worst < Duration::from_secs(1), "{worst:?}");
    let status = scene.command(&json!({"command": "status"})).await;
    assert_eq!(status["tunnels"], json!([honest.stake.name]));
    scene.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_tokens_have_their_makers_and_names_their_passwords() {
    let scene = Scene::new().await;
    let wallet = scene.chain.staker(50).await;
    let staked = wallet.stake_node(&scene.chain.stake_request("worker-50", &key(50))).await.unwrap();
    let cluster = ClusterId(scene.chain.cluster.into_inner());
    let network = scene.chain.node.network();
    let claims = Claims::new(network, cluster, token_of(&staked), Purpose::Join, now_ms(), 60_000, [1; 16]).unwrap();
    let token = key(50).sign(&claims);
    let verify = json!({"command": "verify_join", "token": token.to_bearer()});
    let with_password = async |scene: &Scene, password: &str| {
        let request = Request::post("/v1-k3s/client-kubelet.crt")
            .header("Authorization", BasicCredential(token.clone()).to_header().as_str())
            .header("k3s-Node-Name", &staked.stake.name)
            .header("k3s-Node-Password", password.repeat(2));
        let stream = testing::dial(&scene.server_ca, None, scene.join).await.unwrap();
        let key = certificate_request(&KeyPair::generate().unwrap());
        testing::send(stream, request, key).await.unwrap().0
    };
    let account = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": "system:serviceaccount:default:web",
            "extra": {"authentication.kubernetes.io/credential-id": ["JTI=1"]},
        },
    });
    let good = async |scene: &Scene| !scene.asked("/access", &account).await.contains("\"denied\":true");
    let put = json!({"command": "put_node", "name": staked.stake.name, "address": "192.0.2.50"});

    let deadline = Instant::now() + WITHIN;
    while scene.command(&verify).await["ok"] != true {
        assert!(Instant::now() < deadline, "the stake is not seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(scene.command(&put).await["ok"], true);
    assert_eq!(with_password(&scene, "0123456789abcdef").await, StatusCode::OK);
    assert!(!good(&scene).await);
    scene
        .audit(&json!({"items": [{
            "stage": "ResponseComplete", "verb": "create", "sourceIPs": ["127.0.0.1"],
            "annotations": {"authentication.kubernetes.io/issued-credential-id": "JTI=1"},
            "user": {
                "username": format!("seal:{}", staked.stake.owner),
                "groups": [format!("seal:token:{}", token_of(&staked)), "seal:key:1"],
            },
        }]}))
        .await;
    assert!(good(&scene).await);

    scene.stop.cancel();
    let scene = scene.started().await;
    // The master tells it the workers anew.
    assert_eq!(scene.command(&json!({"command": "status"})).await["nodes"], json!([]));
    assert_eq!(scene.command(&put).await["ok"], true);
    assert!(good(&scene).await);
    assert_eq!(with_password(&scene, "fedcba9876543210").await, StatusCode::FORBIDDEN);
    assert_eq!(with_password(&scene, "0123456789abcdef").await, StatusCode::OK);
    // Whoever answers for the token is gone: so is what it opens.
    scene.chain.operator.slash(&staked.stake, SUI, "for the test").await.unwrap();
    let deadline = Instant::now() + WITHIN;
    while good(&scene).await {
        assert!(Instant::now() < deadline, "the token is still good");
    }
    scene.stop.cancel();
}

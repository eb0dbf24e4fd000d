//! `daas kubeconfig` and an enclave that it asks over real connections: what is attested is written, anything else is not.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

#[path = "../../attested-tls/tests/enclave/mod.rs"]
mod enclave;
mod support;

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use daas_attestation::{Answer, Claims, Pcr, UnixTime, merkle};
use daas_chain::client::{Node, NodeOptions, Package, Session};
use daas_chain::wallet::Account;
use daas_devnet::ControlClient;
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};
use daas_seal_token::SigningKey;
use enclave::{Enclave, Identity, good};
use http::Response;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::Setup;

const CA: &[u8] = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const IMAGE: [u8; 3] = [0x10, 0x11, 0x12];

/// A cluster on a chain, whose active instance listens on this machine.
struct Scene {
    setup: Setup,
    root: String,
    identity: Identity,
    nsm: Mutex<Nsm>,
    cluster: [u8; 32],
    /// What the join gateway gives out.
    served_ca: Mutex<Vec<u8>>,
}

impl Scene {
    async fn new() -> Arc<Self> {
        let setup = Setup::new();
        let folder = setup.path("hardware");
        std::fs::create_dir(&folder).unwrap();
        let root = DevelopmentRoot::generate(seconds_ago(100)).unwrap();
        root.write(&folder).unwrap();
        let root_file = folder.join("attestation-root.pem").to_str().unwrap().to_owned();
        setup.ok(&["up", "--chain-only", "--listen", "127.0.0.1:0", "--attestation-root", &root_file]);
        let cluster: sui_sdk_types::Address = setup.json(&["cluster", "show"])["id"].as_str().unwrap().parse().unwrap();
        let text = str::to_owned;
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let image = Image { pcrs: Some(IMAGE.map(|byte| Pcr([byte; 48]))), signer: None, role: None };
        let device = Simulated::start(root, location, &image, seconds_ago(100)).unwrap();
        let scene = Arc::new(Self {
            setup,
            root: root_file,
            identity: Identity::generate(),
            nsm: Mutex::new(Nsm::Simulated(Box::new(device))),
            cluster: cluster.into_inner(),
            served_ca: Mutex::new(CA.to_vec()),
        });
        scene.publish();
        scene.register(cluster).await;
        scene
    }

    fn publish(&self) {
        let digits = |index: usize| format!("{:02x}", IMAGE[index]).repeat(48);
        let measured = json!({
            "version": 1, "kind": "eif", "pcrs": { "0": digits(0), "1": digits(1), "2": digits(2) },
            "artifact_sha256": "0".repeat(64), "source_revision": "test", "provider": "offline",
            "provider_lock_sha256": "0".repeat(64),
        });
        let file = self.setup.path("m.json");
        std::fs::write(&file, measured.to_string()).unwrap();
        self.setup.ok(&["release", "publish", "--measurements", file.to_str().unwrap()]);
    }

    /// Anyone may register an instance; the operator activates it.
    async fn register(&self, cluster: sui_sdk_types::Address) {
        let url = format!("http://{}", self.setup.devnet_address());
        let node = Node::connect(&url, None, NodeOptions::default()).await.unwrap();
        let account = Account::from_ed25519([9; 32]);
        ControlClient::connect(&url).await.unwrap().fund(account.address(), &[5_000_000_000]).await.unwrap();
        let status = self.setup.json(&["status"]);
        let package: sui_sdk_types::Address = status["cluster"]["package"].as_str().unwrap().parse().unwrap();
        let package = Package::load(&node, package).await.unwrap();
        let document = self.document(None);
        Session::new(node, package, account).register_instance(cluster, &document).await.unwrap();
        let instance = self.setup.json(&["cluster", "show"])["instances"][0]["instance"].as_str().unwrap().to_owned();
        self.setup.ok(&["cluster", "activate", &instance]);
    }

    fn document(&self, nonce: Option<Vec<u8>>) -> Vec<u8> {
        let claims = Claims {
            cluster: self.cluster,
            tls_spki_sha256: self.identity.spki_sha256(),
            server_ca_sha256: Sha256::digest(CA).into(),
            config_sha256: [4; 32],
            state_epoch: 0,
        };
        let request = Request {
            public_key: Some(SigningKey::from_bytes(&[7; 32]).public().to_bytes().to_vec()),
            user_data: Some(claims.to_bytes().to_vec()),
            nonce,
        };
        // The chain's newest checkpoint may be a second old.
        self.nsm.lock().unwrap().attest(&request, seconds_ago(2)).unwrap()
    }

    /// The master; whoever stands in between shows another key.
    async fn master(self: &Arc<Self>, shown: &Identity) -> Enclave {
        let scene = self.clone();
        let reply = move |nonce: [u8; 32]| {
            let root = merkle::root(&[nonce]).map(|root| root.to_vec());
            good(&Answer { document: scene.document(root), nonce_path: merkle::path(&[nonce], 0).unwrap() })
        };
        Enclave::serve(Some(shown.acceptor()), Arc::new(reply)).await
    }

    /// The join gateway, on any certificate: its port.
    async fn join(self: &Arc<Self>) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (scene, tls) = (self.clone(), Identity::generate().acceptor());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = tls.accept(stream).await else { continue };
                let scene = scene.clone();
                let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    assert_eq!(request.uri().path(), "/cacerts");
                    let body = Full::new(Bytes::from(scene.served_ca.lock().unwrap().clone()));
                    async { Ok::<_, Infallible>(Response::new(body)) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            }
        });
        port
    }

    fn point_to(&self, master: &Enclave, join: u16) {
        let (master, join) = (master.address.to_string(), format!("192.0.2.1:{join}"));
        let master = master.replace("127.0.0.1", "192.0.2.1");
        self.setup.ok(&["cluster", "endpoints", "--api", "192.0.2.1:6443", "--join", &join, "--master", &master]);
    }

    fn arguments<'a>(&'a self, file: &'a str) -> Vec<&'a str> {
        vec!["kubeconfig", "--file", file, "--server", "https://127.0.0.1", "--root", &self.root]
    }
}

fn seconds_ago(seconds: u64) -> UnixTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    UnixTime::from_seconds(now - seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attested_ca_is_written_and_the_plug_in_makes_a_credential() {
    let scene = Scene::new().await;
    let (master, join) = (scene.master(&scene.identity).await, scene.join().await);
    scene.point_to(&master, join);
    let path = scene.setup.path("kubeconfig");
    let file = path.to_str().unwrap();
    let written = scene.setup.json(&scene.arguments(file));
    assert_eq!((&written["file"], &written["server"]), (&json!(file), &json!("https://127.0.0.1:6443")));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("certificate-authority-data: LS0tLS1CRUdJTiBDRVJU"), "{text}");
    assert!(text.contains("server: \"https://127.0.0.1:6443\""), "{text}");

    // What kubectl would run, from anywhere, with nothing of this environment.
    let quoted = |line: &str| serde_json::from_str::<String>(line.trim_start_matches("- ")).unwrap();
    let command = text.lines().find_map(|line| line.trim().strip_prefix("command: ")).map(quoted).unwrap();
    assert!(command.starts_with('/'), "{command}");
    let arguments: Vec<_> = text.split("args:\n").nth(1).unwrap().lines().map(str::trim).map(quoted).collect();
    let output = std::process::Command::new(command)
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env(
            "KUBERNETES_EXEC_INFO",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{}}"#,
        )
        .current_dir("/")
        .output()
        .unwrap();
    let credential: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(credential["status"]["token"].as_str().unwrap().starts_with("seal1."));
    assert!(!text.contains("seal1."), "a kubeconfig holds no secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_ca_another_instance_and_silence_are_refused_and_nothing_is_written() {
    let scene = Scene::new().await;
    let path = scene.setup.path("kubeconfig");
    let file = path.to_str().unwrap();
    let (master, join) = (scene.master(&scene.identity).await, scene.join().await);
    scene.point_to(&master, join);

    scene.served_ca.lock().unwrap().push(b'\n');
    scene.setup.refused(&scene.arguments(file), "DAAS-1711");
    *scene.served_ca.lock().unwrap() = vec![b'x'; 1 << 20];
    scene.setup.refused(&scene.arguments(file), "DAAS-1710");
    *scene.served_ca.lock().unwrap() = CA.to_vec();

    let relay = scene.master(&Identity::generate()).await;
    scene.point_to(&relay, join);
    scene.setup.refused(&scene.arguments(file), "DAAS-1706");
    scene.point_to(&master, 1);
    scene.setup.refused(&scene.arguments(file), "DAAS-1710");
    scene.point_to(&master, join);
    // Without its root simulated hardware is nobody.
    let arguments = scene.arguments(file);
    scene.setup.refused(&arguments[..arguments.len() - 2], "DAAS-1702");
    assert!(!path.exists());
    scene.setup.ok(&arguments);
    assert!(path.exists());
}

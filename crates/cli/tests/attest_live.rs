//! `daas attest show|verify URL`: an enclave is asked over a real connection, through the real program.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

#[path = "../../attested-tls/tests/enclave/mod.rs"]
mod enclave;
mod support;

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use daas_attestation::{Answer, Claims, Pcr, UnixTime, merkle};
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};
use enclave::{Enclave, Identity, good, status};
use serde_json::{Value, json};
use support::{Said, Setup};

const CLUSTER: [u8; 32] = [0xaa; 32];
const IMAGE: [u8; 3] = [0x10, 0x11, 0x12];

/// A caller who knows the root, the image and the cluster, and the hardware that it meets.
struct Scene {
    setup: Setup,
    root: String,
    pcrs: String,
    cluster: String,
    nsm: Mutex<Nsm>,
}

impl Scene {
    fn new() -> Arc<Self> {
        let setup = Setup::new();
        let root = DevelopmentRoot::generate(seconds_ago(1000)).unwrap();
        let text = str::to_owned;
        let write = |name: &str, contents: String| {
            let path = setup.path(name);
            std::fs::write(&path, contents).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let root_file = write("root.pem", root.certificate_pem().unwrap());
        let digits = |index: usize| format!("{:02x}", IMAGE[index]).repeat(48);
        let measured = json!({
            "version": 1, "kind": "eif", "pcrs": { "0": digits(0), "1": digits(1), "2": digits(2) },
            "artifact_sha256": "0".repeat(64), "source_revision": "test", "provider": "offline",
            "provider_lock_sha256": "0".repeat(64),
        });
        let pcrs = write("m.json", measured.to_string());
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let image = Image { pcrs: Some(IMAGE.map(|byte| Pcr([byte; 48]))), signer: None, role: None };
        let device = Simulated::start(root, location, &image, seconds_ago(1000)).unwrap();
        let nsm = Mutex::new(Nsm::Simulated(Box::new(device)));
        let cluster = format!("0x{}", hex::encode(CLUSTER));
        Arc::new(Self { setup, root: root_file, pcrs, cluster, nsm })
    }

    /// One document for this caller and another one.
    fn answer(&self, nonce: [u8; 32], tls_spki_sha256: [u8; 32], made: UnixTime) -> Answer {
        let callers = [nonce, [1; 32]];
        let claims = Claims {
            cluster: CLUSTER,
            tls_spki_sha256,
            server_ca_sha256: [3; 32],
            config_sha256: [4; 32],
            state_epoch: 0,
        };
        let request = Request {
            public_key: Some(vec![5; 32]),
            user_data: Some(claims.to_bytes().to_vec()),
            nonce: merkle::root(&callers).map(|root| root.to_vec()),
        };
        Answer {
            document: self.nsm.lock().unwrap().attest(&request, made).unwrap(),
            nonce_path: merkle::path(&callers, 0).unwrap(),
        }
    }

    /// An enclave that shows `identity`, claims `claimed` and made its document so long ago.
    async fn enclave(self: &Arc<Self>, identity: Option<&Identity>, claimed: [u8; 32], age: i64) -> Enclave {
        let scene = self.clone();
        let reply = move |nonce| good(&scene.answer(nonce, claimed, seconds_ago(age)));
        Enclave::serve(identity.map(Identity::acceptor), Arc::new(reply)).await
    }

    fn verify(&self, url: &str, more: &[&str]) -> Said {
        let arguments =
            ["attest", "verify", url, "--root", &self.root, "--pcrs", &self.pcrs, "--cluster", &self.cluster];
        self.setup.run(&[&arguments[..], more, &["--output", "json"]].concat())
    }

    fn accepted(&self, url: &str, more: &[&str]) -> Value {
        let said = self.verify(url, more);
        assert_eq!(said.code, 0, "{said:?}");
        let answer = said.json();
        assert_eq!((&answer["verdict"], &answer["bound"]), (&json!("accepted"), &json!(true)), "{answer:#}");
        answer
    }

    fn refused(&self, url: &str, rule: &str, code: &str) -> Value {
        let said = self.verify(url, &[]);
        assert_eq!(said.code, 1, "{said:?}");
        let answer = said.json();
        assert_eq!(
            (&answer["verdict"], &answer["rule"]["code"], &answer["error"]["code"]),
            (&json!("refused"), &json!(rule), &json!(code)),
            "{answer:#}"
        );
        answer
    }
}

/// Negative: in the future.
fn seconds_ago(seconds: i64) -> UnixTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    UnixTime::from_seconds(now.checked_add_signed(-seconds).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_enclave_is_accepted_with_a_fresh_nonce_and_the_key_of_its_connection() {
    let (scene, identity) = (Scene::new(), Identity::generate());
    let enclave = scene.enclave(Some(&identity), identity.spki_sha256(), 1).await;
    let url = enclave.url("https");
    let [one, other] = [scene.accepted(&url, &[]), scene.accepted(&url, &[])];
    assert_eq!(one["connection"]["tls_spki_sha256"], hex::encode(identity.spki_sha256()));
    assert_eq!(one["connection"]["address"], format!("{url}/api/v1/attestation"));
    let nonce = |answer: &Value| answer["connection"]["nonce"].as_str().unwrap().to_owned();
    assert_eq!(nonce(&one).len(), 64);
    assert_ne!(nonce(&one), nonce(&other));

    let shown = scene.setup.json(&["attest", "show", &url]);
    assert_eq!(
        (&shown["verified"], &shown["connection"]["tls_spki_sha256"]),
        (&json!(false), &json!(hex::encode(identity.spki_sha256())))
    );
    let human = scene.setup.ok(&["attest", "show", &url, "--lang", "en"]);
    assert!(human.stdout.contains(&hex::encode(identity.spki_sha256())), "{human:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_relayed_through_another_connection_is_refused() {
    let (scene, genuine, relay) = (Scene::new(), Identity::generate(), Identity::generate());
    let relaying = scene.enclave(Some(&relay), genuine.spki_sha256(), 1).await;
    scene.refused(&relaying.url("https"), "claims-tls-key", "DAAS-1706");
    // Without TLS there is no key to compare: only the code can be judged.
    let clear = scene.enclave(None, genuine.spki_sha256(), 1).await;
    let said = scene.verify(&clear.url("http"), &[]);
    assert!(said.code == 2 && said.stderr.contains("DAAS-1002"), "{said:?}");
    let said = scene.verify(&clear.url("http"), &["--claims", "none"]);
    let answer = said.json();
    assert_eq!((said.code, &answer["bound"]), (0, &json!(false)), "{answer:#}");
    assert_eq!(answer["connection"]["tls_spki_sha256"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_answer_an_old_document_and_one_of_the_future_are_refused() {
    let (scene, identity) = (Scene::new(), Identity::generate());
    let stored = scene.answer([9; 32], identity.spki_sha256(), seconds_ago(1));
    let replaying = Enclave::serve(Some(identity.acceptor()), Arc::new(move |_| good(&stored))).await;
    scene.refused(&replaying.url("https"), "nonce", "DAAS-1705");

    let old = scene.enclave(Some(&identity), identity.spki_sha256(), 400).await;
    scene.refused(&old.url("https"), "too-old", "DAAS-1705");
    scene.accepted(&old.url("https"), &["--max-age", "600"]);
    let ahead = scene.enclave(Some(&identity), identity.spki_sha256(), -60).await;
    scene.refused(&ahead.url("https"), "from-the-future", "DAAS-1705");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_document_comes_from_and_what_is_no_address_is_explained() {
    let scene = Scene::new();
    let busy = Enclave::serve(None, Arc::new(|_| status(503))).await;
    let url = busy.url("http");
    let error = scene.setup.refused(&["attest", "show", &url], "DAAS-1709");
    assert!(error["cause"].as_str().unwrap().contains("503"), "{error}");
    scene.setup.refused(&["attest", "show", "https://127.0.0.1:1"], "DAAS-1709");
    for arguments in [
        &["attest", "show", "https://me:secret@127.0.0.1:1"][..],
        &["attest", "show", "ftp://127.0.0.1"],
        &["attest", "verify", &url, "--pcrs", &scene.pcrs, "--claims", "none", "--nonce", "00"],
    ] {
        let said = scene.setup.run(arguments);
        assert!(said.code == 2 && said.stderr.contains("DAAS-1002"), "daas {arguments:?}: {said:?}");
        assert!(!said.stderr.contains("secret"), "{said:?}");
    }
}

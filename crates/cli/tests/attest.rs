//! `daas attest`: what a document says, and the verdict, through the real program.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use daas_attestation::{Claims, Pcr, UnixTime};
use daas_chain::client::{Node, NodeOptions, Package, Session};
use daas_chain::wallet::Account;
use daas_devnet::ControlClient;
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};
use daas_seal_token::SigningKey;
use serde_json::{Value, json};
use support::{Said, Setup};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../attestation/tests/vectors/");
/// The first and last second of the leaf certificate, as `openssl x509 -dates` shows them.
const FIRST_SECOND: u64 = 1_708_930_773;
const LAST_SECOND: u64 = 1_708_941_576;
const DEBUG_SECOND: u64 = 1_723_800_000;
/// As published with the document; `attestation/README.md` shows how to read them with a CBOR tool.
const PRODUCTION_PCRS: [&str; 3] = [
    "17bf8f048519797be90497001a7559a3d555395937117d76f8baaedf56ca6d97952de79479bc0c76e5d176d20f663790",
    "5d3938eb05288e20a981038b1861062ff4174884968a39aee5982b312894e60561883576cc7381d1a7d05b809936bd16",
    "249037310daa90f4eb0703e7b105a241fdb09f12d3c40b7aea2f39e57b07b887e6ff4e4f9757943e127e391626b5e4d5",
];
const CLUSTER: &str = "0x00000000000000000000000000000000000000000000000000000000000000aa";

fn vector(name: &str) -> String {
    format!("{VECTORS}{name}.bin")
}

fn production() -> String {
    vector("production_2024-02-26")
}

fn measurements(setup: &Setup, name: &str, pcrs: [&str; 3]) -> String {
    let file = json!({
        "version": 1, "kind": "eif", "pcrs": { "0": pcrs[0], "1": pcrs[1], "2": pcrs[2] }, "artifact_sha256": "0".repeat(64),
        "source_revision": "test", "provider": "offline", "provider_lock_sha256": "0".repeat(64),
    });
    write(setup, name, file.to_string().as_bytes())
}

fn write(setup: &Setup, name: &str, bytes: &[u8]) -> String {
    let path = setup.path(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What every verdict owes: the exit status, one answer, and a refusal's code, rule and words in both forms.
fn refused(setup: &Setup, arguments: &[&str], rule: &str, code: &str) -> Value {
    let said = setup.run(&[arguments, &["--output", "json"]].concat());
    assert_eq!((said.code, said.stderr.as_str()), (1, ""), "daas {arguments:?}: {said:?}");
    let answer = said.json();
    assert_eq!((&answer["verdict"], &answer["rule"]["code"]), (&json!("refused"), &json!(rule)), "{answer:#}");
    assert_eq!(answer["error"]["code"], code, "{answer:#}");
    for lang in ["en", "ko"] {
        let human = setup.run(&[arguments, &["--lang", lang]].concat());
        assert_eq!(human.code, 1, "{human:?}");
        assert!(human.stdout.contains(code) && human.stdout.contains(&format!("[{rule}]")), "{human:?}");
    }
    answer
}

fn accepted(setup: &Setup, arguments: &[&str]) -> (Value, Said) {
    let answer = setup.json(arguments);
    assert_eq!(
        (&answer["verdict"], &answer["rule"], &answer["error"]),
        (&json!("accepted"), &Value::Null, &Value::Null)
    );
    let results: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|check| check["result"].clone()).collect();
    assert_eq!(results[..4], vec![json!("passed"); 4]);
    let claims = if arguments.contains(&"none") { "not asked" } else { "passed" };
    assert_eq!(results[4], claims);
    (answer, setup.ok(&[arguments, &["--lang", "en"]].concat()))
}

fn results(answer: &Value) -> Vec<String> {
    let text = |check: &Value| check["result"].as_str().unwrap().to_owned();
    answer["checks"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn the_production_document_is_measured_and_unbound_inside_its_second_and_refused_outside() {
    let setup = Setup::new();
    let (document, pcrs) = (production(), measurements(&setup, "m.json", PRODUCTION_PCRS));
    let at = |seconds: u64| seconds.to_string();
    let ask = |seconds: &str, more: &[&str]| -> Vec<String> {
        let arguments = ["attest", "verify", &document, "--pcrs", &pcrs, "--claims", "none", "--at", seconds];
        [&arguments[..], more].concat().into_iter().map(str::to_owned).collect()
    };
    let run = |seconds: u64, more: &[&str], rule: &str, code: &str| {
        let arguments = ask(&at(seconds), more);
        refused(&setup, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), rule, code)
    };
    for seconds in [FIRST_SECOND, LAST_SECOND] {
        let arguments = ask(&at(seconds), &[]);
        let (answer, human) = accepted(&setup, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(answer["bound"], false);
        assert_eq!((&answer["development"], &answer["simulated"]), (&json!(false), &json!(false)));
        assert_eq!(answer["certified_until_ms"], LAST_SECOND * 1000);
        assert_eq!(answer["document"]["pcrs"]["0"], PRODUCTION_PCRS[0]);
        assert!(human.stdout.contains("measured, unbound") && !human.stdout.contains("DEVELOPMENT"), "{human:?}");
    }
    run(FIRST_SECOND - 1, &[], "not-yet-valid", "DAAS-1702");
    run(LAST_SECOND + 1, &[], "expired", "DAAS-1702");
    let answer = run(FIRST_SECOND, &["--nonce", "00ff"], "nonce-missing", "DAAS-1705");
    assert_eq!(results(&answer), ["passed", "passed", "passed", "failed", "not reached"]);
}

#[test]
fn with_one_bit_of_a_register_changed_the_production_document_is_of_other_code() {
    let setup = Setup::new();
    for index in 0..3 {
        let mut pcrs = PRODUCTION_PCRS.map(str::to_owned);
        // 0x…0 becomes 0x…1: every one of them ends in another digit than its neighbour in value.
        let last = u8::from_str_radix(&pcrs[index][95..], 16).unwrap() ^ 1;
        pcrs[index].replace_range(95.., &format!("{last:x}"));
        let file = measurements(&setup, "m.json", [&pcrs[0], &pcrs[1], &pcrs[2]]);
        let at = FIRST_SECOND.to_string();
        let arguments = ["attest", "verify", &production(), "--pcrs", &file, "--claims", "none", "--at", &at];
        let answer = refused(&setup, &arguments, "measurement", "DAAS-1704");
        assert!(answer["error"]["cause"].as_str().unwrap().contains(&format!("PCR{index}")), "{answer:#}");
    }
}

#[test]
fn the_debug_document_is_genuine_and_refused_as_debug() {
    let setup = Setup::new();
    let pcrs = measurements(&setup, "m.json", PRODUCTION_PCRS);
    let (document, at) = (vector("debug_zero_pcrs_2024-08-16"), DEBUG_SECOND.to_string());
    let arguments =
        ["attest", "verify", &document, "--pcrs", &pcrs, "--claims", "none", "--at", &at, "--nonce", "31323334"];
    let answer = refused(&setup, &arguments, "debug-mode", "DAAS-1703");
    assert_eq!(results(&answer), ["passed", "passed", "failed", "not reached", "not reached"]);
}

#[test]
fn a_foreign_document_is_accepted_only_if_no_claims_are_asked_for() {
    let setup = Setup::new();
    let (document, pcrs) = (production(), measurements(&setup, "m.json", PRODUCTION_PCRS));
    let at = FIRST_SECOND.to_string();
    let arguments = ["attest", "verify", &document, "--pcrs", &pcrs, "--at", &at, "--cluster", CLUSTER];
    let answer = refused(&setup, &arguments, "claims-length", "DAAS-1706");
    assert_eq!(results(&answer), ["passed", "passed", "passed", "passed", "failed"]);
    // Whose claims, was not said: nothing is judged.
    let unsaid = setup.run(&["attest", "verify", &document, "--pcrs", &pcrs, "--at", &at, "--output", "json"]);
    assert_eq!((unsaid.code, &unsaid.error()["code"]), (2, &json!("DAAS-1005")), "{unsaid:?}");
}

#[test]
fn a_root_makes_the_verdict_one_of_development_and_production_takes_none() {
    let setup = Setup::new();
    let (document, pcrs) = (production(), measurements(&setup, "m.json", PRODUCTION_PCRS));
    let root = DevelopmentRoot::generate(UnixTime::from_seconds(FIRST_SECOND)).unwrap();
    let root = write(&setup, "root.pem", root.certificate_pem().unwrap().as_bytes());
    let at = FIRST_SECOND.to_string();
    let arguments = ["attest", "verify", &document, "--pcrs", &pcrs, "--claims", "none", "--at", &at, "--root", &root];
    let (answer, human) = accepted(&setup, &arguments);
    assert_eq!((&answer["development"], &answer["simulated"]), (&json!(true), &json!(false)));
    assert!(human.stdout.starts_with("DEVELOPMENT"), "{human:?}");
    for chain in ["mainnet", "testnet", "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S"] {
        setup.refused(&[&arguments[..], &["--chain-id", chain]].concat(), "DAAS-1707");
    }
    let aws = Path::new(VECTORS).join("../../../../attestation/README.md");
    setup.refused(
        &["attest", "verify", &document, "--pcrs", &pcrs, "--claims", "none", "--root", aws.to_str().unwrap()],
        "DAAS-1606",
    );
}

#[test]
fn a_document_is_shown_without_a_verdict() {
    let setup = Setup::new();
    let answer = setup.json(&["attest", "show", &production()]);
    assert_eq!(answer["verified"], false);
    let document = &answer["document"];
    assert_eq!(document["module_id"], "i-0df237f0418feb41e-enc018d1c7ef94eb110");
    assert_eq!(document["pcrs"]["2"], PRODUCTION_PCRS[2]);
    assert_eq!((&document["nonce"], &document["claims"]), (&Value::Null, &Value::Null));
    assert_eq!(document["certificates"][4]["not_before_ms"], FIRST_SECOND * 1000);
    let human = setup.ok(&["attest", "show", &production(), "--lang", "en"]);
    assert!(human.stdout.starts_with("NOT VERIFIED") && human.stdout.contains(PRODUCTION_PCRS[0]), "{human:?}");
    assert!(!human.stdout.contains("ACCEPTED"), "{human:?}");
    // A changed document says the same, and whoever made it.
    let mut bytes = std::fs::read(production()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(setup.json(&["attest", "show", &write(&setup, "changed.bin", &bytes)]), answer);
}

#[test]
fn what_is_no_document_is_explained_and_wrong_usage_is_exit_status_2() {
    let setup = Setup::new();
    let pcrs = measurements(&setup, "m.json", PRODUCTION_PCRS);
    let garbage = write(&setup, "garbage", b"not a document");
    let huge = write(&setup, "huge", &vec![0xd2; 1 << 20]);
    for file in [&garbage, &huge] {
        setup.refused(&["attest", "show", file], "DAAS-1701");
    }
    let answer =
        refused(&setup, &["attest", "verify", &huge, "--pcrs", &pcrs, "--claims", "none"], "too-large", "DAAS-1701");
    assert_eq!((&answer["document"], results(&answer)[0].as_str()), (&Value::Null, "failed"));
    setup.refused(&["attest", "show", "/nonexistent/document"], "DAAS-1902");
    for arguments in [
        &["attest"][..],
        &["attest", "verify"],
        &["attest", "verify", &garbage, "--pcrs", &pcrs, "--claims", "nonsense"],
        &["attest", "verify", &garbage, "--pcrs", &pcrs, "--claims", "none", "--nonce", "0x1"],
        &["attest", "verify", &garbage, "--pcrs", &pcrs, "--claims", "none", "--at", "-1"],
    ] {
        assert_eq!(setup.run(arguments).code, 2, "daas {arguments:?}");
    }
}

struct Hardware<'a> {
    folder: &'a Path,
    cluster: [u8; 32],
}

impl Hardware<'_> {
    /// A document of an enclave of the image whose registers are 0x10…, 0x11…, 0x12….
    fn document(&self, instance: u8, nonce: Option<&[u8]>) -> Vec<u8> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        // The chain's newest checkpoint may be a second old.
        let now = UnixTime::from_seconds(seconds - 2);
        let root = DevelopmentRoot::load(self.folder).unwrap();
        let text = str::to_owned;
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let image = Image { pcrs: Some([0x10, 0x11, 0x12].map(|byte| Pcr([byte; 48]))), signer: None, role: None };
        let claims = Claims {
            cluster: self.cluster,
            tls_spki_sha256: [instance; 32],
            server_ca_sha256: [3; 32],
            config_sha256: [4; 32],
            state_epoch: 0,
        };
        let request = Request {
            public_key: Some(SigningKey::from_bytes(&[instance; 32]).public().to_bytes().to_vec()),
            user_data: Some(claims.to_bytes().to_vec()),
            nonce: nonce.map(<[u8]>::to_vec),
        };
        let device = Simulated::start(root, location, &image, now).unwrap();
        Nsm::Simulated(Box::new(device)).attest(&request, now).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_active_instance_of_a_good_release_is_accepted_from_the_chain() {
    let setup = Setup::new();
    let folder = setup.path("hardware");
    std::fs::create_dir(&folder).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    DevelopmentRoot::generate(UnixTime::from_seconds(now)).unwrap().write(&folder).unwrap();
    let root = folder.join("attestation-root.pem").to_str().unwrap().to_owned();
    setup.ok(&["up", "--chain-only", "--listen", "127.0.0.1:0", "--attestation-root", &root]);
    let digits = |byte: u8| format!("{byte:02x}").repeat(48);
    let pcrs = measurements(&setup, "m.json", [&digits(0x10), &digits(0x11), &digits(0x12)]);
    let cluster: sui_sdk_types::Address = setup.json(&["cluster", "show"])["id"].as_str().unwrap().parse().unwrap();
    let hardware = Hardware { folder: &folder, cluster: cluster.into_inner() };
    let ours = write(&setup, "ours", &hardware.document(7, None));
    let theirs = write(&setup, "theirs", &hardware.document(8, None));
    let verify = |document: &str, more: &[&str]| -> Vec<String> {
        let arguments = ["attest", "verify", document, "--root", &root];
        [&arguments[..], more].concat().into_iter().map(str::to_owned).collect()
    };
    let refuse = |document: &str, more: &[&str], rule: &str, code: &str| {
        let arguments = verify(document, more);
        refused(&setup, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), rule, code)
    };
    let accept = |document: &str, more: &[&str]| {
        let arguments = verify(document, more);
        accepted(&setup, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };

    setup.refused(&["attest", "verify", &ours, "--root", &root], "DAAS-1708");
    refuse(&ours, &["--claims", "cluster"], "no-releases", "DAAS-1704");
    setup.ok(&["release", "publish", "--measurements", &pcrs]);
    for document in [&ours, &theirs] {
        let (answer, human) = accept(document, &["--claims", "cluster"]);
        assert_eq!((&answer["bound"], &answer["simulated"]), (&json!(true), &json!(true)));
        assert!(human.stdout.starts_with("DEVELOPMENT"), "{human:?}");
    }
    let other = format!("0x{}", "5".repeat(64));
    refuse(&ours, &["--pcrs", &pcrs, "--cluster", &other], "claims-cluster", "DAAS-1706");
    setup.refused(&["attest", "verify", &ours, "--root", &root, "--cluster", &other], "DAAS-1307");
    // Without the root simulated hardware is nobody.
    refused(&setup, &["attest", "verify", &ours, "--claims", "cluster"], "root-unknown", "DAAS-1702");

    register(&setup, cluster, &std::fs::read(&ours).unwrap()).await;
    let instance = setup.json(&["cluster", "show"])["instances"][0]["instance"].as_str().unwrap().to_owned();
    setup.ok(&["cluster", "activate", &instance]);
    let (answer, human) = accept(&ours, &[]);
    assert_eq!((&answer["verdict"], &answer["bound"]), (&json!("accepted"), &json!(true)));
    assert!(human.stdout.contains(&instance), "{human:?}");
    // As genuine, for the same cluster, and somebody else's.
    refuse(&theirs, &[], "instance-other", "DAAS-1706");
    let challenged = write(&setup, "challenged", &hardware.document(7, Some(&[1, 2, 3])));
    accept(&challenged, &["--nonce", "010203"]);
    accept(&challenged, &["--nonce", "010203", "--max-age", "3600"]);
    refuse(&challenged, &["--nonce", "010203", "--max-age", "0"], "too-old", "DAAS-1705");
    refuse(&challenged, &["--nonce", "010204"], "nonce", "DAAS-1705");
    refuse(&challenged, &[], "nonce-unexpected", "DAAS-1705");
    refuse(&ours, &["--nonce", "010203"], "nonce-missing", "DAAS-1705");

    setup.ok(&["release", "revoke", &digits(0x10)]);
    refuse(&ours, &[], "release-revoked", "DAAS-1704");
}

/// Anyone may register an instance; the document is its own witness.
async fn register(setup: &Setup, cluster: sui_sdk_types::Address, document: &[u8]) {
    let url = format!("http://{}", setup.devnet_address());
    let node = Node::connect(&url, None, NodeOptions::default()).await.unwrap();
    let account = Account::from_ed25519([9; 32]);
    ControlClient::connect(&url).await.unwrap().fund(account.address(), &[5_000_000_000]).await.unwrap();
    let status = setup.json(&["status"]);
    let package: sui_sdk_types::Address = status["cluster"]["package"].as_str().unwrap().parse().unwrap();
    let package = Package::load(&node, package).await.unwrap();
    Session::new(node, package, account).register_instance(cluster, document).await.unwrap();
}

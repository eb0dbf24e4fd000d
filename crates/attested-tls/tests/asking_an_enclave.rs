//! A challenge over a real connection, and what can go wrong on the way.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod enclave;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use daas_attestation::merkle::{self, Path};
use daas_attestation::{
    AgeRule, Answer, BoundTo, Claims, Measurements, Network, Pcr, Policy, Refusal, Release, TrustedRoots, UnixTime,
    Verdict, verify,
};
use daas_attested_tls::{AskError, Endpoint, Live, ask};
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};
use enclave::{Enclave, Identity, good, status};
use http::Response;
use http_body_util::Full;

const NOW: UnixTime = UnixTime::from_seconds(1_790_000_000);
const CLUSTER: [u8; 32] = [0xaa; 32];
const PCRS: [Pcr; 3] = [Pcr([1; 48]), Pcr([2; 48]), Pcr([3; 48])];
const LIMIT: Duration = Duration::from_secs(20);
const OURS: [u8; 32] = [7; 32];

/// A simulated device whose documents claim a TLS key.
struct Device {
    nsm: Mutex<Nsm>,
    root_pem: String,
    claims: Claims,
}

impl Device {
    fn claiming(tls_spki_sha256: [u8; 32]) -> Arc<Self> {
        let text = str::to_owned;
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let image = Image { pcrs: Some(PCRS), signer: None, role: None };
        let root = DevelopmentRoot::generate(NOW).unwrap();
        let root_pem = root.certificate_pem().unwrap();
        let nsm = Mutex::new(Nsm::Simulated(Box::new(Simulated::start(root, location, &image, NOW).unwrap())));
        let claims = Claims {
            cluster: CLUSTER,
            tls_spki_sha256,
            server_ca_sha256: [3; 32],
            config_sha256: [4; 32],
            state_epoch: 0,
        };
        Arc::new(Self { nsm, root_pem, claims })
    }

    /// One document for this caller and others of the same instant.
    fn answer(&self, nonce: [u8; 32]) -> Answer {
        let callers = [[1; 32], nonce, [2; 32]];
        let request = Request {
            public_key: Some(vec![5; 32]),
            user_data: Some(self.claims.to_bytes().to_vec()),
            nonce: merkle::root(&callers).map(|root| root.to_vec()),
        };
        Answer {
            document: self.nsm.lock().unwrap().attest(&request, NOW).unwrap(),
            nonce_path: merkle::path(&callers, 1).unwrap(),
        }
    }

    /// The verdict of a caller that knows the root, the image and the cluster.
    fn judge(&self, live: &Live) -> Result<Verdict, Refusal> {
        let roots = TrustedRoots::development(&self.root_pem).unwrap();
        let [pcr0, pcr1, pcr2] = PCRS;
        let policy = Policy {
            network: Network::Development(&roots),
            now: NOW,
            releases: &[Release::active(Measurements::new(pcr0, pcr1, pcr2).unwrap())],
            nonce: live.nonce_rule(),
            age: AgeRule::AtMost(Duration::from_mins(5)),
            claims: BoundTo {
                cluster: &CLUSTER,
                tls: live.tls_peer(),
                instance: None,
                server_ca_sha256: None,
                config_sha256: None,
            },
        };
        verify(&live.answer.document, &policy, None)
    }
}

async fn ask_at(url: &str) -> Result<Live, AskError> {
    ask(&url.parse::<Endpoint>().unwrap(), OURS, LIMIT).await
}

#[tokio::test]
async fn the_document_answers_the_nonce_and_claims_the_key_of_the_connection() {
    let identity = Identity::generate();
    let device = Device::claiming(identity.spki_sha256());
    let at_server = device.clone();
    let enclave =
        Enclave::serve(Some(identity.acceptor()), Arc::new(move |nonce| good(&at_server.answer(nonce)))).await;
    let live = ask_at(&enclave.url("https")).await.unwrap();
    assert_eq!(live.tls_spki_sha256, Some(identity.spki_sha256()));
    assert_eq!(live.nonce, OURS);
    assert_eq!(device.judge(&live).unwrap().instance_key(), &[5; 32]);
}

/// The relay terminates TLS with a key of its own and passes on a fresh document of the genuine enclave (docs/threat-model.md, 10).
#[tokio::test]
async fn a_relay_with_a_key_of_its_own_is_found_out() {
    let genuine = Identity::generate();
    let device = Device::claiming(genuine.spki_sha256());
    let at_relay = device.clone();
    let relay = Identity::generate();
    let enclave = Enclave::serve(Some(relay.acceptor()), Arc::new(move |nonce| good(&at_relay.answer(nonce)))).await;
    let live = ask_at(&enclave.url("https")).await.unwrap();
    assert_eq!(device.judge(&live), Err(Refusal::OtherTlsKey));
}

#[tokio::test]
async fn an_answer_to_somebody_else_is_refused() {
    let identity = Identity::generate();
    let device = Device::claiming(identity.spki_sha256());
    let at_server = device.clone();
    let reply = move |_| good(&at_server.answer([9; 32]));
    let enclave = Enclave::serve(Some(identity.acceptor()), Arc::new(reply)).await;
    let live = ask_at(&enclave.url("https")).await.unwrap();
    assert_eq!(device.judge(&live), Err(Refusal::NonceMismatch));
}

/// Somebody who has the enclave's certificate, which is public, and not its key.
#[tokio::test]
async fn a_certificate_without_its_key_ends_the_handshake() {
    let (genuine, thief) = (Identity::generate(), Identity::generate());
    let stolen = thief.with_certificate_of(&genuine);
    let enclave = Enclave::serve(Some(stolen), Arc::new(|_| status(500))).await;
    assert!(matches!(ask_at(&enclave.url("https")).await, Err(AskError::Tls(_))));
}

#[tokio::test]
async fn without_tls_there_is_no_key_to_compare() {
    let device = Device::claiming([8; 32]);
    let at_server = device.clone();
    let enclave = Enclave::serve(None, Arc::new(move |nonce| good(&at_server.answer(nonce)))).await;
    let live = ask_at(&enclave.url("http")).await.unwrap();
    assert_eq!(live.tls_spki_sha256, None);
    device.judge(&live).unwrap();
    // TLS to a server that has none.
    assert!(matches!(ask_at(&enclave.url("https")).await, Err(AskError::Tls(_))));
}

#[tokio::test]
async fn whatever_is_no_answer_is_an_error_that_says_so() {
    let serve = |reply: fn() -> Response<Full<hyper::body::Bytes>>| async move {
        let enclave = Enclave::serve(None, Arc::new(move |_| reply())).await;
        ask_at(&enclave.url("http")).await
    };
    for code in [302, 404, 429, 500] {
        let enclave = Enclave::serve(None, Arc::new(move |_| status(code))).await;
        let error = ask_at(&enclave.url("http")).await.unwrap_err();
        assert!(matches!(error, AskError::Status(found) if found == code), "{error}");
    }
    assert!(matches!(serve(|| Response::new(Full::from("{}"))).await, Err(AskError::Answer(_))));
    // More than an answer can have is not read to its end.
    assert!(matches!(serve(|| Response::new(Full::from(vec![b' '; 1 << 20]))).await, Err(AskError::Http(_))));
    let nobody = {
        let enclave = Enclave::serve(None, Arc::new(|_| status(500))).await;
        enclave.url("http")
    };
    // The listener closes when its task has ended.
    let error = loop {
        match ask_at(&nobody).await.unwrap_err() {
            AskError::Status(_) | AskError::Http(_) => tokio::task::yield_now().await,
            error => break error,
        }
    };
    assert!(matches!(error, AskError::Connect(_)), "{error}");
}

#[tokio::test]
async fn an_enclave_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let limit = Duration::from_millis(200);
        let outcome = ask(&url.parse().unwrap(), OURS, limit).await;
        assert!(matches!(outcome, Err(AskError::TimedOut(waited)) if waited == limit), "{outcome:?}");
    }
}

#[test]
fn a_path_that_leads_elsewhere_is_no_answer() {
    let device = Device::claiming([8; 32]);
    let mut live = Live { answer: device.answer(OURS), nonce: OURS, tls_spki_sha256: Some([8; 32]) };
    device.judge(&live).unwrap();
    live.answer.nonce_path = Path { index: 0, count: 1, siblings: Vec::new() };
    assert_eq!(device.judge(&live), Err(Refusal::NonceMismatch));
}

//! A control plane of the real programs, in a network namespace with nothing but loopback, as in an enclave.
#![allow(dead_code)]

use std::ffi::OsString;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daas_control_plane::addons::Choice;
use daas_control_plane::components::{EncryptionKey, Layout, RawSettings, Settings, Webhooks};
use daas_control_plane::pki::{AuthorityName, Lifetimes};
use daas_control_plane::{ApiClient, Blueprint, ControlPlane};
use daas_supervise::{Launcher, Timing};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use x509_cert::der::Decode;

pub(crate) const ADVERTISED: &str = "10.99.0.1";
const INSIDE: &str = "DAAS_TEST_INSIDE";

/// Runs `scenario` in a network namespace of its own: calls this test binary again inside one.
pub(crate) fn in_a_network_of_its_own<F: Future<Output = ()>>(test: &str, scenario: impl FnOnce() -> F) {
    let _ = kube();
    if std::env::var_os(INSIDE).is_none() {
        let status = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, "1")
            .status()
            .expect("unshare (util-linux)");
        assert!(status.success(), "{test} failed inside its network namespace");
        return;
    }
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", &format!("{ADVERTISED}/32"), "dev", "lo"]] {
        assert!(Command::new("ip").args(arguments).status().expect("ip (iproute2)").success());
    }
    if std::env::var_os("DAAS_TEST_LOGS").is_some() {
        tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::stderr).init();
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(scenario());
}

pub(crate) fn kube() -> PathBuf {
    let given = std::env::var_os("DAAS_KUBE").filter(|given| !given.is_empty());
    let given = given.expect(
        "DAAS_KUBE must name the multi-call binary: DAAS_KUBE=$(scripts/kubernetes-build --print kube)/kube builds it and says where it is",
    );
    PathBuf::from(&given)
        .canonicalize()
        .unwrap_or_else(|cause| panic!("DAAS_KUBE={}: {cause}", PathBuf::from(given).display()))
}

pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    pub(crate) admin: Admin,
    pub(crate) folder: TempDir,
}

/// `daas-launch`, which is built into the folder above the tests'.
fn launcher() -> Launcher {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("daas-launch");
    assert!(program.exists(), "cargo build -p daas-supervise makes {}", program.display());
    Launcher::at(program)
}

impl Cluster {
    /// A control plane without an authenticator that is ready.
    pub(crate) async fn bare() -> Self {
        Self::start(None, Webhooks::None, |_| ()).await
    }

    /// A control plane that is ready; `meanwhile` runs when it has been started.
    pub(crate) async fn start<T>(
        add_ons: Option<Choice>,
        webhooks: Webhooks,
        meanwhile: impl FnOnce(&ControlPlane) -> T,
    ) -> Self {
        Self::with_settings(RawSettings::default(), add_ons, webhooks, |plane, _| meanwhile(plane)).await
    }

    pub(crate) async fn with_settings<T>(
        raw: RawSettings,
        add_ons: Option<Choice>,
        webhooks: Webhooks,
        meanwhile: impl FnOnce(&ControlPlane, &Layout) -> T,
    ) -> Self {
        let raw = RawSettings { advertise_address: Some(ADVERTISED.into()), ..raw };
        let folder = TempDir::new().unwrap();
        let layout = Layout::at(&folder.path().join("cp")).unwrap();
        let blueprint = Blueprint {
            kube: kube(),
            launcher: launcher(),
            settings: Settings::parse(&raw).unwrap(),
            layout: layout.clone(),
            webhooks,
            encryption: EncryptionKey::generate().unwrap(),
            lifetimes: Lifetimes::default(),
            add_ons,
            cgroup: None,
            timing: Timing { ready: Duration::from_secs(1), ..Timing::default() },
        };
        let begun = Instant::now();
        let plane = ControlPlane::start(blueprint).await.unwrap();
        meanwhile(&plane, &layout);
        plane.ready().await.unwrap();
        eprintln!("ready after {:.1} s", begun.elapsed().as_secs_f32());
        let admin = Admin::of(&plane, &folder);
        Self { plane, admin, folder }
    }
}

/// An administrator as benchmarks of the bare control plane have one. Only tests make such a certificate.
pub(crate) struct Admin {
    pub(crate) client: ApiClient,
    kubeconfig: PathBuf,
}

impl Admin {
    fn of(plane: &ControlPlane, folder: &TempDir) -> Self {
        let (certificate, key) = issue(plane, "test-admin", "system:masters");
        let server_ca = plane.with_pki(|pki| pki.authority(AuthorityName::Server).pem());
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ca = write("ca.crt", &server_ca);
        let pair = write("admin.pem", &format!("{}{}", certificate.pem(), key.serialize_pem()));
        let kubeconfig = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": format!("https://{ADVERTISED}:6443"), "certificate-authority": ca}}],
            "users": [{"name": "x", "user": {"client-certificate": pair, "client-key": pair}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        });
        let kubeconfig = write("admin.kubeconfig", &kubeconfig.to_string());
        Self { client: client_of(plane, &certificate, &key), kubeconfig }
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut all: Vec<OsString> = vec!["kubectl".into(), "--kubeconfig".into(), self.kubeconfig.clone().into()];
        all.extend(arguments.iter().map(OsString::from));
        Command::new(kube()).args(all).output().unwrap()
    }

    /// What kubectl said when it was refused.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(!output.status.success(), "kubectl {arguments:?} was not refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The API server, as a user of the client authority.
pub(crate) fn client(plane: &ControlPlane, user: &str, group: &str) -> ApiClient {
    let (certificate, key) = issue(plane, user, group);
    client_of(plane, &certificate, &key)
}

fn client_of(plane: &ControlPlane, certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> ApiClient {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    ApiClient::with_certificate(address(), Arc::new(trusting(plane).with_client_auth_cert(chain, key).unwrap()))
}

fn issue(plane: &ControlPlane, user: &str, group: &str) -> (rcgen::Certificate, rcgen::KeyPair) {
    plane.with_pki(|pki| {
        let authority = pki.authority(AuthorityName::Client);
        let signing = rcgen::KeyPair::from_pem(&authority.key().to_pem()).unwrap();
        let subject = x509_cert::Certificate::from_der(authority.der()).unwrap().tbs_certificate.subject.to_string();
        let mut signer = rcgen::CertificateParams::default();
        signer.distinguished_name = rcgen::DistinguishedName::new();
        signer.distinguished_name.push(rcgen::DnType::CommonName, subject.strip_prefix("CN=").unwrap());
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, group);
        params.distinguished_name.push(rcgen::DnType::CommonName, user);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        (params.signed_by(&key, &rcgen::Issuer::new(signer, signing)).unwrap(), key)
    })
}

pub(crate) fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6443))
}

pub(crate) fn trusting(
    plane: &ControlPlane,
) -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = rustls::RootCertStore::empty();
    let ca = plane.with_pki(|pki| pki.authority(AuthorityName::Server).der().to_vec());
    roots.add(CertificateDer::from(ca)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
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
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

//! `daas up`: the whole cluster. Chain, release, network, enclave, workers; then a kubeconfig.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use daas_chain::client::{Package, SettingChange};
use daas_chain::wallet::Account;
use daas_diagnostics::{Diagnostic, codes};
use daas_nsm::DevelopmentRoot;
use sui_sdk_types::Address;

use super::report::Ready;
use super::setup::{Setup, endpoints};
use super::{NextStep, handover, shell_word};
use crate::arguments::{EnclaveKind, Kubeconfig, ReleasePublish, Up};
use crate::commands::kubeconfig::{self, Written};
use crate::commands::{Answer, release};
use crate::connection::told;
use crate::development::{
    Devnet, ENCLAVE, Enclave, Kubernetes, Lan, Lock, MOST_WORKERS, Measured, Part, Starting, link_kubectl,
};
use crate::invocation::Invocation;
use crate::moment;
use crate::places::{Places, Role, file_failed, private_folder};

/// This machine reaches the enclave here.
const HOST: &str = "127.0.0.1";
/// The control plane has two minutes (docs/control-plane.md), and before it the sandbox measures itself.
const PATIENCE: Duration = Duration::from_secs(150);
const AGAIN: Duration = Duration::from_millis(300);

pub(super) async fn run(invocation: Invocation, arguments: Up) -> Answer {
    if arguments.enclave == EnclaveKind::Qemu {
        return Err(Diagnostic::new(codes::ENCLAVE_KIND_NOT_YET).with("kind", "qemu"));
    }
    need_root()?;
    let kubernetes = Kubernetes::open(&arguments.kubernetes.clone().unwrap_or_else(default_kubernetes))?;
    let places = &invocation.places;
    let screen = invocation.screen;
    let _lock = Lock::take(places).await?;

    let stage = screen.stage("development chain", "개발용 체인");
    make_root(places)?;
    let mut roots = vec![places.attestation_root()];
    roots.extend(arguments.attestation_roots.iter().cloned());
    if let Some(devnet) = Devnet::running(places)?
        && !devnet.trusts(&places.attestation_root())
    {
        // Started without the root of this machine's simulated hardware: its enclave could not register.
        Devnet::stop(places).await?;
    }
    let (mut setup, devnet) = Setup::on_chain(&invocation, arguments.listen, &roots).await?;
    let operator = setup.wallet(Role::Operator).await?;
    setup.wallet(Role::Staker).await?;
    let package = setup.package(&operator).await?;
    let cluster = setup.cluster(&operator, package, endpoints(ENCLAVE)).await?;
    setup.endpoints(&operator, package, cluster).await?;
    let admin = setup.admin(&operator, package, cluster).await?;
    stage.done();

    let stage = screen.stage("release of the sandbox", "샌드박스 릴리스");
    if !Measured::is_current(places, &kubernetes)? {
        Part::Parent.stop(places).await?;
        Measured::take(places, &kubernetes)?;
    }
    let measured = Measured::at(places);
    let release = setup.release(&operator, package, cluster, &measured.measurements).await?;
    let kube = kubernetes.kube();
    let kube = kube.canonicalize().map_err(|error| file_failed("read", &kube, &error))?;
    link_kubectl(places, &kube)?;
    stage.done();

    let stage = screen.stage("network and enclave", "네트워크와 엔클레이브");
    let lan = Lan::start(places).await?;
    if lan.is_new {
        for part in Part::known(places).into_iter().rev().filter(|part| *part != Part::Lan) {
            part.stop(places).await?;
        }
    }
    setup.record.host = Some(HOST.to_owned());
    setup.keep()?;
    let enclave = Enclave {
        chain_id: &setup.record.chain_id,
        chain: devnet.address,
        package,
        cluster,
        operator_key: places.key_file(Role::Operator),
    };
    let mut parent = enclave.start(places, &lan, &measured.programs)?;
    let written = verified(&invocation, &mut parent).await?;
    stage.done();

    let stage = screen.stage("workers", "워커");
    let link = setup.link(package, cluster);
    let mut workers = setup.workers(&link, &lan, &kubernetes, arguments.workers).await?;
    let nodes = setup.nodes_ready(&link, &mut workers, &written.file, &stage).await?;
    stage.done();

    let taken = handover::hand_over(places, &setup.record, &admin.id.to_string(), &kube).unwrap_or_else(|error| {
        // The cluster runs all the same.
        screen.error(&error);
        None
    });
    let (kubeconfig, bin) = taken.map_or((written.file, places.bin()), |taken| (taken.kubeconfig, taken.bin));

    Ok(Box::new(Ready {
        next: next_steps(&kubeconfig, &bin),
        chain: (setup.record.chain_id.clone(), devnet.address.to_string()),
        package: package.id.to_string(),
        cluster: cluster.to_string(),
        release,
        instance: written.instance,
        server: written.server,
        admin: admin.name,
        nodes,
        kubeconfig: kubeconfig.display().to_string(),
        settings: places.client_settings().display().to_string(),
        logs: places.logs().display().to_string(),
    }))
}

impl Setup<'_> {
    /// A cluster that was made for the chain alone is reached elsewhere.
    async fn endpoints(&self, operator: &Account, package: Package, cluster: Address) -> Result<(), Diagnostic> {
        let wanted = endpoints(ENCLAVE);
        if self.link(package, cluster).read().await?.endpoints == wanted {
            return Ok(());
        }
        let change = [SettingChange::Endpoints(wanted)];
        self.session(operator, package)?.change_settings(cluster, &change).await.map(drop).map_err(told)
    }

    /// Publishes what was measured, unless that is done; gives back the digits that name it.
    async fn release(
        &self,
        operator: &Account,
        package: Package,
        cluster: Address,
        measurements: &Path,
    ) -> Result<String, Diagnostic> {
        let new = release::new_release(&ReleasePublish { measurements: measurements.to_owned(), worker: None })?;
        let known = self.link(package, cluster).releases().await?;
        if !known.iter().any(|release| release.pcrs == new.pcrs()) {
            self.session(operator, package)?.publish_release(cluster, &new).await.map_err(told)?;
        }
        Ok(release::short(&new.pcrs().to_string()))
    }
}

/// Waits until the enclave is the active instance and verifies; writes the administrator's kubeconfig.
async fn verified(invocation: &Invocation, parent: &mut Starting) -> Result<Written, Diagnostic> {
    let invocation = invocation.in_development()?;
    let arguments = Kubeconfig { node: None, file: None, server: None, root: None };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let why = match kubeconfig::write(&invocation, &arguments).await {
            Ok(written) => return Ok(written),
            Err(error) => error,
        };
        parent.check()?;
        if Instant::now() >= deadline {
            let error = parent.timed_out(PATIENCE);
            return Err(error.technical(format!("{}: {}", why.code(), why.message(daas_diagnostics::Lang::English))));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn need_root() -> Result<(), Diagnostic> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Diagnostic::new(codes::NEEDS_ROOT)
        .with_words(
            "action",
            "namespaces and control groups of enclave and workers",
            "엔클레이브와 워커의 네임스페이스와 컨트롤 그룹",
        )
        .technical("without root the chain alone can be started: daas up --chain-only"))
}

/// The root of the simulated hardware, made once.
fn make_root(places: &Places) -> Result<(), Diagnostic> {
    let folder = places.of(Role::Hardware);
    private_folder(&folder)?;
    let now = daas_attestation::UnixTime::from_millis(moment::now_ms());
    DevelopmentRoot::load_or_generate(&folder, now).map(drop).map_err(|error| {
        Diagnostic::new(codes::ATTESTATION_ROOT_INVALID)
            .with("path", folder.display())
            .with("reason", &error)
            .caused_by(&error)
    })
}

/// Where `make up` puts it: beside the folder of this program.
fn default_kubernetes() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.parent().and_then(Path::parent).unwrap_or(Path::new("/")).join("kubernetes")
}

/// What to type next, in words that work in this very shell.
fn next_steps(kubeconfig: &Path, bin: &Path) -> Vec<NextStep> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut export = format!("export KUBECONFIG={}", shell_word(kubeconfig));
    if !std::env::split_paths(&path).any(|folder| folder.join("kubectl").is_file()) {
        export = format!("{export} PATH=\"$PATH\":{}", shell_word(bin));
    }
    [
        (export, "kubectl with a Seal token", "Seal 토큰을 쓰는 kubectl"),
        ("kubectl get nodes".to_owned(), "the workers", "워커"),
        (
            "kubectl get pods --all-namespaces".to_owned(),
            "what runs on them; daas status, make down",
            "실행 중인 파드. daas status, make down",
        ),
    ]
    .into()
}

/// How many workers fit into the LAN.
pub(crate) fn workers(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|count| (0..=MOST_WORKERS).contains(count))
        .ok_or_else(|| format!("a number from 0 to {MOST_WORKERS}"))
}

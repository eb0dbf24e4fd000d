//! Puts the parts together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use daas_chain::registry::Registry;
use daas_control_plane::addons::Choice;
use daas_control_plane::components::{EncryptionKey, Layout, RawSettings, Settings, Webhooks};
use daas_control_plane::pki::{LeafName, Lifetimes};
use daas_control_plane::{Blueprint, ControlPlane};
use daas_https::server::{Limits, serve};
use daas_https::tls::{ClientCertificate, CurrentTls, Identity, acceptor};
use daas_supervise::{Launcher, Phase, States, Supervisor, Timing};
use daas_transport::client_line::Announced;
use daas_transport::loopback::Forwarder;
use daas_transport::ports;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sui_sdk_types::Address;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::api::{About, Api, Figures};
use crate::attestation::{Attestation, OfInstance};
use crate::authenticator::{self, Control, Gate, Listeners, Place, WEBHOOKS, keep_in_step};
use crate::boot;
use crate::chain::{self, ChainView};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::files::make_private;
use crate::instance::{Instance, claims, new_key};
use crate::options::Options;
use crate::programs::Programs;
use crate::runtime::{LogLevel, Runtime};
use crate::submissions::{Herald, Offers};
use crate::workers::{Book, ClusterFacts, Kube, NodeApi, Reserved, Workers, leaving};

/// Runs until `stop`, or until a part that everything needs has ended. `log_level` is told once it is known.
pub async fn run(options: Options, log_level: impl FnOnce(LogLevel), stop: CancellationToken) -> Result<()> {
    let programs = Programs::in_folder(&options.programs);
    // The parent may be late and the chain away: nothing has begun yet that must be ended in order.
    let booted = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        booted = boot(&options, &programs, log_level) => booted?,
    };
    let Booted { runtime, device, registry, package, _reach } = booted;
    let enclave = Enclave::start(&options, &programs, &runtime, &device, package).await?;
    let ended = enclave.serve(&options, &runtime, device, registry, &stop).await;
    // kube-apiserver asks the authenticator to its end.
    enclave.plane.stop().await;
    enclave.authenticator.stop().await;
    ended
}

/// What the control plane is started on.
struct Booted {
    runtime: Runtime,
    device: Device,
    registry: Registry,
    package: Address,
    /// The chain is reached as long as this lives.
    _reach: Forwarder,
}

async fn boot(options: &Options, programs: &Programs, log_level: impl FnOnce(LogLevel)) -> Result<Booted> {
    let runtime = boot::configuration(&options.link).await?;
    log_level(runtime.log_level);
    let device = Device::start(boot::module(options, programs).await?, &runtime.sha384)?;
    let reach = boot::reach(&options.link, &runtime, &options.hosts).await?;
    let (registry, package) = chain::follow(&runtime).await?;
    Ok(Booted { runtime, device, registry, package: package.id, _reach: reach })
}

/// The programs.
struct Enclave {
    settings: Settings,
    plane: ControlPlane,
    authenticator: Supervisor,
    files: Place,
}

impl Enclave {
    async fn start(
        options: &Options,
        programs: &Programs,
        runtime: &Runtime,
        device: &Device,
        package: Address,
    ) -> Result<Self> {
        make_private(&options.state).map_err(Error::file("making", &options.state))?;
        let settings = settings(runtime)?;
        let layout = Layout::at(&options.state.join("cluster"))?;
        let plane = ControlPlane::start(Blueprint {
            kube: programs.kube(),
            launcher: Launcher::at(programs.launch()),
            settings: settings.clone(),
            layout: layout.clone(),
            webhooks: Webhooks::Authenticator(WEBHOOKS),
            encryption: EncryptionKey::generate()?,
            lifetimes: Lifetimes::default(),
            add_ons: Some(Choice::default()),
            cgroup: options.cgroup.clone(),
            timing: Timing::default(),
        })
        .await?;
        let files = Place::below(&options.state);
        files.clear()?;
        let link = format!("link:{}", options.link);
        let listeners = Listeners { api: link.clone(), join: link };
        let configuration = authenticator::configuration(runtime, package, &settings, &layout, &files, &listeners);
        let authenticator = authenticator::keep(programs, &files, &configuration)?;
        tracing::info!(measured = %device.measured().pcrs, "control plane and authenticator are started");
        Ok(Self { settings, plane, authenticator, files })
    }

    async fn serve(
        &self,
        options: &Options,
        runtime: &Runtime,
        device: Device,
        registry: Registry,
        stop: &CancellationToken,
    ) -> Result<()> {
        let claims = self.plane.with_pki(|pki| claims(runtime.cluster_id().0, pki, runtime.sha256));
        let claims = claims.ok_or(daas_nsm::Error::Chain { what: "the claims" })?;
        let instance = Instance::new(new_key(&device)?, claims);
        tracing::info!(instance = %instance.public(), config_sha256 = hex::encode(runtime.sha256), "instance key made");

        let view: Arc<dyn ChainView> = Arc::new(registry.clone());
        let control = Arc::new(Control::at(&self.files.control));
        let serves = Arc::new(AtomicBool::new(false));
        let book = Arc::new(Book::new(runtime.max_workers as usize, reserved(runtime, &self.settings)?));
        let workers = Arc::new(Workers::new(
            Arc::clone(&book),
            Arc::clone(&view),
            Arc::new(Kube(self.plane.client())) as Arc<dyn NodeApi>,
            Arc::clone(&control) as Arc<dyn Gate>,
            facts(&self.settings)?,
            Arc::clone(&serves),
        ));
        let offers = Offers::default();
        let supervised = Arc::new(ArcSwap::from_pointee(self.figures()));
        let states = vec![self.plane.states(), self.authenticator.states()];
        let api = Arc::new(Api {
            attestation: Attestation::start(OfInstance { device: device.clone(), instance: instance.clone() }),
            workers: Arc::clone(&workers),
            view: Arc::clone(&view),
            offers: offers.clone(),
            about: About {
                chain: runtime.chain.to_string(),
                cluster: runtime.cluster_id(),
                instance: instance.clone(),
                device: device.clone(),
            },
            serves: Arc::clone(&serves),
            states: states.clone(),
            figures: Arc::new(OfPrograms { supervised: Arc::clone(&supervised), control: Arc::clone(&control) }),
        });

        let tls: CurrentTls = Arc::new(ArcSwap::from_pointee(self.tls()?));
        let listener = Announced::new(options.link.listen(ports::MASTER)?);
        let herald = Herald { instance, device, view, control: Arc::clone(&control), book: Arc::clone(&book), offers };
        let (ready, readiness) = watch::channel(false);
        let mut parts = JoinSet::new();
        parts.spawn(serve(listener, Arc::clone(&tls), Limits::PUBLIC, api, stop.clone()));
        parts.spawn(herald.run(registry.subscribe()));
        parts.spawn(leaving::follow(workers, registry.subscribe()));
        parts.spawn(keep_in_step(control, book, self.authenticator.states(), readiness));
        parts.spawn(watch_readiness(states, serves, ready));
        let mut renewals = self.plane.renewals();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                ended = parts.join_next() => {
                    if let Some(Err(error)) = ended {
                        tracing::error!(%error, "a part of the master has failed");
                    }
                    return if stop.is_cancelled() { Ok(()) } else { Err(Error::PartEnded) };
                }
                _ = second.tick() => supervised.store(Arc::new(self.figures())),
                Ok(()) = renewals.changed() => match self.tls() {
                    Ok(renewed) => tls.store(Arc::new(renewed)),
                    Err(error) => tracing::error!(%error, "the API keeps its certificate of before"),
                },
            }
        }
    }

    fn figures(&self) -> Vec<String> {
        vec![self.plane.metrics(), self.authenticator.metrics()]
    }

    /// What 8443 is served with: a certificate of the server authority, whose key is the one in the claims.
    fn tls(&self) -> Result<tokio_rustls::TlsAcceptor> {
        let identity = self.plane.with_pki(|pki| {
            let leaf = pki.leaf(LeafName::MasterServing);
            let key = Zeroizing::new(leaf.key().to_pem().as_bytes().to_vec());
            Identity { certificate: leaf.pem().into_bytes(), key }
        });
        Ok(acceptor(&identity, ClientCertificate::Unasked)?)
    }
}

/// Figures of the supervised programs, of a second ago at most, and of the authenticator.
struct OfPrograms {
    supervised: Arc<ArcSwap<Vec<String>>>,
    control: Arc<Control>,
}

impl Figures for OfPrograms {
    fn texts(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            let mut texts = self.supervised.load().to_vec();
            texts.extend(self.control.metrics().await.ok());
            texts
        })
    }
}

/// Everything that the runtime configuration does not say is k3s' default.
fn settings(runtime: &Runtime) -> Result<Settings> {
    Ok(Settings::parse(&RawSettings {
        advertise_address: Some(runtime.advertise_address.to_string()),
        // Clients come through the relay.
        bind_address: Some("127.0.0.1".to_owned()),
        tls_names: runtime.tls_names.clone(),
        log_level: Some(runtime.log_level.as_str().to_owned()),
        memory_mib: runtime.memory_mib.clone(),
        ..RawSettings::default()
    })?)
}

fn facts(settings: &Settings) -> Result<ClusterFacts> {
    Ok(ClusterFacts {
        cluster_cidr: settings.cluster_cidr().first().to_string().parse()?,
        service_cidr: settings.service_cidr().first().to_string().parse()?,
        cluster_dns: settings.cluster_dns(),
        cluster_domain: settings.cluster_domain().as_str().to_owned(),
        api_port: ports::API,
        join_port: ports::JOIN,
    })
}

fn reserved(runtime: &Runtime, settings: &Settings) -> Result<Reserved> {
    let facts = facts(settings)?;
    Ok(Reserved { addresses: vec![runtime.advertise_address], networks: vec![facts.cluster_cidr, facts.service_cidr] })
}

/// Ready is when all programs are, at once.
async fn watch_readiness(
    mut states: Vec<watch::Receiver<States>>,
    serves: Arc<AtomicBool>,
    ready: watch::Sender<bool>,
) {
    loop {
        let all = states.iter().all(|states| states.borrow().values().all(|state| state.phase == Phase::Ready));
        serves.store(all, Ordering::Relaxed);
        if ready.send_replace(all) != all {
            tracing::info!(ready = all, "the control plane");
        }
        let changes = states.iter_mut().map(|states| states.changed().boxed());
        if futures::future::select_all(changes).await.0.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[tokio::test]
    async fn a_master_that_waits_for_its_parent_stops_when_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let link = format!("folder:{}", folder.path().display());
        let options = Options::parse_from(["daas-master", "--link", &link, "--programs", "/", "--hosts", "/dev/null"]);
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(options, drop, stop.clone()));
        tokio::task::yield_now().await;
        assert!(!running.is_finished());
        stop.cancel();
        assert!(tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().is_ok());
    }
}

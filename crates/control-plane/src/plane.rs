//! One control plane, started and kept: files written, loopback services served, programs supervised, certificates renewed.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::addons::{self, Choice, Wanted};
use crate::api::ApiClient;
use crate::authority::{Credentials, Policy, PolicyServer, Served};
use crate::components::{ComponentName, Components, EncryptionKey, Layout, Settings, Webhooks, ports};
use crate::egress::ControlPlaneEgress;
use crate::pki::{AuthorityName, Identity, LeafName, Lifetimes, Pki, files::write_private};
use crate::{ControlPlaneError, Result};
use daas_supervise::{ChildSpec, HttpsProbe, Launcher, Limits, MemoryBound, Phase, States, Supervisor, Timing};

/// How long the programs have to become ready.
pub const READY_LIMIT: Duration = Duration::from_mins(2);
/// However far away the next renewal is: clocks jump.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
const SHORTEST_LEAF: Duration = Duration::from_hours(1);
const RETRY: Duration = Duration::from_secs(5);

/// What a control plane is started from.
#[derive(Debug)]
pub struct Blueprint {
    /// The multi-call binary.
    pub kube: PathBuf,
    /// How children are started.
    pub launcher: Launcher,
    /// Settings.
    pub settings: Settings,
    /// Where its files lie.
    pub layout: Layout,
    /// Whom kube-apiserver asks.
    pub webhooks: Webhooks,
    /// The key of Secrets in the store.
    pub encryption: EncryptionKey,
    /// How long certificates live.
    pub lifetimes: Lifetimes,
    /// Add-ons to apply and keep; `None`: none, nor the bindings of the tiers (tests and bare benchmarks).
    pub add_ons: Option<Choice>,
    /// A folder in the memory hierarchy of cgroups in which each program gets a group of its own; without one, RLIMIT_DATA limits it.
    pub cgroup: Option<PathBuf>,
    /// How often programs are asked.
    pub timing: Timing,
}

/// A running control plane. Dropping it kills its programs; [`ControlPlane::stop`] ends them in order.
pub struct ControlPlane {
    supervisor: Arc<Supervisor>,
    trust: Arc<Trust>,
    tasks: Vec<JoinHandle<()>>,
    address: SocketAddr,
}

impl ControlPlane {
    /// Makes a new cluster's keys, writes its files and starts its programs. It is not ready yet: see [`ControlPlane::ready`].
    pub async fn start(blueprint: Blueprint) -> Result<Self> {
        let Blueprint { kube, launcher, settings, layout, webhooks, encryption, lifetimes, add_ons, cgroup, timing } =
            blueprint;
        if lifetimes.leaf < SHORTEST_LEAF {
            return Err(ControlPlaneError::Contradiction(
                "certificates must live an hour or more: clients take up to five minutes to change over".into(),
            ));
        }
        let pki = Pki::create(settings.serving_names(), lifetimes, SystemTime::now())?;
        let wanted = add_ons.map(|choice| Wanted {
            settings: settings.clone(),
            choice,
            kubelet_authority: pki.authority(AuthorityName::KubeletServing).pem(),
        });
        let loopback_authority = pki.authority(AuthorityName::Loopback).pem();
        let trust = Arc::new(Trust::new(pki, layout.clone())?);
        let policy = Policy::new(wanted.as_ref().map(addons::rules).unwrap_or_default());
        // Whoever holds this port is a running control plane: its files are not touched.
        let policy = PolicyServer::bind(policy, trust.served.subscribe()).await?;
        layout.make_folders()?;
        layout.pki().write(&trust.pki())?;
        let components = Components::of(&settings, &layout, &webhooks, &encryption, &loopback_authority);
        for file in &components.files {
            write_private(&file.path, file.content.as_bytes())?;
        }
        let egress = ControlPlaneEgress::bind(&layout.control_plane_egress(), webhooks.addresses())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.https_port()));
        let specs = components.command_lines.into_iter().map(|line| {
            let limit = u64::from(settings.memory_limit(line.component).hard_mib) << 20;
            let (ready, alive) = trust.probes(line.component, address);
            ChildSpec {
                name: line.component.as_str(),
                program: kube.clone(),
                arguments: line.arguments.into_iter().skip(1).collect(),
                environment: line.environment,
                limits: Limits {
                    memory: Some(match &cgroup {
                        Some(parent) => MemoryBound::Cgroup(parent.join(line.component.as_str()), limit),
                        None => MemoryBound::Data(limit),
                    }),
                    no_new_privileges: true,
                    ..Limits::default()
                },
                after: predecessor(line.component).map(ComponentName::as_str),
                ready: ready.into_probe(),
                alive: alive.into_probe(),
                start_limit: READY_LIMIT,
            }
        });
        let supervisor = Arc::new(Supervisor::start(&launcher, specs.collect(), timing)?);
        let mut tasks = vec![
            tokio::spawn(policy.run()),
            tokio::spawn(egress.run()),
            tokio::spawn(renew(Arc::clone(&trust), Arc::clone(&supervisor))),
        ];
        if let Some(wanted) = wanted {
            let keeper = addons::Keeper::new(ApiClient::new(address, trust.master.subscribe()), wanted);
            tasks.push(tokio::spawn(keep_add_ons(keeper, supervisor.states())));
        }
        Ok(Self { supervisor, trust, tasks, address })
    }

    /// Waits until all programs are ready.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.supervisor.ready(READY_LIMIT).await?)
    }

    /// The programs' states, now and as they change.
    pub fn states(&self) -> watch::Receiver<States> {
        self.supervisor.states()
    }

    /// The states as Prometheus text.
    pub fn metrics(&self) -> String {
        self.supervisor.metrics()
    }

    /// The API server, as the master.
    pub fn client(&self) -> ApiClient {
        ApiClient::new(self.address, self.trust.master.subscribe())
    }

    /// Looks at the keys and certificates.
    pub fn with_pki<T>(&self, look: impl FnOnce(&Pki) -> T) -> T {
        look(&self.trust.pki())
    }

    /// Tells of each renewal, for servers in this process that hold certificates ([`Identity::of`]).
    pub fn renewals(&self) -> watch::Receiver<u64> {
        self.trust.renewals.subscribe()
    }

    /// Renews every certificate now, whatever its age: after a leak, or to see that all programs change over.
    pub fn renew_all(&self) -> Result<()> {
        self.trust.renew(SystemTime::now(), Scope::Leaves).map(drop)
    }

    /// Has service-account tokens signed with a new key from now on, and kube-apiserver started anew for it.
    pub fn replace_service_account_key(&self) -> Result<()> {
        self.trust.renew(SystemTime::now(), Scope::ServiceAccountKey)?;
        self.supervisor.restart(ComponentName::ApiServer.as_str());
        Ok(())
    }

    /// Ends the programs in order, within ten seconds.
    pub async fn stop(mut self) {
        // The first two serve kube-apiserver to its end; the renewal, which may restart programs, and the add-ons end now.
        self.tasks.drain(2..).for_each(abort);
        self.supervisor.stop().await;
    }
}

#[allow(clippy::needless_pass_by_value)]
fn abort(task: JoinHandle<()>) {
    task.abort();
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.tasks.drain(..).for_each(abort);
    }
}

/// The controller manager exits when it is refused once, and it is until RBAC's default roles are there: it waits for readiness.
const fn predecessor(component: ComponentName) -> Option<ComponentName> {
    match component {
        ComponentName::Etcd => None,
        ComponentName::ApiServer => Some(ComponentName::Etcd),
        ComponentName::ControllerManager | ComponentName::Scheduler => Some(ComponentName::ApiServer),
    }
}

/// The certificates, and what follows from them for this process.
struct Trust {
    pki: Mutex<Pki>,
    layout: Layout,
    /// The master at the API server, at etcd, and at the two health ports.
    master: watch::Sender<Arc<ClientConfig>>,
    etcd: watch::Sender<Arc<ClientConfig>>,
    health: watch::Sender<Arc<ClientConfig>>,
    served: watch::Sender<Served>,
    renewals: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Due,
    Leaves,
    ServiceAccountKey,
}

struct Configs {
    master: Arc<ClientConfig>,
    etcd: Arc<ClientConfig>,
    health: Arc<ClientConfig>,
    served: Served,
}

impl Trust {
    fn new(pki: Pki, layout: Layout) -> Result<Self> {
        let configs = configs(&pki, &Credentials::default())?;
        Ok(Self {
            pki: Mutex::new(pki),
            layout,
            master: watch::Sender::new(configs.master),
            etcd: watch::Sender::new(configs.etcd),
            health: watch::Sender::new(configs.health),
            served: watch::Sender::new(configs.served),
            renewals: watch::Sender::new(0),
        })
    }

    fn pki(&self) -> MutexGuard<'_, Pki> {
        // Every change is one insertion: a panic in between leaves whole certificates.
        self.pki.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews; says when to come again, and whether kube-apiserver must be started anew.
    fn renew(&self, now: SystemTime, scope: Scope) -> Result<(SystemTime, bool)> {
        let mut pki = self.pki();
        let mut plan = pki.plan(now);
        match scope {
            Scope::Due => {}
            Scope::Leaves => plan.leaves = LeafName::ALL.to_vec(),
            Scope::ServiceAccountKey => plan.service_account_key = true,
        }
        for authority in &plan.ending {
            tracing::warn!(
                authority = authority.as_str(),
                "a certificate authority ends within a third of its life: restart the enclave for new ones"
            );
        }
        for name in &plan.leaves {
            // What could not be written stays due.
            let leaf = pki.renewed(*name, now)?;
            self.layout.pki().write_leaf(*name, &leaf)?;
            pki.install(*name, leaf);
            tracing::info!(certificate = name.common_name(), file = name.as_str(), "renewed");
        }
        if plan.service_account_key {
            let keys = pki.rotated_service_account_keys(now)?;
            self.layout.pki().write_service_account(&keys)?;
            pki.install_service_account_keys(keys);
            tracing::info!("service-account tokens are signed with a new key");
        }
        if !plan.leaves.is_empty() {
            let configs = configs(&pki, &self.served.borrow().credentials)?;
            self.served.send_replace(configs.served);
            self.master.send_replace(configs.master);
            self.etcd.send_replace(configs.etcd);
            self.health.send_replace(configs.health);
            self.renewals.send_modify(|count| *count += 1);
        }
        Ok((plan.next, plan.service_account_key))
    }

    /// Readiness and sanity of a program. kube-apiserver is not insane because etcd is away.
    fn probes(&self, component: ComponentName, api_server: SocketAddr) -> (HttpsProbe, HttpsProbe) {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (address, tls, ready, alive) = match component {
            ComponentName::Etcd => (local(ports::ETCD), &self.etcd, "/readyz", "/livez"),
            ComponentName::ApiServer => (api_server, &self.master, "/readyz", "/livez?exclude=etcd"),
            ComponentName::ControllerManager => {
                (local(ports::CONTROLLER_MANAGER), &self.health, "/healthz", "/healthz")
            }
            ComponentName::Scheduler => (local(ports::SCHEDULER), &self.health, "/healthz", "/healthz"),
        };
        let probe = |path| HttpsProbe { address, path, tls: tls.subscribe() };
        (probe(ready), probe(alive))
    }
}

fn configs(pki: &Pki, known: &Credentials) -> Result<Configs> {
    let client = |leaf, servers| Identity::of(pki, leaf).client(pki, servers);
    let add = |known: &BTreeSet<String>, leaf| {
        let mut all = known.clone();
        all.insert(pki.leaf(leaf).credential_id());
        all
    };
    let credentials = Credentials {
        master: add(&known.master, LeafName::MasterClient),
        kubelet_client: add(&known.kubelet_client, LeafName::ApiServerToKubelet),
        controller_manager: add(&known.controller_manager, LeafName::ControllerManagerClient),
    };
    Ok(Configs {
        master: client(LeafName::MasterClient, AuthorityName::Server)?,
        etcd: client(LeafName::MasterToEtcd, AuthorityName::Etcd)?,
        // Health ports ask for no certificate; the one that is shown is of no use to them.
        health: client(LeafName::MasterClient, AuthorityName::Loopback)?,
        served: Served {
            tls: Identity::of(pki, LeafName::MasterWebhook).mutual_server(pki, AuthorityName::Loopback)?,
            credentials: Arc::new(credentials),
        },
    })
}

async fn renew(trust: Arc<Trust>, supervisor: Arc<Supervisor>) {
    loop {
        let now = SystemTime::now();
        let wait = match trust.renew(now, Scope::Due) {
            Ok((next, restart)) => {
                if restart {
                    supervisor.restart(ComponentName::ApiServer.as_str());
                }
                next.duration_since(now).unwrap_or(RETRY).min(LONGEST_SLEEP)
            }
            Err(error) => {
                tracing::error!(%error, "certificates could not be renewed; trying again");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

async fn keep_add_ons(keeper: addons::Keeper, mut states: watch::Receiver<States>) {
    let ready = |states: &States| states[ComponentName::ApiServer.as_str()].phase == Phase::Ready;
    if states.wait_for(ready).await.is_ok() {
        addons::keep(keeper).await;
    }
}

impl std::fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlPlane").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::ServingNames;

    #[test]
    fn a_certificate_that_could_not_be_written_stays_due() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path()).unwrap();
        let born = SystemTime::now();
        let pki = Pki::create(ServingNames::loopback(), Lifetimes::default(), born).unwrap();
        let trust = Trust::new(pki, layout.clone()).unwrap();
        let later = born + Duration::from_hours(25 * 24);
        // There is no folder yet.
        assert!(trust.renew(later, Scope::Due).is_err());
        assert!(trust.pki().plan(later).leaves.contains(&LeafName::EtcdServing));
        layout.make_folders().unwrap();
        layout.pki().write(&trust.pki()).unwrap();
        let read = |name| std::fs::read_to_string(layout.pki().certificate(name).path()).unwrap();
        let before = read(LeafName::EtcdServing);
        trust.renew(later, Scope::Due).unwrap();
        assert_eq!(trust.pki().plan(later).leaves, []);
        assert_ne!(read(LeafName::EtcdServing), before);
        assert!(read(LeafName::EtcdServing).starts_with(&trust.pki().leaf(LeafName::EtcdServing).pem()));
    }

    #[test]
    fn the_fingerprints_of_replaced_certificates_stay_known() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path()).unwrap();
        layout.make_folders().unwrap();
        let now = SystemTime::now();
        let pki = Pki::create(ServingNames::loopback(), Lifetimes::default(), now).unwrap();
        let first = pki.leaf(LeafName::MasterClient).credential_id();
        layout.pki().write(&pki).unwrap();
        let trust = Trust::new(pki, layout).unwrap();
        trust.renew(now, Scope::Leaves).unwrap();
        let second = trust.pki().leaf(LeafName::MasterClient).credential_id();
        let known = trust.served.borrow().credentials.master.clone();
        assert_eq!(known, BTreeSet::from([first, second]));
    }
}

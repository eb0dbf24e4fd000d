//! Puts the parts together: configuration in, listeners and loops out.

#[cfg(test)]
mod tests;

use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use daas_chain::client::Package;
use daas_chain::registry::{Registry, RegistryConfig, Trust};
use daas_join::{AgentConfig, PasswordBook};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::connections::Connections;
use crate::control::Control;
use crate::cut_off::{CutOff, follow};
use crate::egress::Egress;
use crate::error::Error;
use crate::gateway::{Documents, Gateway, Signers};
use crate::issuer::Issuer;
use crate::journal::{Journal, Remembered};
use crate::listener::Clients;
use crate::nodes::Nodes;
use crate::relay::{RelayLimits, relay};
use crate::tunnel::Tunnels;
use crate::verdicts::Verdicts;
use crate::webhooks::{Admission, Webhooks};
use daas_https::server::{Limits, serve};
use daas_https::tls::{ClientCertificate, CurrentTls, Identity, acceptor, multiplexing};
use daas_transport::link::listen_at;
use daas_transport::{open_files, ports};

/// k3s gives a year; the registry decides about every request anyway.
const CERTIFICATE_LIFE: Duration = Duration::from_hours(365 * 24);
/// Two for each connection to kube-apiserver, one for each of the gateway, the webhooks and the egress.
const OPEN_FILES: u64 = 20_480;
/// The control plane renews certificates in place.
const READ_AGAIN: Duration = Duration::from_mins(1);
const TIDY: Duration = Duration::from_mins(1);

/// What `daas-authenticator` is started with: JSON, unknown fields refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Which chain, and whom to believe.
    pub chain: Chain,
    /// The folder in which the control plane puts the authenticator's certificates and keys.
    pub pki: PathBuf,
    /// kube-apiserver.
    pub api_server: SocketAddrV4,
    /// Where clients of kube-apiserver arrive: `link:folder:<folder>`, `unix:<path>`, or an address with its port.
    pub api_listener: String,
    /// Where agents arrive, in the same forms.
    pub join_listener: String,
    /// Where kube-apiserver asks.
    pub webhook_listener: SocketAddr,
    /// Where kube-apiserver asks whether what nodes report is true.
    pub admission_listener: SocketAddr,
    /// Where kube-apiserver asks for streams to workers.
    pub egress_socket: PathBuf,
    /// Where the master commands.
    pub control_socket: PathBuf,
    /// Where makers of service-account tokens and nodes' passwords are remembered across restarts of this process: a file in
    /// memory. Without one a restart forgets them.
    pub journal: Option<PathBuf>,
    /// Addresses of the API servers that agents are told, as `host:port` of the join gateway.
    pub advertised: Vec<String>,
    /// Port of kube-apiserver as workers see it.
    pub https_port: u16,
    /// Port of the join gateway as workers see it.
    pub join_port: u16,
    /// Addresses of pods; k3s' if missing.
    pub cluster_range: Option<String>,
    /// Addresses of services.
    pub service_range: Option<String>,
    /// The cluster's name server.
    pub cluster_dns: Option<std::net::IpAddr>,
    /// The cluster's domain.
    pub cluster_domain: Option<String>,
}

/// Which chain the registry follows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The nodes' addresses.
    pub nodes: Vec<String>,
    /// How many must agree; one alone is believed if missing.
    pub needed: Option<usize>,
    /// The chain identifier.
    pub chain_id: String,
    /// The package as it is called.
    pub package: String,
    /// The package that defined the types, if it was upgraded since.
    pub package_origin: Option<String>,
    /// The cluster.
    pub cluster: String,
}

impl Configuration {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::io("reading the configuration"))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Configuration(error.to_string()))
    }

    fn registry(&self) -> Result<RegistryConfig, Error> {
        let unusable = |what: &str| Error::Configuration(format!("{what} is malformed"));
        let Chain { nodes, needed, chain_id, package, package_origin, cluster } = &self.chain;
        let id = package.parse().map_err(|_| unusable("chain.package"))?;
        let origin = package_origin.as_ref().map_or(Ok(id), |origin| origin.parse());
        let origin = origin.map_err(|_| unusable("chain.package_origin"))?;
        let chain = chain_id.parse().map_err(|_| unusable("chain.chain_id"))?;
        let cluster = cluster.parse().map_err(|_| unusable("chain.cluster"))?;
        let config = RegistryConfig::rpc("", chain, Package { id, origin }, cluster);
        let trust = needed.map_or(Trust::Rpc, |needed| Trust::Quorum { needed });
        Ok(RegistryConfig { nodes: nodes.clone(), trust, ..config })
    }

    fn agents(&self) -> Result<AgentConfig, Error> {
        let mut agents = AgentConfig::new(self.https_port, self.join_port);
        if let Some(range) = &self.cluster_range {
            agents.cluster_range = range.parse()?;
        }
        if let Some(range) = &self.service_range {
            agents.service_range = range.parse()?;
        }
        agents.cluster_dns = self.cluster_dns.unwrap_or(agents.cluster_dns);
        agents.cluster_domain = self.cluster_domain.clone().unwrap_or(agents.cluster_domain);
        Ok(agents)
    }

    fn file(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
        std::fs::read(self.pki.join(name)).map(Zeroizing::new).map_err(Error::io(name))
    }

    /// Certificate and key in one file.
    fn pair(&self, name: &'static str) -> Result<Identity, Error> {
        let both = self.file(name)?;
        Ok(Identity { certificate: both.to_vec(), key: both })
    }

    fn issuer(&self, certificate: &'static str, key: &'static str) -> Result<Issuer, Error> {
        let identity = Identity { certificate: self.file(certificate)?.to_vec(), key: self.file(key)? };
        Issuer::new(&identity, CERTIFICATE_LIFE)
    }

    fn documents(&self, agents: AgentConfig) -> Result<Documents, Error> {
        Ok(Documents {
            server_ca: self.file("server-ca.crt")?.to_vec(),
            client_ca: self.file("client-ca.crt")?.to_vec(),
            config: agents,
            api_servers: self.advertised.clone(),
        })
    }

    fn signers(&self) -> Result<Signers, Error> {
        Ok(Signers {
            client: Arc::new(self.issuer("client-ca.crt", "client-ca.key")?),
            kubelet_serving: Arc::new(self.issuer("kubelet-ca.crt", "kubelet-ca.key")?),
        })
    }

    fn join_tls(&self) -> Result<tokio_rustls::TlsAcceptor, Error> {
        Ok(acceptor(&self.pair("join-serving.pem")?, ClientCertificate::Optional(&self.file("client-ca.crt")?))?)
    }

    fn webhook_tls(&self) -> Result<tokio_rustls::TlsAcceptor, Error> {
        Ok(multiplexing(&self.pair("webhook-serving.pem")?, &self.file("loopback-ca.crt")?)?)
    }
}

/// Runs until `stop`.
pub async fn run(configuration: Configuration, stop: CancellationToken) -> Result<(), Error> {
    let allowed = open_files::raise(OPEN_FILES);
    if allowed < OPEN_FILES {
        tracing::warn!(
            allowed,
            wanted = OPEN_FILES,
            "fewer files may be open than the connections that are allowed need"
        );
    }
    let registry =
        Registry::start(configuration.registry()?).map_err(|error| Error::Configuration(error.to_string()))?;
    let verdicts = Arc::new(Verdicts::new(registry.clone()));
    let connections = Arc::new(Connections::default());
    let tunnels = Arc::new(Tunnels::default());
    let agents = configuration.agents()?;
    let nodes = Arc::new(Nodes::new(agents.cluster_range, agents.service_range));
    let (journal, passwords) = remember(configuration.journal.as_deref(), &verdicts)?;
    let gateway = Arc::new(Gateway::new(
        Arc::clone(&verdicts),
        Arc::clone(&nodes),
        Arc::clone(&tunnels),
        configuration.documents(agents)?,
        configuration.signers()?,
        passwords,
        Arc::clone(&journal),
    ));
    let webhooks = Webhooks::new(Arc::clone(&verdicts), Arc::clone(&connections), Arc::clone(&journal));
    let admission = Admission::new(Arc::clone(&verdicts), Arc::clone(&nodes));
    let control = Arc::new(Control {
        verdicts: Arc::clone(&verdicts),
        nodes: Arc::clone(&nodes),
        gateway: Arc::clone(&gateway),
        tunnels: Arc::clone(&tunnels),
        connections: Arc::clone(&connections),
    });
    let join_tls: CurrentTls = Arc::new(ArcSwap::from_pointee(configuration.join_tls()?));
    let webhook_tls: CurrentTls = Arc::new(ArcSwap::from_pointee(configuration.webhook_tls()?));

    let egress_listener = listen_at(&configuration.egress_socket)?;
    let control_listener = listen_at(&configuration.control_socket)?;
    let webhook_listener =
        TcpListener::bind(configuration.webhook_listener).await.map_err(Error::io("listening for kube-apiserver"))?;
    let admission_listener =
        TcpListener::bind(configuration.admission_listener).await.map_err(Error::io("listening for kube-apiserver"))?;
    let join_listener = Clients::bind(&configuration.join_listener, ports::JOIN).await?;
    let api_listener = Clients::bind(&configuration.api_listener, ports::API).await?;

    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(tidy(journal, Arc::clone(&verdicts), Arc::clone(&gateway), stop.clone()));
    let cut_off = CutOff::new(verdicts, Arc::clone(&connections), Arc::clone(&tunnels));
    tasks.spawn(follow(cut_off, Arc::clone(&gateway), registry, stop.clone()));
    tasks.spawn(Egress::new(nodes, tunnels).serve(egress_listener, stop.clone()));
    tasks.spawn(control.serve(control_listener, stop.clone()));
    tasks.spawn(serve(webhook_listener, Arc::clone(&webhook_tls), Limits::LOOPBACK, Arc::new(webhooks), stop.clone()));
    tasks.spawn(serve(
        admission_listener,
        Arc::clone(&webhook_tls),
        Limits::LOOPBACK,
        Arc::new(admission),
        stop.clone(),
    ));
    let target = configuration.api_server;
    tasks.spawn(relay(api_listener, target, connections, RelayLimits::default(), stop.clone()));
    tasks.spawn(serve(join_listener, Arc::clone(&join_tls), Limits::PUBLIC, gateway, stop.clone()));
    tasks.spawn(renew(configuration, join_tls, webhook_tls, stop.clone()));
    tracing::info!("authenticator is up");
    // Whichever part ends first ends all: the supervisor starts them together again.
    tasks.join_next().await;
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// What an earlier process noted, and where this one goes on.
fn remember(path: Option<&Path>, verdicts: &Verdicts<Registry>) -> Result<(Arc<Journal>, PasswordBook), Error> {
    let (journal, remembered) = path.map_or_else(|| Ok(Default::default()), Journal::open)?;
    for (credential, maker, at_ms) in remembered.makers {
        verdicts.note_minted(&credential, maker, at_ms);
    }
    let salt = if let Some(salt) = remembered.salt {
        salt
    } else {
        let mut salt = [0; 32];
        SystemRandom::new().fill(&mut salt).map_err(|_| Error::Signing)?;
        journal.salt(salt);
        salt
    };
    Ok((Arc::new(journal), PasswordBook::restore(salt, remembered.passwords)))
}

/// Every minute: the journal holds what lives.
async fn tidy(
    journal: Arc<Journal>,
    verdicts: Arc<Verdicts<Registry>>,
    gateway: Arc<Gateway<Registry>>,
    stop: CancellationToken,
) {
    while tokio::time::timeout(TIDY, stop.cancelled()).await.is_err() {
        journal.tidy(|| {
            let (salt, passwords) = gateway.remembered_passwords();
            Remembered { salt: Some(salt), passwords, makers: verdicts.all_minted() }
        });
    }
}

/// Takes renewed certificates up for new connections.
async fn renew(configuration: Configuration, join: CurrentTls, webhooks: CurrentTls, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(READ_AGAIN) => {}
        }
        for (current, renewed) in [(&join, configuration.join_tls()), (&webhooks, configuration.webhook_tls())] {
            match renewed {
                Ok(acceptor) => current.store(Arc::new(acceptor)),
                Err(error) => tracing::warn!(%error, "the certificate of before is kept"),
            }
        }
    }
}

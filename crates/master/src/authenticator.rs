//! The authenticator: what it is started with, how it is kept, and what the master tells and asks it (docs/join.md, "The binary").

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daas_control_plane::components::{AuthenticatorWebhooks, Layout, Settings};
use daas_control_plane::pki::Keeper;
use daas_join::Network;
use daas_seal_token::{NodeName, SealToken};
use daas_supervise::{ChildSpec, Launcher, Limits, MemoryBound, Phase, Probe, States, Supervisor, Timing};
use daas_transport::ports;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::files::write_private;
use crate::programs::Programs;
use crate::runtime::Runtime;
use crate::workers::Book;

/// Its name among the programs.
pub const NAME: &str = "daas-authenticator";
/// Its loopback ports, beside the control plane's own (`daas_control_plane::components::ports`).
pub const WEBHOOKS: AuthenticatorWebhooks = AuthenticatorWebhooks { port: 9641, admission_port: Some(9642) };
/// Threads' stacks and tunnels' queues count here, not only what is resident.
const MEMORY: u64 = 2 << 30;
const START_LIMIT: Duration = Duration::from_mins(1);
/// Its registry has to load; the answer itself takes no time.
const ANSWER_TIME: Duration = Duration::from_secs(5);
const LONGEST_ANSWER: u64 = 1 << 20;
/// How soon an authenticator that was started anew knows its workers again.
const SYNC: Duration = Duration::from_millis(200);

/// Where its files lie.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its configuration.
    pub configuration: PathBuf,
    /// The socket over which it is commanded.
    pub control: PathBuf,
    /// What it remembers when its process ends and another one starts; it is this cluster's and ends with it.
    pub journal: PathBuf,
}

impl Place {
    /// Below this folder.
    pub fn below(state: &Path) -> Self {
        Self {
            configuration: state.join("authenticator.json"),
            control: state.join("control.sock"),
            journal: state.join("authenticator.journal"),
        }
    }

    /// Removes what an earlier cluster left here.
    pub fn clear(&self) -> Result<()> {
        match std::fs::remove_file(&self.journal) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("removing", &self.journal)(cause))
            }
            _ => Ok(()),
        }
    }
}

/// What it is configured with.
pub fn configuration(
    runtime: &Runtime,
    package: sui_sdk_types::Address,
    settings: &Settings,
    layout: &Layout,
    place: &Place,
    listeners: &Listeners,
) -> Value {
    let nodes: Vec<_> = runtime.nodes.iter().map(|node| node.url.as_str()).collect();
    let needed = (nodes.len() > 1).then(|| nodes.len() / 2 + 1);
    let advertised = SocketAddr::new(runtime.advertise_address, ports::JOIN);
    json!({
        "chain": {
            "nodes": nodes, "needed": needed, "chain_id": runtime.chain.to_string(), "package": package.to_string(),
            "cluster": runtime.cluster.to_string(),
        },
        "pki": layout.pki().of(Keeper::Authenticator),
        "api_server": SocketAddr::from((Ipv4Addr::LOCALHOST, settings.https_port())),
        "api_listener": listeners.api,
        "join_listener": listeners.join,
        "webhook_listener": WEBHOOKS.address(),
        "admission_listener": WEBHOOKS.admission_address(),
        "egress_socket": layout.cluster_egress(),
        "control_socket": place.control,
        "journal": place.journal,
        "advertised": [advertised.to_string()],
        "https_port": ports::API,
        "join_port": ports::JOIN,
        "cluster_range": settings.cluster_cidr().first().to_string(),
        "service_range": settings.service_cidr().first().to_string(),
        "cluster_dns": settings.cluster_dns(),
        "cluster_domain": settings.cluster_domain().as_str(),
    })
}

/// Where clients arrive, as its configuration names it.
#[derive(Debug, Clone)]
pub struct Listeners {
    /// Those of kube-apiserver.
    pub api: String,
    /// Agents.
    pub join: String,
}

/// Starts it and keeps it.
pub fn keep(programs: &Programs, place: &Place, configuration: &Value) -> Result<Supervisor> {
    write_private(&place.configuration, configuration.to_string().as_bytes())
        .map_err(Error::file("writing", &place.configuration))?;
    let probe = probe(place.control.clone());
    let spec = ChildSpec {
        name: NAME,
        program: programs.authenticator(),
        arguments: vec!["--config".to_owned(), place.configuration.display().to_string()],
        environment: Vec::new(),
        limits: Limits { memory: Some(MemoryBound::Data(MEMORY)), no_new_privileges: true, ..Limits::default() },
        after: None,
        ready: Arc::clone(&probe),
        alive: probe,
        start_limit: START_LIMIT,
    };
    Ok(Supervisor::start(&Launcher::at(programs.launch()), vec![spec], Timing::default())?)
}

fn probe(control: PathBuf) -> Probe {
    Arc::new(move || {
        let control = Control::at(control.clone());
        Box::pin(
            async move { control.ask(&json!({"command": "status"})).await.map(drop).map_err(|why| why.to_string()) },
        )
    })
}

/// What the authenticator answered, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It does not answer.
    #[error("the authenticator does not answer: {0}")]
    Away(String),
}

/// What the master tells and asks it about workers.
pub trait Gate: Send + Sync {
    /// Whether a token of the join purpose is this node's.
    fn verify_join<'a>(&'a self, token: &'a SealToken, node: &'a NodeName) -> BoxFuture<'a, Result<(), ControlError>>;
    /// A worker has this address, and its pods these.
    fn put_node<'a>(
        &'a self,
        name: &'a NodeName,
        address: IpAddr,
        pods: Option<Network>,
    ) -> BoxFuture<'a, Result<(), ControlError>>;
    /// A worker is gone.
    fn remove_node<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), ControlError>>;
}

/// The socket over which it is commanded: one object a line, one answer a line.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    stream: Mutex<Option<BufReader<UnixStream>>>,
}

impl Control {
    /// At this path; connects when it is first used, and again when it was cut.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), stream: Mutex::new(None) }
    }

    /// Whether the control plane is ready.
    pub async fn set_ready(&self, ready: bool) -> Result<(), ControlError> {
        self.ask(&json!({"command": "set_ready", "ready": ready})).await.map(drop)
    }

    /// Its figures, as Prometheus text.
    pub async fn metrics(&self) -> Result<String, ControlError> {
        let answer = self.ask(&json!({"command": "metrics"})).await?;
        Ok(answer["metrics"].as_str().unwrap_or_default().to_owned())
    }

    /// What workers were seen doing and is not settled.
    pub async fn offences(&self) -> Result<Vec<Value>, ControlError> {
        let mut answer = self.ask(&json!({"command": "offences"})).await?;
        Ok(answer["offences"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// An offence was dealt with.
    pub async fn settle_offence(&self, number: u64) -> Result<(), ControlError> {
        self.ask(&json!({"command": "settle_offence", "id": number})).await.map(drop)
    }

    async fn ask(&self, command: &Value) -> Result<Value, ControlError> {
        // A token may be in it.
        let line = Zeroizing::new(format!("{command}\n"));
        let mut stream = self.stream.lock().await;
        // A connection that an earlier process of the authenticator held is found out by using it: once more, on a new one.
        let kept = stream.take();
        let again = kept.is_some();
        let mut answered = self.exchange(kept, &line).await;
        if again && answered.is_err() {
            answered = self.exchange(None, &line).await;
        }
        let (answer, open) = answered.map_err(ControlError::Away)?;
        *stream = Some(open);
        drop(stream);
        if answer["ok"] == true {
            return Ok(answer);
        }
        Err(ControlError::Refused(answer["error"].as_str().unwrap_or("no reason was given").to_owned()))
    }

    async fn exchange(
        &self,
        kept: Option<BufReader<UnixStream>>,
        line: &str,
    ) -> Result<(Value, BufReader<UnixStream>), String> {
        let exchange = async {
            let mut stream = match kept {
                Some(stream) => stream,
                None => BufReader::new(UnixStream::connect(&self.path).await?),
            };
            stream.write_all(line.as_bytes()).await?;
            let mut answer = Vec::new();
            (&mut stream).take(LONGEST_ANSWER).read_until(b'\n', &mut answer).await?;
            Ok::<_, std::io::Error>((answer, stream))
        };
        let exchanged = tokio::time::timeout(ANSWER_TIME, exchange).await;
        let (answer, stream) = exchanged.map_err(|_| "too slow".to_owned())?.map_err(|error| error.to_string())?;
        let answer = serde_json::from_slice(&answer).map_err(|_| "its answer is no JSON".to_owned())?;
        Ok((answer, stream))
    }
}

impl Gate for Control {
    fn verify_join<'a>(&'a self, token: &'a SealToken, node: &'a NodeName) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move {
            let bearer = Zeroizing::new(token.to_bearer());
            let command = json!({"command": "verify_join", "token": bearer.as_str(), "node": node.as_str()});
            self.ask(&command).await.map(drop)
        })
    }

    fn put_node<'a>(
        &'a self,
        name: &'a NodeName,
        address: IpAddr,
        pods: Option<Network>,
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move {
            let pods = pods.map(|pods| pods.to_string());
            let command = json!({"command": "put_node", "name": name.as_str(), "address": address, "pods": pods});
            self.ask(&command).await.map(drop)
        })
    }

    fn remove_node<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move { self.ask(&json!({"command": "remove_node", "name": name.as_str()})).await.map(drop) })
    }
}

/// Tells each new process of the authenticator what its predecessor knew: the workers, and whether the control plane is ready.
/// Runs until it is dropped.
pub async fn keep_in_step(
    control: Arc<Control>,
    book: Arc<Book>,
    states: watch::Receiver<States>,
    ready: watch::Receiver<bool>,
) {
    let mut told = None;
    loop {
        let process =
            states.borrow().get(NAME).filter(|state| state.phase == Phase::Ready).and_then(|state| state.process);
        let serves = *ready.borrow();
        let now = process.map(|process| (process, serves));
        if now.is_some() && now != told {
            match tell(&control, &book, serves).await {
                Ok(()) => told = now,
                Err(error) => tracing::warn!(%error, "the authenticator does not know the workers yet"),
            }
        }
        tokio::time::sleep(SYNC).await;
    }
}

async fn tell(control: &Control, book: &Book, ready: bool) -> Result<(), ControlError> {
    for (name, address, pods) in book.records() {
        match control.put_node(&name, address, pods).await {
            Err(ControlError::Refused(why)) => tracing::warn!(%name, why, "the authenticator takes no such worker"),
            told => told?,
        }
    }
    control.set_ready(ready).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::UnixListener;

    use super::*;

    /// Answers `ok` to so many lines, then closes the connection; again and again.
    fn stand_in(path: &Path, lines: usize) -> Arc<AtomicUsize> {
        let listener = UnixListener::bind(path).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                let mut stream = BufReader::new(stream);
                for _ in 0..lines {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    let command: Value = serde_json::from_str(&line).unwrap();
                    let answer = if command["command"] == "remove_node" {
                        json!({"ok": false, "error": "not today"})
                    } else {
                        json!({"ok": true})
                    };
                    stream.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
                }
            }
        });
        connections
    }

    #[tokio::test]
    async fn commands_share_a_connection_and_survive_a_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let connections = stand_in(&path, 2);
        let control = Control::at(&path);
        for _ in 0..6 {
            control.set_ready(true).await.unwrap();
        }
        assert_eq!(connections.load(Ordering::Relaxed), 3);
        let name = "worker-1-0a1b2c3d".parse().unwrap();
        assert_eq!(control.remove_node(&name).await, Err(ControlError::Refused("not today".into())));
        let nobody = Control::at(folder.path().join("nobody.sock"));
        assert!(matches!(nobody.set_ready(true).await, Err(ControlError::Away(_))));
    }
}

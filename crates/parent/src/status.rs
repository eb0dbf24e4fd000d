//! How the parent does: one JSON object for each connection to a Unix socket.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use daas_supervise::States;
use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::{Carried, Traffic};
use daas_transport::link::listen_at;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::chain::View;
use crate::enclave::ENCLAVE;
use crate::logs::LogSink;

const MAX_READERS: usize = 8;
const WRITE_TIME: Duration = Duration::from_secs(5);

/// What is told.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The form of this object: 1.
    pub version: u32,
    /// The parent's process.
    pub process: u32,
    /// Since when, Unix time in milliseconds.
    pub started_ms: u64,
    /// SHA-256 of the runtime configuration, which the enclave claims.
    pub config_sha256: String,
    /// The enclave, if this parent starts it.
    pub enclave: Option<EnclaveStatus>,
    /// Clients of the enclave, on the left.
    pub inbound: Flow,
    /// Those who use the forwards, on the left.
    pub forwards: Flow,
    /// The enclave's connections to the outside; it is on the left.
    pub egress: Flow,
    /// Bytes of logs that could not be written.
    pub log_bytes_lost: u64,
    /// The chain, if this parent submits.
    pub chain: Option<View>,
}

/// The enclave.
#[derive(Debug, Clone, Serialize)]
pub struct EnclaveStatus {
    /// `waiting`, `starting`, `ready`, …
    pub phase: String,
    /// The sandbox's process.
    pub process: Option<u32>,
    /// Starts after the first.
    pub restarts: u64,
    /// Why it ended last, or is not ready.
    pub detail: String,
}

/// Connections and bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Flow {
    /// Connections that are open.
    pub open: u64,
    /// Connections until now.
    pub total: u64,
    /// Of these, the ones that broke.
    pub broken: u64,
    /// Bytes to the left side.
    pub bytes_to_left: u64,
    /// Bytes to the right side.
    pub bytes_to_right: u64,
}

/// Where the answers come from.
pub struct Sources {
    /// SHA-256 of the runtime configuration.
    pub config_sha256: String,
    /// The enclave's.
    pub states: Option<watch::Receiver<States>>,
    /// The front's.
    pub inbound: Arc<Traffic>,
    /// The forwards'.
    pub forwards: Arc<Traffic>,
    /// The egress gateway's.
    pub egress: Arc<Traffic>,
    /// The sink.
    pub logs: LogSink,
    /// The submitter's.
    pub chain: Option<Arc<Mutex<View>>>,
}

impl Sources {
    fn status(&self, started_ms: u64) -> Status {
        let enclave = self.states.as_ref().and_then(|states| {
            states.borrow().get(ENCLAVE).map(|state| EnclaveStatus {
                phase: state.phase.as_str().to_owned(),
                process: state.process,
                restarts: state.restarts,
                detail: state.detail.clone(),
            })
        });
        Status {
            version: 1,
            process: std::process::id(),
            started_ms,
            config_sha256: self.config_sha256.clone(),
            enclave,
            inbound: self.inbound.carried().into(),
            forwards: self.forwards.carried().into(),
            egress: self.egress.carried().into(),
            log_bytes_lost: self.logs.lost(),
            chain: self.chain.as_ref().map(|view| view.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }
}

impl From<Carried> for Flow {
    fn from(carried: Carried) -> Self {
        Self {
            open: carried.open(),
            total: carried.opened,
            broken: carried.broken,
            bytes_to_left: carried.to_left,
            bytes_to_right: carried.to_right,
        }
    }
}

/// Answers until `stop`.
pub fn serve(path: &Path, sources: Sources, stop: &CancellationToken) -> Result<()> {
    let listener = listen_at(path)?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let started_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let serve = move |mut stream: UnixStream, _| {
        let status = serde_json::to_vec(&sources.status(started_ms)).unwrap_or_default();
        async move {
            let write = async {
                stream.write_all(&status).await?;
                stream.write_all(b"\n").await?;
                stream.shutdown().await
            };
            let _ = tokio::time::timeout(WRITE_TIME, write).await;
        }
    };
    tokio::spawn(each_connection(listener, Slots::new(MAX_READERS, MAX_READERS), stop.clone(), serve));
    Ok(())
}

use std::fmt::Write as _;
use std::path::Path;

use daas_chain::private;
use daas_transport::{Link, open_files};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::chain::Submitter;
use crate::configuration::Enclave;
use crate::inbound::Front;
use crate::logs::LogSink;
use crate::status::{self, Sources};
use crate::{Configuration, Error, Result, enclave, forwards, served};

/// The parent, until `stop`: then connections end, the enclave is ended in its own time, and what was made here is removed.
pub async fn run(configuration: Configuration, stop: CancellationToken) -> Result<()> {
    // Whatever happens on the way, what has been started ends with this call.
    let stop = stop.child_token();
    let _end = stop.clone().drop_guard();
    let folder = &configuration.link;
    // Who could write to it could stand in the enclave's place, or the parent's.
    private::make_folder(folder).map_err(Error::file("making", folder))?;
    raise_file_limit(&configuration);
    let link = Link::Folder(folder.clone());
    let submitter = configuration.chain.clone().map(|chain| Submitter::new(link.clone(), chain)).transpose()?;
    let runtime = configuration.runtime_bytes();
    let config_sha256 = hex(&Sha256::digest(&runtime));

    // What the enclave asks for first is there before it is.
    let logs = LogSink::open(&configuration.logs)?;
    served::configuration(&link, runtime, &stop)?;
    let egress = served::egress(&link, &configuration.egress, &stop)?;
    served::logs(&link, &logs, &stop)?;
    let front = Front::open(&configuration.inbound).await?;
    let inbound = front.traffic();
    front.serve(&link, &stop);
    let forwards = forwards::start(&configuration.forwards, &stop).await?;
    let supervisor = match &configuration.enclave {
        Some(Enclave::Sandbox(sandbox)) => Some(enclave::start(sandbox, folder, &link)?),
        Some(Enclave::Qemu) => return Err(Error::LaterKind("qemu")),
        Some(Enclave::Nitro) => return Err(Error::LaterKind("nitro")),
        None => None,
    };
    let chain = submitter.as_ref().map(Submitter::view);
    let states = supervisor.as_ref().map(daas_supervise::Supervisor::states);
    let sources = Sources { config_sha256, states, inbound, forwards, egress, logs, chain };
    status::serve(&configuration.status, sources, &stop)?;
    let submitting = submitter.map(|submitter| tokio::spawn(submitter.run(stop.clone())));
    tracing::info!(link = %link, "the parent serves");

    stop.cancelled().await;
    if let Some(supervisor) = supervisor {
        supervisor.stop().await;
    }
    if let Some(submitting) = submitting {
        let _ = submitting.await;
    }
    for socket in [configuration.status.clone()].into_iter().chain(own_sockets(folder)) {
        let _ = std::fs::remove_file(socket);
    }
    Ok(())
}

/// What this side listens at.
fn own_sockets(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    use daas_transport::ports::{CONFIGURATION, EGRESS, LOGS};
    [CONFIGURATION, EGRESS, LOGS].into_iter().map(|port| folder.join(format!("vsock_{port}")))
}

/// Each connection takes two files; what a shell or a service manager allows is meant for programs with few.
fn raise_file_limit(configuration: &Configuration) {
    let wanted = 2 * (configuration.inbound.connections + configuration.egress.connections) as u64 + 256;
    let allowed = open_files::raise(wanted);
    if allowed < wanted {
        tracing::warn!(allowed, wanted, "fewer files may be open than the connections that are allowed need");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! What comes before the control plane: configuration, security module, names of hosts.

use std::path::Path;
use std::time::Duration;

use daas_nsm::Nsm;
use daas_transport::egress::{Client, Policy, Ports};
use daas_transport::loopback::Forwarder;
use daas_transport::{Link, ports};
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use crate::device::simulated;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::programs::Programs;
use crate::runtime::{MAX_BYTES, Runtime};

/// The parent may start after the enclave.
const PATIENCE: Duration = Duration::from_mins(1);
const ONE_ATTEMPT: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(200);

/// The runtime configuration, from the parent. One that is refused is asked for once only: what the parent says next would be
/// another attempt at the same door.
pub(crate) async fn configuration(link: &Link) -> Result<Runtime> {
    let by = Instant::now() + PATIENCE;
    loop {
        let last = match tokio::time::timeout(ONE_ATTEMPT, read(link)).await {
            Ok(Ok(bytes)) if !bytes.is_empty() => return Ok(Runtime::parse(&bytes)?),
            Ok(Ok(_)) => "it is empty".to_owned(),
            Ok(Err(cause)) => cause,
            Err(_) => format!("it did not end within {} s", ONE_ATTEMPT.as_secs()),
        };
        if Instant::now() >= by {
            return Err(Error::NoConfiguration { within: PATIENCE, last });
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn read(link: &Link) -> Result<Vec<u8>, String> {
    let stream = link.connect(ports::CONFIGURATION).await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    // One byte more than is allowed shows that it is too long.
    stream.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The security module that the command line names.
pub(crate) async fn module(options: &Options, programs: &Programs) -> Result<Nsm> {
    let Some(folder) = options.simulated_nsm.clone() else { return Ok(Nsm::device()?) };
    tracing::warn!("DEVELOPMENT: the security module is simulated, its documents prove nothing to others");
    let programs = programs.clone();
    let started = tokio::task::spawn_blocking(move || simulated(&folder, &programs)).await;
    started.map_err(|_| Error::Module(daas_nsm::Error::Failed { operation: "start" }))?
}

/// Makes the chain's hosts reachable through the parent, under their names.
pub(crate) async fn reach(link: &Link, runtime: &Runtime, hosts: &Path) -> Result<Forwarder> {
    let targets: Vec<_> = runtime.nodes.iter().map(|node| node.target.clone()).collect();
    let allowed = targets.iter().map(|target| (target.host.clone(), Ports::Any));
    let client = Client::new(link.clone(), Policy::new(allowed));
    let forwarder = Forwarder::start(client, &targets).await?;
    // In place: in a sandbox the file is a mount.
    std::fs::write(hosts, forwarder.hosts_file()).map_err(Error::file("writing", hosts))?;
    Ok(forwarder)
}

#[cfg(test)]
mod tests {
    use daas_transport::accept::Accept as _;
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::runtime::ConfigurationError;

    /// A parent that sends this and closes.
    fn parent(link: &Link, sends: Vec<u8>) {
        let mut listener = link.listen(ports::CONFIGURATION).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(&sends).await;
            }
        });
    }

    #[tokio::test]
    async fn a_parent_that_sends_without_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::Folder(folder.path().into());
        parent(&link, vec![b' '; 10 << 20]);
        let refused = configuration(&link).await;
        assert!(matches!(refused, Err(Error::Configuration(ConfigurationError::TooLong))), "{refused:?}");
    }

    #[tokio::test]
    async fn a_parent_that_is_late_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::Folder(folder.path().into());
        let asked = configuration(&link);
        let late = async {
            tokio::time::sleep(AGAIN * 2).await;
            parent(&link, b"{}".to_vec());
        };
        let (refused, ()) = tokio::join!(asked, late);
        assert!(matches!(refused, Err(Error::Configuration(ConfigurationError::Form(_)))), "{refused:?}");
    }
}

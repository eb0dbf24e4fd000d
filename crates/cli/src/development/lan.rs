//! The network of the cluster's machines: a namespace with a bridge, held by a process.

use std::time::Duration;

use daas_diagnostics::{Diagnostic, codes};

use super::part::{ENCLAVE, Part, Starting};
use super::process::Process;
use super::programs::find;
use crate::places::Places;

/// Where the development chain is reached in the LAN, and as `chain.internal` in the enclave.
pub const CHAIN_PORT: u16 = 9123;

const PATIENCE: Duration = Duration::from_secs(20);

/// The running network.
#[derive(Debug)]
pub struct Lan {
    /// Who holds it.
    pub process: Process,
    /// Whether it was started just now: what was plugged into an older one is in no network any more.
    pub is_new: bool,
}

impl Lan {
    /// Starts the network, or takes the running one.
    pub async fn start(places: &Places) -> Result<Self, Diagnostic> {
        let part = Part::Lan;
        if let Some(process) = part.running(places)? {
            Self::ready(places, &mut Starting::before(&part, process.clone(), places)).await?;
            return Ok(Self { process, is_new: false });
        }
        let program = find("daas-sandbox", "the network of the workers", "워커 네트워크")?;
        let arguments = ["lan", "--address", &format!("{ENCLAVE}/24")].map(str::to_owned).to_vec();
        let mut starting = part.start(places, program, arguments)?;
        Self::ready(places, &mut starting).await?;
        let process = part.running(places)?.ok_or_else(|| Diagnostic::new(codes::INTERNAL).technical("no LAN"))?;
        Ok(Self { process, is_new: true })
    }

    /// The namespace, as a file.
    pub fn namespace(&self) -> String {
        format!("/proc/{}/ns/net", self.process.pid)
    }

    /// It prints its process id, alone on a line, once workers can join.
    async fn ready(places: &Places, starting: &mut Starting) -> Result<(), Diagnostic> {
        let log = starting.log().to_owned();
        let is_ready = || {
            let pid = Part::Lan.running(places).transpose()?.map(|process| process.pid.to_string());
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            match pid {
                Ok(pid) => text.lines().any(|line| line == pid).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            }
        };
        starting.until(PATIENCE, is_ready).await
    }
}

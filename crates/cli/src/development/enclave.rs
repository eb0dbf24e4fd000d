//! The enclave of the development cluster: `daas-parent`, which starts `daas-master` in a sandbox.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use daas_chain::client::Package;
use daas_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};
use sui_sdk_types::Address;

use super::lan::{CHAIN_PORT, Lan};
use super::part::{ENCLAVE, Part, Starting};
use super::programs::{find, hidden};
use crate::places::{Places, Role, private_folder, write_private};

/// The control plane ends within ten.
const STOP_SECONDS: u64 = 15;

/// What the enclave is started with.
#[derive(Debug)]
pub struct Enclave<'a> {
    /// The development chain.
    pub chain_id: &'a str,
    /// Where it answers on this machine.
    pub chain: SocketAddr,
    /// The package.
    pub package: Package,
    /// The cluster.
    pub cluster: Address,
    /// Who submits what the enclave signs, and activates it.
    pub operator_key: PathBuf,
}

impl Enclave<'_> {
    /// Writes the parent's configuration and starts it with its enclave, unless it runs.
    pub fn start(&self, places: &Places, lan: &Lan, programs: &Path) -> Result<Starting, Diagnostic> {
        let part = Part::Parent;
        if let Some(process) = part.running(places)? {
            return Ok(Starting::before(&part, process, places));
        }
        let folder = part.folder(places);
        private_folder(&folder)?;
        private_folder(&places.enclave())?;
        private_folder(&places.logs())?;
        let config = folder.join("parent.json");
        let text = serde_json::to_vec_pretty(&self.configuration(places, lan, programs)?)
            .map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))?;
        write_private(&config, &text)?;
        let program = find("daas-parent", "the enclave's parent", "엔클레이브의 부모")?;
        part.start(places, program, vec!["--config".to_owned(), config.display().to_string()])
    }

    /// What the enclave is told (docs: runtime configuration).
    fn runtime(&self) -> Value {
        json!({
            "version": 1,
            "chain_id": self.chain_id,
            "cluster": self.cluster.to_string(),
            "rpc": [format!("http://chain.internal:{CHAIN_PORT}")],
            "advertise_address": ENCLAVE,
            "tls_names": ["127.0.0.1", "localhost"],
            "log_level": "info",
        })
    }

    fn configuration(&self, places: &Places, lan: &Lan, programs: &Path) -> Result<Value, Diagnostic> {
        let purpose = ("the enclave's sandbox", "엔클레이브 샌드박스");
        let hardware = places.of(Role::Hardware);
        let bind: Vec<_> = hidden([programs, &hardware]).map(|folder| format!("{0}:{0}", folder.display())).collect();
        let namespace = lan.namespace();
        let link = places.enclave();
        Ok(json!({
            "version": 1,
            "link": link,
            "enclave": {
                "kind": "sandbox",
                "sandbox": find("daas-sandbox", purpose.0, purpose.1)?,
                "launcher": find("daas-launch", purpose.0, purpose.1)?,
                "address": format!("{ENCLAVE}/32"),
                "bind": bind,
                "program": programs.join("daas-master"),
                "arguments": [
                    "--link", format!("folder:{}", link.display()),
                    "--programs", programs,
                    "--simulated-nsm", hardware,
                    "--hosts", "/etc/hosts",
                    // Not /run/k3s-daas, where the link is: what is in the way there is removed.
                    "--state", "/run/cluster",
                ],
                "stop_seconds": STOP_SECONDS,
            },
            "inbound": {
                "listeners": [
                    { "address": "127.0.0.1" },
                    { "address": ENCLAVE, "netns": namespace },
                ],
            },
            "forwards": [
                { "listen": format!("{ENCLAVE}:{CHAIN_PORT}"), "netns": namespace, "to": self.chain.to_string() },
            ],
            "runtime_configuration": self.runtime(),
            "egress": {
                "routes": [{ "host": "chain.internal", "port": CHAIN_PORT, "to": self.chain.to_string() }],
            },
            "logs": { "file": places.logs().join("enclave.log") },
            "chain": {
                "rpc": format!("http://{}", self.chain),
                "cluster": self.cluster.to_string(),
                "package": self.package.id.to_string(),
                "key_file": self.operator_key,
                "activate": true,
                "poll_seconds": 1,
            },
            "status": places.runtime().join("parent.status"),
        }))
    }
}

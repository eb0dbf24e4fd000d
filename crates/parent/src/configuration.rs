//! What the parent is told: one JSON file. Unknown fields are refused; what is left out has the value that stands here.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sui_sdk_types::Address;

use crate::{Error, Result};

/// A larger file is a mistake.
const LONGEST_FILE: u64 = 1024 * 1024;
/// What the enclave takes as its runtime configuration.
const LONGEST_RUNTIME: usize = 64 * 1024;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The form of this file: 1.
    pub version: u32,
    /// The folder of the link to the enclave: a port is the socket `vsock_<port>` in it. Made if it is not there.
    pub link: PathBuf,
    /// What to start. Without it somebody else does.
    #[serde(default)]
    pub enclave: Option<Enclave>,
    /// Where clients of the enclave connect.
    #[serde(default)]
    pub inbound: Inbound,
    /// Connections that go elsewhere.
    #[serde(default)]
    pub forwards: Vec<Forward>,
    /// Given to the enclave as it is, on port 9001; at most 64 KiB.
    pub runtime_configuration: serde_json::Value,
    /// Where the enclave may connect to.
    #[serde(default)]
    pub egress: Egress,
    /// Where the enclave's logs go.
    pub logs: Logs,
    /// Where the enclave's submissions go. Without it nowhere.
    #[serde(default)]
    pub chain: Option<Chain>,
    /// The socket that answers each connection with the parent's state.
    pub status: PathBuf,
}

/// What to start.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Enclave {
    /// Namespaces on this machine, for development.
    Sandbox(Box<Sandbox>),
    /// The enclave image in QEMU; later.
    Qemu,
    /// The enclave image on EC2; later.
    Nitro,
}

/// A development enclave: `daas-sandbox run --kind enclave --name NAME --address ADDRESS … -- PROGRAM ARGUMENTS`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// The program `daas-sandbox`.
    pub sandbox: PathBuf,
    /// The program `daas-launch`, through which it is started, to die with the parent.
    pub launcher: PathBuf,
    /// The sandbox's name.
    #[serde(default = "defaults::name")]
    pub name: String,
    /// The address that the enclave advertises, on its own loopback device.
    #[serde(default = "defaults::address")]
    pub address: String,
    /// A file to be `/etc/hosts` inside. Without it there is a private one.
    #[serde(default)]
    pub hosts: Option<PathBuf>,
    /// `SOURCE:TARGET`: what is seen inside although it is under `/run`, `/tmp` or `/etc`. The link is, without being named.
    #[serde(default)]
    pub bind: Vec<String>,
    /// What runs inside: `daas-master`.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// How long it may take until `GET /health` of its port 8443 is answered; then it is started anew.
    #[serde(default = "defaults::start_seconds")]
    pub start_seconds: u64,
    /// How long it may take to end when the parent does.
    #[serde(default = "defaults::stop_seconds")]
    pub stop_seconds: u64,
}

/// Where clients connect: each address with each port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inbound {
    /// The addresses.
    pub listeners: Vec<ListenAt>,
    /// The ports, here and in the enclave.
    pub ports: Vec<u16>,
    /// Connections at once, in all: each port has the same share.
    pub connections: usize,
    /// Connections at once to one port, of one IPv4 address or IPv6 /64.
    pub connections_per_client: usize,
}

impl Default for Inbound {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            ports: daas_transport::ports::INBOUND.to_vec(),
            connections: 4096,
            connections_per_client: 512,
        }
    }
}

/// An address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenAt {
    /// The address.
    pub address: IpAddr,
    /// The network namespace that has it (`/proc/<pid>/ns/net`); none is the parent's own.
    #[serde(default)]
    pub netns: Option<PathBuf>,
}

/// Connections to one address go to another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Where to listen.
    pub listen: SocketAddr,
    /// In which network namespace; none is the parent's own.
    #[serde(default)]
    pub netns: Option<PathBuf>,
    /// Where they go: `host:port`, in the parent's own network.
    pub to: String,
}

/// Where the enclave may connect to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// The destinations; anything else is refused.
    pub routes: Vec<EgressRoute>,
    /// Connections at once.
    pub connections: usize,
}

impl Default for Egress {
    fn default() -> Self {
        Self { routes: Vec::new(), connections: 256 }
    }
}

/// A destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressRoute {
    /// The name that the enclave asks for.
    pub host: String,
    /// And the port.
    pub port: u16,
    /// What is connected to for it: `host:port`.
    pub to: String,
}

/// The enclave's logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// The file; older ones are `<file>.1`, `<file>.2`, …
    pub file: PathBuf,
    /// A file's length before the next is begun.
    #[serde(default = "defaults::log_bytes")]
    pub max_bytes: u64,
    /// How many files there are, with the one that is written.
    #[serde(default = "defaults::log_files")]
    pub files: u32,
}

/// The chain, and who pays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The chain's gRPC address.
    pub rpc: String,
    /// The Cluster object.
    pub cluster: Address,
    /// The package that is called.
    pub package: Address,
    /// The file with the key of the wallet that pays; readable by its owner alone.
    pub key_file: PathBuf,
    /// Whether to make the enclave the cluster's active one, which needs the cluster's AdminCap in the wallet. In development only: after each start
    /// the enclave has a new, empty cluster.
    #[serde(default)]
    pub activate: bool,
    /// How often to ask the enclave.
    #[serde(default = "defaults::poll_seconds")]
    pub poll_seconds: u64,
    /// Transactions at most within an hour: what an enclave gone wrong can cost.
    #[serde(default = "defaults::per_hour")]
    pub transactions_per_hour: usize,
    /// MIST at most for one transaction's gas.
    #[serde(default)]
    pub gas_budget: Option<u64>,
}

mod defaults {
    pub(super) fn name() -> String {
        "enclave".into()
    }
    pub(super) fn address() -> String {
        "172.30.0.1/32".into()
    }
    pub(super) fn start_seconds() -> u64 {
        300
    }
    pub(super) fn stop_seconds() -> u64 {
        20
    }
    pub(super) fn log_bytes() -> u64 {
        16 * 1024 * 1024
    }
    pub(super) fn log_files() -> u32 {
        4
    }
    pub(super) fn poll_seconds() -> u64 {
        2
    }
    pub(super) fn per_hour() -> usize {
        60
    }
}

impl Configuration {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::file("opening", path))?;
        let mut text = Vec::new();
        file.take(LONGEST_FILE).read_to_end(&mut text).map_err(Error::file("reading", path))?;
        let parsed = serde_json::from_slice(&text);
        let configuration: Self = parsed.map_err(|cause| Error::Configuration { path: path.into(), cause })?;
        configuration.check()?;
        Ok(configuration)
    }

    /// The bytes that the enclave is given.
    pub fn runtime_bytes(&self) -> Vec<u8> {
        self.runtime_configuration.to_string().into_bytes()
    }

    fn check(&self) -> Result<()> {
        let wrong = |field, reason: &str| Err(Error::Field { field, reason: reason.into() });
        match &self.enclave {
            Some(Enclave::Qemu) => return Err(Error::LaterKind("qemu")),
            Some(Enclave::Nitro) => return Err(Error::LaterKind("nitro")),
            Some(Enclave::Sandbox(_)) | None => {}
        }
        if self.version != 1 {
            return wrong("version", "this parent reads version 1");
        }
        if !self.runtime_configuration.is_object() || self.runtime_bytes().len() > LONGEST_RUNTIME {
            return wrong("runtime_configuration", "it is an object of at most 64 KiB");
        }
        if self.logs.files == 0 || self.logs.max_bytes < 64 * 1024 {
            return wrong("logs", "there is at least one file, of at least 65536 bytes");
        }
        if self.inbound.ports.contains(&0) {
            return wrong("inbound.ports", "0 is no port");
        }
        let limits = [self.inbound.connections, self.inbound.connections_per_client, self.egress.connections];
        if limits.iter().any(|limit| !(1..=65_536).contains(limit)) {
            return wrong("connections", "limits are 1 to 65536");
        }
        if self.chain.as_ref().is_some_and(|chain| chain.poll_seconds == 0) {
            return wrong("chain.poll_seconds", "it is at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn least() -> Value {
        json!({
            "version": 1, "link": "/x", "runtime_configuration": {"a": 1}, "logs": {"file": "/x/log"}, "status": "/x/status"
        })
    }

    fn read(value: &Value) -> Result<Configuration> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), value.to_string()).unwrap();
        Configuration::read(file.path())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let read = read(&least()).unwrap();
        assert_eq!(read.inbound.ports, [6443, 9345, 8443]);
        assert!(read.enclave.is_none() && read.chain.is_none() && read.egress.routes.is_empty());
        assert_eq!(read.runtime_bytes(), br#"{"a":1}"#);
    }

    #[test]
    fn unknown_fields_are_refused_everywhere() {
        let mut full = least();
        full["enclave"] = json!({"kind": "sandbox", "sandbox": "/s", "launcher": "/l", "program": "/p"});
        full["inbound"] = json!({"listeners": [{"address": "127.0.0.1", "netns": null}]});
        full["forwards"] = json!([{"listen": "127.0.0.1:1", "netns": "/n", "to": "a:1"}]);
        full["egress"] = json!({"routes": [{"host": "chain.internal", "port": 1, "to": "127.0.0.1:1"}]});
        let id = format!("0x{}", "01".repeat(32));
        full["chain"] = json!({"rpc": "http://x", "cluster": id, "package": id, "key_file": "/k"});
        read(&full).unwrap();
        for place in [
            "",
            "/enclave",
            "/inbound",
            "/inbound/listeners/0",
            "/forwards/0",
            "/egress",
            "/egress/routes/0",
            "/logs",
            "/chain",
        ] {
            let mut wrong = full.clone();
            wrong.pointer_mut(place).unwrap()["surprise"] = json!(1);
            let error = read(&wrong).unwrap_err().to_string();
            assert!(error.contains("surprise"), "{place}: {error}");
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for (place, value, word) in [
            ("/version", json!(2), "version 1"),
            ("/runtime_configuration", json!([]), "object"),
            ("/runtime_configuration", json!({"a": "x".repeat(65 * 1024)}), "64 KiB"),
            ("/logs", json!({"file": "/x", "files": 0}), "file"),
            ("/inbound", json!({"connections": 0}), "1 to 65536"),
            ("/inbound", json!({"ports": [0]}), "no port"),
            ("/enclave", json!({"kind": "qemu", "image": "/x"}), "qemu"),
            ("/enclave", json!({"kind": "nitro"}), "nitro"),
            ("/enclave", json!({"kind": "other"}), "other"),
        ] {
            let mut wrong = least();
            wrong[&place[1..]] = value;
            let error = read(&wrong).unwrap_err().to_string();
            assert!(error.contains(word), "{place}: {error}");
        }
        assert!(matches!(
            read(&{
                let mut later = least();
                later["enclave"] = json!({"kind": "qemu"});
                later
            }),
            Err(Error::LaterKind("qemu"))
        ));
    }
}

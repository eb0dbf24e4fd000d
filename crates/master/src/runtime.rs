//! The runtime configuration: what an operator may choose without changing what is measured.
//!
//! It comes from the parent, which is not trusted, so it can say where the cluster is and how large it may be, and nothing about
//! whom to believe: there is no field for roots, trust levels, webhooks or switches, and a field that is not known is refused by its name. Its hashes stand in
//! PCR16 and in the claims, so that whoever verifies the enclave knows which one it was started with.

use std::collections::BTreeMap;
use std::net::IpAddr;

use aws_lc_rs::digest;
use daas_seal_token::ClusterId;
use daas_settings::{ChainId, Value as _};
use daas_transport::egress::Target;
use serde::Deserialize;
use sui_sdk_types::{Address, Digest};

/// No configuration is longer.
pub const MAX_BYTES: usize = 64 * 1024;
/// The one host outside the enclave that a development cluster knows; its parent maps it to a chain's node.
pub const DEVELOPMENT_HOST: &str = "chain.internal";
const VERSION: u32 = 1;
const MAX_NODES: usize = 9;
const MAX_TLS_NAMES: usize = 32;
const MAX_WORKERS: u32 = 10_000;
const DEFAULT_WORKERS: u32 = 1_000;

/// A configuration that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The chain's identifier.
    pub chain: Digest,
    /// The cluster.
    pub cluster: Address,
    /// The chain's nodes.
    pub nodes: Vec<ChainNode>,
    /// Where workers and users reach the enclave.
    pub advertise_address: IpAddr,
    /// More names for the server certificates.
    pub tls_names: Vec<String>,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How many workers may register.
    pub max_workers: u32,
    /// Memory of the control plane's programs in MiB, by name.
    pub memory_mib: BTreeMap<String, u32>,
    /// SHA-256 of the bytes: the claims' `config_sha256`.
    pub sha256: [u8; 32],
    /// SHA-384 of the bytes: what PCR16 is extended with.
    pub sha384: [u8; 48],
}

/// A node of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainNode {
    /// As the client is told.
    pub url: String,
    /// What the parent is asked for.
    pub target: Target,
}

/// How much is logged; never bodies or credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What may fail next.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// How.
    Debug,
}

impl LogLevel {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Longer than any.
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// No JSON of this form; names the field.
    #[error("{0}")]
    Form(String),
    /// Written for another master.
    #[error("version is {0}, this image knows {VERSION}")]
    Version(u32),
    /// A value that cannot be meant.
    #[error("{field} cannot be {given:?}: {rule}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What it says, shortened.
        given: String,
        /// What it should be.
        rule: &'static str,
    },
    /// A chain of production whose hosts are not measured into this image.
    #[error("chain_id names Sui's {0}: this image has no measured hosts for it, and takes none from its parent")]
    Production(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    chain_id: String,
    cluster: String,
    rpc: Vec<String>,
    advertise_address: String,
    #[serde(default)]
    tls_names: Vec<String>,
    #[serde(default)]
    log_level: LogLevel,
    #[serde(default)]
    limits: RawLimits,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    workers: Option<u32>,
    memory_mib: BTreeMap<String, u32>,
}

impl Runtime {
    /// Reads a configuration; an error names the first field that cannot be used.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigurationError> {
        if bytes.len() > MAX_BYTES {
            return Err(ConfigurationError::TooLong);
        }
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| ConfigurationError::Form(error.to_string()))?;
        if raw.version != VERSION {
            return Err(ConfigurationError::Version(raw.version));
        }
        Ok(Self {
            chain: chain(&raw.chain_id)?,
            cluster: cluster(&raw.cluster)?,
            nodes: nodes(&raw.rpc)?,
            advertise_address: advertised(&raw.advertise_address)?,
            tls_names: tls_names(raw.tls_names)?,
            log_level: raw.log_level,
            max_workers: workers(raw.limits.workers)?,
            memory_mib: raw.limits.memory_mib,
            sha256: digest_of(&digest::SHA256, bytes),
            sha384: digest_of(&digest::SHA384, bytes),
        })
    }

    /// The cluster, as Seal tokens and claims name it.
    pub fn cluster_id(&self) -> ClusterId {
        ClusterId(self.cluster.into_inner())
    }
}

fn chain(text: &str) -> Result<Digest, ConfigurationError> {
    let chain = ChainId::parse(text).ok();
    for (id, name) in [(ChainId::MAINNET, "mainnet"), (ChainId::TESTNET, "testnet")] {
        let same = |chain| match chain {
            ChainId::Digest(digest) => id.matches(&digest),
            short @ ChainId::Short(_) => short == id,
        };
        if chain.is_some_and(same) {
            return Err(ConfigurationError::Production(name));
        }
    }
    match chain {
        Some(ChainId::Digest(digest)) => Ok(Digest::new(digest)),
        _ => Err(refused("chain_id", text, "the whole identifier, base58 of 32 bytes")),
    }
}

fn cluster(text: &str) -> Result<Address, ConfigurationError> {
    let id: ClusterId = text.parse().map_err(|_| refused("cluster", text, "0x and 64 hex digits"))?;
    if id.0 == [0; 32] {
        return Err(refused("cluster", text, "the id of a Cluster object"));
    }
    Ok(Address::new(id.0))
}

fn nodes(urls: &[String]) -> Result<Vec<ChainNode>, ConfigurationError> {
    const RULE: &str = "one to nine addresses http://chain.internal:PORT, each once";
    if urls.is_empty() || urls.len() > MAX_NODES {
        return Err(refused("rpc", &format!("{} addresses", urls.len()), RULE));
    }
    let mut nodes: Vec<ChainNode> = Vec::new();
    for url in urls {
        // In clear: what a node says is believed by its hashes and by how many say it, and the development chain has no certificate.
        let rest = url.strip_prefix("http://").ok_or_else(|| refused("rpc", url, RULE))?;
        let target = Target::parse(rest.strip_suffix('/').unwrap_or(rest)).map_err(|_| refused("rpc", url, RULE))?;
        if target.host.as_str() != DEVELOPMENT_HOST || nodes.iter().any(|node| node.target == target) {
            return Err(refused("rpc", url, RULE));
        }
        nodes.push(ChainNode { url: format!("http://{target}"), target });
    }
    Ok(nodes)
}

fn advertised(text: &str) -> Result<IpAddr, ConfigurationError> {
    const RULE: &str = "an address that workers reach: no loopback, link-local, multicast or unspecified one";
    let address: daas_join::master_api::NodeAddress =
        text.parse().map_err(|_| refused("advertise_address", text, RULE))?;
    Ok(address.ip())
}

fn tls_names(names: Vec<String>) -> Result<Vec<String>, ConfigurationError> {
    const RULE: &str = "at most 32 addresses or DNS names in lower case, no wildcards, nothing of the cluster's own";
    if names.len() > MAX_TLS_NAMES {
        return Err(refused("tls_names", &format!("{} names", names.len()), RULE));
    }
    for name in &names {
        let dns = || name.parse::<daas_control_plane::components::DnsName>().is_ok();
        // A certificate for a user's service inside the cluster would let the holder of this key answer for it.
        let inside = name.ends_with(".cluster.local") || name.rsplit('.').next() == Some("svc");
        if inside || !(name.parse::<IpAddr>().is_ok() || dns()) {
            return Err(refused("tls_names", name, RULE));
        }
    }
    Ok(names)
}

fn workers(given: Option<u32>) -> Result<u32, ConfigurationError> {
    let workers = given.unwrap_or(DEFAULT_WORKERS);
    if (1..=MAX_WORKERS).contains(&workers) {
        Ok(workers)
    } else {
        Err(refused("limits.workers", &workers.to_string(), "1 to 10000"))
    }
}

fn refused(field: &'static str, given: &str, rule: &'static str) -> ConfigurationError {
    ConfigurationError::Value { field, given: given.chars().take(120).collect(), rule }
}

fn digest_of<const N: usize>(algorithm: &'static digest::Algorithm, bytes: &[u8]) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(digest::digest(algorithm, bytes).as_ref());
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "version": 1, "chain_id": Digest::new([7; 32]).to_string(), "cluster": format!("0x{}", "ab".repeat(32)),
            "rpc": ["http://chain.internal:9123"], "advertise_address": "172.30.0.1", "tls_names": ["k8s.example"],
            "log_level": "info", "limits": {"workers": 50, "memory_mib": {"etcd": 512}},
        })
    }

    fn parse(value: &Value) -> Result<Runtime, ConfigurationError> {
        Runtime::parse(value.to_string().as_bytes())
    }

    fn with(place: &str, value: Value) -> Value {
        let mut json = good();
        let (parent, field) = place.rsplit_once('/').unwrap();
        json.pointer_mut(parent).unwrap()[field] = value;
        json
    }

    #[test]
    fn a_configuration_is_read_with_its_hashes() {
        let runtime = parse(&good()).unwrap();
        assert_eq!(runtime.nodes[0].target.to_string(), "chain.internal:9123");
        assert_eq!((runtime.max_workers, runtime.memory_mib["etcd"]), (50, 512));
        // printf '{"version":1}' | sha256sum
        assert_eq!(
            hex::encode(digest_of::<32>(&digest::SHA256, b"{\"version\":1}")),
            "2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8"
        );
        let mut short = good();
        for field in ["tls_names", "log_level", "limits"] {
            short.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(parse(&short).unwrap().max_workers, DEFAULT_WORKERS);
    }

    #[test]
    fn every_field_that_is_not_known_is_refused_by_its_name() {
        for field in [
            "trust",
            "attestation_root",
            "root",
            "package",
            "webhooks",
            "anonymous_auth",
            "bind_address",
            "tls_min_version",
            "pod_security",
            "disable_authenticator",
            "simulated_nsm",
            "programs",
            "kube_apiserver_args",
            "egress",
            "debug",
            "staleness",
            "Version",
        ] {
            let refused = parse(&with(&format!("/{field}"), json!("x"))).unwrap_err();
            assert!(refused.to_string().contains(&format!("`{field}`")), "{refused}");
        }
        let refused = parse(&with("/limits/attestations", json!(1))).unwrap_err();
        assert!(refused.to_string().contains("`attestations`"), "{refused}");
        let twice = good().to_string().replacen('{', r#"{"cluster":"0x00","#, 1);
        assert!(Runtime::parse(twice.as_bytes()).unwrap_err().to_string().contains("duplicate field `cluster`"));
    }

    #[test]
    fn values_that_would_weaken_or_cannot_be_meant_are_refused_with_their_field() {
        let many: Vec<_> = (0..33).map(|number| format!("n{number}.example")).collect();
        let ten: Vec<_> = (1..=10).map(|port| format!("http://chain.internal:{port}")).collect();
        for (place, value) in [
            ("/version", json!(2)),
            ("/version", json!("1")),
            ("/chain_id", json!("")),
            ("/chain_id", json!("35834a8b")),
            ("/cluster", json!("0x2")),
            ("/cluster", json!(format!("0x{}", "00".repeat(32)))),
            ("/rpc", json!([])),
            ("/rpc", json!(ten)),
            ("/rpc", json!(["http://chain.internal:9123", "http://chain.internal:9123/"])),
            ("/rpc", json!(["https://chain.internal:9123"])),
            ("/rpc", json!(["http://chain.internal"])),
            ("/rpc", json!(["http://127.0.0.1:9123"])),
            ("/rpc", json!(["http://chain.internal.evil:9123"])),
            ("/rpc", json!(["http://user@chain.internal:9123"])),
            ("/rpc", json!(["http://chain.internal:9123/?x"])),
            ("/rpc", json!(["http://metadata:80"])),
            ("/advertise_address", json!("127.0.0.1")),
            ("/advertise_address", json!("0.0.0.0")),
            ("/advertise_address", json!("169.254.169.254")),
            ("/advertise_address", json!("example.org")),
            ("/tls_names", json!(["*.example"])),
            ("/tls_names", json!(["a,b"])),
            ("/tls_names", json!(["UPPER.example"])),
            ("/tls_names", json!(["metrics-server.kube-system.svc"])),
            ("/tls_names", json!(["x.default.svc.cluster.local"])),
            ("/tls_names", json!(many)),
            ("/log_level", json!("trace")),
            ("/limits/workers", json!(0)),
            ("/limits/workers", json!(10_001)),
            ("/limits/memory_mib", json!({"etcd": -1})),
        ] {
            assert!(parse(&with(place, value.clone())).is_err(), "{place} = {value}");
        }
    }

    #[test]
    fn a_chain_of_production_is_refused_while_no_hosts_are_measured() {
        for id in ["mainnet", "testnet", "35834a8a", "4c78adac"] {
            let refused = parse(&with("/chain_id", json!(id))).unwrap_err();
            assert!(matches!(refused, ConfigurationError::Production(_)), "{id}: {refused}");
        }
    }

    #[test]
    fn what_is_no_json_object_of_the_form_is_an_error_and_never_a_panic() {
        let deep = "[".repeat(60_000);
        let long = format!("{}{}", good(), " ".repeat(MAX_BYTES));
        let trailing = format!("{}x", good());
        for text in ["", "{}", "null", "[]", "{", &deep, &long, &trailing, "\u{feff}{}"] {
            assert!(Runtime::parse(text.as_bytes()).is_err());
        }
        assert!(Runtime::parse(&[0xff; 10]).is_err());
        assert_eq!(Runtime::parse(&vec![b' '; MAX_BYTES + 1]), Err(ConfigurationError::TooLong));
    }

    proptest! {
        /// One value of a good configuration replaced by anything: it is refused, or what it says is within the bounds.
        #[test]
        fn what_is_accepted_is_within_bounds(field in 0..8_usize, text in "\\PC{0,40}|http://chain.internal:[0-9]{1,6}", number in any::<i64>()) {
            let places = ["version", "chain_id", "cluster", "advertise_address", "log_level"];
            for value in [json!(text), json!(number), json!([text]), json!({"workers": number})] {
                let place = places.get(field).copied().unwrap_or(if field == 5 { "rpc" } else { "limits" });
                if let Ok(runtime) = parse(&with(&format!("/{place}"), value)) {
                    prop_assert!((1..=MAX_WORKERS).contains(&runtime.max_workers));
                    prop_assert!(runtime.nodes.iter().all(|node| node.target.host.as_str() == DEVELOPMENT_HOST));
                    prop_assert!(!runtime.advertise_address.is_loopback() && !runtime.advertise_address.is_unspecified());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Runtime::parse(&bytes).is_err());
        }
    }
}

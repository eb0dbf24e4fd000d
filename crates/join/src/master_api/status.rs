//! What anybody may see of a cluster, and of its workers.

use daas_seal_token::{ClusterId, NodeName};
use serde::{Deserialize, Serialize};

use super::node::{NodeAddress, NodeResources, NodeStatus, ResourceUse};
use super::wire::{digits, optional_text, text};
use crate::Network;

/// `GET /api/v1/cluster`. Nothing in it is proven: what must be true is verified by attestation and on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterAnswer {
    /// The Cluster object.
    #[serde(with = "text")]
    pub cluster: ClusterId,
    /// Its name; empty until the registry is loaded.
    pub name: String,
    /// The chain that it is on: the identifier's text, base58.
    pub chain_id: String,
    /// Whether anything here is more than a trial.
    pub environment: Environment,
    /// Rises when another instance is trusted.
    pub generation: u64,
    /// Where the chain says that it is reached.
    pub endpoints: ClusterEndpoints,
    /// The enclave that answers.
    pub instance: InstanceView,
    /// How current its view of the chain is.
    pub registry: RegistryView,
    /// Whether the control plane serves.
    pub ready: bool,
    /// The programs inside.
    pub components: Vec<ComponentView>,
    /// How many workers are registered.
    pub workers: usize,
    /// What users should know.
    pub notes: Vec<String>,
}

/// Which kind of chain a cluster is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Sui's mainnet or testnet.
    Production,
    /// Any other.
    Development,
}

/// `host:port` each; empty where the chain names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEndpoints {
    /// kube-apiserver.
    pub api: String,
    /// Join gateway.
    pub join: String,
    /// This API.
    pub master: String,
}

/// The enclave that answers, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    /// The instance key.
    #[serde(with = "digits")]
    pub key: [u8; 32],
    /// SHA-256 of the public key of this API.
    #[serde(with = "digits")]
    pub tls_spki_sha256: [u8; 32],
    /// SHA-256 of the exact `/cacerts` bytes.
    #[serde(with = "digits")]
    pub server_ca_sha256: [u8; 32],
    /// SHA-256 of the runtime configuration.
    #[serde(with = "digits")]
    pub config_sha256: [u8; 32],
    /// Where it is with the chain.
    pub registration: RegistrationState,
    /// When its registration ends, if it has one.
    pub registered_until_ms: Option<u64>,
}

/// Where an instance is with the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationState {
    /// The registry is not loaded.
    Unknown,
    /// Nobody has submitted its document yet.
    Unregistered,
    /// Registered; another instance is the active one, or none is.
    Registered,
    /// The cluster's active instance.
    Active,
    /// Its registration has ended.
    Expired,
}

/// How current the view of the chain is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryView {
    /// Whether verdicts can be given.
    pub fresh: bool,
    /// The newest checkpoint.
    pub checkpoint: u64,
    /// Its time.
    pub timestamp_ms: u64,
    /// What is wrong, if anything is.
    pub problem: Option<String>,
}

/// A program inside the enclave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Its name.
    pub name: String,
    /// How it is.
    pub phase: String,
    /// Starts after the first.
    pub restarts: u64,
}

/// `GET /api/v1/nodes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesAnswer {
    /// By name.
    pub nodes: Vec<NodeView>,
}

/// A registered worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its name.
    #[serde(with = "text")]
    pub name: NodeName,
    /// Its address.
    #[serde(with = "text")]
    pub address: NodeAddress,
    /// The addresses of its pods.
    #[serde(with = "optional_text", default)]
    pub pod_cidr: Option<Network>,
    /// How it is, for this API.
    pub state: NodeState,
    /// Why it is not ready; empty if it is.
    pub reason: String,
    /// What it said last.
    pub status: Option<NodeStatus>,
    /// When its last heartbeat arrived.
    pub last_heartbeat_ms: Option<u64>,
    /// What it has.
    pub resources: NodeResources,
    /// What of it is in use.
    pub used: Option<ResourceUse>,
    /// Pods that run on it.
    pub running_pods: u32,
}

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Its heartbeats arrive and say so.
    Ready,
    /// It says so, or is silent.
    NotReady,
    /// It is on its way out.
    Draining,
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what was wrong. Never quotes a secret.
    pub error: String,
}

/// Why a request was refused. Each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400: the request is malformed.
    Malformed,
    /// 400: its time is more than [`super::TIMESTAMP_WINDOW_MS`] from the enclave's.
    Untimely,
    /// 401: no token, one that is malformed, or one that proves nothing.
    Unauthenticated,
    /// 403: the token is good, but for something else: another node, another purpose.
    Forbidden,
    /// 403: the identity is over: slashed, unstaked, suspended, revoked, expired or too small a stake.
    IdentityOver,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 408.
    Timeout,
    /// 409: an address is another node's, or a newer heartbeat has arrived before.
    Conflict,
    /// 409: this node has not registered, here and now: register first.
    NotRegistered,
    /// 413.
    TooLarge,
    /// 429: too much at once; come again.
    Busy,
    /// 503: the view of the chain is too old to judge by.
    Stale,
    /// 503: the control plane does not serve yet.
    NotReady,
    /// 500.
    Internal,
}

impl ErrorCode {
    /// Its HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Untimely => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::IdentityOver => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict | Self::NotRegistered => 409,
            Self::TooLarge => 413,
            Self::Busy => 429,
            Self::Internal => 500,
            Self::Stale | Self::NotReady => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_read_by_its_code() {
        let json = json!({"code": "identity_over", "error": "the stake behind the token is Slashed"});
        let answer: ErrorAnswer = serde_json::from_value(json.clone()).unwrap();
        assert_eq!((answer.code, answer.code.status()), (ErrorCode::IdentityOver, 403));
        assert_eq!(serde_json::to_value(&answer).unwrap(), json);
    }

    #[test]
    fn a_worker_without_pods_or_heartbeats_is_shown() {
        let json = json!({
            "name": "worker-1-0a1b2c3d", "address": "172.30.0.11", "pod_cidr": null, "state": "not_ready",
            "reason": "no heartbeat yet", "status": null, "last_heartbeat_ms": null,
            "resources": {"cpu_millis": 2000, "memory_bytes": 5}, "used": null, "running_pods": 0,
        });
        let view: NodeView = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&view).unwrap(), json);
    }
}

//! The master's API on 8443, as both sides read and write it: paths, header, JSON (docs/master.md).
//!
//! Requests refuse unknown fields, because a field that is not understood may change the meaning of those that are; answers may
//! grow. Every bound that does not depend on the cluster is held by a type, so that a value that was read is a good one. The answer
//! of `/api/v1/attestation` is [`daas_attestation::Answer`].

mod node;
mod status;
mod submission;
mod wire;

pub use node::{
    Heartbeat, HeartbeatAnswer, NodeAddress, NodeResources, NodeStatus, Percent, RegisterWorker, RegisteredWorker,
    ResourceUse, ValueError,
};
pub use status::{
    ClusterAnswer, ClusterEndpoints, ComponentView, Environment, ErrorAnswer, ErrorCode, InstanceView, NodeState,
    NodeView, NodesAnswer, RegistrationState, RegistryView,
};
pub use submission::{Offered, Submission};

/// The paths.
pub mod path {
    /// A fresh attestation document for the caller's nonce: `?nonce=<64 hex digits>`.
    pub const ATTESTATION: &str = "/api/v1/attestation";
    /// What this cluster is, and how it does.
    pub const CLUSTER: &str = "/api/v1/cluster";
    /// A worker asks for its Node.
    pub const REGISTER_WORKER: &str = "/api/v1/register-worker";
    /// A worker says that it is there.
    pub const HEARTBEAT: &str = "/api/v1/nodes/heartbeat";
    /// The workers as their heartbeats show them.
    pub const NODES: &str = "/api/v1/nodes";
    /// What the enclave wants on chain.
    pub const SUBMISSIONS: &str = "/api/v1/submissions";
    /// These paths, described.
    pub const OPENAPI: &str = "/api/v1/openapi.json";
    /// The process answers.
    pub const HEALTH: &str = "/health";
    /// The control plane serves.
    pub const READY: &str = "/readyz";
    /// Figures as Prometheus text.
    pub const METRICS: &str = "/metrics";
}

/// The header that shows a Seal token of the join purpose.
pub const SEAL_TOKEN_HEADER: &str = "X-Seal-Token";
/// A request's body is never longer than this.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024;
/// An answer is never longer than this: 10 000 workers.
pub const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How often a worker says that it is there, in seconds.
pub const HEARTBEAT_SECONDS: u32 = 30;
/// A worker that is silent for so many periods is not ready.
pub const MISSED_HEARTBEATS: u32 = 3;
/// How far a request's time may be from the enclave's, either way; the last millisecond still counts.
pub const TIMESTAMP_WINDOW_MS: u64 = 30_000;

/// Whether a request that says it was made at `timestamp_ms` is neither an old one nor ahead of time.
pub const fn is_timely(timestamp_ms: u64, now_ms: u64) -> bool {
    timestamp_ms.abs_diff(now_ms) <= TIMESTAMP_WINDOW_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_for_half_a_minute_either_way() {
        for (timestamp, timely) in [(70_000, true), (130_000, true), (69_999, false), (130_001, false), (0, false)] {
            assert_eq!(is_timely(timestamp, 100_000), timely, "{timestamp}");
        }
        assert!(!is_timely(u64::MAX, 0) && !is_timely(0, u64::MAX));
    }
}

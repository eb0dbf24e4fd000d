//! The ports of the enclave and of its parent.

/// kube-apiserver, raw; inside the enclave.
pub const API: u16 = 6443;
/// The join gateway; inside the enclave.
pub const JOIN: u16 = 9345;
/// The master's API; inside the enclave.
pub const MASTER: u16 = 8443;
/// What the parent passes on to the enclave.
pub const INBOUND: [u16; 3] = [API, JOIN, MASTER];

/// The heartbeat of a booting enclave; at the parent.
pub const HEARTBEAT: u16 = 9000;
/// The runtime configuration; at the parent.
pub const CONFIGURATION: u16 = 9001;
/// Connections to the outside; at the parent.
pub const EGRESS: u16 = 9002;
/// The enclave's logs; at the parent.
pub const LOGS: u16 = 9003;
/// The development signer; at the parent, never in production.
pub const SIGNER: u16 = 9004;
/// Sealed state; at the parent.
pub const STORE: u16 = 9005;

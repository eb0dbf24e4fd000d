//! The network of pods: a VXLAN device, and routes, neighbours and packet filter kept in step with the cluster's Nodes.

/// The bridge that a node's pods are on.
pub const BRIDGE: &str = "cni0";
/// What fits through VXLAN over Ethernet: 1500 less 50.
pub const POD_MTU: u16 = 1450;

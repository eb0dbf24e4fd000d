use serde_json::{Value, json};

use super::flags::ConfigFile;
use super::{Layout, Webhooks};

/// Without an authenticator there is no gateway: nodes are then dialled directly. What kube-apiserver itself dials
/// (`controlplane`: its webhooks, and every webhook that a user names by URL) goes through the list of [`crate::egress`] always.
pub(super) fn file(layout: &Layout, webhooks: &Webhooks) -> ConfigFile {
    let through = |name: &str, socket: &std::path::Path| -> Value {
        json!({"name": name, "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": socket}}}})
    };
    let mut selections = vec![through("controlplane", &layout.control_plane_egress())];
    if matches!(webhooks, Webhooks::Authenticator(_)) {
        selections.push(through("cluster", &layout.cluster_egress()));
    }
    ConfigFile::json(
        layout.config("egress.json"),
        &json!({
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": selections,
        }),
    )
}

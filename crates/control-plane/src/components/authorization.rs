use serde_json::{Value, json};

use super::flags::ConfigFile;
use super::{Layout, Webhooks};
use crate::authority::{CONTROLLER_SERVICE_ACCOUNTS, KUBELET_CLIENT, MASTER};

/// The token of a pod says so.
const NAMES_A_NODE: &str = "'authentication.kubernetes.io/node-name' in request.extra";

/// The order in which kube-apiserver asks who may do what: the master's own rights, the registry of stakes, then Kubernetes' usual two.
pub(super) fn file(layout: &Layout, webhooks: &Webhooks) -> ConfigFile {
    let mut authorizers = vec![own_identities(layout)];
    if matches!(webhooks, Webhooks::Authenticator(_)) {
        authorizers.push(registry(layout));
    }
    authorizers.extend([json!({"type": "Node", "name": "node"}), json!({"type": "RBAC", "name": "rbac"})]);
    ConfigFile::json(
        layout.config("authorization.json"),
        &json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthorizationConfiguration",
            "authorizers": authorizers,
        }),
    )
}

/// [`crate::authority`]: what the control plane's own identities may do, who mints tokens of the controllers, and that no pod is one.
fn own_identities(layout: &Layout) -> Value {
    let mine = format!("request.user in ['{MASTER}', '{KUBELET_CLIENT}']");
    let minting = "has(request.resourceAttributes) && request.resourceAttributes.resource == 'serviceaccounts' \
                   && request.resourceAttributes.subresource == 'token' && request.resourceAttributes.namespace == 'kube-system'";
    let pods = format!("{} && {NAMES_A_NODE}", is_controller());
    json!({
        "type": "Webhook",
        "name": "master",
        "webhook": {
            "timeout": "3s",
            "subjectAccessReviewVersion": "v1",
            "matchConditionSubjectAccessReviewVersion": "v1",
            // The verdict is a constant of the program.
            "authorizedTTL": "60s",
            "unauthorizedTTL": "1s",
            "failurePolicy": "Deny",
            "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": layout.config("master.kubeconfig")},
            "matchConditions": [{"expression": format!("{mine} || ({minting}) || ({pods})")}],
        },
    })
}

fn is_controller() -> String {
    let users: Vec<String> =
        CONTROLLER_SERVICE_ACCOUNTS.iter().map(|name| format!("'system:serviceaccount:kube-system:{name}'")).collect();
    format!("request.user in [{}]", users.join(", "))
}

/// Everyone but the control plane's own identities is looked up, service accounts too: what cannot be placed is denied there.
fn registry(layout: &Layout) -> Value {
    let own = format!(
        "request.user in ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler', '{MASTER}', '{KUBELET_CLIENT}']"
    );
    let controller = format!("{} && !({NAMES_A_NODE})", is_controller());
    json!({
        "type": "Webhook",
        "name": "seal",
        "webhook": {
            "timeout": "3s",
            "subjectAccessReviewVersion": "v1",
            "matchConditionSubjectAccessReviewVersion": "v1",
            // Each request is judged by the chain of this moment: docs/decisions/0017. The times must stand here all the same.
            "cacheAuthorizedRequests": false,
            "cacheUnauthorizedRequests": false,
            "authorizedTTL": "1s",
            "unauthorizedTTL": "1s",
            "failurePolicy": "Deny",
            "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": layout.config("authorization.kubeconfig")},
            "matchConditions": [{"expression": format!("!({own})")}, {"expression": format!("!({controller})")}],
        },
    })
}

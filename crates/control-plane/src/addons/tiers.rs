use serde_json::json;

use super::Object;

/// What the tiers of stakes may do: Kubernetes' own two roles. A worker's tier opens the node paths only, and those need no binding.
pub(super) fn objects() -> Vec<Object> {
    [("reader", "view"), ("admin", "cluster-admin")]
        .map(|(tier, role)| {
            Object::new(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": format!("seal:tier:{tier}")},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("seal:tier:{tier}")}],
            }))
        })
        .into()
}

/// Its presence says that the bindings were made once; whoever removes them has the last word.
pub(super) fn marker() -> Object {
    Object::new(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "daas-tier-bindings", "namespace": "kube-system"},
        "data": {"made": "the bindings of the Seal tiers were made once; delete this object to have them made again"},
    }))
}

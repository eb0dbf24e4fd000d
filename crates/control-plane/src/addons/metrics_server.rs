use serde_json::json;

use super::Object;

const NAMESPACE: &str = "kube-system";
const AUTHORITY: &str = "kubelet-serving-ca";

/// Upstream's manifest (`components.yaml` of metrics-server 0.9), but kubelets' certificates are checked: their authority is mounted.
pub(super) fn objects(kubelet_authority: &str) -> Vec<Object> {
    let labels = json!({"k8s-app": "metrics-server"});
    let metadata = |name: &str| json!({"name": name, "namespace": NAMESPACE, "labels": {"k8s-app": "metrics-server"}});
    let account = json!([{"kind": "ServiceAccount", "name": "metrics-server", "namespace": NAMESPACE}]);
    let binding = |kind: &str, metadata: serde_json::Value, role_kind: &str, role: &str| {
        Object::new(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "subjects": account,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        }))
    };
    let role = |name: &str, labels: serde_json::Value, rules: serde_json::Value| {
        Object::new(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "labels": labels}, "rules": rules,
        }))
    };
    let aggregated = |to: &str| (format!("rbac.authorization.k8s.io/aggregate-to-{to}"), json!("true"));
    let reader_labels: serde_json::Map<_, _> = ["view", "edit", "admin"].map(aggregated).into_iter().collect();
    vec![
        Object::new(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("metrics-server")})),
        role(
            "system:aggregated-metrics-reader",
            reader_labels.into(),
            json!([{"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]}]),
        ),
        role(
            "system:metrics-server",
            json!({}),
            json!([
                {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
            ]),
        ),
        binding(
            "RoleBinding",
            metadata("metrics-server-auth-reader"),
            "Role",
            "extension-apiserver-authentication-reader",
        ),
        binding(
            "ClusterRoleBinding",
            json!({"name": "metrics-server:system:auth-delegator"}),
            "ClusterRole",
            "system:auth-delegator",
        ),
        binding("ClusterRoleBinding", json!({"name": "system:metrics-server"}), "ClusterRole", "system:metrics-server"),
        Object::new(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(AUTHORITY), "data": {"ca.crt": kubelet_authority}}),
        ),
        Object::new(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata("metrics-server"),
            "spec": {"selector": labels, "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}]},
        })),
        deployment(&metadata("metrics-server"), &labels),
        Object::new(json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io", "labels": labels},
            "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                // Its certificate is its own, as upstream; the way to it is a tunnel to a node that could lie about its figures anyway.
                "insecureSkipTLSVerify": true,
                "service": {"name": "metrics-server", "namespace": NAMESPACE},
            },
        })),
    ]
}

fn deployment(metadata: &serde_json::Value, labels: &serde_json::Value) -> Object {
    Object::new(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": "metrics-server",
                    "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "containers": [{
                        "name": "metrics-server",
                        "image": "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
                        "imagePullPolicy": "IfNotPresent",
                        "args": [
                            "--cert-dir=/tmp",
                            "--secure-port=10250",
                            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
                            "--kubelet-use-node-status-port",
                            "--kubelet-certificate-authority=/etc/kubelet-serving-ca/ca.crt",
                            "--metric-resolution=15s",
                        ],
                        "ports": [{"name": "https", "containerPort": 10250, "protocol": "TCP"}],
                        "livenessProbe": {"httpGet": {"path": "/livez", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 10, "initialDelaySeconds": 60},
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 2},
                        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}},
                        "securityContext": {
                            "readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 1000, "allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "volumeMounts": [
                            {"name": "tmp", "mountPath": "/tmp"},
                            {"name": "authority", "mountPath": "/etc/kubelet-serving-ca", "readOnly": true},
                        ],
                    }],
                    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "authority", "configMap": {"name": AUTHORITY}}],
                },
            },
        },
    }))
}
